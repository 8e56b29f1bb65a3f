"""`history`, and what applied on one day as it was known on another.

The rules in `history/rules` were corrected twice, both times weeks after they took effect. The
files `history/*.txt` hold a command, what it prints and how it ends. `UPDATE_GOLDEN=1 pytest`
writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Rulebook, RulesError
from policy_engine.cli import run
from policy_engine.history import State, timelines
from policy_engine.render.history import render
from policy_engine.render.layout import Page, columns_of

HERE = Path(__file__).parent / "history"
GOLDEN = sorted(HERE.glob("*.txt"))
BOOK = Rulebook.load(HERE / "rules")
ACCOUNT = json.loads((HERE / "account.json").read_text(encoding="utf-8"))
CORRECTED, TWICE, LATE = "2025-03-24T09:30:00Z", "2025-04-14T00:00:00Z", "2025-05-21T00:00:00Z"


def before(moment: str) -> str:
    """The last instant before another."""
    earlier = datetime.fromisoformat(moment) - timedelta(microseconds=1)
    return earlier.isoformat().replace("+00:00", "Z")


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) > 10


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    monkeypatch.chdir(HERE)
    status = run(shlex.split(first)[2:])
    told = capsys.readouterr()
    given = f"{first}\n{told.out}--- stderr\n{told.err}--- exit {status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")


# What applied, as it was known

WHAT_APPLIED = [
    # at, known at, versions, highest share of debt, status, fee
    ("2025-03-02", None, "2025-01-01", "2025-01-01", "0.8", "fine", "7.3"),
    (before("2025-03-03T00:00:00Z"), None, "2025-01-01", "2025-01-01", "0.8", "fine", "7.3"),
    ("2025-03-03", None, "2025-03-03+3", "2025-01-01", "0.725", "overdrawn", "7.3"),
    ("2025-03-03", "2025-02-16", "2025-01-01", "2025-01-01", "0.8", "fine", "7.3"),
    ("2025-03-03", "2025-03-10", "2025-03-03", "2025-01-01", "0.7", "overdrawn", "7.3"),
    ("2025-03-03", before(CORRECTED), "2025-03-03", "2025-01-01", "0.7", "overdrawn", "7.3"),
    ("2025-03-03", CORRECTED, "2025-03-03+2", "2025-01-01", "0.75", "fine", "7.3"),
    ("2025-03-03", before(TWICE), "2025-03-03+2", "2025-01-01", "0.75", "fine", "7.3"),
    ("2025-03-03", TWICE, "2025-03-03+3", "2025-01-01", "0.725", "overdrawn", "7.3"),
    ("2025-03-02", TWICE, "2025-01-01", "2025-01-01", "0.8", "fine", "7.3"),
    ("2025-05-02", None, "2025-03-03+3", "2025-05-01", "0.725", "overdrawn", "14.6"),
    ("2025-05-02", before(LATE), "2025-03-03+3", "2025-01-01", "0.725", "overdrawn", "7.3"),
    ("2025-05-02", LATE, "2025-03-03+3", "2025-05-01", "0.725", "overdrawn", "14.6"),
    ("2025-09-01", None, "2025-03-03+3", "2025-05-01", "0.725", "overdrawn", "14.6"),
    ("2025-09-01T06:00:00Z", None, "2025-09-01", "2025-05-01", "0.6", "overdrawn", "14.6"),
    ("2025-10-01", "2025-06-01", "2025-03-03+3", "2025-05-01", "0.725", "overdrawn", "14.6"),
    ("2025-10-01", "2025-01-01", "2025-01-01", "2025-01-01", "0.8", "fine", "7.3"),
]


@pytest.mark.parametrize(("at", "known_at", "desk", "fees", "limit", "status", "fee"), WHAT_APPLIED)
def test_what_applied_as_it_was_known(
    at: str, known_at: str | None, desk: str, fees: str, limit: str, status: str, fee: str
) -> None:
    rules = BOOK.in_force(at, known_at)
    held = {name: version.id for name, version in rules.versions.items()}
    assert held == {"desk": f"desk@{desk}", "fees": f"fees@{fees}"}
    decision = rules.decide(ACCOUNT)
    assert decision.status == status
    assert str(decision.values["fee"]) == fee
    assert rules.versions["desk"].parameters["highest_share"].value == Decimal(limit)
    assert [f"{one.ruleset}@{one.version}" for one in decision.rulesets] == [
        f"desk@{desk}",
        f"fees@{fees}",
    ]
    shown = {line.ruleset: line.in_force for line in timelines(BOOK, at, known_at)}
    assert shown == rules.versions


def test_a_correction_says_in_the_decision_which_file_decided() -> None:
    known = BOOK.in_force("2025-03-03", CORRECTED).decide(ACCOUNT).to_dict()
    assert known["known_at"] == CORRECTED
    assert known["rulesets"][0]["version"] == "2025-03-03+2"
    now = BOOK.in_force("2025-03-03").decide(ACCOUNT).to_dict()
    assert now["known_at"] is None
    assert now["rulesets"][0]["version"] == "2025-03-03+3"
    assert now["rulesets"][0]["digest"] != known["rulesets"][0]["digest"]


# The timeline


def states(at: str, known_at: str | None = None) -> dict[str, str]:
    """The state of each version of the desk's rules."""
    (line,) = timelines(BOOK, at, known_at, ["desk"])
    return {one.version.id.partition("@")[2]: str(one.state) for one in line.stretches}


def test_states_change_at_the_instants_themselves() -> None:
    start = "2025-09-01T06:00:00Z"
    assert states(before(start))["2025-09-01"] == "announced"
    assert states(before(start))["2025-03-03+3"] == "in_force"
    assert states(start)["2025-09-01"] == "in_force"
    assert states(start)["2025-03-03+3"] == "past"
    assert states(before("2025-06-02T00:00:00Z"))["2025-09-01"] == "unannounced"
    assert states("2025-06-02")["2025-09-01"] == "announced"


def test_before_anything_nothing_is_in_force() -> None:
    (line,) = timelines(BOOK, "2024-12-31", None, ["fees"])
    assert line.in_force is None
    assert [one.state for one in line.stretches] == [State.ANNOUNCED, State.UNANNOUNCED]
    assert line.coming is BOOK.version("fees@2025-01-01")


def test_the_corrections_of_one_instant_follow_one_another() -> None:
    (line,) = timelines(BOOK, "2025-06-10", None, ["desk"])
    first, second, third = line.stretches[1:4]
    assert (first.corrects, first.corrected_by) == (None, second.version)
    assert (second.corrects, second.corrected_by) == (first.version, third.version)
    assert (third.corrects, third.corrected_by) == (second.version, None)
    assert first.until == second.until == third.until == line.stretches[4].version.effective_from


def test_what_was_not_known_shows_as_a_number_only() -> None:
    (line,) = timelines(BOOK, "2025-06-10", "2025-03-10", ["desk"])
    assert [one.version.id for one in line.stretches] == ["desk@2025-01-01", "desk@2025-03-03"]
    assert line.left_out == 3
    assert line.stretches[-1].until is None


def test_rulesets_come_as_asked_each_once() -> None:
    asked = timelines(BOOK, "2025-06-10", None, ["fees", "desk", "fees"])
    assert [line.ruleset for line in asked] == ["fees", "desk"]
    assert [line.ruleset for line in timelines(BOOK, "2025-06-10")] == ["desk", "fees"]


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    there = datetime(2025, 9, 1, 8, tzinfo=timezone(timedelta(hours=2)))
    here = datetime(2025, 9, 1, 6, tzinfo=UTC)
    assert timelines(BOOK, there, there) == timelines(BOOK, here, here)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"at": "2025-06-10", "rulesets": ["desc", "house"]}, "unknown-ruleset"),
        ({"at": "today"}, "bad-instant"),
        ({"at": datetime(2025, 6, 10)}, "bad-instant"),
        ({"at": "2025-06-10", "known_at": "2025-06-31"}, "bad-instant"),
    ],
)
def test_what_cannot_be_asked(asked: Any, code: str) -> None:
    with pytest.raises(RulesError) as raised:
        timelines(BOOK, **asked)
    assert {problem.code for problem in raised.value.problems} == {code}
    assert all(problem.hint for problem in raised.value.problems)


# The page and the command


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_terminal_gets_lines_that_fit_it(columns: int) -> None:
    at = datetime(2025, 6, 10, tzinfo=UTC)
    told = render(timelines(BOOK, at), at, None, Page(columns))
    widths = [columns_of(line) for line in told.splitlines() if line.startswith("    ")]
    assert 50 < max(widths) <= columns
    in_a_pipe = render(timelines(BOOK, at), at, None, Page())
    assert told.split() == in_a_pipe.split()


def test_colours_add_nothing_but_colour() -> None:
    at = datetime(2025, 6, 10, tzinfo=UTC)
    coloured = render(timelines(BOOK, at), at, None, Page(80, coloured=True))
    assert "\x1b[" in coloured
    assert "\x1b[" not in render(timelines(BOOK, at), at, None, Page(80))


def test_without_an_instant_it_is_now_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "fees", "--rules", str(HERE / "rules"), "--format", "json"]) == 0
    told = capsys.readouterr()
    at = json.loads(told.out)["at"]
    assert told.err.endswith(f"at: {at}, now (choose another instant with --at)\n")
    states = [one["state"] for one in json.loads(told.out)["rulesets"][0]["versions"]]
    assert states == ["past", "in_force"]


def test_the_answer_can_go_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "history.txt"
    arguments = ["history", "--rules", str(HERE / "rules"), "--at", "2025-06-10", "-o", str(out)]
    assert run(arguments) == 0
    assert capsys.readouterr().out == ""
    shown = (HERE / "history.txt").read_text(encoding="utf-8").partition("\n")[2]
    assert out.read_text(encoding="utf-8") == shown.partition("--- stderr")[0]


def test_the_shipped_history_names_every_version(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = Rulebook.load()
    assert run(["history", "--at", "2026-02-01", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    shown = [
        f"{one['ruleset']}@{v['version']}" for one in told["rulesets"] for v in one["versions"]
    ]
    assert shown == [version.id for version in shipped.versions]
    assert all(one["left_out"] == 0 for one in told["rulesets"])
