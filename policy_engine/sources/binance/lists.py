"""Tiers of collateral as lists of a scale: edges where there are none, and a name for each list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from policy_engine.errors import Problem
from policy_engine.model import Version
from policy_engine.numbers import number
from policy_engine.sources.binance.ratios import TIERS, Entry
from policy_engine.sources.successor import above_last
from policy_engine.sources.understood import finding

Stretch = tuple[Decimal, Decimal]
"""An edge, and the ratio of what lies below it."""

ABOVE = "above_published_tiers"
ABOVE_TEXT = (
    "What applies above the last published tier is not public. Collateral there counts 0; debt"
    " there carries the rates of the last tier."
)
NOT_KNOWN = "undetermined"
_FAR = Decimal(100_000_000_000)
"""The edge that announcements print for a last tier."""


@dataclass(frozen=True)
class Top:
    """What holds above the last edge of every list of a scale.

    `rate` is what counts above the lists that end, where others do not end; None where all lists
    are of one sort, and `above_last` says it for all.
    """

    above_last: Any
    rate: str | None = None
    assumes: tuple[str, ...] = ()


def top(scale: Mapping[str, Any], held: Sequence[Entry]) -> Top:
    """What holds above the last edges.

    Lists that end are as in the version before: 0 under an assumption, where that one says `last`,
    which it said of lists without an end.
    """
    rate, assumes = above_last(scale)
    if rate == "last":
        rate, assumes = "0", (ABOVE,)
    if not any(entry.open for entry in held):
        return Top({"rate": rate, "assumes": list(assumes)} if assumes else rate)
    if all(entry.open for entry in held):
        return Top("last")
    return Top("last", rate, assumes)


def mixed_tops(held: Sequence[Entry], over: Top) -> Iterator[Problem]:
    """A finding where some lists end and others do not, and what is above an end is not known."""
    if over.rate == NOT_KNOWN:
        ends = next(entry for entry in held if not entry.open)
        message = "these tiers end and others do not, and a scale has one `above_last`"
        yield finding(ends.part.member(TIERS), "open-and-closed", message)


def stretches(entry: Entry, over: Top) -> list[Stretch]:
    """The tiers of an entry as a list of the scale.

    A tier without an upper edge gets one, above which its ratio holds on. A list that ends gets a
    last tier with what counts above it, where the scale's `above_last` is for those that do not.
    """
    made, above = given(entry), over.rate
    if entry.open or above is None or above == NOT_KNOWN:
        return made
    last, rate = made[-1]
    return made if number(above) == rate else [*made, (_far(last), number(above))]


def given(entry: Entry) -> list[Stretch]:
    """The tiers that the response gives, each with an edge."""
    return [
        (_far(tier.start) if tier.to is None else tier.to, tier.rate) for tier in entry.tiers[TIERS]
    ]


def _far(start: Decimal) -> Decimal:
    return _FAR if start < _FAR else start * 10


def names(held: Sequence[Entry], over: Top, before: Version, table: str, scale: str) -> list[str]:
    """A name for the list of each entry.

    It is that of the version before for the very same tiers, unless they rest on an assumption
    there; else the first of the coins, by alphabet, that is no name yet.
    """
    rows = (row for row in before.tables[table].rows if not row.assumes)
    ranks = {str(row.value) for row in rows}
    known = {
        str(key): [(tier.to, tier.rates[0]) for tier in tiers]
        for key, tiers in before.scales[scale].tiers.items()
        if str(key) in ranks
    }
    made: dict[int, str] = {}
    for at, entry in enumerate(held):
        forms = (given(entry), stretches(entry, over))
        same = (name for name, tiers in known.items() if tiers in forms)
        name = next((name for name in same if name not in made.values()), None)
        made |= {} if name is None else {at: name}
    for at, entry in enumerate(held):
        if at not in made:
            made[at] = next(name for name in _candidates(entry) if name not in made.values())
    return [made[at] for at in range(len(held))]


def _candidates(entry: Entry) -> Iterator[str]:
    first = sorted(entry.coins)
    yield from first
    yield from (f"{first[0]}_{n}" for n in count(2))
