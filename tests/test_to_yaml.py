"""Rule files as YAML text: what is written reads back as the same, and looks as it should."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.document import read_yaml
from policy_engine.document.text import HIDDEN
from policy_engine.numbers import NUMBER
from policy_engine.render.yaml import FLOW_COLUMNS, MOST_COLUMNS, to_yaml
from policy_engine.rulebook import Rulebook
from policy_engine.shapes import shaped
from policy_engine.shipped import rules_folder

FILES = sorted(rules_folder().glob("*/*.yaml"))
WORDS = (
    *("NO", "no", "Y", "on", "true", "null", "~", "", " ", "a: b", "a:", "a #b", "- a", "-", "?"),
    *("1", "010", "1.0", "1e5", "1E5", ".5", "0x1F", "1_000", "13:20", "11%", "+1", "-1", "inf"),
    *("[a]", "{a}", "a, b", "&a", "*a", "!a", "|", ">", "'a'", '"a"', "`a", "@a", "%a", "=", "<<"),
    *("0?", "a\nb", "a\tb", " a", "a ", "é", "币安人生", "1INCH", "1000CHEEMS", "\\", "a  b"),
)
TEXTS = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(exclude_categories=["Cs", "Co", "Cn"]), max_size=20),
    st.text("a: #-,[]{}'\"&", max_size=300),
).filter(lambda text: not HIDDEN.search(text) and "\r" not in text)
KEYS = TEXTS.filter(lambda text: text not in ("", "<<"))
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def data(text: str) -> Any:
    """What the strict reader reads."""
    return read_yaml(text, "made.yaml").data


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_shipped_file_says_the_same_when_it_is_written_anew(path: Path) -> None:
    read = read_yaml(path.read_text(encoding="utf-8"), str(path))
    said = shaped(read, "ruleset")
    text = to_yaml(said)
    assert shaped(read_yaml(text, str(path)), "ruleset") == said
    assert to_yaml(said) == text


def test_every_shipped_file_keeps_its_digest() -> None:
    """A quote more or less around a number or a key changes no meaning."""
    book = Rulebook.load()
    anew = Rulebook([(version.path, to_yaml(version.document)) for version in book.versions])
    assert [v.digest for v in anew.versions] == [v.digest for v in book.versions]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), VALUES, min_size=1))
def test_what_is_written_reads_back_as_the_same(document: dict[str, Any]) -> None:
    document = {f"x_{key}": item for key, item in document.items()}
    assert data(to_yaml(document)) == document


@settings(max_examples=200, deadline=None)
@given(TEXTS.filter(lambda text: not NUMBER.fullmatch(text)), KEYS)
def test_any_reader_of_yaml_takes_a_text_for_a_text(text: str, key: str) -> None:
    made = to_yaml({"x": text, "y": {"z": {"a": [text], "b": "c"}}, "v": {key: {key: "d"}}})
    read = yaml.safe_load(made)
    assert read == {"x": text, "y": {"z": {"a": [text], "b": "c"}}, "v": {key: {key: "d"}}}


def test_texts_that_look_like_numbers_are_quoted_where_the_file_says_they_are_texts() -> None:
    rows = [{"value": "6", "when": ["1", "NO"]}]
    table = {"title": "T", "by": "text", "gives": "text", "rows": rows, "otherwise": "7"}
    pairs = [{"value": "6", "when": [["1", "2"]]}]
    made = to_yaml(
        {
            "parameters": {"p": {"value": "1", "gives": "text"}, "q": {"value": "1"}},
            "tables": {
                "t": table,
                "u": {**table, "by": "number", "gives": "truth", "rows": [rows[0]]},
                "v": {**table, "by": ["text", "number"], "gives": "truth", "rows": pairs},
            },
        }
    )
    assert 'value: "1"\n    gives: text' in made
    assert "q:\n    value: 1\n" in made
    assert '- {value: "6", when: ["1", "NO"]}' in made
    assert '- {value: 6, when: [1, "NO"]}' in made
    assert '- {value: 6, when: [["1", 2]]}' in made


def test_other_values_are_written_as_the_schema_reads_them() -> None:
    part = {"optional": True, "value": Decimal("1E+6")}
    made = to_yaml({"announced_at": None, "parts": {"one": part}})
    assert made == (
        "announced_at: null\n\nparts:\n  one:\n    optional: true\n    value: 1000000\n"
    )


def test_a_first_line_stands_above_the_rest() -> None:
    assert to_yaml({"ruleset": "a"}, "# a comment") == "# a comment\nruleset: a\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_line_is_longer_than_it_must_be(path: Path) -> None:
    """Only one word, a quoted text or a formula can be longer."""
    text = to_yaml(shaped(read_yaml(path.read_text(encoding="utf-8"), str(path)), "ruleset"))
    long = [line for line in text.splitlines() if len(line) > MOST_COLUMNS]
    assert [line for line in long if '"' not in line] == []
    flowing = [line for line in text.splitlines() if line.endswith("}") and ": {" in line]
    assert all(len(line) <= FLOW_COLUMNS for line in flowing)
