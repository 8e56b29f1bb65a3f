"""Hostile texts: each has its outcome on record, and gives it soon and in little memory."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hostile.corpora import AT_HAND, CORPORA, cases, yaml_cases
from hostile.outcomes import (
    PLACES,
    SNAPSHOT,
    SPLICED,
    TABLES,
    accepted,
    canonical,
    in_quotes,
    placed,
    shipped,
    spliced,
)
from policy_engine import PolicyError, Rulebook, RulesError, SnapshotError, cli
from policy_engine.document import read_json, read_text, read_yaml
from policy_engine.errors import Problem
from policy_engine.render.problems import render
from policy_engine.stamps import STAMPS

pytest.importorskip("resource", reason="this system does not tell what a process takes")
from hostile import record

at_hand = pytest.mark.skipif(not AT_HAND, reason="the collections of hostile texts are not here")

ran = cache(record.run)


def recorded(table: str) -> dict[str, str]:
    """The outcomes on record, by entry; no entry is there twice."""
    lines = record.recorded(table)
    outcomes = dict(lines)
    assert len(outcomes) == len(lines) > 30
    return outcomes


# The tables


def test_every_table_is_one_of_these() -> None:
    assert sorted(path.stem for path in record.HERE.glob("*.txt")) == sorted(TABLES)


@at_hand
@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_every_entry_has_the_outcome_on_record(table: str) -> None:
    assert {one.name: one.outcome for one in ran(table)} == recorded(table)
    assert len({one.name for one in ran(table)}) == len(ran(table))


@at_hand
@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_every_entry_stays_within_its_budget(table: str) -> None:
    assert {one.name: one.seconds for one in ran(table) if one.seconds > record.MOST_SECONDS} == {}
    large = {one.name: one.megabytes for one in ran(table)}
    assert {name: held for name, held in large.items() if held > record.MOST_MEGABYTES} == {}


@pytest.mark.parametrize("table", TABLES)
def test_every_outcome_is_a_refusal_or_a_value(table: str) -> None:
    code = r"[a-z0-9]+(-[a-z0-9]+)*(@[+]?\d+:\d+)?"
    refusal = rf"refused {code}([ ,]{code})*( and \d+ more)?(, read as .+)?"
    for name, outcome in recorded(table).items():
        assert re.fullmatch(f"{refusal}|accepted .+", outcome), name


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("    raise ValueError('no')", "ValueError: no"),
        ("    while True: pass", "TooLong: more than 1 seconds"),
        ("    return str(len([0] * 10**9))", "MemoryError: "),
        ("    import os; os._exit(7)", "the process ended with 7"),
    ],
    ids=["error", "hang", "memory", "crash"],
)
def test_the_run_tells_what_it_is_there_to_tell(
    outcome: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hang, a crash, an error and a large use of memory are each told with the entry's name."""
    if "MemoryError" in said and sys.platform != "linux":
        pytest.skip("only Linux limits the memory of a process so")
    script = (record.HERE / "record.py").read_text(encoding="utf-8")
    planted = f"""\
import hostile.outcomes
def bad():
{outcome}
hostile.outcomes.outcomes = lambda table: [("good", lambda: "accepted 1"), ("bad", bad)]
WALL_SECONDS = 1
main(sys.argv[1:])
"""
    script = script.replace("main(sys.argv[1:])\n", planted.replace("\n", "\n    "))
    script = script.replace("HERE = Path(__file__).parent\n", f"HERE = Path({str(tmp_path)!r})\n")
    script = script.replace("HERE.parents[1]", f"Path({str(record.HERE.parents[1])!r})")
    script = script.replace("str(HERE.parent)", repr(str(record.HERE.parent)))
    (tmp_path / "record.py").write_text(script, encoding="utf-8")
    monkeypatch.setattr(record, "HERE", tmp_path)
    good, bad = record.run("any")
    assert (good.name, good.outcome) == ("good", "accepted 1")
    assert (bad.name, bad.outcome) == ("bad", said)


# What the collections themselves say of their entries


@at_hand
def test_formulas_that_must_be_refused_are_refused() -> None:
    table, everywhere = recorded("expressions"), recorded("spliced")
    asked = {case["id"] for case in cases("expressions") if case["expect"] in ("reject", "bounded")}
    assert len(asked) > 150
    places = [name for name in everywhere if name.partition(" ")[0] in asked]
    assert len(places) == 4 * len(asked)
    taken = [name for name in asked if not table[name].startswith("refused ")]
    assert taken + [name for name in places if not everywhere[name].startswith("refused ")] == []


@at_hand
def test_the_json_suite_has_its_way() -> None:
    """What it accepts is accepted, unless a key stands twice or a number is out of range."""
    table = recorded("json-test-suite")
    for name, content in CORPORA["json-test-suite"]():
        kind, outcome = name.removeprefix("test_parsing/")[:2], table[name]
        if kind == "n_":
            assert outcome.startswith("refused "), name
        elif kind == "y_" and outcome not in ("refused duplicate-key", "refused bad-number"):
            value = json.loads(content, parse_float=Decimal, parse_int=Decimal)
            assert outcome == accepted(canonical(value)), name
    odd = {name for name, outcome in table.items() if "/y_" in name and outcome[0] == "r"}
    assert odd == {
        "test_parsing/y_number_double_close_to_zero.json",
        "test_parsing/y_object_duplicated_key.json",
        "test_parsing/y_object_duplicated_key_and_value.json",
    }


@at_hand
def test_the_yaml_suite_has_its_way() -> None:
    """What must fail fails; what is read is what the suite says, every scalar as its text."""
    table, read = recorded("yaml-test-suite"), 0
    for case in yaml_cases():
        if case["error"]:
            assert table[case["id"]].startswith("refused "), case["id"]
        elif table[case["id"]].startswith("accepted "):
            written = json.loads(case["json_text"], parse_int=str, parse_float=str)
            assert blank_ends(read_yaml(case["yaml"], "case").data) == blank_ends(written)
            read += 1
    assert read > 50


def blank_ends(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: blank_ends(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blank_ends(item) for item in value]
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value.rstrip()


def test_the_older_yaml_suite_has_its_way() -> None:
    refusals = ("loader-error", "stream-error")
    asked = {
        name: outcome
        for name, outcome in recorded("pyyaml-legacy").items()
        if name.endswith(refusals)
    }
    assert len(asked) > 80
    assert {outcome.partition(" ")[0] for outcome in asked.values()} == {"refused"}


# Spliced into a shipped file


def test_what_is_spliced_is_told_from_what_is_shipped() -> None:
    for place, (written, _) in PLACES.items():
        own = written.partition(": ")[2]
        outcomes = [spliced(place, text) for text in (own, in_quotes(own), "unlimited", "-1 +")]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0].startswith("accepted ")
        assert outcomes[0] != outcomes[2]
        assert outcomes[3].startswith("refused bad-formula@")


def test_a_letter_that_only_looks_like_one_is_none() -> None:
    """The collection means the sign for kelvin, and has the letter."""
    assert spliced("account", "\u212aelvin").startswith("refused bad-formula@+0:19")


KEYS = ("{}", "'{}'", "? {}\n     ", "[{}]", "!!python/name:os.system {}", "&a {}", "<<", "")


@at_hand
@pytest.mark.parametrize("form", KEYS)
def test_hostile_keys_end_in_problems(form: str) -> None:
    """A formula under a hostile name: it is refused, or the name is one."""
    for case in cases("expressions"):
        if case["category"] in ("rule-file-escape", "attribute-escape", "unicode"):
            outcome = with_line(f"{form.replace('{}', case['expr'])}: {{title: T}}")
            assert re.match("refused [a-z0-9-]+@", outcome), case["id"]


@at_hand
@pytest.mark.parametrize("kind", ["rule-file-escape", "format-escape", "unicode"])
def test_hostile_texts_of_a_file_are_shown_and_nothing_more(kind: str) -> None:
    """As a title, which decisions print."""
    for case in cases("expressions"):
        if case["category"] == kind:
            title = in_quotes(case["expr"])
            outcome = with_line(f"shown: {{title: {title}, unit: ratio, expression: 0}}")
            assert re.match("accepted|refused (control-character|bad-yaml|not-utf8)@", outcome)


@at_hand
def test_hostile_yaml_inside_a_file_ends_in_problems() -> None:
    for name, content in CORPORA["yaml"]():
        text = content.decode("utf-8", "replace").rstrip("\n").replace("\n", "\n      ")
        assert re.match("refused [a-z0-9-]+@", with_line(f"extra: {text}")), name


def with_line(line: str) -> str:
    """The outcome of the shipped file with one more line among its formulas."""
    around, whole, _ = shipped()
    before, mark, after = whole.partition("\n  account:\n    total_asset_value:")
    assert mark
    text = f"{before}\n  account:\n    {line}\n    total_asset_value:{after}"
    try:
        book = Rulebook([*around, (SPLICED, text)])
        book.in_force("2025-02-01").decide(SNAPSHOT)
    except RulesError as error:
        return f"refused {placed(error.problems, 0)}"
    return "accepted"


# Folders and commands


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A folder of rules in which every file is hostile in its own way, and so is the record."""
    texts: Mapping[str, bytes] = {
        "bytes": b"\xff\xfe\x00",
        "deep": b"[" * 100_000,
        "hidden": "a: \u202eb".encode() * 50_000,
        "laughs": b"a: &a [x]\nb: [*a, *a]\n",
        "tag": b"!!python/object/apply:os.system [ls]\n",
        "wide": b"".join(b"k%d: 1\n" % number for number in range(50_000)),
        "formula": rule_file(f"formulas: {{account: {{f: {{expression: '{'(' * 500}'}}}}}}"),
        "list": b"- a\n",
        "nothing": b"",
    }
    for name, content in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "2025-01-01.yaml").write_bytes(content)
    (tmp_path / STAMPS).write_bytes(b'{"seal": ' + b"[" * 100_000)
    return tmp_path


def rule_file(more: str) -> bytes:
    head = "ruleset: formula\neffective_from: 2025-01-01T00:00:00Z\nannounced_at: null\n"
    return f"{head}summary: S\nsources: {{}}\n{more}\n".encode()


def files_named(problems: Any) -> set[str]:
    return {Path(problem.place.path or "").parent.name for problem in problems}


def test_a_hostile_folder_ends_in_one_error(hostile_folder: Path) -> None:
    """Files that are no text come first: then nothing is read; else all are told of together."""
    with pytest.raises(RulesError) as caught:
        Rulebook.load(hostile_folder)
    assert files_named(caught.value.problems) == {"bytes"}
    (hostile_folder / "bytes" / "2025-01-01.yaml").unlink()
    with pytest.raises(RulesError) as caught:
        Rulebook.load(hostile_folder)
    rest = {path.name for path in hostile_folder.iterdir() if path.is_dir()} - {"bytes"}
    assert files_named(caught.value.problems) == rest
    assert len(rest) == 8


@pytest.mark.parametrize("with_bytes", [True, False])
def test_the_command_shows_problems_and_no_traceback(
    hostile_folder: Path, with_bytes: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    if not with_bytes:
        (hostile_folder / "bytes" / "2025-01-01.yaml").unlink()
    status = cli.run(("check", "--rules", str(hostile_folder)))
    out, err = capfd.readouterr()
    assert status == 1
    assert "Traceback" not in out + err
    assert "hint: " in out + err
    assert len(out + err) < 1_000_000


@at_hand
@pytest.mark.parametrize("name", ["json", "json-test-suite"])
def test_hostile_snapshots_end_in_problems(name: str, tmp_path: Path) -> None:
    rules = Rulebook.load().in_force("2025-02-01")
    path = tmp_path / "snapshot.json"
    for entry, content in CORPORA[name]():
        path.write_bytes(content)
        with pytest.raises(SnapshotError) as caught:
            rules.decide(read_json(read_text(path, SnapshotError), "snapshot.json"))
        assert render(caught.value.problems), entry


def nested(depth: int, width: int) -> Any:
    """A list of lists that are one and the same: small to hold, endless to go through."""
    made: list[Any] = []
    for _ in range(depth):
        made = [made] * width
    return made


def of_itself() -> Any:
    made: list[Any] = []
    made.append(made)
    return made


SNAPSHOTS: Mapping[str, Callable[[], Any]] = {
    "too-deep": lambda: {"prices": nested(100_000, 1)},
    "too-deep of itself": lambda: {"assets": of_itself()},
    "too-large": lambda: {"orders": nested(20, 20)},
    "bad-number": lambda: {"open_order_loss": 10**1_000_000},
    "bad-number of text": lambda: {"open_order_loss": "9" * 1_000_000},
    "bad-number of decimal": lambda: {"open_order_loss": Decimal("1e999999")},
    "bad-number of fraction": lambda: {"open_order_loss": Decimal("1e-999999")},
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_snapshots_that_only_a_program_can_make(name: str) -> None:
    rules = Rulebook.load().in_force("2025-02-01")
    with pytest.raises(SnapshotError) as caught:
        rules.decide({**SNAPSHOT, **SNAPSHOTS[name]()})
    assert [problem.code for problem in caught.value.problems] == [name.partition(" ")[0]]
    assert len(render(caught.value.problems)) < 1000


# Problems are told once, and not without end


def several(content: str, read: Callable[[str, str], Any] = read_yaml) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        read(content, "file")
    return caught.value.problems


def test_problems_of_one_long_line_share_it() -> None:
    for problems in (
        several("\n[" + "NaN, " * 100_000 + "1]", read_json),
        several("\n[" + "&a b, " * 100_000 + "c]"),
    ):
        assert len(problems) == 100
        assert len({id(problem.place.source) for problem in problems}) == 1
