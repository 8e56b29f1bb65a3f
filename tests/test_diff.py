"""`diff`: what changed between two states of the rules.

The files in `diffs/` hold two rulebooks and the exact text of what changed between them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from differences import MIRRORED, PAIRS
from policy_engine import Rulebook, RulesError
from policy_engine.cli import run
from policy_engine.render.diff import render

# Pairs


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_differs_in_what_its_file_says(name: str) -> None:
    assert render(PAIRS[name].compared()) == PAIRS[name].diff


def test_the_pairs_show_every_kind_of_change() -> None:
    found = [change for pair in PAIRS.values() for change in pair.compared().changes]
    assert {change.kind for change in found} == {
        *("ruleset", "date", "scope", "source", "assumption", "input"),
        *("parameter", "table", "row", "scale", "tier", "formula", "invariant"),
        *("status", "notice", "permission", "refusal", "request", "effect", "limit"),
        *("title", "note", "citation", "assumes"),
    }
    assert {change.action for change in found} == {*MIRRORED}
    assert {change.significance.word for change in found} == {"inputs", "logic", "value", "wording"}
    assert {change.direction for change in found} == {"tighter", "looser", None}


# Versions of one rulebook

HEAD = """\
ruleset: small
effective_from: {start}T00:00:00Z
announced_at: null
summary: {summary}
sources: {{faq: {{title: FAQ}}}}
"""
THREE = [
    (
        f"small/{start}.yaml",
        HEAD.format(start=start, summary=summary)
        + f"""\
parameters:
  both: {{title: Both, value: {both}, unit: ratio, citation: {{source: faq}}}}
  first: {{title: {title}, value: {first}, unit: ratio, citation: {{source: faq}}}}
  last: {{title: Last, value: {last}, unit: ratio, citation: {{source: faq}}}}
  none: {{title: None, value: {none}, unit: ratio, citation: {{source: faq}}}}
tables:
  days:
    {{title: Days, by: text, unit: ratio, rows: [{rows}], otherwise: 0, citation: {{source: faq}}}}
""",
    )
    for start, summary, both, title, first, last, none, rows in (
        ("2025-01-01", "Once.", 1, "First", 1, 1, 1, ""),
        ("2025-02-01", "Twice.", 2, "First", 2, 1, 2, "{value: 1, when: [FR]}"),
        (
            *("2025-03-01", "Thrice.", 3, "The first", 2, 2, 1),
            "{value: 1, when: [FR]}, {value: 1, when: [SG]}",
        ),
    )
]
BOOK = Rulebook(THREE)
SINCE = """\
small: 2025-01-01 -> 2025-03-01, in force from 2025-03-01T00:00:00Z, announcement not known
  Thrice.
  ~ value   small/parameters/both: 1 -> 3 (+2, +200%)  [faq, 2025-03-01T00:00:00Z]
  ~ value   small/parameters/first: 1 -> 2 (+1, +100%)  [faq, 2025-02-01T00:00:00Z]
  ~ value   small/parameters/last: 1 -> 2 (+1, +100%)  [faq, 2025-03-01T00:00:00Z]
  + value   small/tables/days/rows/FR: 0 -> 1 (+1)  [faq, 2025-02-01T00:00:00Z]
  + value   small/tables/days/rows/SG: 0 -> 1 (+1)  [faq, 2025-03-01T00:00:00Z]
  ~ wording small/parameters/first/title: "First" -> "The first"  [faq, 2025-03-01T00:00:00Z]

sources
  faq  FAQ

significance: value; 6 changes: 5 value, 1 wording"""


def test_each_change_is_dated_by_the_version_that_brought_it() -> None:
    assert render(BOOK.diff("2025-01-15", "2025-03-15")) == SINCE
    assert render(BOOK.diff("small@2025-01-01", "small@2025-03-01")) == SINCE
    assert render(BOOK.diff("small@2025-01-01", "2026-01-01T00:00:00Z")) == SINCE


def test_dates_and_summaries_of_versions_of_one_rulebook_are_no_changes() -> None:
    first, text = THREE[0]
    again = text.replace("2025-01-01", "2025-02-01").replace("Once.", "Again.")
    book = Rulebook([(first, text), ("small/2025-02-01.yaml", again)])
    assert render(book.diff("2025-01-15", "2025-02-15")) == "no change"
    assert book.diff("2025-01-15", "2025-02-15").significance is None
    assert BOOK.diff("2025-03-01", "2030-01-01").changes == ()


def test_a_version_that_is_not_there_and_rules_that_have_not_started() -> None:
    with pytest.raises(RulesError) as error:
        BOOK.diff("small@2025-01-01", "small@2025-03-02")
    assert error.value.problems[0].code == "unknown-version"
    assert error.value.problems[0].hint == "did you mean `small@2025-03-01`?"
    with pytest.raises(RulesError) as error:
        BOOK.diff("2024-12-31", "2025-03-01")
    assert error.value.problems[0].code == "no-rules-apply"


# The command


class Told(NamedTuple):
    """What a command printed and how it ended."""

    out: str
    err: str
    status: int


@pytest.fixture
def told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Runs `diff` where `old/` and `new/` hold the first two versions and the last of THREE."""
    for folder, files in (("old", THREE[:2]), ("new", [THREE[2]])):
        _write(tmp_path / folder, files)
    _write(tmp_path / "all", THREE)
    monkeypatch.chdir(tmp_path)

    def told(*arguments: str) -> Told:
        status = run(["diff", *arguments])
        return Told(*capsys.readouterr(), status)

    return told


def _write(folder: Path, files: list[tuple[str, str]]) -> None:
    for name, text in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "sides",
    [
        ("2025-01-15", "2025-03-15"),
        ("2025-01-31T23:59:59Z", "2025-03-01"),
        ("small@2025-01-01", "small@2025-03-01"),
        ("2025-01-01", "small@2025-03-01"),
        ("small@2025-01-01", "2030-01-01"),
    ],
)
def test_instants_and_versions(told: Any, sides: tuple[str, str]) -> None:
    assert told(*sides, "--rules", "all") == Told(f"{SINCE}\n", "rules: all\n", 0)


@pytest.mark.parametrize("name", ["at-an-instant", "correction", "formatting", "several-rulesets"])
def test_two_folders(name: str, tmp_path: Path, told: Any) -> None:
    held = PAIRS[name]
    _write(tmp_path / "before", held.old)
    _write(tmp_path / "after", held.new)
    assert told("before", "after", "--at", held.at) == Told(f"{held.diff}\n", "", 0)


MIXED = """\
small: 2025-02-01 -> 2025-03-01, in force from 2025-03-01T00:00:00Z, announcement not known
  Thrice.
  ~ value   small/effective_from: 2025-02-01T00:00:00Z -> 2025-03-01T00:00:00Z  [no source, 2025-03-01T00:00:00Z]
  ~ value   small/parameters/both: 2 -> 3 (+1, +50%)  [faq, 2025-03-01T00:00:00Z]
  ~ value   small/parameters/last: 1 -> 2 (+1, +100%)  [faq, 2025-03-01T00:00:00Z]
  ~ value   small/parameters/none: 2 -> 1 (-1, -50%)  [faq, 2025-03-01T00:00:00Z]
  + value   small/tables/days/rows/SG: 0 -> 1 (+1)  [faq, 2025-03-01T00:00:00Z]
  ~ wording small/parameters/first/title: "First" -> "The first"  [faq, 2025-03-01T00:00:00Z]
  ~ wording small/summary: "Twice." -> "Thrice."  [no source, 2025-03-01T00:00:00Z]

sources
  faq  FAQ

significance: value; 7 changes: 5 value, 2 wording
"""  # noqa: E501


def test_a_folder_and_an_instant_or_a_version(told: Any) -> None:
    at = ("--rules", "all", "--at", "2030-01-01")
    for sides in (("old", "new"), ("2025-02-15", "new"), ("small@2025-02-01", "new")):
        assert told(*sides, *at).out == MIXED
    for sides in (("old", "2025-03-15"), ("old", "small@2025-03-01")):
        assert told(*sides, *at).out == MIXED
    assert told("old", "old", "--at", "2025-01-15") == Told("no change\n", "", 0)


def test_it_ends_with_1_if_asked_to_and_something_changed(told: Any) -> None:
    assert told("old", "new", "--at", "2030-01-01", "--exit-code").status == 1
    assert told("old", "new", "--at", "2030-01-01").status == 0
    same = told("new", "new", "--at", "2030-01-01", "--exit-code")
    assert same == Told("no change\n", "", 0)
    shallow = told("old", "new", "--at", "2030-01-01", "--exit-code", "--significance", "logic")
    assert (shallow.out, shallow.status) == ("no change\n", 0)
    assert shallow.err == "left out: 7 that go less deep\n"


def test_json(told: Any) -> None:
    said = json.loads(told("2025-01-15", "2025-03-15", "--rules", "all", "--format", "json").out)
    assert (said["significance"], len(said["changes"])) == ("value", 6)
    assert said["rulesets"] == [
        {
            "ruleset": "small",
            "before": "small@2025-01-01",
            "after": "small@2025-03-01",
            "effective_from": "2025-03-01T00:00:00Z",
            "announced_at": None,
            "summary": "Thrice.",
            "significance": "value",
        }
    ]
    assert said["changes"][1] == {
        "id": "small/parameters/first",
        "kind": "parameter",
        "name": "first",
        "ruleset": "small",
        "action": "changed",
        "significance": "value",
        "before": "1",
        "after": "2",
        "unit": "ratio",
        "difference": "1",
        "percent": "100",
        "direction": None,
        "part": None,
        "citation": {"source": "faq", "quote": None, "title": "FAQ", "updated": None},
        "since": "2025-02-01T00:00:00Z",
    }
    nothing = json.loads(told("new", "new", "--at", "2030-01-01", "--format", "json").out)
    assert nothing == {"significance": "none", "rulesets": [], "changes": []}


def test_markdown(told: Any) -> None:
    shown = told("2025-01-15", "2025-03-15", "--rules", "all", "--format", "markdown").out
    assert "Thrice." in shown
    for named in ("parameters/both", "parameters/last", "tables/days/rows/FR", "FAQ"):
        assert named in shown


@pytest.mark.parametrize(
    ("sides", "says"),
    [
        (
            ("small@2025-01-02", "2025-03-15"),
            ("unknown-version", "did you mean `small@2025-01-01`?"),
        ),
        (
            ("2025-01-15", "smal@2025-03-01"),
            ("unknown-version", "did you mean `small@2025-03-01`?"),
        ),
        (("2025-01-15", "nowhere"), ("`nowhere`", "2025-02-01")),
        (("2025-13-01", "2025-03-15"), ("`2025-13-01`", "2025-02-01")),
        (("2024-12-31", "2025-03-15"), ("no-rules-apply", "2025-01-01T00:00:00Z")),
    ],
)
def test_what_cannot_be_compared(told: Any, sides: tuple[str, str], says: tuple[str, str]) -> None:
    shown = told(*sides, "--rules", "all")
    assert (shown.out, shown.status) == ("", 2)
    assert all(text in shown.err for text in says), shown.err
