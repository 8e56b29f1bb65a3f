"""Scales over columns: tiers as padded arrays, one row for each key.

On the tier that holds x, the slices sum to C + R * x, where C is what the tiers below leave. The
function is continuous and no steeper than its highest rate S, so an error of x counts S times at
most, and a tier taken wrongly because its edge is no float costs no more than the edge's own
rounding does. What is rounded on the way is less than UNIT * (2 |C| + 3 |R x|).

Relative to the result this is bounded where no rate is negative. Where rates only fall, x * slope
is never more than the result, and neither C nor R * x is negative: five units are added. Else,
with the lowest average rate m over [0, x] of any x, x <= result / m; what follows is `stretch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from policy_engine.columns.numbers import (
    LARGE,
    SLACK,
    SMALL,
    UNIT,
    Array,
    Number,
    either,
    error,
)
from policy_engine.language.values import Lists, Steps, is_undetermined
from policy_engine.numbers import EXACT

_MOST_STRETCH = 1e3
_LEAST_RATE = 1e-40
"""No rate other than 0 is below 1e-20; what cancels leaves 1e-16 of it at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Padded:
    """The tiers of some keys as arrays: row by key, column by tier, the last above all edges.

    `none` marks keys without tiers, `open` those that are not known above the last edge. What is
    `off` is how far the floats are from the exact edges and rates.
    """

    edges: Array
    rates: Array
    fixed: Array
    tops: Array
    highest: Array
    lowest: Array
    none: Array
    open: Array
    edges_off: Array
    rates_off: Array
    upper: bool
    falling: bool
    stretch: float


def padded(lists: Lists, keys: Sequence[Any]) -> Padded:
    """The tiers of a scale for those keys, in that order."""
    found = [lists.get(key) for key in keys]
    there = [steps for steps in found if steps is not None]
    width = max((len(steps.tiers) for steps in there), default=0) + 1
    rows = [_row(steps, width) for steps in found]
    edges, rates, fixed, edges_off, rates_off = (
        np.array([row[n] for row in rows]) for n in range(5)
    )
    stretch = max((_stretch(steps) for steps in there), default=1.0)
    return Padded(
        edges,
        rates,
        fixed,
        np.array([0.0 if steps is None else float(steps.top) for steps in found]),
        np.array([_of_rates(max, steps) for steps in found]),
        np.array([_of_rates(min, steps) for steps in found]),
        np.array([steps is None for steps in found]),
        np.array([steps is not None and is_undetermined(steps.above) for steps in found]),
        edges_off,
        rates_off,
        any(steps.upper for steps in there),
        all(_falling(steps) for steps in there),
        stretch,
    )


def _all_rates(steps: Steps) -> list[Decimal]:
    above = [] if is_undetermined(steps.above) else [steps.above]
    return [rate for _, _, rate, _ in steps.tiers] + above


def _of_rates(pick: Any, steps: Steps | None) -> float:
    return 0.0 if steps is None else float(pick(_all_rates(steps)))


def _falling(steps: Steps) -> bool:
    rates = _all_rates(steps)
    return rates == sorted(rates, reverse=True) and rates[-1] >= 0


def _stretch(steps: Steps) -> float:
    """The highest rate over the lowest average rate from 0 on; infinite if that may be 0."""
    rates = _all_rates(steps)
    with localcontext(EXACT):
        averages = [below / lower for _, lower, _, below in steps.tiers if lower]
        least = min(*averages, rates[0], rates[-1], steps.total / steps.top)
        return float(max(rates) / least) if least > 0 and min(rates) >= 0 else np.inf


def _row(steps: Steps | None, width: int) -> tuple[list[float], ...]:
    """Edges, rates, what the tiers below leave, and how far edges and rates are off."""
    if steps is None:
        return ([np.inf] * width, *([0.0] * width for _ in range(4)))
    above = Decimal(0) if is_undetermined(steps.above) else steps.above
    with localcontext(EXACT):
        tiers = [
            (float(u), float(r), float(b - lo * r), _off(u), _off(r)) for u, lo, r, b in steps.tiers
        ]
        fixed = steps.total - steps.top * above
        last = (np.inf, float(above), float(fixed), 0.0, _off(above))
    parts = [*tiers, *[last] * (width - len(tiers))]
    return tuple(list(part) for part in zip(*parts, strict=True))


def _off(exact: Decimal) -> float:
    """How far the nearest float is from a number."""
    return float(abs(Decimal(float(exact)) - exact))


# --- reading -----------------------------------------------------------------------------------


def tiers_of(scale: Padded, codes: Array, x: Array, on_edge: bool = False) -> Array:
    """The tier that holds each value; one that is an edge is in the tier below, or above it."""
    tier = np.zeros(np.broadcast_shapes(codes.shape, x.shape), dtype=np.intp)
    codes, x = np.broadcast_to(codes, tier.shape), np.broadcast_to(x, tier.shape)
    beyond = np.greater_equal if on_edge else np.greater
    left = np.flatnonzero(beyond(x, scale.edges[:, 0].take(codes)))
    for column in range(1, scale.edges.shape[1]):
        if not len(left):
            break
        tier[left] = column
        further = beyond(x[left], scale.edges[:, column].take(codes[left]))
        left = left[further]
    return tier


def slices(scale: Padded, codes: Array, x: Number) -> Number:
    """The sum over the tiers of rate times the part of x inside."""
    value = np.maximum(x.value, 0.0)
    made, fixed = _summed(scale, codes, value)
    unknown, least = either(x.unknown, _given(scale.none, codes)), x.least * _LEAST_RATE
    most = x.most * float(np.abs(scale.highest).max(initial=1.0)) + float(scale.tops.max(initial=0))
    units = _units(scale, x)
    if units is not None:
        result = Number(made, None, units, unknown, least, most, True)
    else:
        steep = np.maximum(np.abs(scale.highest), np.abs(scale.lowest)).take(codes)
        bound = steep * (error(x) + UNIT * value)
        bound += UNIT * (2 * np.abs(fixed) + 3 * np.abs(made - fixed))
        bound = np.where(x.value + error(x) * SLACK <= 0, 0.0, bound)
        positive = bool((scale.lowest >= 0).all())
        result = Number(np.maximum(made, 0.0) if positive else made, bound, 0.0, unknown, least)
        result = replace(result, most=most, positive=positive)
    return _above_last(scale, codes, x, result)


def _summed(scale: Padded, codes: Array, value: Array) -> tuple[Array, Array]:
    """The slices of values that are not negative, and what the tiers below leave of each.

    Most values are in the first tier, below which there is nothing.
    """
    shape = np.broadcast_shapes(codes.shape, value.shape)
    codes, value = np.broadcast_to(codes, shape), np.broadcast_to(value, shape)
    made = scale.rates[:, 0].take(codes) * value
    fixed = np.zeros(1)
    further = np.flatnonzero(value > scale.edges[:, 0].take(codes))
    if len(further):
        codes, value = codes[further], value[further]
        place = codes * scale.edges.shape[1] + tiers_of(scale, codes, value)
        left = scale.fixed.ravel().take(place)
        made[further] = left + scale.rates.ravel().take(place) * value
        fixed = np.zeros(shape)
        fixed[further] = left
    return made, fixed


def _units(scale: Padded, x: Number) -> float | None:
    """The relative error of slices; None where it has no bound."""
    if not (x.steady and x.positive):
        return None
    if scale.falling:
        return x.units + 5
    if scale.stretch > _MOST_STRETCH:
        return None
    return scale.stretch * (x.units + 6) + 2


def _given(marks: Array, codes: Array) -> Array | None:
    return marks.take(codes) if marks.any() else None


def _above_last(scale: Padded, codes: Array, x: Number, made: Number) -> Number:
    """Undetermined above a last edge above which no rate is known; in doubt beside it."""
    if not scale.open.any():
        return made
    off = scale.edges_off.max(axis=1).take(codes)
    room, over = (error(x) + off) * SLACK, x.value - scale.tops.take(codes)
    is_open = scale.open.take(codes)
    beyond = is_open & (over > room)
    beside = is_open & ~beyond & ~(over < -room) & ~((over == 0) & (room == 0))
    if beside.any():
        made = replace(made, bound=np.where(beside, np.inf, error(made)), units=0.0)
    return replace(made, unknown=either(made.unknown, beyond))


def _relative_units(x: Number) -> float | None:
    """A bound of every error relative to its value; None where there is none that is small."""
    if x.bound is None:
        return x.units if x.steady else None
    small = x.most < LARGE and (x.bound <= UNIT * np.abs(x.value)).all()
    return 1.0 if small else None


def slices_at_least(scale: Padded, codes: Array, x: Number, least: Number) -> Number:
    """The same with every rate raised to at least `least`: only some need be summed anew.

    A rate raised or not though it should not, or should, is off by the error of `least`.
    """
    plain = slices(scale, codes, x)
    shape = np.broadcast_shapes(plain.value.shape, least.value.shape, codes.shape)
    floor, codes = np.broadcast_to(least.value, shape), np.broadcast_to(codes, shape)
    value, x_value = np.broadcast_to(plain.value, shape), np.broadcast_to(x.value, shape)
    raised = np.flatnonzero(~(floor <= scale.lowest.take(codes)) & ~(x_value <= 0))
    if len(raised):
        value = value.copy()
        value[raised] = _raised(scale, codes[raised], x_value[raised], floor[raised])
    unknown = either(plain.unknown, least.unknown)
    most = max(plain.most, x.most * least.most) if least.most < LARGE else np.inf
    width = scale.edges.shape[1]
    units, floor_units = _units(scale, x), _relative_units(least)
    if units is not None and floor_units is not None and scale.stretch <= _MOST_STRETCH:
        units = max(units, scale.stretch * (x.units + 6) + 2) + width + 3 + floor_units
        return replace(plain, value=value, units=units, unknown=unknown, most=most)
    steep = np.maximum(scale.highest.take(codes), np.abs(floor) + error(least))
    size = np.maximum(x_value, 0.0)
    bound = steep * (error(x) + 2 * UNIT * size) + size * error(least) + error(plain)
    bound += (width + 3) * UNIT * (np.abs(value) + steep * size)
    bound = np.where(x_value + error(x) * SLACK <= 0, 0.0, bound)
    return replace(plain, value=value, bound=bound, units=0.0, unknown=unknown, most=most)


def _raised(scale: Padded, codes: Array, x: Array, floor: Array) -> Array:
    """Slices of what is above 0, summed tier by tier: the further up, the fewer are left."""
    total, lower, left = np.zeros(len(x)), np.zeros(len(x)), np.arange(len(x))
    for column in range(scale.edges.shape[1]):
        upper = scale.edges[:, column].take(codes)
        rate = np.maximum(scale.rates[:, column].take(codes), floor)
        total[left] += (np.minimum(x, upper) - lower) * rate
        further = np.flatnonzero(~(x <= upper))
        if not len(further):
            break
        left, codes, x, floor = (of.take(further) for of in (left, codes, x, floor))
        lower = upper.take(further)
    return total


def tier(scale: Padded, codes: Array, x: Number) -> Number:
    """The rate of the tier that holds x; in doubt within the error of an edge."""
    width = scale.edges.shape[1]
    at = tiers_of(scale, codes, x.value, on_edge=scale.upper)
    codes = np.broadcast_to(codes, at.shape)
    place = codes * width + at
    rates = scale.rates.ravel()
    unsure = _near_edge(scale, codes, at, x)
    bound = np.where(unsure, np.inf, scale.rates_off.ravel().take(place))
    last = at == (np.isfinite(scale.edges).sum(axis=1)).take(codes)
    unknown = either(x.unknown, _given(scale.none, codes))
    if scale.open.any():
        unknown = either(unknown, scale.open.take(codes) & last & ~unsure)
    sizes = np.abs(rates[rates != 0])
    least = float(sizes.min(initial=1.0))
    most, positive = float(sizes.max(initial=0.0)), bool((rates >= 0).all())
    return Number(rates.take(place), bound, 0.0, unknown, least, most, positive)


def _near_edge(scale: Padded, codes: Array, at: Array, x: Number) -> Array:
    """Where the edge below or above the tier taken is within reach of the error."""
    width = scale.edges.shape[1]
    near: Array = np.isnan(x.value) | ~np.isfinite(error(x))
    for edge, there in ((at - 1, at > 0), (at, at < width)):
        place = codes * width + np.clip(edge, 0, width - 1)
        upper, off = scale.edges.ravel().take(place), scale.edges_off.ravel().take(place)
        room = (error(x) + off) * SLACK
        apart = np.abs(x.value - upper)
        near = near | (there & ~((apart > room) | ((room == 0) & (apart == 0))))
    return near


def top(scale: Padded, codes: Array) -> Number:
    """The last edge."""
    tops = scale.tops
    most = float(tops.max(initial=0.0))
    return Number(tops.take(codes), None, 1.0, _given(scale.none, codes), SMALL, most, True)
