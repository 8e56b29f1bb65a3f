"""Coverage of rules by cases: counted by hand on small rules, whole on the shipped ones."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from policy_engine import Rulebook
from policy_engine.cases import Case, load_cases
from policy_engine.cli import run
from policy_engine.coverage import GROUPS, Coverage, coverage
from policy_engine.render.coverage import percent

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


def percentages(found: Coverage, without: int | None = None) -> list[int]:
    """The share covered of each group, without one of the cases."""
    counted = [found.of(group) for group in GROUPS]
    covered = [sum(bool({*one.by} - {without}) for one in ones) for ones in counted]
    return [percent(of, len(ones)) for of, ones in zip(covered, counted, strict=True)]


def not_needed(found: Coverage) -> list[str]:
    """The cases without any one of which no figure falls."""
    whole = percentages(found)
    return [case.name for at, case in enumerate(found.cases) if percentages(found, at) == whole]


def covered(found: Coverage) -> set[tuple[object, ...]]:
    return {(one.item.mark, one.item.says) for one in found.found if one.by}


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


def test_each_case_must_be_needed_where_that_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*COMMAND, "--each-needed"]) == 0
    assert "cases that cover nothing new: none of 3" in capsys.readouterr().out
    shutil.copytree(SMALL / "cases", tmp_path / "cases")
    (kept,) = (tmp_path / "cases").rglob("*.yaml")
    kept.with_name("zz.yaml").write_text(kept.read_text(encoding="utf-8"), encoding="utf-8")
    again = [*COMMAND[:-1], str(tmp_path / "cases"), "--each-needed"]
    assert run(again) == 1
    told = capsys.readouterr().out
    assert "cases that cover nothing new: 3 of 6" in told
    assert f"{kept.with_name('zz.yaml')}" in told
    assert run(again[:-1]) == 0


def test_what_versions_say_alike_counts_once_where_that_is_asked() -> None:
    book, cases = (
        Rulebook.load(ROOT / "rules"),
        load_cases(ROOT / "tests" / "cases" / "coin_limits"),
    )
    apart, once = coverage(book, cases), coverage(book, cases, alike_once=True)
    assert {len({*one.versions}) for one in apart.found} == {1}
    assert max(len({*one.versions}) for one in once.found) > 5
    assert {one.item.shared for one in apart.found} == {one.item.shared for one in once.found}


@pytest.mark.parametrize(
    "options",
    [
        ["--coverage", "--mutate"],
        ["--listed"],
        ["--each-needed"],
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


def test_without_any_one_of_the_shipped_cases_a_figure_falls(shipped: Coverage) -> None:
    assert set(percentages(shipped)) == {100}
    assert not_needed(shipped) == []
    assert shipped.idle == ()


def test_a_case_too_many_among_the_shipped_is_named(shipped: Coverage) -> None:
    """A worked example, which covers nothing new, put among the cases."""
    (worked, *_) = load_cases(ROOT / "tests" / "worked" / "margin_interest")
    more = coverage(Rulebook.load(ROOT / "rules"), [*shipped.cases, worked])
    assert worked.name in not_needed(more)
    assert [more.cases[at].name for at in more.idle] == [worked.name]


def test_what_no_account_can_make_happen_is_known(shipped: Coverage) -> None:
    barred: dict[str, dict[str, None]] = {}
    for one in shipped.found:
        if not one.possible:
            ruleset, version = one.item.version.split("@")
            title = f"{ruleset}: {'.'.join(one.item.path)}: {one.item.title}"
            barred.setdefault(title, {})[version] = None
    lines = sorted(f"{title}  ({', '.join(versions)})" for title, versions in barred.items())
    same(SMALL / "no_account_can.txt", "\n".join(lines) + "\n")
