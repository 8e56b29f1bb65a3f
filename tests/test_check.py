"""`check`: what it says of broken rule files, word for word, and what it looks at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policy_engine import Rulebook
from policy_engine.checks import combinations, findings
from policy_engine.cli import run

TOP = Path(__file__).parent.parent
BROKEN = Path(__file__).parent / "broken" / "rules"
FILES = sorted(BROKEN.glob("*.yaml"))
RULES = str(TOP / "rules")


def unpacked(path: Path, folder: Path) -> Path:
    """The rule files that a broken file holds, each from its line `# <ruleset>/<name>` on."""
    text = path.read_text(encoding="utf-8")
    for part in re.split(r"^(?=# [^\n]*\.ya?ml\n)", text, flags=re.MULTILINE)[1:]:
        place = folder / part.partition("\n")[0].removeprefix("# ")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(part, encoding="utf-8")
    return folder


# Broken files


def test_there_are_broken_files() -> None:
    assert len(FILES) > 100
    assert {path.stem for path in FILES} == {path.stem for path in BROKEN.glob("*.txt")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_broken_file_says_exactly_this(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(path, tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--rules", "rules"]) == 1
    assert capsys.readouterr().out == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_finding_has_a_place_and_a_hint(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(path, tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--rules", "rules", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found
    for finding in found:
        assert list(finding) == ["code", "message", "hint", "path", "line", "column", "pointer"]
        assert finding["hint"]
        assert finding["path"].startswith("rules/")
        assert finding["code"] == "unread-file" or finding["line"] >= 2 <= finding["column"] + 1


# What is looked at


def test_the_shipped_rules_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--rules", RULES]) == 0
    told = capsys.readouterr()
    assert re.fullmatch(
        r"\d+ files, \d+ versions, \d+ rulesets that decide, \d+ combinations, \d+ cases:"
        r" no findings\n",
        told.out,
    )
    assert run(["check", "--rules", RULES, "--format", "json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def text(ruleset: str, day: str, more: str = "", announced: str = "null") -> str:
    """A rule file that says nothing but when it starts, and more."""
    return f"""\
ruleset: {ruleset}
effective_from: {day}T00:00:00Z
announced_at: {announced}
summary: Nothing.
sources: {{}}
{more}"""


DECIDES = """\
uses: [common]
applies_when: mode == "pro"
inputs: {account: {mode: {type: text}}}
statuses: {normal: {title: Normal}}
formulas: {account: {total: {title: Total, unit: USDT, expression: limit}}}
"""
LIMIT = "parameters: {limit: {title: Limit, value: 1, unit: USDT}}\n"
LATER = (
    "corrects: {reason: A typing error.}\nparameters: {limit: {title: L, value: 1, unit: BTC}}\n"
)


def ids(book: Rulebook) -> list[str]:
    return [" ".join(version.id for version in versions) for versions in combinations(book)]


def test_every_combination_ever_in_force_is_looked_at() -> None:
    book = Rulebook(
        [
            ("common/2024-01-01.yaml", text("common", "2024-01-01", LIMIT)),
            ("common/2025-01-01.yaml", text("common", "2025-01-01", LIMIT)),
            ("pro/2024-06-01.yaml", text("pro", "2024-06-01", DECIDES)),
            ("pro/2025-01-01.yaml", text("pro", "2025-01-01", DECIDES)),
            ("alone/2024-01-01.yaml", text("alone", "2024-01-01")),
        ]
    )
    assert ids(book) == [
        "pro@2024-06-01 common@2024-01-01",
        "pro@2025-01-01 common@2025-01-01",
        "alone@2024-01-01",
    ]


def test_what_was_known_before_a_correction_is_looked_at() -> None:
    book = Rulebook(
        [
            ("common/2024-01-01.yaml", text("common", "2024-01-01", LIMIT)),
            (
                "common/2024-01-01+2.yaml",
                text("common", "2024-01-01", LATER, "2024-02-01T00:00:00Z"),
            ),
            ("pro/2024-01-01.yaml", text("pro", "2024-01-01", DECIDES)),
        ]
    )
    assert ids(book) == [
        "pro@2024-01-01 common@2024-01-01+2",
        "pro@2024-01-01 common@2024-01-01",
    ]
    (problem,) = findings(book)
    assert problem.message == (
        "the formula gives BTC, its `unit` says USDT (in force together with `common@2024-01-01+2`)"
    )


def test_a_later_version_that_some_do_not_know_yet_is_looked_at() -> None:
    known = "2024-05-01T00:00:00Z"
    book = Rulebook(
        [
            ("common/2024-01-01.yaml", text("common", "2024-01-01", LIMIT)),
            ("common/2025-01-01.yaml", text("common", "2025-01-01", LIMIT, known)),
            ("pro/2025-01-01.yaml", text("pro", "2025-01-01", DECIDES, "2024-04-01T00:00:00Z")),
        ]
    )
    assert ids(book) == [
        "pro@2025-01-01 common@2025-01-01",
        "pro@2025-01-01 common@2024-01-01",
    ]


# What keeps it from looking


def test_no_folder_is_no_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--rules", str(tmp_path / "absent")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "no-rules: there is no such folder" in told.err
    assert run(["check", "--rules", str(tmp_path)]) == 2
    assert run(["check", "--rules", RULES, "--cases", str(tmp_path)]) == 2


def test_a_file_that_cannot_be_read_is_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules" / "pro"
    folder.mkdir(parents=True)
    (folder / "2025-01-01.yaml").write_text(text("pro", "2025-01-01"))
    (folder / "2025-01-02.yaml").mkdir()
    assert run(["check", "--rules", str(tmp_path / "rules")]) == 2
    assert "not-a-file: this is a folder" in capsys.readouterr().err


def test_a_file_that_is_no_text_is_a_finding_beside_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules" / "pro"
    folder.mkdir(parents=True)
    (folder / "2025-01-01.yaml").write_text(text("pro", "2025-01-01", "uses: [common]\n"))
    (folder / "2025-01-02.yaml").write_bytes(b"ruleset: \xff\n")
    assert run(["check", "--rules", str(tmp_path / "rules")]) == 1
    out = capsys.readouterr().out
    assert "2025-01-02.yaml:1:10: not-utf8" in out
    assert out.endswith("2 files: 1 finding; how the versions fit together is checked when each"
                        " file is sound\n")  # fmt: skip


def test_broken_cases_are_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_text("cases: []\n")
    assert run(["check", "--rules", RULES, "--cases", str(tmp_path)]) == 1
    assert "`cases` is empty" in capsys.readouterr().out


def test_the_answer_can_go_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--rules", RULES, "-o", str(tmp_path / "out.txt")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "out.txt").read_text().endswith(": no findings\n")
