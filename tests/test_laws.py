"""Laws: of the spelling of formulas, of scales and rounding, and of digests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import to_yaml
from policy_engine import Rulebook, RulesError
from policy_engine.document import read_yaml
from policy_engine.language.syntax import Fault, parse
from policy_engine.language.text import to_text
from policy_engine.numbers import EXACT
from policy_engine.schema import problems, shaped
from policy_engine.versions import read_version

RULES = Path(__file__).parent.parent / "rules"

# Formulas

NAMES = st.sampled_from(["a", "b", "free", "margin_level", "true", "unlimited", "0", "1", '"x"'])
SPACES = st.sampled_from(["", " ", "  ", "\n"])


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Parts one after the other, with spaces of any kind around each."""
    return st.tuples(*(st.tuples(SPACES, part, SPACES).map("".join) for part in parts)).map("".join)


def _larger(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    bracketed = _joined(st.just("("), smaller, st.just(")"))
    word = st.sampled_from([" and ", " or ", "+", "-", "*", "/", "<", "<=", "==", "!="])
    calls = st.lists(smaller, min_size=1, max_size=3).map(lambda parts: f"f({', '.join(parts)})")
    return st.one_of(
        bracketed,
        calls,
        _joined(st.sampled_from(["-", "not "]), smaller),
        _joined(smaller, word, smaller),
        _joined(smaller, st.just(" if "), smaller, st.just(" else "), smaller),
    )


FORMULAS = st.recursive(NAMES, _larger, max_leaves=12)
WORDS = st.lists(
    st.sampled_from(
        [*"()+-*/<>=,.01'\"%é\x00\n a", "and", "or", "not ", " if ", " else ", "f(", "a.b", "2.5"]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=400)
@given(FORMULAS)
def test_a_spelling_spells_itself(text: str) -> None:
    try:
        tree = parse(text)
    except Fault:
        return
    once = to_text(tree)
    assert to_text(parse(once)) == once
    assert _shape(parse(once)) == _shape(tree)


def _shape(node: Any) -> Any:
    """A tree without the places of its parts."""
    parts = [getattr(node, name) for name in getattr(node, "_fields", ())]
    if isinstance(node, list):
        return [_shape(part) for part in node]
    return (type(node).__name__, [_shape(part) for part in parts]) if parts else repr(_bare(node))


def _bare(node: Any) -> Any:
    return type(node).__name__ if hasattr(node, "_fields") else node


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=60), WORDS))
def test_any_text_is_a_formula_or_a_fault_with_a_place(text: str) -> None:
    found = None
    try:
        to_text(parse(text))
    except Fault as fault:
        found = fault
    if found is not None:
        assert 0 <= found.offset <= len(text)
        assert found.width >= 1
        assert found.hint


# Scales and rounding

RULE = """\
ruleset: laws
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: What is put to the test.
applies_when: mode == "pro"
sources: {}
inputs:
  account:
    mode: {type: text}
  assets:
    asset: {type: text, key: true}
    free: {type: number, unit: USDT}
    locked: {type: number, unit: ratio}
    borrowed: {type: number, unit: USDT}
    price: {type: number, unit: USDT}
scales:
  s:
    title: A scale
    in: USDT
    unit: ratio
    edge_belongs_to: OWNER
    above_last: last
    tiers: TIERS
formulas:
  assets:
    x: {title: Figure, unit: USDT, expression: free - borrowed}
    step: {title: Step, unit: USDT, expression: price}
    sliced: {title: Sliced, unit: USDT, expression: "slices(s, x)"}
    raised: {title: Raised, unit: USDT, expression: "slices(s, x, locked)"}
    rate: {title: Rate, unit: ratio, expression: "tier(s, x)"}
    up: {title: Up, unit: USDT, expression: "round_up(x, step)"}
    down: {title: Down, unit: USDT, expression: "round_down(x, step)"}
    half: {title: Half, unit: USDT, expression: "round_half_up(x, step)"}
statuses: {normal: {title: Normal}}
"""
Tiers = list[tuple[Decimal, Decimal]]
FIGURES = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=6)
RATES = st.decimals(0, 2, allow_nan=False, allow_infinity=False, places=4)
OWNERS = st.sampled_from(["lower", "upper"])
TIERS = st.lists(
    st.tuples(FIGURES.filter(bool), RATES), min_size=1, max_size=5, unique_by=lambda tier: tier[0]
).map(sorted)


def figures(tiers: Tiers, owner: str = "lower") -> Callable[..., Any]:
    """What the formulas of the rule give for a figure, with a least rate and a step."""
    written = ", ".join(f"{{to: {to:f}, rate: {rate:f}}}" for to, rate in tiers)
    text = RULE.replace("OWNER", owner).replace("TIERS", f"[{written}]")
    rules = Rulebook([("laws/2025-01-01.yaml", text)]).in_force("2025-01-01")

    def give(x: Decimal, least: Decimal = Decimal(0), step: Decimal = Decimal(1)) -> Any:
        amounts = {"free": max(x, Decimal(0)), "borrowed": max(-x, Decimal(0)), "price": step}
        texts = {name: f"{abs(amount):f}" for name, amount in {**amounts, "locked": least}.items()}
        line = {"asset": "A", "interest": "0", **texts}
        (made,) = rules.decide({"account": "A", "mode": "pro", "assets": [line]}).assets or ()
        return made

    return give


LEAST_STEP = Decimal("0.000000000000000001")


@settings(max_examples=40, deadline=None)
@given(TIERS, RATES)
def test_a_marginal_scale_never_jumps(tiers: Tiers, least: Decimal) -> None:
    give = figures(tiers)
    most = max(least, *(rate for _, rate in tiers)) * LEAST_STEP
    for edge in [Decimal(0), *(to for to, _ in tiers)]:
        around = [give(edge + n * LEAST_STEP, least) for n in (-1, 0, 1) if edge or n >= 0]
        for before, after in pairwise(around):
            for name in ("sliced", "raised"):
                assert 0 <= after[name] - before[name] <= most


@settings(max_examples=40, deadline=None)
@given(TIERS, st.lists(FIGURES, min_size=2, max_size=6), RATES)
def test_more_is_never_charged_less(tiers: Tiers, some: list[Decimal], least: Decimal) -> None:
    give = figures(tiers)
    given_some = [give(x, least) for x in sorted(some)]
    for lower, higher in pairwise(given_some):
        assert lower["sliced"] <= higher["sliced"]
        assert lower["raised"] <= higher["raised"]
    assert all(one["sliced"] <= one["raised"] for one in given_some)


@settings(max_examples=40, deadline=None)
@given(TIERS, OWNERS)
def test_an_edge_is_in_the_tier_that_owns_it(tiers: Tiers, owner: str) -> None:
    give = figures(tiers, owner)
    rates = [*(rate for _, rate in tiers), tiers[-1][1]]
    for number, (edge, rate) in enumerate(tiers):
        assert give(edge - LEAST_STEP)["rate"] == rate
        assert give(edge)["rate"] == (rate if owner == "lower" else rates[number + 1])
        assert give(edge + LEAST_STEP)["rate"] == rates[number + 1]


@settings(max_examples=60, deadline=None)
@given(
    st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=6),
    st.decimals("0.0001", 100, allow_nan=False, allow_infinity=False, places=4).filter(bool),
)
def test_rounding_goes_to_a_multiple_on_the_side_it_says(x: Decimal, step: Decimal) -> None:
    give = _ROUNDING(x, step=step)
    other = _ROUNDING(-x, step=step)
    with localcontext(EXACT):
        assert all(give[name] % step == 0 for name in ("up", "down", "half"))
        assert x - step < give["down"] <= x <= give["up"] < x + step
        assert abs(x - give["half"]) * 2 <= step
        assert (other["up"], other["down"]) == (-give["down"], -give["up"])
        assert other["half"] == -give["half"]
        tie = give["down"] + step / 2
    halves = _ROUNDING(tie, step=step)
    assert halves["half"] == (halves["up"] if tie > 0 else halves["down"])


_ROUNDING = figures([(Decimal(1), Decimal(1))])

# Digests

FILES = sorted(RULES.glob("*/*.yaml"))
NEWEST = sorted({path.parent: path for path in FILES}.values())


def digest(path: Path, text: str) -> str:
    """The digest of a rule file with another text. Raises RulesError where it is none."""
    document = read_yaml(text, path.as_posix())
    if found := problems(document, "ruleset"):
        raise RulesError(found)
    return read_version(document, shaped(document, "ruleset")).digest


def content(path: Path) -> dict[str, Any]:
    """The data of a rule file, every scalar as it is written."""
    held: dict[str, Any] = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
    return held


def _shuffled(value: Any, rng: Random, key: str = "") -> Any:
    """The same with the keys of every mapping in another order, but for statuses."""
    if isinstance(value, list):
        return [_shuffled(item, rng) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    if key != "statuses":
        rng.shuffle(keys)
    return {name: _shuffled(value[name], rng, name) for name in keys}


def _respelled(text: str) -> str:
    """A number or formula in another spelling; anything else as it is."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"{text}0" if "." in text else f"{text}.0"
    return text


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in parts:
        if isinstance(item, str):
            yield (*at, key), item
        else:
            yield from _leaves(item, (*at, key))


def _changed(value: Any, at: tuple[Any, ...], text: str) -> Any:
    """The same with another text at a path."""
    if not at:
        return text
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    made = {key: _changed(item, at[1:], text) if key == at[0] else item for key, item in parts}
    return made if isinstance(value, dict) else list(made.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_formatting_never_changes_a_digest(path: Path) -> None:
    text, data = path.read_text("utf-8"), content(path)
    wanted = digest(path, text)
    rng = Random(path.stem)
    respelled = data
    for at, leaf in _leaves(data):
        if at[-1] in ("value", "to", "rate", "from", "otherwise", *_columns(data, at)) and (
            at[0] not in ("parameters", "tables") or "gives" not in data[at[0]][at[1]]
        ):
            respelled = _changed(respelled, at, _respelled(leaf))
        if at[-1] in ("expression", "when") and isinstance(at[-2], str):
            respelled = _changed(respelled, at, f"( {leaf}  )")
    others = [
        text.replace("\n", "   # a remark\n", 1),
        "\n\n" + text.replace("\n\n", "\n\n\n# a remark\n\n"),
        to_yaml(data),
        re.sub('"(null|true|false)"', r"\1", json.dumps(data, ensure_ascii=False)),
        to_yaml(_shuffled(data, rng)),
        to_yaml(respelled),
    ]
    assert [digest(path, other) for other in others] == [wanted] * len(others)


def _columns(data: dict[str, Any], at: tuple[Any, ...]) -> list[str]:
    """The columns of the scale that a path is inside of."""
    if at[0] != "scales" or "tiers" not in at:
        return []
    return list(data["scales"][at[1]].get("columns", {}))


def _other(at: tuple[Any, ...], text: str) -> str:
    """Another text of the same kind."""
    if at[-1] in ("when", "expression", "applies_when"):
        for sign, other in (
            ("<=", "<"),
            (">=", ">"),
            ("==", "!="),
            (" > ", " >= "),
            (" + ", " - "),
        ):
            if sign in text:
                return text.replace(sign, other, 1)
        return f"-({text})"
    number = re.fullmatch(r"(-?\d+)(\.\d+)?(%?)", text)
    if number:
        return f"{number[1]}{number[2] or '.'}5{number[3]}"
    return _WORDS.get(text, f"{text}x")


_WORDS = {
    "text": "truth",
    "lower": "upper",
    "higher": "lower",
    "true": "false",
    "falling": "rising",
}


@pytest.mark.parametrize("path", NEWEST, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_everything_that_a_file_says_is_in_its_digest(path: Path) -> None:
    data = content(path)
    wanted, counts = digest(path, to_yaml(data)), {"changed": 0, "refused": 0}
    leaves = list(_leaves(data))
    for at, text in Random(path.stem).sample(leaves, min(len(leaves), 100)):
        try:
            made = digest(path, to_yaml(_changed(data, at, _other(at, text))))
        except RulesError:
            counts["refused"] += 1
            continue
        assert made != wanted, at
        counts["changed"] += 1
    assert counts["changed"] >= counts["refused"], counts


REMARKS = """\
ruleset: said
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Remarks.
note: A remark.
sources: {faq: {title: FAQ, note: A remark.}}
inputs: {account: {mode: {type: text, title: Mode, note: A remark.}}}
"""


@pytest.mark.parametrize("at", [m.start() for m in re.finditer("A remark|Mode", REMARKS)])
def test_remarks_are_in_the_digest(at: int) -> None:
    path = Path("said/2025-01-01.yaml")
    changed = REMARKS[:at] + "Another" + REMARKS[at:]
    assert digest(path, changed) != digest(path, REMARKS)
