"""Formulas: their one spelling, and what is wrong with what is none, to the character."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_engine import Rulebook, RulesError
from policy_engine.checks import findings
from policy_engine.errors import Problem
from policy_engine.language.syntax import DEEPEST_EXPRESSION, LONGEST_EXPRESSION, Fault, parse
from policy_engine.language.text import to_text

FOLDER = Path(__file__).parent / "expressions"
HOSTILE = Path(__file__).parents[2] / "shared/data/corpora/hostile/expressions.json"


def entries(name: str) -> list[dict[str, Any]]:
    """The entries of a file of formulas, of which there are many, none twice."""
    held: list[dict[str, Any]] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    assert len({entry["text"] for entry in held}) == len(held) > 80
    return held


def fault(text: str) -> Fault:
    with pytest.raises(Fault) as caught:
        parse(text)
    return caught.value


# Data files


@pytest.mark.parametrize("entry", entries("spelling.yaml"), ids=lambda entry: repr(entry["text"]))
def test_a_formula_has_one_spelling(entry: dict[str, Any]) -> None:
    assert to_text(parse(entry["text"])) == entry["spelled"]
    assert to_text(parse(entry["spelled"])) == entry["spelled"]


@pytest.mark.parametrize("entry", entries("faults.yaml"), ids=lambda entry: repr(entry["text"]))
def test_what_is_no_formula_says_so(entry: dict[str, Any]) -> None:
    found = fault(entry["text"])
    said = (found.code, found.message, found.hint, [found.offset, found.width])
    assert said == (entry["code"], entry["message"], entry["hint"], entry["at"])


@pytest.mark.parametrize("entry", entries("faults.yaml"), ids=lambda entry: repr(entry["text"]))
def test_a_fault_stands_inside_the_text_or_at_its_end(entry: dict[str, Any]) -> None:
    start, width = entry["at"]
    assert start >= 0 < width
    assert start + width <= max(len(entry["text"]), start + 1)
    assert entry["hint"]


# Limits


def test_the_longest_formula() -> None:
    longest = "a" * LONGEST_EXPRESSION
    assert to_text(parse(longest)) == longest
    found = fault(longest + "a")
    assert found.code == "formula-too-long"
    assert (found.offset, found.width) == (LONGEST_EXPRESSION, 1)
    assert found.message == "the formula has 1001 characters; at most 1000 are read"


def deep(kind: str, depth: int) -> str:
    """A formula with a tree of that depth."""
    more = depth - 1
    return {
        "sign": "-" * more + "a",
        "not": "not " * more + "a",
        "call": "f(" * more + "a" + ")" * more,
        "sum": "a + (" * more + "a" + ")" * more,
        "chain": "a" + " + a" * more,
        "choice": "a if b else " * more + "a",
        "compare": "(" * (more - 1) + "a < a" + ") == a" * (more - 1),
    }[kind]


@pytest.mark.parametrize("kind", ["sign", "not", "call", "sum", "chain", "choice", "compare"])
def test_the_deepest_formula(kind: str) -> None:
    deepest = deep(kind, DEEPEST_EXPRESSION)
    assert height(parse(deepest)) == DEEPEST_EXPRESSION
    assert parse(to_text(parse(deepest)))
    assert fault(deep(kind, DEEPEST_EXPRESSION + 1)).code == "formula-too-deep"


def height(tree: ast.expr) -> int:
    return 1 + max(
        (height(part) for part in ast.iter_child_nodes(tree) if isinstance(part, ast.expr)),
        default=0,
    )


def test_brackets_are_levels_only_while_they_are_read() -> None:
    assert to_text(parse("(" * DEEPEST_EXPRESSION + "a" + ")" * DEEPEST_EXPRESSION)) == "a"
    more = DEEPEST_EXPRESSION + 1
    found = fault("(" * more + "a" + ")" * more)
    assert (found.code, found.offset) == ("formula-too-deep", DEEPEST_EXPRESSION)


@pytest.mark.parametrize("opening", ["(", "-", "not ", "f(", "a + (", "a if b else ", "a ** "])
def test_an_endless_formula_ends_at_once(opening: str) -> None:
    started = time.perf_counter()
    fault(opening * (999 // len(opening)))
    fault(opening * 100_000)
    assert time.perf_counter() - started < 1


# Hostile formulas collected elsewhere

LEGAL = frozenset({"not not not x", "--1", "-0"})
"""Formulas of the collection that may stand in a rule file here too."""

RULE = """\
ruleset: hostile
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: One formula.
sources: {}
inputs: {account: {x: {type: truth}}}
formulas:
  account:
    made: {title: Made, KIND, expression: TEXT}
"""


def collected() -> Iterator[tuple[str, str]]:
    """The name and text of each entry; long ones are described by their parts."""
    for entry in json.loads(HOSTILE.read_text(encoding="utf-8"))["cases"]:
        yield entry["id"], entry["expr"] if "expr" in entry else made(entry["gen"])


def made(parts: dict[str, Any]) -> str:
    count = int(parts.get("count", 1))
    before = str(parts.get("prefix", "")) * (count if "body" in parts else 1)
    if "prefix_repeat" in parts:
        before = str(parts.get("prefix", "")) + str(parts["prefix_repeat"]) * count
    after = str(parts.get("suffix", "")) * (count if "body" in parts else 1)
    return before + str(parts.get("body", "")) + str(parts.get("repeat", "")) * count + after


def spelling(text: str) -> str | None:
    """The spelling of a formula; None for what is none."""
    try:
        return to_text(parse(text))
    except Fault:
        return None


def stands(text: str) -> bool:
    """Whether a rule file may have the formula, for a figure of any kind."""
    for kind in ("unit: ratio", "gives: truth", "gives: text"):
        rule = RULE.replace("KIND", kind).replace("TEXT", json.dumps(text))
        found = wrong_with(rule)
        assert all(problem.hint for problem in found), text
        if not found:
            return True
    return False


def wrong_with(rule: str) -> Sequence[Problem]:
    try:
        return findings(Rulebook([("hostile/2025-01-01.yaml", rule)]))
    except RulesError as error:
        return error.problems


@pytest.mark.skipif(not HOSTILE.exists(), reason="the collection of hostile formulas is not here")
def test_hostile_formulas_are_refused_at_once() -> None:
    legal = set()
    for name, text in collected():
        started = time.perf_counter()
        spelled = spelling(text)
        if spelled is not None and stands(text):
            legal.add(spelled)
        assert time.perf_counter() - started < 1, name
    assert legal == LEGAL
