"""Schemas: what they refuse, in which words, and that they say what they do to their readers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policy_engine import shipped
from policy_engine.document import pointer_text, read_json, read_text, read_yaml
from policy_engine.errors import PolicyError, SnapshotError
from policy_engine.kinds import kind_slip
from policy_engine.render.problems import render
from policy_engine.schema import problems, shaped
from policy_engine.shapes import schema

NAMES = ("ruleset", "snapshot", "case", "scenarios", "approvals")
BROKEN = Path(__file__).parent / "broken"
BROKEN_FILES = sorted(path for name in NAMES for path in (BROKEN / name).glob("*.[yj]*"))
TOP = Path(__file__).parent.parent
LINE = {"asset": "BTC", "free": "2", "locked": "0", "borrowed": "1", "interest": "0", "price": "9"}
SNAPSHOT = {
    "account": "A-1", "at": "2025-02-01T12:00:00Z", "mode": "pro", "leverage": Decimal(5),
    "region": "FR", "vip_level": Decimal(0), "margin_call_ratio": {"pro": "1.4"},
    "questionnaire_completed": True, "terms_accepted": True, "assets": [LINE],
    "prices": {"USDC": "1", "币安人生": Decimal("0.1")},
    "orders": [{"sell": "BTC", "sell_quantity": "0.1", "buy": "USDC", "buy_quantity": 1000}],
    "loans": [
        {"asset": "BTC", "principal": "1", "hourly_rate": Decimal("0.00001"),
         "borrowed_at": "2025-02-01T08:20:00+08:00"}
    ],
}  # fmt: skip


def said(value: Any, name: str = "snapshot") -> list[str]:
    return [str(problem) for problem in problems(value, name)]


# Broken files


def test_there_are_broken_files() -> None:
    assert len(BROKEN_FILES) > 60
    assert {path.parent.name for path in BROKEN_FILES} == set(NAMES)


@pytest.mark.parametrize("path", BROKEN_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_broken_file_says_exactly_this(path: Path) -> None:
    read = read_json if path.suffix == ".json" else read_yaml
    found = problems(read(read_text(path), path.name), path.parent.name)
    assert render(found) + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert all(problem.hint for problem in found)


# What fits


def test_the_shipped_rules_and_cases_fit() -> None:
    files = [(path, "ruleset") for path in shipped.rules_folder().glob("*/*.yaml")]
    for folder in ("cases", "worked"):
        files += [(path, "case") for path in (TOP / "tests" / folder).glob("*/*.yaml")]
    assert files
    for path, name in files:
        assert said(read_yaml(read_text(path), str(path)), name) == []


def test_a_snapshot_fits() -> None:
    assert said(SNAPSHOT) == []
    assert said({"account": "A", "mode": "classic", "assets": []}) == []


@pytest.mark.parametrize("key", ["region", "vip_level", "leverage", "terms_accepted", "orders"])
def test_what_may_be_unknown_may_be_null(key: str) -> None:
    assert said({**SNAPSHOT, key: None}) == []


def test_a_stated_loss_goes_with_unknown_orders() -> None:
    assert said({**SNAPSHOT, "orders": None, "open_order_loss": "1"}) == []
    assert said({**SNAPSHOT, "open_order_loss": None}) == []


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0.1, "wrong-type"),
        (float("nan"), "wrong-type"),
        (float("inf"), "wrong-type"),
        (True, "wrong-type"),
        (None, "wrong-type"),
        (b"1", "wrong-type"),
        (object(), "wrong-type"),
        (Decimal("NaN"), "wrong-type"),
        (Decimal("sNaN"), "wrong-type"),
        (Decimal("Infinity"), "wrong-type"),
        (Decimal("1e999999"), "bad-number"),
        (10**6000, "bad-number"),
        ("1e5", "bad-number"),
        ("1" * 100_000, "bad-number"),
        ("٣", "bad-number"),
        ("1\n", "bad-number"),
        (" 1", "bad-number"),
        ("", "bad-number"),
        (-1, "invalid-value"),
        ("-1", "invalid-value"),
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else "number",
)
def test_amounts_refused(amount: Any, code: str) -> None:
    found = problems({**SNAPSHOT, "assets": [{**LINE, "free": amount}]}, "snapshot")
    assert [problem.code for problem in found] == [code]
    assert found[0].place.pointer == "assets[0].free"
    assert len(found[0].message) < 200


def test_a_last_newline_is_not_overlooked() -> None:
    assert len(said({**SNAPSHOT, "account": "A-1\n"})) == 1
    assert len(said({**SNAPSHOT, "assets": [{**LINE, "asset": "BTC\n"}]})) == 1


OF_PYTHON = re.compile(r"Decimal\(|<class|object at|\bNone\b|dict|NoneType")
WORDS = st.text().filter(lambda text: not OF_PYTHON.search(text))
"""Texts that speak of no Python themselves: a message repeats them."""
ODD = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.decimals()
ODD_VALUES = st.recursive(
    ODD, lambda inner: st.lists(inner) | st.dictionaries(WORDS | st.integers(), inner)
)


@given(st.sampled_from(sorted(SNAPSHOT)), ODD_VALUES)
def test_any_mapping_gets_problems_or_none(key: str, value: Any) -> None:
    for problem in problems({**SNAPSHOT, key: value}, "snapshot"):
        assert not OF_PYTHON.search(problem.message)


# Shapes


def test_plain_words_take_the_kind_of_their_field() -> None:
    document = read_yaml(
        "announced_at: null\nsummary: null\napplies_when: true\n"
        'inputs: {account: {a: {optional: true}, b: {optional: "true"}, c: {optional: True}}}\n'
        "parameters: {open: {value: true, gives: truth}}\n",
        "rules.yaml",
    )
    data = shaped(document, "ruleset")
    assert data["announced_at"] is None
    assert (data["summary"], data["applies_when"]) == ("null", "true")
    optional = [each["optional"] for each in data["inputs"]["account"].values()]
    assert optional == [True, "true", "True"]
    assert data["parameters"]["open"]["value"] == "true"


def test_a_free_part_takes_every_plain_word() -> None:
    document = read_yaml(
        "cases:\n- snapshot: {orders: null, done: true, region: NO, vip_level: 0, mode: 'true'}\n"
        "  each: {done: [true, false]}\n  expect: {values: {open: true}}\n",
        "cases.yaml",
    )
    (case,) = shaped(document, "case")["cases"]
    expected = {"orders": None, "done": True, "region": "NO", "vip_level": "0", "mode": "true"}
    assert case["snapshot"] == expected
    assert case["each"] == {"done": [True, False]}
    assert case["expect"] == {"values": {"open": "true"}}


# The schemas themselves


def parts(part: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from parts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from parts(inner)


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))


def described_at(root: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    """Whether a key's schema, or one that it refers to, has a description."""
    reference = part.get("$ref", "").removeprefix("#/$defs/")
    further = bool(reference) and described_at(root, root["$defs"][reference])
    return "description" in part or "not" in part or further


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_described(name: str) -> None:
    root = schema(name)
    described = 0
    for part in parts({key: root[key] for key in ("properties", "$defs")}):
        for key, member in part.get("properties", {}).items():
            if not part.get("additionalProperties", True):
                assert described_at(root, member), key
                described += 1
    assert described >= 5


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_open_by_chance(name: str) -> None:
    """Each mapping lists its keys, or says what the values of other keys are, or is free."""
    for part in parts(schema(name)):
        if part.get("type") == "object":
            free = part.get("x-plain-words") or "x-expected" in part
            assert "additionalProperties" in part or free, part


def test_every_field_of_a_snapshot_has_examples_that_fit() -> None:
    root = schema("snapshot")
    for part in (root, *root["$defs"].values()):
        for key, member in part.get("properties", {}).items():
            if part is root:
                assert member.get("examples"), key
                assert said({**SNAPSHOT, "orders": None, key: member["examples"][0]}) == []
            else:
                assert member.get("examples"), key


def test_regions_are_the_assigned_codes() -> None:
    regions = [each for each in schema("snapshot")["properties"]["region"]["enum"] if each]
    assert len(set(regions)) == len(regions) == 249
    assert {"GB", "GR", "NO", "SG", "SS", "CW", "AX"} <= set(regions)
    assert not {"UK", "EL", "XK", "EU", "AN", "ZZ"} & set(regions)


NUMBERS = st.from_regex(r"-?(0|[1-9]\d{0,19})(\.\d{0,19})?%?", fullmatch=True) | st.sampled_from(
    ["1e5", ".5", "5.", "010", "+1", "1_000", "1,000", "unlimited", "last", "undetermined", ""]
)


@given(NUMBERS)
def test_patterns_for_editors_agree_with_kinds(text: str) -> None:
    """Within 18 digits: a pattern cannot count those of a percentage after dividing it."""
    for name in NAMES:
        for part in parts(schema(name)):
            if part.get("x-kind") in ("number", "amount", "whole") and "pattern" in part:
                slip = kind_slip(part["x-kind"], text, part)
                fits = re.fullmatch(part["pattern"], text) is not None
                countable = slip is None or (slip.code, "digits" in slip.message) == (
                    "bad-number",
                    False,
                )
                assert fits == (slip is None) or not countable


# Found from the package


def test_shipped_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (shipped.schemas_folder() / "ruleset.schema.json").is_file()
    package = tmp_path / "policy_engine"
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.rules_folder() == tmp_path / "rules"
    (package / "_data" / "rules").mkdir(parents=True)
    assert shipped.rules_folder() == package / "_data" / "rules"


def test_problems_of_a_document_have_places() -> None:
    found = problems(read_yaml("ruleset: X\n", "rules.yaml"), "ruleset")
    assert all(problem.place.path == "rules.yaml" and problem.place.line for problem in found)
    assert pointer_text(("ruleset",)) in {problem.place.pointer for problem in found}


def test_errors_carry_all_problems() -> None:
    error: PolicyError = SnapshotError(problems({}, "snapshot"))
    assert len(error.problems) == 3
    assert "hint: " in str(error)
