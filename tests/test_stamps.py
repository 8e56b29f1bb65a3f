"""The record of sound files: what it saves, and that it never lets an edited file pass."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from policy_engine import Rulebook, RulesError
from policy_engine.cli import run
from policy_engine.shipped import rules_folder
from policy_engine.stamps import STAMPS, stamped_texts

LOADS = "import sys; from policy_engine import Rulebook; Rulebook.load(sys.argv[1]);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped rules with a record of their own."""
    made = tmp_path / "rules"
    shutil.copytree(rules_folder(), made)
    (made / STAMPS).write_text(Rulebook.load(made, full=True).record(), encoding="utf-8")
    return made


def a_file(folder: Path) -> Path:
    """One of its rule files."""
    return min(folder.glob("*/*.yaml"))


def uses_the_schema(folder: Path) -> bool:
    """Whether loading a folder asks for the schema at all, in a process of its own."""
    call = f"{LOADS} print('jsonschema' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", call, str(folder)], capture_output=True, text=True, check=True
    )
    return done.stdout == "True\n"


def test_the_shipped_record_is_that_of_the_shipped_rules() -> None:
    shipped = (rules_folder() / STAMPS).read_text(encoding="utf-8")
    assert shipped == Rulebook.load(full=True).record(), "run `policy-engine check --record`"


def test_recorded_files_load_without_the_schema(folder: Path) -> None:
    assert not uses_the_schema(folder)
    (folder / STAMPS).unlink()
    assert uses_the_schema(folder)


def test_a_file_edited_since_is_checked_again(folder: Path) -> None:
    path = a_file(folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("summary:", "sumary:", 1), encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        Rulebook.load(folder)
    assert caught.value.code == "unknown-key"


def test_the_record_changes_no_decision(folder: Path) -> None:
    quick, full = Rulebook.load(folder), Rulebook.load(folder, full=True)
    assert quick.record() == full.record()


@pytest.mark.parametrize("record", ["", "[]", "{", '{"a": 1}', '{"a": {"text": null}}', "\xff"])
def test_a_record_that_is_none_is_ignored(folder: Path, record: str) -> None:
    (folder / STAMPS).write_text(record, encoding="latin-1")
    assert stamped_texts(folder) <= {None}
    assert Rulebook.load(folder).versions


def test_check_records_sound_files_only(folder: Path) -> None:
    stamps = folder / STAMPS
    stamps.unlink()
    path = a_file(folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("summary:", "sumary:", 1), encoding="utf-8")
    arguments = ["check", "--rules", str(folder), "--record"]
    assert run(arguments) == 1
    assert not stamps.exists()
    path.write_text(text, encoding="utf-8")
    assert run(arguments) == 0
    assert not uses_the_schema(folder)
