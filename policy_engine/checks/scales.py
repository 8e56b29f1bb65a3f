"""Whether scales are what they claim: rising or falling, their amounts belonging together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import pairwise

from policy_engine.checks.subject import Subject
from policy_engine.errors import Place, Problem, did_you_mean
from policy_engine.model import Scale, Tier, Version
from policy_engine.numbers import EXACT, Value, text_of


def rates_disorder(subject: Subject) -> Iterator[Problem]:
    """A rate that goes the other way than the scale's `rates: rising` or `falling` says.

    Why: The claim is the author's own; a figure that contradicts it is most often mistyped.
    Avoid: rates: falling, and tiers with 80%, 60%, 63%
    Prefer: rates: falling, and tiers with 80%, 60%, 30%
    """
    for version, scale in _scales(subject):
        for key, tiers in scale.tiers.items():
            yield from _order(version, scale, key, tiers)


def amount_mismatch(subject: Subject) -> Iterator[Problem]:
    """An amount of a tier that is not what the rates and edges before it make it.

    Why: `maintenance_amount` says that the rate of the tier reached less this amount gives the sum
    of the slices. One wrong amount makes the requirement jump at an edge.
    Avoid: {to: 200, maintenance: 3%, amount: 2} after {to: 100, maintenance: 2%, amount: 0}
    Prefer: {to: 200, maintenance: 3%, amount: 1} after {to: 100, maintenance: 2%, amount: 0}
    """
    with localcontext(EXACT):
        for version, scale in _scales(subject):
            yield from _amounts(version, scale)


def columns_disorder(subject: Subject) -> Iterator[Problem]:
    """A tier whose columns do not rise in the order that `columns_rise` names.

    Why: A requirement to open a position that is below the one to keep it would let an account in
    that must be closed at once. The claim is the scale's; every tier is held to it.
    Avoid: columns_rise: [maintenance, initial], and a tier {maintenance: 6%, initial: 5%}
    Prefer: columns_rise: [maintenance, initial], and a tier {maintenance: 5%, initial: 6%}
    """
    for version, scale in _scales(subject):
        columns = [name for name, _ in scale.columns]
        for at, name in enumerate(scale.columns_rise):
            if name not in columns:
                place = version.place(("scales", scale.name, "columns_rise", at))
                yield _no_column(name, columns, place)
        if all(name in columns for name in scale.columns_rise):
            yield from _rising(version, scale, columns)


def _scales(subject: Subject) -> Iterator[tuple[Version, Scale]]:
    return ((version, one) for version in subject.book.versions for one in version.scales.values())


def _rising(version: Version, scale: Scale, columns: list[str]) -> Iterator[Problem]:
    for key, tiers in scale.tiers.items():
        for number, tier in enumerate(tiers):
            for low, high in pairwise(scale.columns_rise):
                rates = tier.rates[columns.index(low)], tier.rates[columns.index(high)]
                if rates[1] < rates[0]:
                    first, second = map(text_of, rates)
                    message = f"`{high}`, {second}, is below `{low}`, {first}"
                    said = f"`columns_rise: [{', '.join(scale.columns_rise)}]`"
                    hint = f"the scale says {said}: correct one of the two"
                    place = _place(version, scale, key, number, high)
                    yield Problem("columns-disorder", message, hint, place)


def _no_column(name: str, columns: list[str], place: Place) -> Problem:
    hint = did_you_mean(name, columns) or f"it has {', '.join(f'`{c}`' for c in columns)}"
    return Problem("unknown-name", f"the scale has no column `{name}`", hint, place)


def _order(
    version: Version, scale: Scale, key: Value | None, tiers: tuple[Tier, ...]
) -> Iterator[Problem]:
    """Each rate that goes the other way than `rates` says; amounts are no rates."""
    amount = scale.maintenance_amount[1] if scale.maintenance_amount else None
    for at, (column, _) in enumerate(scale.columns):
        for number, (before, tier) in enumerate(pairwise(tiers), start=1):
            rates = before.rates[at], tier.rates[at]
            wrong = rates[1] > rates[0] if scale.rates == "falling" else rates[1] < rates[0]
            if scale.rates and wrong and column != amount:
                way = "above" if scale.rates == "falling" else "below"
                message = f"the rate {text_of(rates[1])} is {way} {text_of(rates[0])} before it"
                hint = f"the scale says `rates: {scale.rates}`: correct one of the two"
                place = _place(version, scale, key, number, column)
                yield Problem("rates-disorder", message, hint, place)


def _amounts(version: Version, scale: Scale) -> Iterator[Problem]:
    """Each amount that is not what the rates and edges below it make it."""
    if scale.maintenance_amount is None:
        return
    columns = [name for name, _ in scale.columns]
    unknown = [name for name in scale.maintenance_amount if name not in columns]
    for name in dict.fromkeys(unknown):
        part = "rate" if name == scale.maintenance_amount[0] else "amount"
        place = version.place(("scales", scale.name, "maintenance_amount", part))
        yield _no_column(name, columns, place)
    if not unknown:
        rate, amount = map(columns.index, scale.maintenance_amount)
        for key, tiers in scale.tiers.items():
            yield from _wrong_amounts(version, scale, key, tiers, rate, amount)


def _wrong_amounts(
    version: Version,
    scale: Scale,
    key: Value | None,
    tiers: tuple[Tier, ...],
    rate: int,
    amount: int,
) -> Iterator[Problem]:
    edge, lower, meant, before = Decimal(0), Decimal(0), Decimal(0), tiers[0].rates[rate]
    for number, tier in enumerate(tiers):
        step = edge * (tier.rates[rate] - before)
        wanted, meant = lower + step, meant + step
        given = tier.rates[amount]
        if given not in (
            wanted,
            meant,
        ):  # one slip is one finding: the next may follow what is meant
            column = scale.columns[amount][0]
            message = f"the amount {text_of(given)} should be {text_of(wanted)}"
            hint = "it is the amount before, plus the edge before times the rise of the rate"
            place = _place(version, scale, key, number, column)
            yield Problem("amount-mismatch", message, hint, place)
        edge, lower, before = tier.to, given, tier.rates[rate]


def _place(version: Version, scale: Scale, key: Value | None, number: int, column: str) -> Place:
    """Where a tier's rate stands; a key is found by how it is written."""
    tiers = version.document["scales"][scale.name]["tiers"]
    if key is None:
        return version.place(("scales", scale.name, "tiers", number, column))
    written = list(tiers)[list(scale.tiers).index(key)]
    return version.place(("scales", scale.name, "tiers", written, number, column))
