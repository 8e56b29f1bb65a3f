"""Whether scales are what they claim: rising or falling, their amounts belonging together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import pairwise

from policy_engine.errors import Place, Problem, did_you_mean
from policy_engine.model import Scale, Tier, Version
from policy_engine.numbers import EXACT, Value, text_of
from policy_engine.rulebook import Rulebook


def scale_problems(book: Rulebook) -> Iterator[Problem]:
    """Where the tiers of a scale contradict its `rates` or its `maintenance_amount`."""
    with localcontext(EXACT):
        for version in book.versions:
            for scale in version.scales.values():
                for key, tiers in scale.tiers.items():
                    yield from _order(version, scale, key, tiers)
                yield from _amounts(version, scale)


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
        hint = did_you_mean(name, columns) or f"it has {', '.join(f'`{c}`' for c in columns)}"
        yield Problem("unknown-name", f"the scale has no column `{name}`", hint, place)
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
    edge, lower, before = Decimal(0), Decimal(0), tiers[0].rates[rate]
    for number, tier in enumerate(tiers):
        wanted = lower + edge * (tier.rates[rate] - before)
        given = tier.rates[amount]
        if given != wanted:
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
