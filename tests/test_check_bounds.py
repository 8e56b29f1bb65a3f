"""The bounds reading: no figure ever lies outside what it tells, and no denominator it lets pass
is 0."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Rulebook
from policy_engine.checks.bounds import MOST_STEPS, Bounds, start
from policy_engine.checks.intervals import Interval
from policy_engine.language.exact import ExactReading, Sight
from policy_engine.language.interpreter import Interpreter
from policy_engine.language.scope import scope
from policy_engine.language.syntax import parse
from policy_engine.numbers import EXACT

RULES = """\
ruleset: one
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Figures to compute with.
sources: {}
inputs:
  account:
    x: {type: number, unit: ratio, from: mine.x}
    y: {type: number, unit: ratio, from: mine.y}
parameters:
  two: {title: Two, value: 2, unit: ratio}
  third: {title: A third, value: -0.3, unit: ratio}
  step: {title: Step, value: 0.5, unit: ratio}
"""
NAMES = scope(Rulebook([("one/2025-01-01.yaml", RULES)]).versions)
SETTINGS = {"two": Decimal(2), "third": Decimal("-0.3"), "step": Decimal("0.5")}


def numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, two, st.sampled_from(["+", "-", "*", "/"])),
        st.builds("-{}".format, inner),
        st.builds("{1}({0[0]}, {0[1]})".format, two, st.sampled_from(["min", "max"])),
        st.builds("abs({})".format, inner),
        st.builds(
            "{1}({0}, step)".format,
            inner,
            st.sampled_from(["round_up", "round_down", "round_half_up"]),
        ),
        st.builds("({0[0]} if {1} else {0[1]})".format, two, truths(inner)),
    )


def truths(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    compared = st.builds("({} {} {})".format, inner, signs, inner)
    words = st.sampled_from(["and", "or"])
    return st.one_of(
        compared,
        st.builds("({} {} {})".format, compared, words, compared),
        st.builds("(not {})".format, compared),
    )


LEAVES = st.sampled_from(["0", "1", "x", "y", "two", "third"])
FORMULAS = st.recursive(LEAVES, numbers, max_leaves=8)
VALUES = st.one_of(
    st.sampled_from([Decimal(0), Decimal(1), Decimal(2), Decimal("-0.3"), Decimal("1.3")]),
    st.decimals(-5, 5, places=2),
)


class Divided(ExactReading):
    """Keeps the denominators that were 0."""

    zero = False

    def arithmetic(self, sign: str, left: Any, right: Any) -> Any:
        self.zero |= sign == "/" and isinstance(right, Decimal) and right == 0
        return super().arithmetic(sign, left, right)


@given(formula=FORMULAS, x=VALUES, y=VALUES)
def test_no_figure_lies_outside_its_bounds(formula: str, x: Decimal, y: Decimal) -> None:
    tree = parse(formula)
    with localcontext(EXACT):
        exact = Divided(Sight({**SETTINGS, "x": x, "y": y}, {}, {}, {}))
        value = Interpreter(exact).read(tree)
        bounds = Bounds(NAMES, start(NAMES))
        found = bounds.read(tree)
        if exact.zero:
            assert bounds.zeros, "a denominator was 0 and nothing was found"
        elif isinstance(value, Decimal):
            assert isinstance(found, Interval)
            assert found.holds(value)


@given(condition=truths(FORMULAS), x=VALUES, y=VALUES)
def test_no_condition_comes_out_as_it_cannot(condition: str, x: Decimal, y: Decimal) -> None:
    tree = parse(condition)
    with localcontext(EXACT):
        value = Interpreter(ExactReading(Sight({**SETTINGS, "x": x, "y": y}, {}, {}, {}))).read(
            tree
        )
        truth = Bounds(NAMES, start(NAMES)).truth(tree)
    if isinstance(value, bool):
        assert value in truth


@pytest.mark.parametrize(
    ("formula", "low", "high"),
    [
        ("two + third", "1.7", "1.7"),
        ("max(x, two)", "2", "Infinity"),
        ("x if x > 0 and x < two else 1", "0", "2"),
        ("1 / x if x >= two else 0", "0", "0.5"),
        ("min(two, unlimited)", "2", "2"),
        ("abs(x)", "0", "Infinity"),
        ("round_up(third, step)", "0", "0"),
        ("1 if two > third else x", "1", "1"),
    ],
)
def test_bounds_are_as_near_as_can_be(formula: str, low: str, high: str) -> None:
    with localcontext(EXACT):
        found = Bounds(NAMES, start(NAMES)).read(parse(formula))
    assert isinstance(found, Interval)
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


def test_a_long_walk_ends() -> None:
    """Of what is not looked at any more nothing is known."""
    formula = "x"
    for _ in range(10):
        formula = f"(1 if {formula} > 0 and y > 0 else 0)"
    bounds = Bounds(NAMES, start(NAMES))
    with localcontext(EXACT):
        found = bounds.read(parse(formula))
    assert MOST_STEPS < bounds.steps < 10 * MOST_STEPS
    assert found is None or (isinstance(found, Interval) and found.holds(Decimal(0)))
