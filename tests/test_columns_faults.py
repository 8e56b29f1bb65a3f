"""Faults planted in the columns reading, each of which a comparison finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from books import book, rules
from policy_engine import Rules
from policy_engine.columns import (
    digits,
    lines,
    numbers,
    reading,
    rounding,
    scales,
    tables,
    truths,
    whole_scales,
)
from policy_engine.columns.numbers import ZEROS, Number, error
from policy_engine.language import values
from policy_engine.language.values import Steps
from policy_engine.portfolio import batches, decide, last_digits
from portfolios import batch_of, differences
from test_columns import Few, column, holds
from test_digits import agree, with_digits

Plant = Callable[[pytest.MonkeyPatch], None]


def exactly_known(x: Number) -> Number:
    """A number that claims to have no error."""
    return replace(x, bound=ZEROS if x.bound is not None else None, units=0.0)


@pytest.fixture(scope="module")
def in_force() -> Rules:
    """The shipped rules."""
    return rules()


def wrong(in_force: Rules) -> list[Any]:
    """What a book with half its accounts at thresholds is told wrongly."""
    batches.portfolio.cache_clear()
    batch = book(1_000, 11, at_threshold=0.5)
    made = list(differences(batch, decide(batch, in_force), in_force))
    batches.portfolio.cache_clear()
    return made


def test_without_a_fault_nothing_is_wrong(in_force: Rules) -> None:
    assert wrong(in_force) == []


def _no_errors(patch: pytest.MonkeyPatch) -> None:
    for module in (numbers, truths, scales, lines, tables):
        patch.setattr(module, "error", lambda x: ZEROS)


def _exact_quotients(patch: pytest.MonkeyPatch) -> None:
    over = numbers.ARITHMETIC["/"]
    patch.setitem(numbers.ARITHMETIC, "/", lambda a, b: exactly_known(over(a, b)))


def _unlimited_is_large(patch: pytest.MonkeyPatch) -> None:
    names = {**values.CONSTANT_VALUES, "unlimited": Decimal(1)}
    patch.setattr(reading, "CONSTANT_VALUES", names)


def _first_tier_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        scales,
        "tiers_of",
        lambda scale, codes, x, on_edge=False: np.zeros(
            np.broadcast_shapes(codes.shape, x.shape), dtype=np.intp
        ),
    )


def _unknown_is_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables, "made_unknown", lambda x, unknown: x)
    patch.setattr(reading, "made_unknown", lambda x, unknown: x)
    patch.setattr(lines, "made_unknown", lambda x, unknown: x)
    patch.setattr(truths, "marked", lambda bits, unknown: truths.Truth(bits))


def _doubt_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("policy_engine.portfolio.rulings.doubt_of", lambda x: ~numbers.EVERY)
    patch.setattr(
        "policy_engine.portfolio.rulings.Ruling._status",
        lambda self: (np.zeros(self.reading.count, dtype=np.int16), ~numbers.EVERY),
    )


def _digits_at_their_places(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(digits, "_shifted", lambda top, places: top)


def _digits_of_dividends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(digits, "over", lambda a, b, sign, size: a)


def _digits_of_half_a_number(patch: pytest.MonkeyPatch) -> None:
    """Lower halves of 64 bits cut to 32."""
    of = last_digits._of
    patch.setattr(
        last_digits,
        "_of",
        lambda array, scale: replace(made := of(array, scale), top=made.top & 0xFFFFFFFF),
    )


FAULTS: dict[str, Plant] = {
    "floats are taken as exact": _no_errors,
    "quotients are taken as exact": _exact_quotients,
    "unlimited is a number": _unlimited_is_large,
    "all slices have the first rate": _first_tier_only,
    "the undetermined is taken as known": _unknown_is_known,
    "doubt is ignored": _doubt_is_ignored,
    "digits are not brought to one place": _digits_at_their_places,
    "a quotient has the digits of its dividend": _digits_of_dividends,
    "digits are cut": _digits_of_half_a_number,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(
    fault: str, in_force: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    FAULTS[fault](monkeypatch)
    assert wrong(in_force)


# --- single operations -------------------------------------------------------------------------


def sums_without_rounding(patch: pytest.MonkeyPatch) -> bool:
    """A long sum that claims no more error than its terms have."""
    patch.setattr(lines, "UNIT", 0.0)
    terms = [Decimal(n) / 10 - 50 for n in range(997)]
    made = lines.gathered("sum", lines.Lines(np.array([997])), column(terms, True), None)
    assert isinstance(made, Number)
    return holds(replace(made, bound=ZEROS), [sum(map(Fraction, terms), Fraction(0))])


def an_extreme_that_adds_errors(patch: pytest.MonkeyPatch) -> bool:
    """`max` with the error of a sum puts in doubt what is certain."""
    unsure = Number(np.array([-5.0]), np.array([1e-9]))
    patch.setattr(numbers, "select", lambda test, a, b: a + b)
    return bool(error(numbers.larger(unsure, numbers.constant(Decimal(0))))[0] == 0)


def a_tier_that_is_continuous(patch: pytest.MonkeyPatch) -> bool:
    """A rate that jumps, with the error of slices."""
    tiers = [(Decimal("0.3"), Decimal(0), Decimal(1)), (Decimal(1), Decimal("0.3"), Decimal(0))]
    patch.setattr(scales, "_near_edge", lambda scale, codes, at, x: np.zeros(1, dtype=bool))
    x = numbers.plus(column([Decimal("0.1")]), column([Decimal("0.2")]))
    scale = scales.padded(Few({0: Steps(tiers, Decimal(0), (), False)}), [0])  # type: ignore[arg-type]
    return holds(scales.tier(scale, np.zeros(1, dtype=np.intp), x), [Fraction(1)])


def rounding_without_doubt(patch: pytest.MonkeyPatch) -> bool:
    """Three steps of a tenth, rounded up to four."""
    patch.setattr(rounding, "SLACK", 0.0)
    x = numbers.plus(column([Decimal("0.1")]), column([Decimal("0.2")]))
    made = rounding.rounded(x, numbers.constant(Decimal("0.1")), "round_up")
    return bool(np.isinf(error(made)[0])) or holds(made, [Fraction(3, 10)])


def products_of_relative_errors(patch: pytest.MonkeyPatch) -> bool:
    """A product that forgets the error of one factor."""
    times = numbers.times
    patch.setattr(numbers, "times", lambda a, b: replace(times(a, b), units=1e-3))
    made = numbers.times(column([Decimal("0.1")]), column([Decimal("0.7")]))
    return holds(made, [Fraction(7, 100)])


def digits_that_tell_everything(patch: pytest.MonkeyPatch) -> bool:
    """Differences that 64 bits cannot hold, told by those bits all the same."""
    patch.setattr(digits, "_ROOM", np.inf)
    far = Decimal(2**63) / 10**18
    near = Number(np.array([0.0]), np.array([1e3]), digits=digits.of_figures([far]))
    less, _, more = numbers.order(near, numbers.ZERO)
    return bool(more[0] and not less[0])


def digits_of_first_tiers(patch: pytest.MonkeyPatch) -> bool:
    """Slices of which all have the first rate."""
    first = (np.zeros(1, dtype=np.intp), ~numbers.EVERY)
    patch.setattr(whole_scales, "_reached", lambda scale, codes, x, on_edge: first)
    tiers = [(Decimal(1), Decimal(0), Decimal(1)), (Decimal(3), Decimal(1), Decimal("0.5"))]
    held: Any = Few({0: Steps(tiers, Decimal(0), (), False)})
    x, codes = with_digits([Decimal(2)]), np.zeros(1, dtype=np.intp)
    made = scales.slices(scales.padded(held, [0]), codes, x)
    made = whole_scales.slices(whole_scales.whole(held, [0]), codes, made, x)
    return agree(made, [Fraction(3, 2)])


OPERATIONS = (
    sums_without_rounding,
    an_extreme_that_adds_errors,
    a_tier_that_is_continuous,
    rounding_without_doubt,
    products_of_relative_errors,
    digits_that_tell_everything,
    digits_of_first_tiers,
)


@pytest.mark.parametrize("fault", OPERATIONS)
def test_a_faulty_operation_is_found(
    fault: Callable[[pytest.MonkeyPatch], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not fault(monkeypatch)


def _two_accounts() -> Iterator[dict[str, Any]]:
    line = {"locked": "0", "interest": "0", "price": "1", "borrowed": "0"}
    for name in ("before", "after"):
        yield {"account": name, "mode": "pro", "assets": [line | {"asset": "BTC", "free": "1"}]}


def test_a_lost_or_reordered_account_is_found(in_force: Rules) -> None:
    batch = batch_of(_two_accounts())
    answer = decide(batch, in_force)
    assert list(differences(batch, answer, in_force)) == []
    assert list(differences(batch, answer.take([1, 0]), in_force))
    with pytest.raises(ValueError, match="argument"):
        list(differences(batch, answer.slice(1), in_force))
