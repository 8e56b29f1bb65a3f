"""Between which values the figures lie that the rules themselves give, and what is read of them."""

from __future__ import annotations

from decimal import Decimal

from policy_engine.checks.intervals import ANY, ZERO, Interval, hull, one
from policy_engine.language.values import round_down, round_half_up, round_up
from policy_engine.model import NotKnown, Parameter, Scale, Table
from policy_engine.numbers import Value

TRUTHS = frozenset({True, False})

_ROUNDING = {"round_up": round_up, "round_down": round_down, "round_half_up": round_half_up}

Setting = Interval | frozenset[bool] | str | None


def of_kind(kind: str) -> Setting:
    """What is known of a figure of which only the kind is."""
    return ANY if kind == "number" else TRUTHS if kind == "truth" else None


def of_value(value: Value) -> Setting:
    """What is known of a value that the rules give."""
    if isinstance(value, bool):
        return frozenset({value})
    if isinstance(value, Decimal):
        return one(value)
    return value if isinstance(value, str) else None


def setting(parameter: Parameter) -> Setting:
    """What is known of a parameter."""
    if isinstance(parameter.value, NotKnown):
        return of_kind(parameter.kind)
    return of_value(parameter.value)


def of_table(table: Table) -> Setting:
    """What is known of the value that a table gives: nothing, where a value of it is not known.

    Nothing either of a table without rows: it waits for its figures.
    """
    values = [row.value for row in (*table.rows, table.otherwise)]
    if not table.rows or any(isinstance(value, NotKnown) for value in values):
        return of_kind(table.kind)
    known = [of_value(value) for value in values if not isinstance(value, NotKnown)]
    numbers = [value for value in known if isinstance(value, Interval)]
    truths = [value for value in known if isinstance(value, frozenset)]
    if numbers:
        return hull(numbers)
    return frozenset().union(*truths) if truths else of_kind(table.kind)


def of_scale(reading: str, scale: Scale, column: str, given: list[Setting]) -> Setting:
    """What is known of the rate reached, the sum of the slices, or the last edge of a scale."""
    if reading == "top":
        return hull(one(tiers[-1].to) for tiers in scale.tiers.values() if tiers)
    at = [name for name, _ in scale.columns].index(column)
    rates = [one(tier.rates[at]) for tiers in scale.tiers.values() for tier in tiers]
    above = scale.above_last.rate
    rate = hull([*rates, one(above)] if isinstance(above, Decimal) else rates)
    if reading == "tier":
        return rate
    return Interval(low=ZERO) if rate.low >= 0 else ANY


def rounded(how: str, x: Interval, step: Interval) -> Interval:
    """The values of a figure rounded to a step: of one value exactly, else on its side of 0."""
    if x.is_one and step.is_one and step.low > 0 and x.low.is_finite():
        return one(_ROUNDING[how](x.low, step.low))
    if step.low > 0 and how == "round_up":
        return Interval(x.low, low_open=x.low_open)
    return Interval(low=ZERO) if x.low >= 0 else ANY
