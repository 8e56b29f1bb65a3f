"""`new`: the text of the version in force under another heading, and what is told about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Rulebook, cli
from policy_engine.authoring.formatting import formatted, version_of
from policy_engine.authoring.scaffold import Heading, scaffold, with_member
from policy_engine.document import read_yaml
from policy_engine.numbers import instant
from policy_engine.shipped import rules_folder
from policy_engine.versions.digest import meaning

START, KNOWN = instant("2026-12-01T00:00:00Z"), instant("2026-11-20T00:00:00Z")
SHIPPED = sorted(rules_folder().glob("*/*.yaml"))
HEADING = {"effective_from", "announced_at", "summary", "completes_within", "corrects"}
BEFORE = "cross_margin_pro@2026-01-21"


class Shown:
    """What a command printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


Run = Callable[..., Shown]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to write to."""
    return shutil.copytree(rules_folder(), tmp_path / "rules")


@pytest.fixture
def run(rules: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `new` in this process, on the copy."""

    def ran(*arguments: str) -> Shown:
        status = cli.run(["new", *arguments, "--rules", str(rules)])
        return Shown(status, *capsys.readouterr())

    return ran


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_only_the_heading_is_another(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    made = scaffold(text, Heading(START, KNOWN, "What changes: nothing # yet"))
    before = meaning(version_of(text, path.as_posix()))
    after = meaning(version_of(made, path.as_posix()))
    assert {key for key in before if before[key] != after.get(key)} <= HEADING
    assert after["summary"] == "What changes: nothing # yet"
    assert formatted(made, path.as_posix()) == made
    kept = [line for line in text.splitlines() if line.partition(":")[0] not in HEADING]
    assert [line for line in made.splitlines() if line.partition(":")[0] not in HEADING] == kept


ODD = """\
# yaml-language-server: $schema=../../schemas/ruleset.schema.json
summary: >-   # told in lines
  More than
  one line.

# about what follows
completes_within: 60 minutes  # gone
ruleset: r
"announced_at": null   # kept
corrects:
  reason: It was wrong.   # gone too
effective_from: 2025-01-01T00:00:00Z
sources: {}   # none
"""


def test_odd_layouts() -> None:
    made = scaffold(ODD.replace("\n", "\r\n"), Heading(START, None, "One."))
    assert made == (
        "# yaml-language-server: $schema=../../schemas/ruleset.schema.json\n"
        "summary: One.\n"
        "\n"
        "# about what follows\n"
        "ruleset: r\n"
        "announced_at: null   # kept\n"
        "effective_from: 2026-12-01T00:00:00Z\n"
        "sources: {}   # none\n"
    )


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=300))
def test_any_summary_reads_back(summary: str) -> None:
    made = scaffold(ODD, Heading(START, KNOWN, summary, corrects=summary))
    held = read_yaml(made, "x").data
    assert held["summary"] == summary
    assert held["corrects"] == {"reason": summary}


def test_a_member_of_a_mapping_in_brackets() -> None:
    text = ODD.replace(
        "sources: {}", "sources: {}\ntables: {t: {title: T, by: text, rows: [], otherwise: 1}}"
    )
    made = with_member(text, ("tables", "t", "rows"), [{"value": "2", "when": ["A"]}])
    assert read_yaml(made, "x").data["tables"]["t"]["rows"] == [{"value": "2", "when": ["A"]}]


# --- the command ---------------------------------------------------------------------------------


def test_a_file_of_the_day(run: Run, rules: Path) -> None:
    shown = run(
        "cross_margin_pro",
        "--from",
        "2026-12-01",
        "--announced",
        "2026-11-20",
        "--summary",
        "Next.",
    )
    path = rules / "cross_margin_pro/2026-12-01.yaml"
    assert (shown.status, shown.out) == (0, f"{path.as_posix()}\n")
    assert f"policy-engine diff {BEFORE} cross_margin_pro@2026-12-01" in shown.err
    assert "in force from 2026-12-01T00:00:00Z" in shown.err
    version = Rulebook.load(rules).version("cross_margin_pro@2026-12-01")
    assert (version.effective_from, version.announced_at) == (START, KNOWN)


def test_the_second_of_a_day_is_named_after_its_hour(run: Run, rules: Path) -> None:
    for start, name in (("2026-12-01", "2026-12-01"), ("2026-12-01T18:00:00Z", "2026-12-01T18")):
        shown = run("collateral", "--from", start, "--summary", "Next.")
        assert shown.out.endswith(f"/collateral/{name}.yaml\n")
    Rulebook.load(rules)
    before = (rules / "collateral/2026-12-01T18.yaml").read_bytes()
    shown = run("collateral", "--from", "2026-12-01T18:30:00Z", "--summary", "Again.")
    assert shown.status == 2
    assert "two-versions" in shown.err
    assert (rules / "collateral/2026-12-01T18.yaml").read_bytes() == before


def test_corrections_are_numbered(run: Run, rules: Path) -> None:
    start = "2025-01-21T10:00:00Z"
    for known, name in (("2025-03-01", "2025-01-21+2"), ("2025-04-01", "2025-01-21+3")):
        options = ("--from", start, "--announced", known, "--corrects", "It was: wrong.")
        shown = run("cross_margin_pro", *options, "--summary", "As it was.")
        assert shown.out.endswith(f"/{name}.yaml\n")
        version = Rulebook.load(rules).version(f"cross_margin_pro@{name}")
        assert version.corrects == "It was: wrong."
    assert "corrects cross_margin_pro@2025-01-21+2" in shown.err


def test_without_a_summary_one_has_to_be_written(run: Run, rules: Path) -> None:
    shown = run("collateral", "--from", "2026-12-01")
    assert "`summary`, which is empty" in shown.err
    assert "`announced_at`" in shown.err
    again = run("collateral", "--from", "2026-12-02", "--summary", "Next.")
    assert again.status == 2
    assert "2026-12-01.yaml:5:10: invalid-value: `summary` is empty" in again.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["collaterall", "--from", "2026-12-01"],
            "RULESET: unknown-ruleset: there is no ruleset `collaterall`",
        ),
        (
            ["collateral", "--from", "2020-01-01"],
            "--from: no-version-before: no version of `collateral` is in force",
        ),
        (
            ["collateral", "--from", "2026-01-21T13:00:00Z"],
            "--from: two-versions: `collateral@2026-01-21` takes",
        ),
        (
            ["collateral", "--from", "2026-01-21", "--corrects", "x"],
            "--from: corrects-nothing: no version of",
        ),
        (
            ["collateral", "--from", "2026-01-21T13:00:00Z", "--corrects", "x"],
            "--announced: announced-too-early: a correction of `collateral@2026-01-21` says when",
        ),
        (["collateral", "--from", "soon"], "`soon` is not an instant"),
    ],
    ids=str,
)
def test_what_cannot_be(run: Run, rules: Path, arguments: list[str], message: str) -> None:
    before = sorted(rules.rglob("*.yaml"))
    shown = run(*arguments)
    assert shown.status == 2
    assert message in shown.err
    assert sorted(rules.rglob("*.yaml")) == before


def test_rules_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["new", "collateral", "--from", "2026-12-01"]) == 2
    assert "copy the rules here as `rules/`" in capsys.readouterr().err
