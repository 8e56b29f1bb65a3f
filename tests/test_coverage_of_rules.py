"""Coverage of rules by cases: counted by hand on small rules, whole on the shipped ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from policy_engine import Rulebook
from policy_engine.cases import Case, load_cases
from policy_engine.cli import run
from policy_engine.coverage import GROUPS, Coverage, coverage

ROOT = Path(__file__).parent.parent
SMALL = Path("tests/coverage")
COMMAND = ["test", "--coverage", "--rules", f"{SMALL}/rules", "--cases", f"{SMALL}/cases"]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def shipped() -> Coverage:
    return coverage(Rulebook.load(ROOT / "rules"), load_cases(ROOT / "tests" / "cases"))


def small(cases: list[Case]) -> Coverage:
    return coverage(Rulebook.load(SMALL / "rules"), cases)


def covered(found: Coverage) -> set[tuple[object, ...]]:
    return {one.item.shared for one in found.found if one.by}


def same(path: Path, text: str) -> None:
    """A golden file has this text; with UPDATE_GOLDEN it is written."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


# Small rules


@pytest.mark.parametrize(("name", "options"), [("coverage", []), ("listed", ["--listed"])])
def test_what_is_told(name: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*COMMAND, *options]) == 0
    same(SMALL / f"{name}.txt", capsys.readouterr().out)


def test_json_has_each_case_that_covers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*COMMAND, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["coverage"]["tier"] == {"covered": 2, "of": 3, "percent": 66}
    edge = next(one for one in told["items"] if one["what"] == "exactly 100")
    assert [one["case"] for one in edge["cases"]] == ["Just small"]
    impossible = [one["what"] for one in told["items"] if not one["possible"]]
    assert impossible == [
        "`held > most_held(mode)` stands on its edge",
        "`held > most_held(mode)` alone is true",
    ]


@pytest.mark.parametrize(("percent", "status"), [("50", 0), ("51", 1)])
def test_the_lowest_percentage_decides(percent: str, status: int) -> None:
    assert run([*COMMAND, "--fail-under", percent]) == status


@pytest.mark.parametrize(
    "options",
    [
        ["--coverage", "--mutate"],
        ["--listed"],
        ["--only", "fees@2025-01-01"],
        ["--fail-under", "50"],
        ["--coverage", "--jobs", "2"],
    ],
)
def test_options_that_say_nothing_together_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["test", *COMMAND[2:], *options]) == 2
    assert "--" in capsys.readouterr().err


def test_removing_any_case_that_adds_something_makes_a_figure_fall() -> None:
    cases = load_cases(SMALL / "cases")
    whole = small(cases)
    assert whole.idle == ()
    for at in range(len(cases)):
        assert covered(small(cases[:at] + cases[at + 1 :])) < covered(whole)


def test_a_case_told_twice_adds_nothing_the_second_time() -> None:
    cases = load_cases(SMALL / "cases")
    twice = small([*cases, *cases])
    assert len(twice.idle) == len(cases)
    assert covered(twice) == covered(small(cases))


# The shipped rules


def test_the_shipped_cases_cover_all_that_can_be(shipped: Coverage) -> None:
    for group in GROUPS:
        found = shipped.of(group)
        assert found, group
        assert [(one.item.path, one.item.title) for one in found if not one.by] == []


def test_what_no_account_can_make_happen_is_known(shipped: Coverage) -> None:
    barred = [one.item for one in shipped.found if not one.possible]
    lines = sorted({f"{item.version}: {'.'.join(item.path)}: {item.title}" for item in barred})
    same(SMALL / "no_account_can.txt", "\n".join(lines) + "\n")


def test_without_the_cases_that_add_nothing_as_much_is_covered(shipped: Coverage) -> None:
    idle = set(shipped.idle)
    left = [case for at, case in enumerate(shipped.cases) if at not in idle]
    fewer = coverage(Rulebook.load(ROOT / "rules"), left)
    assert covered(fewer) == covered(shipped)
    assert fewer.idle == ()
