"""`GET /sapi/v1/margin/leverageBracket`, read: entries, their brackets, what is odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from policy_engine.errors import Problem, SnapshotError
from policy_engine.numbers import plain
from policy_engine.sources.binance.fields import (
    AGAIN,
    asset_names,
    entries,
    figure,
    is_object,
    not_used,
)
from policy_engine.sources.binance.findings import (
    duplicates,
    edges_that_do_not_rise,
    rates_above_1,
    wrong_way,
)
from policy_engine.sources.binance.writing import percent
from policy_engine.sources.part import Part
from policy_engine.sources.understood import finding, listed

EDGE = "maxDebt"
FIELDS: Mapping[str, str] = {
    "leverage": "leverage",
    "initial": "initialMarginRate",
    "maintenance": "maintenanceMarginRate",
    "amount": "fastNum",
}
"""The response's field for each column of the scale."""

RATES = ("initial", "maintenance")
"""The columns that are rates."""

_STEPS = 10_000
"""Published initial rates are rounded up to a ten-thousandth."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A stretch of debt up to an edge in USDT, and its figures by column."""

    part: Part
    to: Decimal
    figures: Mapping[str, Decimal]

    def field(self, column: str) -> tuple[Decimal, Part]:
        """The figure of a column, and where it stands."""
        return self.figures[column], self.part.member(FIELDS[column])


@dataclass(frozen=True, slots=True)
class Entry:
    """Coins and the brackets that they share."""

    part: Part
    coins: tuple[str, ...]
    brackets: tuple[Bracket, ...]

    def column(self, name: str) -> list[Decimal]:
        """The figures of a column."""
        return [bracket.figures[name] for bracket in self.brackets]


def read(parts: Sequence[Part]) -> list[Entry]:
    """The entries of responses. Raises SnapshotError with every problem."""
    problems: list[Problem] = []
    held = [_entry(part, problems) for part in entries(parts, problems)]
    if problems:
        raise SnapshotError(problems)
    return held


def _entry(part: Part, problems: list[Problem]) -> Entry:
    coins = asset_names(part.member("assetNames"), problems)
    brackets = part.member("brackets")
    if not brackets.items():
        message = "`brackets`, the list of brackets of these coins, is missing or empty"
        problems.append(brackets.problem("missing-key", message, AGAIN))
    made = (_bracket(item, problems) for item in brackets.items())
    return Entry(part, coins, tuple(bracket for bracket in made if bracket is not None))


def _bracket(part: Part, problems: list[Problem]) -> Bracket | None:
    """A bracket, if nothing is wrong with it."""
    if not is_object(part, problems):
        return None
    to = figure(part, EDGE, problems)
    given = {column: figure(part, field, problems) for column, field in FIELDS.items()}
    figures = {column: value for column, value in given.items() if value is not None}
    return None if to is None or len(figures) < len(FIELDS) else Bracket(part, to, figures)


# --- findings ------------------------------------------------------------------------------------


def findings(held: Sequence[Entry]) -> Iterator[Problem]:
    """What is odd in the brackets."""
    yield from duplicates(
        (coin, entry.part.member("assetNames").member(n))
        for entry in held
        for n, coin in enumerate(entry.coins)
    )
    for entry in held:
        yield from _in_entry(entry)


def _in_entry(entry: Entry) -> Iterator[Problem]:
    brackets = entry.brackets
    unordered = [(bracket.to, bracket.part.member(EDGE)) for bracket in brackets]
    slips = list(edges_that_do_not_rise(unordered))
    yield from slips
    for column in RATES:
        yield from rates_above_1(bracket.field(column) for bracket in brackets)
        yield from wrong_way([bracket.field(column) for bracket in brackets])
    yield from wrong_way([bracket.field("leverage") for bracket in brackets], falling=True)
    for bracket in brackets:
        initial, maintenance = (bracket.figures[column] for column in RATES)
        if initial < maintenance:
            stated = f"`{FIELDS['initial']}` is {plain(initial)}"
            message = f"{stated}, below the maintenance rate {plain(maintenance)}"
            yield finding(bracket.field("initial")[1], "initial-below-maintenance", message)
    if not slips:
        yield from _wrong_amounts(entry)


def _wrong_amounts(entry: Entry) -> Iterator[Problem]:
    """Each amount that the rows do not imply, with the sum that they do."""
    amounts = worked_out(entry.brackets)
    for n, (bracket, implied) in enumerate(zip(entry.brackets, amounts, strict=True)):
        stated, part = bracket.field("amount")
        if stated != implied:
            rows = _sum(entry.brackets, amounts, n) if n else "the first amount"
            message = f"`fastNum` is {plain(stated)}, but {rows} is {plain(implied)}"
            message += f", for {listed(entry.coins)}"
            yield finding(part, "amount-mismatch", message)


def _sum(brackets: Sequence[Bracket], amounts: Sequence[Decimal], n: int) -> str:
    """How the amount of a bracket comes from the one before."""
    low, high = (plain(bracket.figures["maintenance"]) for bracket in brackets[n - 1 : n + 1])
    return f"{plain(amounts[n - 1])} + {plain(brackets[n - 1].to)} x ({high} - {low})"


def worked_out(brackets: Sequence[Bracket]) -> list[Decimal]:
    """The amounts that the edges and the maintenance rates imply."""
    amounts = [Decimal(0)]
    for before, bracket in pairwise(brackets):
        rise = bracket.figures["maintenance"] - before.figures["maintenance"]
        amounts.append(amounts[-1] + before.to * rise)
    return amounts


def unread(held: Sequence[Entry]) -> Iterator[str]:
    yield from not_used((entry.part for entry in held), ("assetNames", "brackets"))
    brackets = (bracket.part for entry in held for bracket in entry.brackets)
    yield from not_used(brackets, (EDGE, *FIELDS.values()), "brackets.")


def unusual(held: Sequence[Entry]) -> Iterator[str]:
    """Each initial rate that is not that of its leverage, as published ones are, in words."""
    brackets = (bracket for entry in held for bracket in entry.brackets)
    pairs = {(bracket.figures["leverage"], bracket.figures["initial"]) for bracket in brackets}
    for leverage, initial in sorted(pairs, reverse=True):
        if leverage > 1:
            steps = (_STEPS / (leverage - 1)).to_integral_value(ROUND_CEILING)
            usual = steps / _STEPS
            if initial != usual:
                yield f"{percent(initial)} at {plain(leverage)}x (not {percent(usual)})"
