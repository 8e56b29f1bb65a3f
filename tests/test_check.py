"""`check`: what it says of broken rule files, word for word, and what it looks at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Rulebook
from policy_engine.checks import combinations, findings, pages
from policy_engine.cli import run
from policy_engine.errors import Place, Problem
from policy_engine.render.findings import Findings, to_github

TOP = Path(__file__).parent.parent
BROKEN = Path(__file__).parent / "broken" / "rules"
FILES = sorted(BROKEN.glob("*.yaml"))
RULES = str(TOP / "rules")


OPTIONS = re.compile(r"# policy-engine check((?: [\w-]+)*)\n")


def unpacked(path: Path, folder: Path) -> Path:
    """The files that a broken file holds, each from its line `# <folder>/<name>` on."""
    text = path.read_text(encoding="utf-8")
    for part in re.split(r"^(?=# [^\n]*\.(?:ya?ml|txt)\n)", text, flags=re.MULTILINE)[1:]:
        name = part.partition("\n")[0].removeprefix("# ")
        place = folder.parent / name if name.startswith(("tests/", "sources/")) else folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(part, encoding="utf-8")
    return folder


def options(path: Path) -> list[str]:
    """What is asked of `check` for a broken file, as its first line may tell."""
    told = OPTIONS.match(path.read_text(encoding="utf-8"))
    return told[1].split() if told else []


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
    assert run(["check", "--rules", "rules", *options(path)]) == 1
    assert capsys.readouterr().out == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_finding_has_a_place_and_a_hint(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(path, tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--rules", "rules", *options(path), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found
    for finding in found:
        assert list(finding) == ["code", "message", "hint", "path", "line", "column", "pointer"]
        assert finding["hint"]
        assert finding["path"].startswith("rules/")
        assert finding["code"] == "unread-file" or finding["line"] >= 2 <= finding["column"] + 1


# What is looked at


def test_the_shipped_rules_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--rules", RULES, "--full"]) == 0
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


# What is told of a check


def told() -> str:
    """Everything that `check` says of the broken files."""
    return "".join(path.read_text(encoding="utf-8") for path in BROKEN.glob("*.txt"))


BY_OTHER_TESTS = {"version-in-force-edited"}


@pytest.mark.parametrize("code", pages())
def test_every_check_has_a_page_and_a_broken_file(code: str) -> None:
    found = pages()[code]
    assert all(len(part) > 10 for part in (found.finds, found.why, found.avoid, found.prefer))
    assert found.finds.endswith(".")
    assert found.avoid != found.prefer
    assert f": {code}: " in told() or code in BY_OTHER_TESTS


def test_nothing_is_found_that_has_no_page() -> None:
    """But what the file's syntax is, of which the message says all there is."""
    codes = set(re.findall(r"^rules/[^ ]+: ([a-z0-9-]+): ", told(), re.MULTILINE))
    assert codes - pages().keys() == {"formula-too-deep", "too-large"}


def test_a_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--explain", "tier-gap"]) == 0
    assert capsys.readouterr().out == (
        "tier-gap (always)\n\n"
        "A tier that says it starts above where the one before it ends.\n\n"
        "why: For an amount in the gap there would be no rate.\n\n"
        "avoid: tiers: [{to: 200, rate: 1}, {from: 300, to: 500, rate: 50%}]\n\n"
        "prefer: tiers: [{to: 200, rate: 1}, {from: 200, to: 500, rate: 50%}]\n"
    )
    assert run(["check", "--explain", "tier-gab"]) == 2
    assert "did you mean `tier-gap`?" in capsys.readouterr().err


def test_all_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--codes"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(pages())


# For GitHub


def test_findings_annotate_a_pull_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(BROKEN / "tier-gap.yaml", tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    assert run(["check", "--rules", "rules", "--format", "github"]) == 1
    assert capsys.readouterr().out == (
        "::error file=rules/pro/2025-01-01.yaml,line=16,col=16,endColumn=19,title=tier-gap"
        "::there is a gap from 100 to 101%0A"
        "hint: a tier starts where the one before it ends: write `from: 100` or nothing\n"
    )
    assert run(["check", "--rules", RULES, "--full", "--format", "github"]) == 0
    assert capsys.readouterr().out == ""


@given(st.text(), st.text(), st.text())
def test_nothing_a_file_says_ends_an_annotation(message: str, hint: str, path: str) -> None:
    place = Place(path, 1, 2, 3)
    line = to_github(Findings((Problem("code", message, hint, place),)))
    assert not set("\r\n") & set(line)
    properties, _, text = line.removeprefix("::error ").partition("::")
    assert len(properties.split(",")) == 5
    back = text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    assert back == (f"{message}\nhint: {hint}" if hint else message)


# What is on record


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version in force and one to come, recorded."""
    monkeypatch.chdir(tmp_path)
    for day, value in (("2025-01-01", 1), ("2999-01-01", 2)):
        path = tmp_path / "rules" / "common" / f"{day}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text("common", day, LIMIT.replace("value: 1", f"value: {value}")))
    assert run(["check", "--rules", "rules", "--record"]) == 0
    return tmp_path / "rules" / "common" / "2025-01-01.yaml"


def edit(path: Path, before: str, after: str) -> None:
    path.write_text(path.read_text().replace(before, after))


def test_files_as_recorded_are_not_checked_again(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["check", "--rules", "rules"]) == 0
    assert capsys.readouterr().out == "2 files as recorded sound: no findings\n"
    assert run(["check", "--rules", "rules", "--full"]) == 0
    assert capsys.readouterr().out.startswith("2 files, 2 versions,")
    edit(recorded, "summary: Nothing.", "summary: Nothing. # yet")
    assert run(["check", "--rules", "rules"]) == 0
    assert capsys.readouterr().out.startswith("2 files, 2 versions,")


def test_what_an_edit_does_to_files_as_recorded_is_found(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not looked at again is only what was in force together, all of it unchanged."""
    pro = recorded.parents[1] / "pro" / "2025-01-01.yaml"
    pro.parent.mkdir()
    pro.write_text(text("pro", "2025-01-01", DECIDES))
    assert run(["check", "--rules", "rules", "--record"]) == 0
    later = recorded.with_name("2025-06-01.yaml")
    later.write_text(text("common", "2025-06-01", LIMIT.replace("USDT", "BTC")))
    capsys.readouterr()
    assert run(["check", "--rules", "rules"]) == 1
    quick = capsys.readouterr().out
    assert "its `unit` says USDT (in force together with `common@2025-06-01`)" in quick
    assert run(["check", "--rules", "rules", "--full"]) == 1
    assert capsys.readouterr().out == quick
    later.unlink()
    recorded.unlink()
    assert run(["check", "--rules", "rules", "--allow-edit"]) == 1
    assert "uses-not-started" in capsys.readouterr().out


def test_a_stray_file_is_found_beside_files_as_recorded(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recorded.parent / "2025-03-01.yml").write_text("ruleset: common\n")
    assert run(["check", "--rules", "rules"]) == 1
    assert "unread-file" in capsys.readouterr().out


def test_a_version_in_force_may_not_be_edited(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(recorded, "value: 1", "value: 3")
    before = (recorded.parents[1] / "digests.json").read_text()
    capsys.readouterr()
    assert run(["check", "--rules", "rules", "--record"]) == 1
    assert capsys.readouterr().out == (
        "rules/common/2025-01-01.yaml:2:17: version-in-force-edited: `common@2025-01-01` is in"
        " force since 2025-01-01T00:00:00Z, and it does not mean what is on record"
        " (at effective_from)\n"
        "    effective_from: 2025-01-01T00:00:00Z\n"
        "                    ^^^^^^^^^^^^^^^^^^^^\n"
        "  hint: undo the edit and write a later version or a correction;"
        " where nobody relied on it yet: `check --record --allow-edit`\n\n"
        "2 files, 2 versions, 0 rulesets that decide, 2 combinations: 1 finding\n"
    )
    assert (recorded.parents[1] / "digests.json").read_text() == before
    assert run(["check", "--rules", "rules", "--at", "2024-12-31"]) == 0
    assert run(["check", "--rules", "rules", "--record", "--allow-edit"]) == 0
    assert run(["check", "--rules", "rules"]) == 0


def test_a_version_to_come_may_be_edited(recorded: Path) -> None:
    edit(recorded.with_name("2999-01-01.yaml"), "value: 2", "value: 3")
    assert run(["check", "--rules", "rules", "--record"]) == 0


def test_what_a_version_in_force_says_may_be_laid_out_anew(recorded: Path) -> None:
    edit(recorded, "{limit: {title", "{limit:  {title")
    assert run(["check", "--rules", "rules", "--record"]) == 0


def test_a_version_in_force_may_not_vanish(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.unlink()
    assert run(["check", "--rules", "rules"]) == 1
    assert (
        "rules/digests.json: version-in-force-edited: `common@2025-01-01` is on record as in"
        " force since 2025-01-01T00:00:00Z, and its file is gone\n"
    ) in capsys.readouterr().out


def test_a_case_edited_since_is_read_again(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "tests" / "cases" / "one.yaml"
    case.parent.mkdir(parents=True)
    case.write_text(
        "cases: [{name: one, at: 2025-02-01, snapshot: {account: A},"
        " expect: {status: normal}, because: of it}]\n"
    )
    assert run(["check", "--rules", "rules", "--record"]) == 0
    capsys.readouterr()
    assert run(["check", "--rules", "rules"]) == 0
    assert "1 file of cases as recorded sound" in capsys.readouterr().out
    case.write_text("cases: []\n")
    assert run(["check", "--rules", "rules"]) == 1
    assert "`cases` is empty" in capsys.readouterr().out


def test_a_quote_that_names_its_line_may_stand_on_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpacked(BROKEN / "quote-on-another-line.yaml", tmp_path / "rules")
    rules = folder / "pro" / "2025-01-01.yaml"
    rules.write_text(rules.read_text().replace("line: 3", "line: 4"))
    monkeypatch.chdir(tmp_path)
    options = ["--sources", "sources", "--strict"]
    assert run(["check", "--rules", "rules", *options]) == 0, capsys.readouterr().out


def test_no_saved_sources_is_no_finding(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--rules", "rules", "--sources", str(tmp_path)]) == 2
    assert "no-sources: there are no saved sources here" in capsys.readouterr().err
