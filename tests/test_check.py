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
