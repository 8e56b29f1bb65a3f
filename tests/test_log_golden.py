"""One log and what is said of it, sound and after each kind of tampering, text by text.

`tests/log/sound.jsonl` was written by the first engine that kept a log; later ones must read it.
`UPDATE_GOLDEN=1 pytest` writes the texts anew, never the log: read the difference.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine import cli

FOLDER = Path(__file__).parent / "log"
Lines = list[bytes]


def without_the_second(lines: Lines) -> Lines:
    return [lines[0], *lines[2:]]


def without_the_last_two(lines: Lines) -> Lines:
    return lines[:-2]


def with_another_status(lines: Lines) -> Lines:
    return [*lines[:3], lines[3].replace(b'"status":"normal"', b'"status":"margin_call"'), lines[4]]


def with_another_time(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b"00:02:00Z", b"00:02:30Z"), *lines[3:]]


def swapped(lines: Lines) -> Lines:
    return [lines[0], lines[3], lines[2], lines[1], lines[4]]


def with_a_copy(lines: Lines) -> Lines:
    return [*lines, lines[1]]


def torn(lines: Lines) -> Lines:
    return [*lines, lines[0][:100]]


def as_it_is(lines: Lines) -> Lines:
    return lines


CASES: dict[str, tuple[str, Callable[[Lines], Lines]]] = {
    "sound": ("verify log.jsonl", as_it_is),
    "compared": ("verify log.jsonl --against three.json --against five.json", as_it_is),
    "json": ("verify log.jsonl --against three.json --format json", as_it_is),
    "deleted": ("verify log.jsonl", without_the_second),
    "deleted-json": ("verify log.jsonl --format json", without_the_second),
    "cut": ("verify log.jsonl --against three.json --against five.json", without_the_last_two),
    "edited": ("verify log.jsonl --against three.json", with_another_status),
    "restamped": ("verify log.jsonl", with_another_time),
    "swapped": ("verify log.jsonl", swapped),
    "inserted": ("verify log.jsonl", with_a_copy),
    "torn": ("verify log.jsonl", torn),
    "show": ("show log.jsonl", with_another_status),
    "show-one": ("show log.jsonl 2", as_it_is),
    "show-json": ("show log.jsonl --format json", as_it_is),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command, tamper = CASES[name]
    held = (FOLDER / "sound.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_bytes(b"".join(tamper(held)))
    for kept in ("three.json", "five.json"):
        shutil.copy(FOLDER / kept, tmp_path)
    monkeypatch.chdir(tmp_path)
    status = cli.run(["log", *shlex.split(command)])
    out, err = capfd.readouterr()
    given = f"$ policy-engine log {command}\n{out}--- stderr\n{err}--- exit {status}\n"
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")


def test_every_text_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(CASES)
