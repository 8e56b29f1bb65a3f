"""Every command, rule file and snippet of the README runs and gives what the README shows."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from policy_engine.cli import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = ("python3 -m venv .venv", ".venv/bin/pip install -q -e '.[dev]'")
"""What the environment that runs this has done already."""
AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A reviewer"), ("EMAIL", "reviewer@example.com"))
}
"""Who commits: git on a machine of one's own knows."""


class Block(NamedTuple):
    """A fenced block: its kind, its text, and the line it starts on."""

    kind: str
    text: str
    line: int


class Shown(NamedTuple):
    """A command with the output that the README shows for it."""

    command: str
    output: str
    line: int


def blocks() -> Iterator[Block]:
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2], README.count("\n", 0, found.start()) + 2)


def of_kind(kind: str) -> list[Block]:
    return [block for block in blocks() if block.kind == kind]


def shown() -> Iterator[Shown]:
    """The commands of the console blocks, after `$ `."""
    for block in of_kind("console"):
        for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
            yield Shown(found[1], found[2], block.line + block.text.count("\n", 0, found.start()))


def pattern(output: str) -> str:
    """The output as a pattern: a line `…` is any lines, and `…` in a line is any text."""
    lines = (
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in output.splitlines()
    )
    return "".join(lines)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a clone after the set-up, with the rule files that the README shows."""
    folder = tmp_path_factory.mktemp("clone")
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    call = "from policy_engine.cli import main; main()"
    made = {
        "python": f'exec {shlex.quote(sys.executable)} "$@"',
        "policy-engine": f'exec {shlex.quote(sys.executable)} -c "{call}" "$@"',
        "pytest": f'exec {shlex.quote(sys.executable)} -m pytest "$@"',
    }
    for name, text in made.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for block in of_kind("yaml"):
        path = folder / block.text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    return folder


def ran(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A shell command in that folder, with its programs first."""
    path = f"{home / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"} | AUTHOR
    return subprocess.run(
        ["bash", "-c", command], cwd=home, env=environment, capture_output=True, text=True
    )


def test_every_block_is_of_a_kind_that_runs() -> None:
    assert {block.kind for block in blocks()} == {"sh", "console", "python", "yaml"}
    assert len(list(shown())) > 5


def test_the_first_command_sets_up_and_decides_an_account(home: Path) -> None:
    first = of_kind("sh")[0].text.strip().split(" && ")
    assert tuple(first[:2]) == SET_UP
    assert len(first) == 3
    done = ran(first[2], home)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Status +normal$", done.stdout, re.MULTILINE)


def test_the_second_command_runs_the_tests(home: Path) -> None:
    commands = [block.text.strip() for block in of_kind("sh")]
    assert commands[1:] == [".venv/bin/pytest"]
    collected = ran(f"{commands[1]} --collect-only -q", home)
    assert collected.returncode == 0
    assert "tests/test_readme.py::test_the_second_command_runs_the_tests" in collected.stdout


def test_every_command_gives_what_is_shown(home: Path) -> None:
    """In their order: later commands use what earlier ones wrote."""
    for one in shown():
        done = ran(one.command, home)
        assert re.fullmatch(pattern(one.output), done.stdout), f"line {one.line}: {done.stdout}"
        measures = "benchmarks" in one.command  # ends with 1 on a machine busy with other tests
        found = {0, 1} if "hint:" in one.output else {0}  # a finding is shown, perhaps piped
        assert measures or done.returncode in found, f"line {one.line}: {done.stderr}"


def test_every_snippet_prints_what_its_comments_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in of_kind("python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, "README.md", "exec"), names)
        said = re.findall(r"^ *print\(.*\) +# (.*)$", block.text, re.MULTILINE)
        assert printed.getvalue().splitlines() == said
        assert said


def test_every_command_is_in_the_table() -> None:
    named = re.findall(r"^\| `policy-engine (\w+)` \|", README, re.MULTILINE)
    assert named == list(COMMANDS)


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:tests|rules|schemas)/[\w./]+|LICENSE)`", README)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
