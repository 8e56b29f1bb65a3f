"""`GET /sapi/v1/margin/crossMarginCollateralRatio`, read: entries, their tiers, what is odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

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
from policy_engine.sources.binance.findings import duplicates, rates_above_1, wrong_way
from policy_engine.sources.part import Part
from policy_engine.sources.understood import finding

TIERS = "collaterals"
OTHERS = ("borrowCollaterals", "withdrawCollaterals")
"""The tiers that decide liquidation, and since 2026 those of borrowing and transferring out."""

LOW, HIGH, RATE = "minUsdValue", "maxUsdValue", "discountRate"


@dataclass(frozen=True, slots=True)
class Tier:
    """A stretch of value in USD and its ratio; `to` is None where it has no upper edge."""

    part: Part
    start: Decimal
    to: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """Coins and the tiers that they share, by the response's key; a key it lacks is not there."""

    part: Part
    coins: tuple[str, ...]
    tiers: Mapping[str, tuple[Tier, ...]]

    @property
    def open(self) -> bool:
        """Whether the last tier has no upper edge."""
        return self.tiers[TIERS][-1].to is None


def read(parts: Sequence[Part]) -> list[Entry]:
    """The entries of responses. Raises SnapshotError with every problem."""
    problems: list[Problem] = []
    held = [_entry(part, problems) for part in entries(parts, problems)]
    if problems:
        raise SnapshotError(problems)
    return held


def _entry(part: Part, problems: list[Problem]) -> Entry:
    coins = asset_names(part.member("assetNames"), problems)
    given = [TIERS, *(key for key in OTHERS if part.member(key).given)]
    return Entry(part, coins, {key: _tiers(part.member(key), problems) for key in given})


def _tiers(part: Part, problems: list[Problem]) -> tuple[Tier, ...]:
    if not part.items():
        message = f"`{part.at[-1]}`, the list of tiers of these coins, is missing or empty"
        problems.append(part.problem("missing-key", message, AGAIN))
    tiers = (_tier(item, problems) for item in part.items())
    return tuple(tier for tier in tiers if tier is not None)


def _tier(part: Part, problems: list[Problem]) -> Tier | None:
    """A tier, if nothing is wrong with it."""
    if not is_object(part, problems):
        return None
    before = len(problems)
    start, rate = figure(part, LOW, problems), figure(part, RATE, problems)
    to = figure(part, HIGH, problems) if part.member(HIGH).given else None
    if start is None or rate is None or len(problems) > before:
        return None
    return Tier(part, start, to, rate)


# --- what is odd ---------------------------------------------------------------------------------


def findings(held: Sequence[Entry], falling: bool) -> Iterator[Problem]:
    """What is odd in the tiers; `falling`: the rules claim that the ratios fall."""
    yield from duplicates(
        (coin, entry.part.member("assetNames").member(n))
        for entry in held
        for n, coin in enumerate(entry.coins)
    )
    for entry in held:
        for key, tiers in entry.tiers.items():
            yield from _edges(tiers)
            rates = [(tier.rate, tier.part.member(RATE)) for tier in tiers]
            yield from rates_above_1(rates)
            if falling and key == TIERS:
                yield from wrong_way(rates, falling=True)


def _edges(tiers: Sequence[Tier]) -> Iterator[Problem]:
    """Tiers that do not follow on one another, from 0 on."""
    edge: Decimal | None = Decimal(0)
    for tier in tiers:
        if edge is None:
            message = f"the tier before has no `{HIGH}`, and yet this one follows"
            yield finding(tier.part, "tier-order", message)
        elif tier.start != edge:
            slip = "gap" if tier.start > edge else "overlap"
            low, high = sorted((tier.start, edge))
            message = f"there is {'a gap' if slip == 'gap' else 'an overlap'}"
            message += f" from {plain(low)} to {plain(high)}"
            yield finding(tier.part.member(LOW), f"tier-{slip}", message)
        if tier.to is not None and tier.to <= tier.start:
            message = f"the edge {plain(tier.to)} is not above {plain(tier.start)}, where it starts"
            yield finding(tier.part.member(HIGH), "tier-order", message)
        edge = tier.to


def unread(held: Sequence[Entry], used: Sequence[str]) -> Iterator[str]:
    """The keys that are not used; `used` are those of tiers that are."""
    yield from not_used((entry.part for entry in held), ("assetNames", *used))
    for key in used:
        tiers = (tier.part for entry in held for tier in entry.tiers.get(key, ()))
        yield from not_used(tiers, (LOW, HIGH, RATE), f"{key}.")
