"""What was understood of an imported response, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policy_engine.errors import Problem
from policy_engine.model import Version
from policy_engine.sources.part import Part

ACCEPTABLE: Mapping[str, str] = {
    "amount-mismatch": "the amounts are worked out from the rows",
    "rates-disorder": "the rates are taken as they stand",
    "rate-above-1": "the rate is taken as it stands",
    "initial-below-maintenance": "the rates are taken as they stand",
    "ratio-missing": "the ratio stays undetermined",
}
"""The codes of findings that a person can accept, and what happens then."""

MOST_NOTED = 8
"""So many accepted findings are told in the file, one by one; the rest are counted."""


@dataclass(frozen=True)
class Terms:
    """What a person says beside the response: when it applies, and which findings to accept.

    `fetched_on` is the day of the response, such as 2026-11-22.
    """

    effective_from: datetime
    announced_at: datetime | None
    fetched_on: str
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Understanding:
    """What was understood, for people: a heading, a table (its first row names the columns),
    remarks under a word each, and findings that keep it from being written."""

    heading: str
    table: tuple[tuple[str, ...], ...]
    remarks: tuple[tuple[str, str], ...]
    findings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Imported:
    """What a response became: the data of a whole rule file, or prices by asset."""

    document: Mapping[str, Any]
    understanding: Understanding


@dataclass(frozen=True)
class OfRules:
    """A kind of response that becomes a version of a ruleset: `version` makes the one that follows
    another. `telling` are keys that tell it, `shape` is how it looks."""

    call: str
    shape: str
    telling: frozenset[str]
    ruleset: str
    version: Callable[[Sequence[Part], Version, Terms], Imported]


@dataclass(frozen=True)
class OfPrices:
    """A kind of response that becomes prices by asset."""

    call: str
    shape: str
    telling: frozenset[str]
    prices: Callable[[Sequence[Part]], Imported]


Kind = OfRules | OfPrices


def finding(part: Part, code: str, message: str, hint: str | None = None) -> Problem:
    """Something in a response that a person should decide about."""
    if code in ACCEPTABLE:
        hint = f"ask the exchange; to go on, add: --accept {code} ({ACCEPTABLE[code]})"
    return part.problem(code, message, hint or "ask the exchange: it cannot be taken as it stands")


def not_accepted(findings: Iterable[Problem], terms: Terms) -> tuple[Problem, ...]:
    """The findings that the person has not accepted."""
    return tuple(problem for problem in findings if problem.code not in terms.accepted)


def accepted(findings: Iterable[Problem], terms: Terms) -> list[Problem]:
    """The findings that the person has accepted."""
    return [problem for problem in findings if problem.code in terms.accepted]


def noted(settled: Sequence[Problem]) -> Iterator[str]:
    """Sentences about what was accepted, for the file's readers."""
    for problem in settled[:MOST_NOTED]:
        yield f"Accepted on import, at {problem.place.pointer}: {problem.message}."
    if len(settled) > MOST_NOTED:
        yield f"Accepted too: {counted(len(settled) - MOST_NOTED, 'finding')} more."


def settled_remarks(settled: Sequence[Problem]) -> Iterator[tuple[str, str]]:
    """Remarks about what was accepted."""
    for problem in settled[:MOST_NOTED]:
        yield "Accepted", f"{problem.message} (at {problem.place.pointer})"
    if len(settled) > MOST_NOTED:
        yield "Accepted", f"{counted(len(settled) - MOST_NOTED, 'finding')} more"


def listed(names: Iterable[str], most: int = 4) -> str:
    """Names in a row, the last ones counted where there are many: `BTC, ETH and 3 more`."""
    held = list(names)
    if len(held) <= most + 1:
        return ", ".join(held)
    return f"{', '.join(held[:most])} and {len(held) - most} more"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number of things: `1 coin`, `2 coins`, `2 entries`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
