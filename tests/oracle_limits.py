"""How much of a request is permitted, found by asking of one multiple of its step after another."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple

from oracle_figures import Provision
from oracle_requests import Asking, Ruling
from oracle_values import UNLIMITED, OracleError, number


class Scan(NamedTuple):
    """How far everything asked was permitted, and what ended that.

    `end` is `refused`, `undetermined`, `bound` where the request takes no more, `open` where as
    many points as allowed were asked, or `unknown` where what is changed cannot be told. `again`
    says that something above was permitted.
    """

    reached: Fraction
    end: str
    ruling: Ruling = Ruling(True)
    again: bool = False


def scan(asked: Asking, facts: Mapping[str, Any], most: int, beyond: int = 0) -> Scan:
    """Ask of each multiple of the limit's step in turn, at most so many, up to the first that is
    not permitted; then of a few `beyond` it, to see whether one is permitted again."""
    if "limit" not in asked.request:
        raise OracleError("no-limit")
    name, step = asked.request["limit"]["input"], number(asked.request["limit"]["step"])
    bounds, reached = asked.inputs[name], Fraction(0)
    values = multiples(step, lowest(bounds, step))
    for asks, value in enumerate(values):
        if value > highest(bounds):
            return Scan(reached, "bound")
        if asks == most:
            return Scan(reached, "open")
        ruling, _, known = asked.answer({**facts, name: value})
        if not known:
            return Scan(reached, "unknown", ruling)
        if not ruling.permitted:
            above = [value + step * far**2 for far in range(1, beyond + 1)]
            more = ({**facts, name: one} for one in above if one <= highest(bounds))
            again = any(asked.answer(one).ruling.permitted for one in more)
            end = "undetermined" if ruling.permitted is None else "refused"
            return Scan(reached, end, ruling, again)
        reached = value
    raise AssertionError("there is always one more multiple")


def multiples(step: Fraction, first: int) -> Iterator[Fraction]:
    """The multiples of the step from the `first`-th on."""
    return (multiple * step for multiple in count(first))


def lowest(said: Provision, step: Fraction) -> int:
    """How many steps the least positive multiple has that the input takes."""
    above = math.floor(number(said["above"]) / step) + 1 if "above" in said else 1
    least = math.ceil(number(said["at_least"]) / step) if "at_least" in said else 1
    return max(above, least, 1)


def highest(said: Provision) -> Fraction | float:
    """The most that the input takes."""
    return number(said["at_most"]) if "at_most" in said else UNLIMITED
