"""Columns of numbers hold the exact figure within their bound, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.columns import numbers, rounding, truths
from policy_engine.columns.columns import choose
from policy_engine.columns.lines import Lines, gathered
from policy_engine.columns.numbers import SLACK, UNIT, Number, error
from policy_engine.columns.scales import padded, slices, slices_at_least, tier
from policy_engine.columns.texts import Text
from policy_engine.language.exact import slices_read
from policy_engine.language.values import (
    Steps,
    Undetermined,
    round_down,
    round_half_up,
    round_up,
)
from policy_engine.numbers import EXACT

ROUNDINGS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "round_up": round_up,
    "round_down": round_down,
    "round_half_up": round_half_up,
}


def amounts(negative: bool = True) -> st.SearchStrategy[Decimal]:
    """Numbers of up to 18 digits before and 18 after the point, many of them short or at edges."""
    digits = st.integers(0 if not negative else -(10**36) + 1, 10**36 - 1)
    wild = st.builds(lambda n, places: Decimal(n).scaleb(-places, EXACT), digits, st.just(18))
    few = st.builds(
        lambda n, places: Decimal(n).scaleb(-places, EXACT),
        st.integers(0 if not negative else -2000, 2000),
        st.integers(0, 18),
    )
    edges = [Decimal(text) for text in ("0", "1", "0.1", "100000", "999999999999999999", "1e-18")]
    return st.one_of(wild, few, st.sampled_from(edges))


def column(values: list[Decimal], wide: bool = False) -> Number:
    """Exact numbers as a column would have them; `wide`, with a bound for each element."""
    nearest = np.array([float(value) for value in values])
    sizes = np.abs(nearest)
    made = Number(
        nearest,
        units=1.0,
        least=1e-18,
        most=float(sizes.max(initial=0.0)),
        positive=bool((nearest >= 0).all()),
    )
    return Number(nearest, UNIT * sizes, 0.0, None, 1e-18, 1e18, made.positive) if wide else made


def holds(made: Number, exact: list[Fraction | None]) -> bool:
    """Whether each exact figure lies within the bound; one that has none must be in doubt."""
    value, reach = np.broadcast_arrays(made.value, error(made) * SLACK)
    unknown = np.broadcast_to(False if made.unknown is None else made.unknown, value.shape)
    return all(
        bool(unsure) or not np.isfinite(far) or (one is not None and near(one, v, far))
        for one, v, far, unsure in zip(exact, value, reach, unknown, strict=True)
    )


def near(exact: Fraction, value: float, reach: float) -> bool:
    """Whether a float is that near to an exact figure."""
    return bool(np.isfinite(value)) and abs(exact - Fraction(float(value))) <= Fraction(
        float(reach)
    )


def fractions(values: list[Decimal]) -> list[Fraction]:
    """The same exactly."""
    return [Fraction(value) for value in values]


pairs = st.lists(st.tuples(amounts(), amounts()), min_size=1, max_size=8)
EXACTLY: dict[str, Callable[[Fraction, Fraction], Fraction | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
}


@pytest.mark.parametrize("sign", EXACTLY)
@given(pairs=pairs, wide=st.booleans())
def test_arithmetic_stays_within_its_bound(sign: str, pairs: Any, wide: bool) -> None:
    a, b = ([pair[n] for pair in pairs] for n in range(2))
    with np.errstate(all="ignore"):
        made = numbers.ARITHMETIC[sign](column(a, wide), column(b))
    exact = [EXACTLY[sign](x, y) for x, y in zip(fractions(a), fractions(b), strict=True)]
    assert holds(made, exact)


@given(
    values=st.lists(amounts(), min_size=2, max_size=30),
    signs=st.lists(st.sampled_from("+-*/"), min_size=29, max_size=29),
    wide=st.booleans(),
)
def test_a_chain_of_operations_stays_within_its_bound(
    values: list[Decimal], signs: list[str], wide: bool
) -> None:
    made, exact = column(values[:1], wide), fractions(values[:1])[0]
    for value, sign in zip(values[1:], signs, strict=False):
        with np.errstate(all="ignore"):
            made = numbers.ARITHMETIC[sign](made, column([value]))
        found = EXACTLY[sign](exact, Fraction(value))
        if found is None:
            assert not np.isfinite(error(made)[0]) or made.unknown is not None
            return
        exact = found
        assert holds(made, [exact])


@given(a=amounts(), b=amounts(), c=amounts(), wide=st.booleans())
def test_what_cancels_keeps_its_error(a: Decimal, b: Decimal, c: Decimal, wide: bool) -> None:
    one, two, three = (column([value], wide) for value in (a, b, c))
    made = numbers.minus(numbers.times(numbers.plus(one, two), three), numbers.times(one, three))
    exact = (Fraction(a) + Fraction(b)) * Fraction(c) - Fraction(a) * Fraction(c)
    assert holds(made, [exact])


@pytest.mark.parametrize(("pick", "exactly"), [(numbers.larger, max), (numbers.smaller, min)])
@given(pairs=pairs, wide=st.booleans())
def test_an_extreme_carries_an_error_that_holds(
    pick: Any, exactly: Any, pairs: Any, wide: bool
) -> None:
    a, b = ([pair[n] for pair in pairs] for n in range(2))
    made = pick(column(a, wide), column(b))
    assert holds(made, [Fraction(exactly(x, y)) for x, y in zip(a, b, strict=True)])


def test_an_extreme_carries_the_error_of_the_winner() -> None:
    exact = numbers.constant(Decimal(0))
    unsure = Number(np.array([5.0, -5.0]), np.array([1e-9, 1e-9]))
    assert error(numbers.larger(unsure, exact)).tolist() == [1e-9, 0.0]
    assert error(numbers.smaller(unsure, exact)).tolist() == [0.0, 1e-9]


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
@given(pairs=pairs, off=st.sampled_from([0.0, 1.0, -1.0]), wide=st.booleans())
def test_a_comparison_is_right_or_in_doubt(sign: str, pairs: Any, off: float, wide: bool) -> None:
    from operator import eq, ge, gt, le, lt, ne

    exactly = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}[sign]
    a = [pair[0] for pair in pairs]
    b = [x if off == 0 else x + Decimal(off).scaleb(-18, EXACT) for x in a]
    b = [y if n % 2 else pair[1] for n, (y, pair) in enumerate(zip(b, pairs, strict=True))]
    made = truths.compared(sign, column(a, wide), column(b)).bits
    for bits, x, y in zip(made.tolist(), a, b, strict=True):
        assert bits & (truths.TRUE if exactly(x, y) else truths.FALSE)


def test_whole_numbers_compare_surely() -> None:
    five, three = numbers.constant(Decimal(5)), numbers.constant(Decimal(3))
    assert truths.compared("==", five, five).bits.tolist() == [truths.TRUE]
    assert truths.compared("<=", five, three).bits.tolist() == [truths.FALSE]
    tenth = numbers.constant(Decimal("0.1"))
    assert truths.compared("==", tenth, tenth).bits.tolist() == [truths.TRUE]
    without = replace(tenth, digits=None)
    assert truths.compared("==", tenth, without).bits.tolist() == [truths.EITHER]


def test_a_sum_that_may_be_the_threshold_is_in_doubt() -> None:
    made = numbers.plus(column([Decimal("0.1")]), column([Decimal("0.2")]))
    assert truths.compared("<=", made, numbers.constant(Decimal("0.3"))).bits[0] == truths.EITHER


# --- rounding ----------------------------------------------------------------------------------

steps = st.one_of(
    amounts(negative=False).filter(bool), st.sampled_from([Decimal("0.0001"), Decimal("0.25")])
)


@pytest.mark.parametrize("how", ROUNDINGS)
@given(x=amounts(), step=steps, times=st.integers(-50, 50), exact=st.booleans())
def test_rounding_is_right_or_in_doubt(
    how: str, x: Decimal, step: Decimal, times: int, exact: bool
) -> None:
    x = step * times if exact else x
    with localcontext(EXACT), np.errstate(all="ignore"):
        made = rounding.rounded(column([x]), column([step]), how)
        assert holds(made, [Fraction(ROUNDINGS[how](x, step))])


@pytest.mark.parametrize("how", ROUNDINGS)
def test_a_multiple_of_an_exact_step_stays(how: str) -> None:
    x, step = (numbers.constant(Decimal(text)) for text in ("2.75", "0.25"))
    made = rounding.rounded(x, step, how)
    assert (made.value[0], error(made)[0]) == (2.75, 0.0)


@pytest.mark.parametrize("how", ROUNDINGS)
def test_at_a_jump_rounding_is_in_doubt(how: str) -> None:
    """2.5 steps for the half, 3 for the others: as floats they may lie on either side."""
    x = numbers.constant(Decimal("0.00025" if how == "round_half_up" else "0.0003"))
    made = rounding.rounded(x, numbers.constant(Decimal("0.0001")), how)
    assert not np.isfinite(error(made)[0])


# --- lines -------------------------------------------------------------------------------------


@given(
    lists=st.lists(st.lists(amounts(), max_size=300), min_size=1, max_size=4),
    wide=st.booleans(),
)
@settings(max_examples=60)
def test_sums_over_hundreds_of_lines_stay_within_their_bound(
    lists: list[list[Decimal]], wide: bool
) -> None:
    flat = [value for one in lists for value in one]
    lines = Lines(np.array([len(one) for one in lists]))
    for values in (flat, [abs(value) for value in flat]):
        made = gathered("sum", lines, column(values, wide), None)
        assert isinstance(made, Number)
        parts = iter(fractions(values))
        assert holds(made, [sum((next(parts) for _ in one), Fraction(0)) for one in lists])


@given(lists=st.lists(st.lists(st.integers(1, 7), max_size=5), min_size=1, max_size=5))
@pytest.mark.parametrize("function", ["any", "all", "count"])
def test_gathered_truths_are_kleenes_whatever_a_doubt_turns_out_to_be(
    function: str, lists: list[list[int]]
) -> None:
    from itertools import product

    flat = np.array([bits for one in lists for bits in one], dtype=np.uint8)
    made = gathered(
        function, Lines(np.array([len(one) for one in lists])), truths.Truth(flat), None
    )
    for place, one in enumerate(lists):
        worlds = product(*([bit for bit in (1, 2, 4) if bit & bits] for bits in one))
        for world in worlds:
            assert _allows(made, place, _told(function, world))


def _told(function: str, world: tuple[int, ...]) -> int | None:
    """What an aggregate is in one world: bits of a truth, a count, or None."""
    if function == "count":
        return None if 4 in world else world.count(1)
    decides, other = (1, 2) if function == "any" else (2, 1)
    return decides if decides in world else 4 if 4 in world else other


def _allows(made: Any, place: int, told: int | None) -> bool:
    if isinstance(made, truths.Truth):
        return bool(made.bits[place] & (told or 0))
    unknown = made.unknown is not None and bool(made.unknown[place])
    reach = np.broadcast_to(error(made), made.value.shape)[place]
    if not np.isfinite(reach):
        return True
    return told is None if unknown else told is not None and abs(made.value[place] - told) <= reach


@given(data=st.data(), sparse=st.booleans())
def test_lines_are_found_by_key_however_many_keys_there_are(
    data: st.DataObject, sparse: bool
) -> None:
    names = ("BTC", "ETH", "USDC", "XYZ")
    held = data.draw(st.lists(st.lists(st.integers(0, 2), max_size=4), min_size=1, max_size=5))
    codes = np.array([code for one in held for code in one], dtype=np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("policy_engine.columns.lines._MOST_SLOTS", 0 if sparse else 100)
        lines = Lines(np.array([len(one) for one in held]), keys=Text(codes, names))
        twice = {n for n, one in enumerate(held) if len(set(one)) < len(one)}
        assert set(lines.repeated.tolist() if len(codes) else ()) == twice
        asked = Text(np.arange(4), ("ETH", "XYZ", "BTC", "DOGE"))
        for n, one in enumerate(held):
            where, missing = lines.find(np.full(4, n), asked)
            first = sum(map(len, held[:n]))
            for at, name in enumerate(asked.texts):
                found = missing is None or not missing[at]
                assert found == (name in [names[code] for code in one])
                assert not found or names[one[where[at] - first]] == name


# --- if ----------------------------------------------------------------------------------------


@given(
    tests=st.lists(st.integers(1, 7), min_size=1, max_size=6), data=st.data(), wide=st.booleans()
)
def test_an_if_covers_every_branch_that_may_be_taken(
    tests: list[int], data: st.DataObject, wide: bool
) -> None:
    values = st.lists(amounts(), min_size=len(tests), max_size=len(tests))
    a, b = data.draw(values), data.draw(values)
    test = truths.Truth(np.array(tests, dtype=np.uint8))
    made = choose(test, column(a, wide), column(b))
    assert isinstance(made, Number)
    unknown = np.broadcast_to(False if made.unknown is None else made.unknown, len(tests))
    reach = np.broadcast_to(error(made), len(tests))
    for n, bits in enumerate(tests):
        if bits == 4:
            assert unknown[n]
        elif bits & 4:
            assert not np.isfinite(reach[n])
            assert not unknown[n]
        else:
            branches = [x for bit, x in ((1, a[n]), (2, b[n])) if bits & bit]
            single = Number(made.value[n : n + 1], reach[n : n + 1])
            assert all(holds(single, [Fraction(x)]) for x in branches)


# --- scales ------------------------------------------------------------------------------------


@st.composite
def scales(draw: st.DrawFn) -> Steps:
    """Tiers whose rates fall, rise or do neither, with and without a rate above the last."""
    edges = sorted(draw(st.sets(amounts(negative=False).filter(bool), min_size=1, max_size=5)))
    rates = [draw(st.sampled_from(RATES)) for _ in edges]
    order = draw(st.sampled_from(["falling", "rising", "any"]))
    if order != "any":
        rates.sort(reverse=order == "falling")
    which = draw(st.integers(0, 2))
    above = (Decimal(0), rates[-1], Undetermined(["above the last"]))[which]
    lower = [Decimal(0), *edges[:-1]]
    return Steps(zip(edges, lower, rates, strict=True), above, (), draw(st.booleans()))


RATES = [Decimal(text) for text in ("0", "0.02", "0.1112", "0.5", "0.95", "1", "125", "-0.25")]


class Few(dict[Any, Steps]):
    """The tiers of some keys, as a scale would hold them."""


def exact_slices(steps: Steps, x: Decimal, least: Decimal | None) -> Fraction | None:
    """The slices exactly; None where they are not known."""
    with localcontext(EXACT):
        try:
            return Fraction(slices_read(steps, set(), x, least))
        except Undetermined:
            return None


@given(
    held=st.lists(scales(), min_size=1, max_size=3),
    xs=st.lists(amounts(), min_size=1, max_size=6),
    least=st.one_of(st.none(), st.sampled_from(RATES)),
    data=st.data(),
    wide=st.booleans(),
)
def test_slices_stay_within_their_bound(
    held: list[Steps], xs: list[Decimal], least: Decimal | None, data: st.DataObject, wide: bool
) -> None:
    scale = padded(Few(enumerate(held)), list(range(len(held))))  # type: ignore[arg-type]
    codes = [data.draw(st.integers(0, len(held) - 1)) for _ in xs]
    edges = [tier[0] for steps in held for tier in steps.tiers]
    xs = [data.draw(st.sampled_from([x, *edges])) for x in xs]
    arrays = np.array(codes, dtype=np.intp), column(xs, wide)
    floor = None if least is None else numbers.constant(least)
    made = slices(scale, *arrays) if floor is None else slices_at_least(scale, *arrays, floor)
    exact = [exact_slices(held[c], x, least) for c, x in zip(codes, xs, strict=True)]
    assert holds(made, exact)
    unknown = np.broadcast_to(False if made.unknown is None else made.unknown, len(xs))
    assert not any(u and one is not None for u, one in zip(unknown, exact, strict=True))


@given(
    held=scales(),
    xs=st.lists(amounts(), min_size=1, max_size=6),
    data=st.data(),
    wide=st.booleans(),
)
def test_a_tier_is_right_or_in_doubt(
    held: Steps, xs: list[Decimal], data: st.DataObject, wide: bool
) -> None:
    scale = padded(Few({0: held}), [0])  # type: ignore[arg-type]
    edges = [one[0] for one in held.tiers]
    near_edges = [edge + Decimal(n).scaleb(-18, EXACT) for edge in edges for n in (-1, 0, 1)]
    xs = [data.draw(st.sampled_from([x, *near_edges])) for x in xs]
    made = tier(scale, np.zeros(len(xs), dtype=np.intp), column(xs, wide))
    rates = [held.tier(x, set()) for x in xs]
    exact = [None if isinstance(rate, Undetermined) else Fraction(rate) for rate in rates]
    assert holds(made, exact)
    unknown = np.broadcast_to(False if made.unknown is None else made.unknown, len(xs))
    assert not any(u and one is not None for u, one in zip(unknown, exact, strict=True))


def test_an_exact_number_on_an_exact_edge_has_its_tier() -> None:
    tiers = [(Decimal(100), Decimal(0), Decimal("0.5")), (Decimal(200), Decimal(100), Decimal(1))]
    x = numbers.constant(Decimal(100))
    for upper, rate in ((False, 0.5), (True, 1.0)):
        steps = Steps(tiers, Decimal(0), (), upper)
        made = tier(padded(Few({0: steps}), [0]), np.zeros(1, dtype=np.intp), x)  # type: ignore[arg-type]
        assert (made.value[0], error(made)[0]) == (rate, 0.0)
