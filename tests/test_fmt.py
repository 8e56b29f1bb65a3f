"""`fmt`: one layout, the same meaning, every comment kept; laid out twice is laid out once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import rule_files, to_yaml
from policy_engine import RulesError, cli
from policy_engine.authoring.comments import Group, entries_of
from policy_engine.authoring.formatting import formatted, laid_out, version_of
from policy_engine.document import read_yaml
from policy_engine.shipped import rules_folder

HERE = Path(__file__).resolve().parent
SHIPPED = sorted(rules_folder().glob("*/*.yaml"))
OTHERS = sorted(
    path
    for folder in ("contract", "history/rules", "golden/rules", "imports/rules")
    for path in (HERE / folder).glob("*/*.yaml")
)
LAID_OUT = HERE / "fmt"
COMMENT = re.compile(r"(?:(?<=\s)|^)# .*$", re.MULTILINE)


def digest(text: str) -> str:
    return version_of(text, "rules/r/2025-01-01.yaml").digest


def stable(text: str, name: str = "rules/r/2025-01-01.yaml") -> str:
    """The text laid out, after the law has been seen to hold for it."""
    once = formatted(text, name)
    assert formatted(once, name) == once
    assert digest(once) == digest(text)
    return once


def test_there_are_files() -> None:
    assert len(SHIPPED) > 20
    assert len(OTHERS) > 10
    assert len(list(LAID_OUT.glob("*.before.yaml"))) > 4


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_the_shipped_files_are_laid_out(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert stable(text, path.as_posix()) == text


@pytest.mark.parametrize("path", OTHERS, ids=str)
def test_other_files_keep_their_meaning_and_comments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    made = stable(text, path.as_posix())
    assert sorted(COMMENT.findall(made)) == sorted(COMMENT.findall(text))


@pytest.mark.parametrize("path", sorted(LAID_OUT.glob("*.before.yaml")), ids=lambda p: p.name)
def test_what_a_file_becomes(path: Path) -> None:
    after = path.with_name(path.name.replace(".before.", ".after."))
    assert stable(path.read_text(encoding="utf-8")) == after.read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", range(8))
def test_generated_files(seed: int) -> None:
    for document in rule_files(Random(seed)):
        stable(to_yaml(document))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_files_with_comments_and_blanks_anywhere(seed: int) -> None:
    """Comments at the ends of lines and between them, blank lines, other indents, keys moved."""
    random = Random(seed)
    text = scrambled(random.choice(SHIPPED + OTHERS).read_text(encoding="utf-8"), random)
    made = stable(text)
    assert sorted(COMMENT.findall(made)) == sorted(COMMENT.findall(text))


def scrambled(text: str, random: Random) -> str:
    """The text with its sections in another order, deeper indents, and comments put in."""
    lines = [line for section in sections(text, random) for line in section]
    width = 1 if re.search(r"^ *- ", text, re.MULTILINE) else random.choice((1, 2, 3))
    made, in_block = [], -1
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        inside = bool(line.strip()) and in_block >= 0 and indent > in_block
        if not inside and line.strip():
            in_block = indent if line.rstrip().endswith((">-", "|", ">", "|-")) else -1
        open_list = inside or continues(lines, number)
        if not open_list and random.random() < 0.1:
            made.append(random.choice(("", f"{' ' * random.randint(0, 6)}# note {number}")))
        deeper = " " * (indent * width if not inside else indent + in_block * (width - 1) + 1)
        beside = "" if open_list or not line.strip() or random.random() > 0.1 else f" # by {number}"
        ends = line.rstrip().endswith((">-", "|", "|-")) or line.lstrip().startswith("#")
        made.append(f"{deeper}{line.lstrip(' ')}{'' if ends else beside}")
    return "\n".join(made) + "\n"


def continues(lines: list[str], number: int) -> bool:
    """Whether a line, or the one after it, goes on with a list or a text begun before."""
    around = lines[max(0, number - 1) : number + 2]
    return any(not re.match(r" *(- |#|\S+: ?|\S.*:( |$))", line) for line in around if line.strip())


def sections(text: str, random: Random) -> list[list[str]]:
    """The lines of each section, the sections at random after the first line."""
    made: list[list[str]] = []
    for line in text.splitlines():
        if not made or (line and line[0] not in " #"):
            made.append([])
        made[-1].append(line)
    first = made[:1] if text.startswith("#") else []
    others = made[len(first) :]
    random.shuffle(others)
    return first + others


def test_what_is_not_sound_is_left() -> None:
    with pytest.raises(RulesError) as error:
        formatted("ruleset: r\nsummary: nothing more\n", "rules/r/2025-01-01.yaml")
    assert "missing-key" in {problem.code for problem in error.value.problems}


def test_names_keep_their_order() -> None:
    """The order of statuses says which is worse."""
    text = (rules_folder() / "cross_margin_pro/2025-01-21.yaml").read_text(encoding="utf-8")
    statuses = read_yaml(laid_out(text, "x"), "x").data["statuses"]
    assert list(statuses) == ["liquidation", "margin_call", "normal"]


def test_the_tree_holds_every_key() -> None:
    made = entries_of("a: 1\nb: {c: [d, e]}\n", "x")
    assert [entry.key.text for entry in made.entries if entry.key] == ["a", "b"]
    assert isinstance(made.entries[1].value, Group)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of small rules, not laid out."""
    return shutil.copytree(HERE / "history/rules", tmp_path / "rules")


def test_check_lists_and_changes_nothing(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in rules.glob("*/*.yaml")}
    assert cli.run(["fmt", str(rules), "--check"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [path.as_posix() for path in sorted(before)]
    assert shown.err.startswith(f"{len(before)} files, {len(before)} laid out otherwise")
    assert {path: path.read_bytes() for path in before} == before


def test_files_are_laid_out_once(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fmt", str(rules)]) == 0
    assert cli.run(["fmt", str(rules), "--check"]) == 0
    shown = capsys.readouterr()
    assert shown.err.endswith(": nothing to lay out\n")


def test_one_bad_file_leaves_all(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = rules / "fees/2025-01-01.yaml"
    bad.write_text(bad.read_text(encoding="utf-8") + "surprise: 1\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in rules.glob("*/*.yaml")}
    assert cli.run(["fmt", str(rules)]) == 2
    assert "unknown-key" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_without_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fmt", str(tmp_path)]) == 2
    assert "no-rules: there are no rule files here" in capsys.readouterr().err
