"""The last digits of exact figures tell two figures apart, or say that they cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.columns import digits, numbers, scales, whole_scales
from policy_engine.columns.columns import choose, taken
from policy_engine.columns.lines import Lines, gathered
from policy_engine.columns.numbers import Number
from policy_engine.columns.truths import Truth
from policy_engine.language.values import Steps, Undetermined
from policy_engine.numbers import EXACT
from policy_engine.portfolio.last_digits import last_digits
from test_columns import RATES, Few, amounts, column, exact_slices, fractions
from test_columns import scales as some_scales

Exact = Sequence[Fraction | None]
STEP = Fraction(1, 10**18)


def with_digits(values: list[Decimal], wide: bool = False) -> Number:
    """Exact numbers as a column has them that is looked at again."""
    return replace(column(values, wide), digits=digits.of_figures(values))


def short() -> st.SearchStrategy[Decimal]:
    """Numbers of few digits, so that sums and products of them meet."""
    whole = st.builds(lambda n, after: Decimal(n).scaleb(-after, EXACT), st.integers(-60, 60), few)
    return st.one_of(whole, amounts())


few = st.integers(0, 3)


def flags(part: Any, count: int) -> list[bool]:
    """Marks for each element."""
    marks: list[bool] = np.broadcast_to(part, count).tolist()
    return marks


def agree(made: Number, exact: Exact) -> bool:
    """Whether the digits are those of the exact figures, wherever they are to be."""
    last, count = made.digits, len(exact)
    assert last is not None
    finite = np.isfinite(numbers.error(made)) & np.isfinite(made.value)
    usable = finite & ~last.lost & ~(False if made.unknown is None else made.unknown)
    tops, belows = (np.broadcast_to(part, count).tolist() for part in (last.top, last.below))
    parts = zip(flags(usable, count), exact, tops, belows, strict=True)
    return all(
        one is not None and _congruent(one, top, below, last.places)
        for use, one, top, below in parts
        if use
    )


def _congruent(exact: Fraction, top: int, below: int, places: int) -> bool:
    """Whether top / below / 10**places may be the figure, by the last 64 bits."""
    mine = exact.numerator * below * 10 ** max(places, 0)
    theirs = exact.denominator * top * 10 ** max(-places, 0)
    return bool((mine - theirs) % 2**64 == 0)


def told(a: Number, b: Number, exact: Exact, others: Exact) -> list[bool]:
    """Which pairs are told apart; those must be told rightly."""
    with np.errstate(all="ignore"):
        less, equal, more = (flags(part, len(exact)) for part in numbers.order(a, b))
    unsure = np.broadcast_to(False, len(exact))
    for one in (a, b):
        unsure = unsure | (False if one.unknown is None else one.unknown)
    for n, (x, y) in enumerate(zip(exact, others, strict=True)):
        assert less[n] + equal[n] + more[n] <= 1
        if not unsure[n] and (less[n] or equal[n] or more[n]):
            assert x is not None
            assert y is not None
            assert (less[n], equal[n], more[n]) == (x < y, x == y, x > y)
    return [any(signs) for signs in zip(less, equal, more, strict=True)]


# --- arithmetic --------------------------------------------------------------------------------

Made = tuple[Number, Fraction | None]


def both(
    by_columns: Callable[..., Number], by_fractions: Callable[..., Fraction | None]
) -> Callable[..., Made]:
    """An operation on columns and on fractions."""

    def made(*parts: Made) -> Made:
        exact = [part[1] for part in parts]
        known = None if None in exact else by_fractions(*exact)
        with np.errstate(all="ignore"):
            return by_columns(*(part[0] for part in parts)), known

    return made


def _if_above(a: Number, b: Number) -> Number:
    """b where a is above it, a elsewhere."""
    from policy_engine.columns.truths import compared

    made = choose(compared(">", a, b), b, a)
    assert isinstance(made, Number)
    return made


OPERATIONS = (
    both(numbers.plus, lambda a, b: a + b),
    both(numbers.minus, lambda a, b: a - b),
    both(numbers.times, lambda a, b: a * b),
    both(numbers.over, lambda a, b: a / b if b else None),
    both(numbers.larger, max),
    both(numbers.smaller, min),
    both(_if_above, min),
    both(lambda a, b: numbers.absolute(numbers.minus(a, b)), lambda a, b: abs(a - b)),
    both(lambda a, b: numbers.plus(numbers.negative(a), b), lambda a, b: b - a),
)

leaves = st.builds(
    lambda value, wide: (with_digits([value], wide), Fraction(value)), short(), st.booleans()
)
formulas = st.recursive(
    leaves,
    lambda parts: st.builds(lambda op, a, b: op(a, b), st.sampled_from(OPERATIONS), parts, parts),
    max_leaves=10,
)


@settings(deadline=None)
@given(made=formulas)
def test_a_formula_has_the_digits_of_its_exact_figure(made: Made) -> None:
    number, exact = made
    if number.digits is not None:
        assert agree(number, [exact])


@settings(deadline=None)
@given(made=formulas, off=st.sampled_from([-1, 0, 1]), cut=few)
def test_a_formula_beside_its_own_figure_is_told_rightly(made: Made, off: int, cut: int) -> None:
    number, exact = made
    near = Fraction(0) if exact is None else round(exact / STEP / 10**cut) * STEP * 10**cut
    other = near + off * STEP
    threshold = EXACT.divide(Decimal(other.numerator), Decimal(other.denominator))
    told(number, numbers.constant(threshold), [exact], [other])


@settings(deadline=None)
@given(first=formulas, second=formulas)
def test_two_formulas_are_told_apart_rightly_or_not_at_all(first: Made, second: Made) -> None:
    told(first[0], second[0], [first[1]], [second[1]])


cents = st.integers(-(10**10), 10**10).map(lambda n: Decimal(n).scaleb(-8, EXACT))
prices = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-4, EXACT))
rates = st.integers(1, 300).map(lambda n: Decimal(n).scaleb(-2, EXACT))


@settings(deadline=None)
@given(held=cents, price=prices, debt=prices, rate=rates, off=st.sampled_from([-1, 0, 1]))
def test_a_quotient_on_its_threshold_is_told(
    held: Decimal, price: Decimal, debt: Decimal, rate: Decimal, off: int
) -> None:
    """(held * price + rest) / debt against a rate: the rest makes it exact, or a step off."""
    rest = rate * debt - held * price + off * Decimal("1e-12")
    parts = [with_digits([one]) for one in (held, price, rest, debt, rate)]
    level = numbers.over(numbers.plus(numbers.times(*parts[:2]), parts[2]), parts[3])
    exact = (Fraction(held) * Fraction(price) + Fraction(rest)) / Fraction(debt)
    assert told(level, parts[4], [exact], [Fraction(rate)]) == [True]


def test_what_no_digits_tell_is_left_in_doubt() -> None:
    """Two figures as near as their floats, further apart than 64 bits can count."""
    large = [Decimal("100000000000000000.000000000000000001")]
    third = replace(with_digits(large), digits=digits.of_figures([EXACT.divide(1, 3)]))
    ten, tenth = with_digits([Decimal(10) ** 17]), with_digits(large)
    assert told(ten, third, [Fraction(0)], [Fraction(0)]) == [False]
    assert told(ten, tenth, fractions([Decimal(10) ** 17]), fractions(large)) == [False]


# --- lines and scales --------------------------------------------------------------------------


@settings(deadline=None)
@given(lists=st.lists(st.lists(short(), max_size=20), min_size=1, max_size=4))
def test_sums_have_the_digits_of_their_exact_figures(lists: list[list[Decimal]]) -> None:
    flat = [value for one in lists for value in one]
    made = gathered("sum", Lines(np.array([len(one) for one in lists])), with_digits(flat), None)
    assert isinstance(made, Number)
    exact: Exact = [sum(fractions(one), Fraction(0)) for one in lists]
    assert agree(made, exact)
    assert made.digits is not None
    assert not made.digits.lost.any()


@settings(deadline=None)
@given(lists=st.lists(st.lists(st.integers(1, 7), max_size=5), min_size=1, max_size=5))
def test_a_count_in_doubt_has_no_digits(lists: list[list[int]]) -> None:
    flat = np.array([bits for one in lists for bits in one], dtype=np.uint8)
    made = gathered("count", Lines(np.array([len(one) for one in lists])), Truth(flat), None)
    assert isinstance(made, Number)
    assert made.digits is not None
    assert flags(made.digits.lost, len(lists)) == [
        any(bits != 4 and bits & (bits - 1) for bits in one) for one in lists
    ]


@settings(deadline=None)
@given(
    held=st.lists(some_scales(), min_size=1, max_size=3),
    xs=st.lists(short(), min_size=1, max_size=6),
    least=st.one_of(st.none(), st.sampled_from(RATES)),
    data=st.data(),
    wide=st.booleans(),
)
def test_slices_have_the_digits_of_their_exact_figures(
    held: list[Steps], xs: list[Decimal], least: Decimal | None, data: st.DataObject, wide: bool
) -> None:
    codes = [data.draw(st.integers(0, len(held) - 1)) for _ in xs]
    xs = [data.draw(st.sampled_from([x, *_beside_edges(held)])) for x in xs]
    parts = [with_digits(xs, wide)]
    parts += [] if least is None else [numbers.constant(least)]
    made = _read("slices", held, codes, parts)
    exact = [exact_slices(held[c], x, least) for c, x in zip(codes, xs, strict=True)]
    assert agree(made, exact)
    assert made.digits is not None
    assert not made.digits.lost.any() or len(_beside_edges(held)) > 3


def _beside_edges(held: Sequence[Steps]) -> list[Decimal]:
    edges = [tier[0] for steps in held for tier in steps.tiers]
    return [edge + Decimal(n).scaleb(-18, EXACT) for edge in edges for n in (-1, 0, 1)]


def _read(name: str, held: Sequence[Steps], codes: list[int], parts: list[Number]) -> Number:
    """A reading of a scale by floats, and by the digits what these made."""
    lists: Any = Few(enumerate(held))
    keys, at = list(range(len(held))), np.array(codes, dtype=np.intp)
    name = "slices_at_least" if len(parts) > 1 else name
    with np.errstate(all="ignore"):
        made = getattr(scales, name)(scales.padded(lists, keys), at, *parts)
        again: Number = getattr(whole_scales, name)(
            whole_scales.whole(lists, keys), at, made, *parts
        )
    return again


@settings(deadline=None)
@given(held=some_scales(), xs=st.lists(short(), min_size=1, max_size=6), data=st.data())
def test_a_tier_is_told_at_its_edge(held: Steps, xs: list[Decimal], data: st.DataObject) -> None:
    xs = [data.draw(st.sampled_from([x, *_beside_edges([held])])) for x in xs]
    made = _read("tier", [held], [0] * len(xs), [with_digits(xs)])
    unsure = flags(False if made.unknown is None else made.unknown, len(xs))
    reach = np.broadcast_to(numbers.error(made), len(xs)) * numbers.SLACK
    for x, value, far, unknown in zip(xs, made.value, reach, unsure, strict=True):
        rate = held.tier(x, set())
        if isinstance(rate, Undetermined):
            assert unknown or not np.isfinite(far)
        elif np.isfinite(far):
            assert not unknown
            assert abs(Fraction(rate) - Fraction(float(value))) <= Fraction(float(far))
    assert agree(made, [_rate(held, x) for x in xs])


def _rate(held: Steps, x: Decimal) -> Fraction | None:
    rate = held.tier(x, set())
    return None if isinstance(rate, Undetermined) else Fraction(rate)


def test_a_tier_on_the_edge_of_a_float_in_doubt_is_told() -> None:
    tiers = [(Decimal("0.3"), Decimal(0), Decimal(1)), (Decimal(1), Decimal("0.3"), Decimal(2))]
    x = numbers.plus(with_digits([Decimal("0.1")]), with_digits([Decimal("0.2")]))
    for upper, rate in ((False, 1.0), (True, 2.0)):
        steps = Steps(tiers, Decimal(0), (), upper)
        made = _read("tier", [steps], [0], [x])
        assert (made.value[0], numbers.error(made)[0]) == (rate, 0.0)


# --- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.decimal128(38, scale) for scale in (0, 2, 8, 18, 24)),
        *(pa.decimal256(60, 18), pa.string(), pa.large_string(), pa.string_view()),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
@settings(deadline=None)
@given(wholes=st.lists(st.one_of(st.none(), st.integers(-(10**14), 10**14)), min_size=2))
def test_arrays_of_every_kind_have_the_digits_of_their_numbers(
    kind: pa.DataType, wholes: list[int | None]
) -> None:
    after = 0 if kind == pa.decimal128(38, 0) else 2
    values = [None if n is None else Decimal(n).scaleb(-after, EXACT) for n in wholes]
    written = values if pa.types.is_decimal(kind) else [v if v is None else str(v) for v in values]
    array = pa.array(written, kind).slice(1)
    made = last_digits(array)
    assert made is not None
    for top, value in zip(made.top.tolist(), values[1:], strict=True):
        assert value is None or _congruent(Fraction(value), top, 1, made.places)


def test_numbers_with_too_many_digits_have_none() -> None:
    kind = pa.decimal256(70, 40)
    assert last_digits(pa.array([Decimal("1e-40")], kind)) is None


@settings(deadline=None)
@given(values=st.lists(short(), min_size=2, max_size=9), data=st.data())
def test_taken_elements_keep_their_digits(values: list[Decimal], data: st.DataObject) -> None:
    where = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=2))
    made = taken(with_digits(values), np.array(where))
    assert isinstance(made, Number)
    assert agree(made, [Fraction(values[n]) for n in where])
