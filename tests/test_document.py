"""Strict YAML and JSON: what is refused, in which words, and where things stand in a file."""

from __future__ import annotations

import pickle
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from policy_engine.document import (
    Document,
    Pointer,
    pointer_text,
    read_json,
    read_text,
    read_yaml,
    strict_yaml,
    text,
)
from policy_engine.errors import MOST_PROBLEMS, PolicyError, Problem, RulesError, SnapshotError
from policy_engine.render.problems import render

BROKEN = Path(__file__).parent / "broken" / "documents"
BROKEN_FILES = sorted(BROKEN.glob("*.yaml")) + sorted(BROKEN.glob("*.json"))


def refusal(content: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        read_yaml(content, "rules.yaml")
    return caught.value


def problems_of(read: Any, *arguments: Any) -> tuple[Problem, ...]:
    """What reading finds wrong; nothing where it reads. Anything else that is raised goes on."""
    try:
        read(*arguments)
    except PolicyError as error:
        return error.problems
    return ()


# What is refused, and in which words


def test_there_are_broken_files() -> None:
    assert len(BROKEN_FILES) > 40


@pytest.mark.parametrize("path", BROKEN_FILES, ids=lambda path: path.name)
def test_broken_file_says_exactly_this(path: Path) -> None:
    read = read_json if path.suffix == ".json" else read_yaml
    with pytest.raises(PolicyError) as caught:
        read(path.read_bytes().decode("utf-8"), path.name)
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert render(caught.value.problems) + "\n" == expected


def test_every_answer_has_its_broken_file() -> None:
    asked = [path.stem for path in BROKEN_FILES]
    assert sorted(asked) == sorted(path.stem for path in BROKEN.glob("*.txt"))


@pytest.mark.parametrize(
    "content",
    ["a: x\n" * 500, "a: *x\n" * 500, "\x07" * 500, "".join(f"k{n}:\n" for n in range(500))],
)
def test_reading_stops_at_a_hundred_problems(content: str) -> None:
    assert len(refusal(content).problems) == MOST_PROBLEMS


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_yaml, "MOST_VALUES", 10)
    assert refusal("[" + "1, " * 20 + "]").code == "too-large"


def test_too_much_text_is_refused() -> None:
    assert refusal("a" * (text.MOST_CHARACTERS + 1)).code == "too-large"
    with pytest.raises(SnapshotError, match="too-large"):
        read_json("1" * (text.MOST_CHARACTERS + 1), "s.json")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        "{" * 200_000,
        "- " * 200_000,
        "? " * 200_000,
        "a: " * 200_000,
        "'" * 1_000_001,
        '"' + '\\"' * 500_000,
        "&a " * 100_000,
        "!" * 500_000,
        "[[]" * 200_000,
        "{a: {" * 100_000,
        "#" * 1_000_000,
        "%" * 1_000_000,
        "key: |\n" + " \n" * 500_000 + "]",
    ],
    ids=lambda content: content[:8].strip(),
)
def test_hostile_yaml_is_answered_soon(content: str) -> None:
    start = time.perf_counter()
    with pytest.raises(PolicyError):
        read_yaml(content, "rules.yaml")
    assert time.perf_counter() - start < 2


# What is read


WRITTEN = [
    *("NO", "no", "on", "Off", "Y", "null", "~", "true", "FALSE", "=", "13:20", "2025-01-21"),
    *("1.10", "010", "0x1F", "1_000", "1e3", ".5", ".inf", "11.12%", "2025-01-21T10:00:00Z"),
    "12345678901234567890.123456789",
]


@pytest.mark.parametrize(
    "written",
    WRITTEN,
)
def test_a_scalar_stays_the_text_it_is(written: str) -> None:
    document = read_yaml(f"{written}: {written}\n", "rules.yaml")
    assert document.data == {written: written}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("a: |\n  one\n  two\n", "one\ntwo"),
        ("a: |+\n  one\n\n\n", "one"),
        ("a: >-\n  one\n  two\n\n  three\n", "one two\nthree"),
        ("a: one\n  two\n", "one two"),
        ("a: 'it''s'\n", "it's"),
        ('a: "tab\\tand \\\n  on"\n', "tab\tand on"),
        ("a: ''\n", ""),
        ("---\r\na: x # remark\r\n", "x"),
    ],
)
def test_text_of_every_style(content: str, value: str) -> None:
    assert read_yaml(content, "rules.yaml").data == {"a": value}


def test_only_scalars_without_quotes_are_plain() -> None:
    document = read_yaml("a: true\nb: 'true'\nc: \"true\"\nd: |\n  true\ne: [true]\n", "r.yaml")
    assert [document.plain((key,)) for key in "abcde"] == [True, False, False, False, False]
    assert document.plain(("e", 0))


def test_a_document_pickles() -> None:
    document = read_yaml("a: {b: [1, 2]}\n", "rules.yaml")
    copy = pickle.loads(pickle.dumps(document))
    assert copy == document
    assert copy.place(("a", "b", 1)) == document.place(("a", "b", 1))


def test_without_libyaml_the_data_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a: {b: [1, 'two']}\nc: |\n  three\nd: \"\\u0041\"\n"
    fast = read_yaml(content, "rules.yaml")
    monkeypatch.setattr(strict_yaml, "_Loader", yaml.SafeLoader)
    assert read_yaml(content, "rules.yaml") == fast
    for path in BROKEN.glob("*.yaml"):
        refusal(path.read_bytes().decode("utf-8"))


# Places


PLACED = """\
# a rule file
parameters:
  floor: {title: Floor, value: 1.0}
  "two words":
    - one
    - note: >-  # folded
        first line
        second
"""


@pytest.mark.parametrize(
    ("pointer", "key", "line", "column", "width", "shown"),
    [
        ((), False, 2, 1, 1, ""),
        (("parameters",), True, 2, 1, 10, "parameters"),
        (("parameters",), False, 3, 3, 1, "parameters"),
        (("parameters", "floor", "value"), False, 3, 32, 3, "parameters.floor.value"),
        (("parameters", "floor", "value"), True, 3, 25, 5, "parameters.floor.value"),
        (("parameters", "two words"), True, 4, 3, 11, 'parameters["two words"]'),
        (("parameters", "two words", 0), False, 5, 7, 3, 'parameters["two words"][0]'),
        (("parameters", "two words", 0), True, 5, 7, 3, 'parameters["two words"][0]'),
        (
            ("parameters", "two words", 1, "note"),
            False,
            6,
            13,
            12,
            'parameters["two words"][1].note',
        ),
        (("parameters", "floor", "absent"), True, 3, 3, 5, "parameters.floor"),
        (("absent", "floor"), False, 2, 1, 1, ""),
    ],
)
def test_place(pointer: Pointer, key: bool, line: int, column: int, width: int, shown: str) -> None:
    place = read_yaml(PLACED, "rules.yaml").place(pointer, key)
    assert (place.line, place.column, place.width) == (line, column, width)
    assert place.pointer == shown
    assert place.source == PLACED.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("content", "offset", "line", "column"),
    [
        ("a: one + two\n", 6, 1, 10),
        ("a: one +\n   two\n", 6, 2, 4),
        ("a: 'it''s so'\n", 5, 1, 11),
        ('a: "\\u0041 \\\n  b"\n', 2, 2, 3),
        ("a: |  # remark\n\n  one\n    two\n", 7, 4, 5),
        ("a: >2-\n   one\n  two\n", 5, 3, 3),
        ("a: one\n", 3, 1, 7),
        ("a: one\n", 99, 1, 7),
        ("a: ''\n", 0, 1, 4),
        ("a: [1]\n", 0, 1, 4),
    ],
)
def test_inside(content: str, offset: int, line: int, column: int) -> None:
    place = read_yaml(content, "rules.yaml").inside(("a",), offset)
    assert (place.line, place.column) == (line, column)


def test_a_stretch_inside_has_its_width_in_the_file() -> None:
    place = read_yaml("a: 'it''s so'\n", "rules.yaml").inside(("a",), 1, 3)
    assert place.source[place.column - 1 :][: place.width] == "t''s"


WORDS = st.text("ab+*/(),.<=éñ标題𝒳'\"\\#:", min_size=1, max_size=6)
LINES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
TEXTS = st.lists(LINES, min_size=1, max_size=4)


def written_plain(lines: list[str]) -> str:
    return "key: " + "\n   ".join(lines) + "\n"


def written_single(lines: list[str]) -> str:
    return "key: '" + "\n\n  ".join(line.replace("'", "''") for line in lines) + "'\n"


def written_double(lines: list[str]) -> str:
    folded = "\\n\\\n   ".join(line.replace("\\", "\\\\").replace('"', "\\x22") for line in lines)
    return f'key: "{folded}"\n'


def written_literal(lines: list[str]) -> str:
    return "key: |-  # remark\n\n  " + "\n    ".join(lines) + "\n"


def written_folded(lines: list[str]) -> str:
    return "key: >+\n   " + "\n\n   ".join(lines) + "\n\n"


STYLES = [written_plain, written_single, written_double, written_literal, written_folded]
ESCAPED = {'"': "\\x22", "\\": "\\\\", "'": "''", "\n": "\\n"}


@given(TEXTS, st.sampled_from(STYLES))
def test_inside_finds_the_character_that_is_there(lines: list[str], write: Any) -> None:
    try:
        document = read_yaml(write(lines), "rules.yaml")
    except RulesError:
        assert write is written_plain  # only plain text can be mistaken for something else
        return
    if not isinstance(document.data.get("key"), str):
        return
    for offset, character in enumerate(document.data["key"]):
        place = document.inside(("key",), offset)
        there = place.source[place.column - 1 :][: place.width]
        if character.isspace():
            assert there.strip() in ("", "\\n", "\\")
        else:
            assert there in (character, ESCAPED.get(character))


# Nothing but a PolicyError, whatever the text


ANY_TEXT = st.text() | st.text("{}[]:,-#&*!|>'\"%@` \n\tab1?\\", max_size=40)


@given(ANY_TEXT)
@example("\ud800")
@example("\ufeff")
@example("a: \ud800")
def test_any_text_is_read_or_refused(content: str) -> None:
    for read in (read_yaml, read_json):
        found = problems_of(read, content, "any")
        assert all(map(well_worded, found))
        assert bool(render(found)) == bool(found)


def well_worded(problem: Problem) -> bool:
    jargon = ("Decimal", "while ", "expected", "token", "None", "node", "Error")
    return not any(word in problem.message for word in jargon) and bool(problem.place.path)


@given(ANY_TEXT)
def test_places_are_inside_the_text(content: str) -> None:
    lines = content.replace("\r\n", "\n").split("\n")
    for problem in problems_of(read_yaml, content, "any"):
        place = problem.place
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1


@given(st.binary())
def test_any_bytes_are_read_or_refused(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(content)
    found = problems_of(read_text, path)
    assert {problem.code for problem in found} <= {"not-utf8"}
    assert found or read_text(path).encode("utf-8") == content


VALUES = st.recursive(
    st.text("aé标 :#'\"\\{}[],-1%!&*", max_size=8).filter(lambda value: not value.isspace()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_dumped_is_read(value: Any) -> None:
    dumped = yaml.dump(value, default_style='"', allow_unicode=True, width=20, sort_keys=False)
    dumped = dumped.replace("!!str ", "")
    assert read_yaml(dumped, "rules.yaml").data == value


# Files


def refusal_of_file(path: Path) -> PolicyError:
    with pytest.raises(SnapshotError) as caught:
        read_text(path, SnapshotError)
    return caught.value


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal_of_file(tmp_path / "absent.yaml").code == "no-such-file"
    assert refusal_of_file(tmp_path).code == "not-a-file"
    assert refusal_of_file(Path("\0")).code == "unreadable-file"
    assert refusal_of_file(tmp_path / ("x" * 5000)).code == "unreadable-file"


def test_a_byte_that_is_not_utf8_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin1.yaml"
    path.write_bytes("a: 标\nb: caf".encode() + b"\xe9 noir\n")
    problem = refusal_of_file(path).problems[0]
    assert (problem.code, problem.place.line, problem.place.column) == ("not-utf8", 2, 7)


def test_an_endless_file_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    assert refusal_of_file(Path("/dev/zero")).code == "too-large"


# JSON


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("0.1", Decimal("0.1")),
        ("1e5", Decimal("1e5")),
        ("123456789012345678901234567890", Decimal("123456789012345678901234567890")),
        ('{"a": [true, false, null, "x\\u00e9"]}', {"a": [True, False, None, "xé"]}),
        (' {"a": {"b": 1}, "b": 1} ', {"a": {"b": Decimal(1)}, "b": Decimal(1)}),
        ('"\\ud835\\udcb3"', "𝒳"),
    ],
)
def test_json_is_read_exactly(content: str, value: Any) -> None:
    assert read_json(content, "s.json") == value


def test_json_problems_before_a_slip_are_kept() -> None:
    with pytest.raises(SnapshotError) as caught:
        read_json('{"a": 1, "a": NaN,\n "b" 2, "b": NaN}', "s.json")
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["duplicate-key", "bad-number", "bad-json"]


# What stands around


def test_pointer_text() -> None:
    assert pointer_text(("assets", 0, "free")) == "assets[0].free"
    assert pointer_text(()) == ""
    assert pointer_text((0, "a.b")) == '[0]["a.b"]'


def test_document_is_frozen() -> None:
    document: Document = read_yaml("a: 1\n", "rules.yaml")
    with pytest.raises(AttributeError):
        document.path = "other"  # type: ignore[misc]
