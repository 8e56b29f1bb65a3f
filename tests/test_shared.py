"""Parts that formulas have in common are computed once, and nothing else is changed by that."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agreement
from policy_engine import Rulebook

RULES = """\
ruleset: shared
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Formulas that have parts in common.
sources: {{}}
applies_when: mode == "pro"
inputs:
  account:
    mode: {{type: text}}
    a: {{type: number, unit: ratio, optional: true}}
    b: {{type: number, unit: ratio, optional: true}}
  assets:
    asset: {{type: text, key: true}}
    u: {{type: number, unit: ratio, optional: true}}
    v: {{type: number, unit: ratio, optional: true}}
formulas:
  account:
{account}
    total: {{title: Total, unit: ratio, expression: "sum(assets, g0)"}}
  assets:
{assets}
statuses:
  high: {{title: High, when: {first} > {second}}}
  higher: {{title: Higher, when: {first} > {second} and {first} > 0}}
  normal: {{title: Normal}}
"""
SHAPES = (
    "{x}",
    "{x} * {y}",
    "({x}) - ({y})",
    "{y} / ({x})",
    "max({x}, {y})",
    "{x} if {y} > 0 else {y}",
    "0 if {x} > {y} else {x}",
)
NUMBERS = st.sampled_from([None, "0", "1", "2.5", "100"])


def parts(first: str, second: str) -> st.SearchStrategy[str]:
    """Few enough that formulas often have some in common."""
    names = st.sampled_from([first, second, "unlimited", f"({first} + {second})"])
    return st.builds("({} {} {})".format, names, st.sampled_from("+-*"), names)


def formulas(first: str, second: str) -> st.SearchStrategy[list[str]]:
    part = parts(first, second)
    one = st.builds(lambda shape, x, y: shape.format(x=x, y=y), st.sampled_from(SHAPES), part, part)
    return st.lists(one, min_size=2, max_size=5)


def written(made: list[str], name: str) -> str:
    return "\n".join(
        f"    {name}{n}: {{title: A figure, unit: ratio, expression: '{text}'}}"
        for n, text in enumerate(made)
    )


def given_numbers(**numbers: str | None) -> dict[str, str]:
    return {name: number for name, number in numbers.items() if number is not None}


@given(
    formulas("a", "b"),
    formulas("total", "b"),
    formulas("u", "b"),
    parts("a", "b"),
    parts("total", "b"),
    st.tuples(NUMBERS, NUMBERS),
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3),
)
def test_shared_parts_change_no_figure_and_no_reason(
    account: list[str],
    later: list[str],
    assets: list[str],
    first: str,
    second: str,
    numbers: tuple[str | None, str | None],
    lines: list[tuple[str | None, str | None]],
) -> None:
    figures = f"{written(account, 'f')}\n{written(later, 'h')}"
    text = RULES.format(account=figures, assets=written(assets, "g"), first=first, second=second)
    if None in (*numbers, *chain.from_iterable(lines)):
        text = text.replace("unlimited", "1")
    book = Rulebook([("shared/2025-01-01.yaml", text)])
    amounts = dict.fromkeys(("free", "locked", "borrowed", "interest", "price"), "1")
    snapshot: dict[str, Any] = {
        "account": "A",
        "mode": "pro",
        **given_numbers(a=numbers[0], b=numbers[1]),
        "assets": [
            {"asset": f"X{n}", **amounts, **given_numbers(u=u, v=v)}
            for n, (u, v) in enumerate(lines)
        ],
    }
    decision = book.in_force("2025-02-01").decide(snapshot)
    exactly = agreement.exactly(book, snapshot, "2025-02-01", None)
    assert agreement.code_reads(decision) == exactly


@pytest.mark.parametrize("times", [1, 3])
def test_a_shared_part_is_computed_once(times: int) -> None:
    text = RULES.format(
        account=written(["(a - b) * a"] * times, "f"),
        assets=written(["v"], "g"),
        first="(a + b)",
        second="0",
    )
    rules = Rulebook([("shared/2025-01-01.yaml", text)]).in_force("2025-02-01")
    source = rules.compiled_for({"account": "A", "mode": "pro", "assets": []}).program.source
    assert [source.count(sign) for sign in ("f_a - f_b", "f_a + f_b")] == [1, 1]
