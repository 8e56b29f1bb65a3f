"""The record of sound files: what it saves, and that it never lets an edited file pass."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Rulebook, RulesError, rulebook, stamps
from policy_engine.cli import run
from policy_engine.document import Document, read_yaml
from policy_engine.shipped import rules_folder
from policy_engine.stamps import STAMPS, read_stamps

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
    shipped = json.loads((rules_folder() / STAMPS).read_text(encoding="utf-8"))
    for key, said in json.loads(Rulebook.load(full=True).record()).items():
        assert shipped[key] == said, "run `policy-engine check --record`"


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


@pytest.mark.parametrize(
    "record",
    [
        *("", "[]", "{", '{"a": 1}', '{"versions": {}}', '{"seal": null, "versions": {}}', "\xff"),
        *("null", '{"versions": 1, "seal": "sha256:0"}', "[" * 100_000, '{"versions": {"a": NaN}}'),
    ],
)
def test_a_record_that_is_none_is_ignored(folder: Path, record: str) -> None:
    (folder / STAMPS).write_text(record, encoding="latin-1")
    assert read_stamps(folder) == {}
    assert Rulebook.load(folder).versions


Record = dict[str, Any]


def later(record: Record) -> None:
    """A version takes effect later than its file says."""
    record["versions"]["collateral@2025-08-15"]["effective_from"] = "2030-01-01T00:00:00Z"


def permitting(record: Record) -> None:
    """A version declares a permission that its file does not."""
    record["versions"]["collateral@2025-08-15"]["permissions"] = ["fly"]


def digested(record: Record) -> None:
    """A version has another digest."""
    record["versions"]["collateral@2025-08-15"]["digest"] = "sha256:0"


def merged(record: Record) -> None:
    """The record has lost a line."""
    del record["versions"]["collateral@2025-08-15"]


@pytest.mark.parametrize("lie", [later, permitting, digested, merged])
def test_a_record_edited_by_hand_is_none(folder: Path, lie: Callable[[Record], None]) -> None:
    record = json.loads((folder / STAMPS).read_text(encoding="utf-8"))
    lie(record)
    (folder / STAMPS).write_text(json.dumps(record), encoding="utf-8")
    assert read_stamps(folder) == {}
    assert same_answers(Rulebook.load(folder), Rulebook.load(folder, full=True))


def test_the_record_of_another_version_of_the_engine_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_stamps(folder)
    monkeypatch.setattr(stamps, "ENGINE", "0.0.0")
    assert read_stamps(folder) == {}


def same_answers(one: Rulebook, other: Rulebook) -> bool:
    """Whether two rulebooks have the same versions in force at every instant that matters."""
    moments = sorted({version.effective_from for version in other.versions})
    for book in (one, other):
        assert [v.id for of in book.rulesets.values() for v in of] == [v.id for v in book.versions]
    return one.versions == other.versions and all(
        one.in_force(at).versions == other.in_force(at).versions
        and one.offered(at, at) == other.offered(at, at)
        for at in moments
    )


def test_a_recorded_folder_gives_the_same_rulebook(folder: Path) -> None:
    recorded, full = Rulebook.load(folder), Rulebook.load(folder, full=True)
    assert same_answers(recorded, full)
    assert same_answers(pickle.loads(pickle.dumps(Rulebook.load(folder))), full)
    assert [v.digest for v in recorded.versions] == [v.digest for v in full.versions]


def test_only_what_is_asked_for_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(text: str, path: str) -> Document:
        read.append(path)
        return read_yaml(text, path)

    monkeypatch.setattr(rulebook, "read_yaml", noted)
    book = Rulebook.load(folder)
    assert read == []
    held = book.in_force("2025-02-01").versions
    assert sorted(read) == sorted(version.path for version in held.values())
    assert book.version("collateral@2023-01-12") is held["collateral"]
    assert len(book.versions) == len(set(read)) == len(read)


def test_threads_share_what_they_read(folder: Path) -> None:
    book = Rulebook.load(folder)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: book.in_force("2025-02-01").versions, range(64)))
    assert all(one[name] is made[0][name] for one in made for name in one)


def test_with_another_file_beside_them_all_are_read(folder: Path) -> None:
    path = folder / "small" / "2025-01-01.yaml"
    path.parent.mkdir()
    path.write_text("ruleset: small\n", encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        Rulebook.load(folder)
    assert {problem.place.path for problem in caught.value.problems} == {path.as_posix()}


def test_recorded_files_that_no_longer_fit_together_are_found(folder: Path) -> None:
    shutil.rmtree(folder / "position_brackets")
    with pytest.raises(RulesError) as caught:
        Rulebook.load(folder)
    assert {problem.code for problem in caught.value.problems} == {"unknown-ruleset"}


def test_a_version_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(RulesError) as caught:
        Rulebook.load(folder).version("colateral@2023-01-12")
    assert caught.value.problems[0].hint == "did you mean `collateral@2023-01-12`?"


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
