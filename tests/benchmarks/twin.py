"""The new Pro mode written by hand on `Decimal`, as fast as plain Python gets: the yardstick.

No Decimal is made twice, tiers end at the first edge that holds the figure, nothing is looked up
by name, nothing is explained, and an unknown coin or region is simply a KeyError.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

ZERO, ONE = Decimal(0), Decimal(1)
UNLIMITED = Decimal("Infinity")
STEP = Decimal("0.0001")
LIQUIDATION, CALL, TRANSFER_OUT = Decimal(1), Decimal("1.5"), Decimal(2)
LOWEST_CALL, HIGHEST_CALL = Decimal("1.3"), Decimal(2)
LEAST = {
    cap: (ONE / (cap - ONE)).quantize(STEP, ROUND_CEILING) for cap in (Decimal(10), Decimal(20))
}

Tiers = tuple[tuple[Decimal, Decimal, Decimal], ...]


class Figures(NamedTuple):
    """What the twin is given to compare with: every figure of the decision."""

    account: tuple[Any, ...]
    assets: Sequence[tuple[Decimal, ...]]
    orders: Sequence[tuple[Decimal, ...]]


def cut(x: Decimal, tiers: Tiers, above: Decimal) -> Decimal:
    """The sum of the slices of `x`."""
    total = ZERO
    if x <= total:
        return total
    lower = total
    for upper, width, rate in tiers:
        if x <= upper:
            return total + (x - lower) * rate
        total += width * rate
        lower = upper
    return total + (x - lower) * above


def cut_least(x: Decimal, tiers: Tiers, above: Decimal, least: Decimal) -> Decimal:
    """The same with every rate at least `least`."""
    total = ZERO
    if x <= total:
        return total
    lower = total
    for upper, width, rate in tiers:
        if rate < least:
            rate = least
        if x <= upper:
            return total + (x - lower) * rate
        total += width * rate
        lower = upper
    return total + (x - lower) * (above if above > least else least)


def decide(
    cap: Decimal,
    custom: Decimal | None,
    assets: list[tuple[str, Decimal, Decimal, Decimal, Decimal, Decimal]],
    orders: list[tuple[str, Decimal, str, Decimal]],
    haircuts: dict[str, Tiers],
    brackets: dict[str, tuple[Tiers, Decimal, Tiers, Decimal]],
) -> Figures:
    """Every figure, status condition and refusal of the new Pro mode."""
    least = LEAST[cap]
    held = owed = counted = initial = maintenance = ZERO
    lines = []
    by_name = {}
    for line in assets:
        name, free, locked, borrowed, interest, price = line
        total, debt = free + locked, borrowed + interest
        value, liability = total * price, debt * price
        collateral = cut(value, haircuts[name], ZERO) if value > ZERO else ZERO
        if liability > ZERO:
            first, first_above, kept, kept_above = brackets[name]
            needed = cut_least(liability, first, first_above, least)
            required = cut(liability, kept, kept_above)
        else:
            needed = required = ZERO
        held += value
        owed += liability
        counted += collateral
        initial += needed
        maintenance += required
        lines.append((total - debt, value, liability, collateral, needed, required))
        by_name[name] = (price, value, collateral)
    losses = ZERO
    order_lines = []
    for sell, sold, buy, bought in orders:
        price, value, collateral = by_name[sell]
        sold_value = sold * price
        given_up = collateral - cut(value - sold_value, haircuts[sell], ZERO)
        price, value, collateral = by_name[buy]
        bought_value = bought * price
        gained = cut(value + bought_value, haircuts[buy], ZERO) - collateral
        loss = given_up - gained
        if loss < ZERO:
            loss = ZERO
        losses += loss
        order_lines.append((sold_value, bought_value, given_up, gained, loss))
    net = counted - owed
    headroom = net - losses - initial
    available = headroom if headroom > ZERO else ZERO
    level = (net - losses) / maintenance if maintenance > ZERO else UNLIMITED
    collateral_level = counted / owed if owed > ZERO else UNLIMITED
    call = CALL if custom is None else custom
    outside = custom is not None and (custom < LOWEST_CALL or custom > HIGHEST_CALL)
    return Figures(
        (
            *(cap, least, call, outside, held, owed, counted, held - owed, net, losses, initial),
            *(maintenance, headroom, available, level, collateral_level),
            *(level <= LIQUIDATION, level <= call, level <= LIQUIDATION),
            *(available <= ZERO, collateral_level <= TRANSFER_OUT),
        ),
        lines,
        order_lines,
    )
