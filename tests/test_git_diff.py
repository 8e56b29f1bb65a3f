"""`git diff` shows what rule files say otherwise: a real repository, and git calling the driver."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from policy_engine.cli import run

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

DRIVER = shlex.join([sys.executable, "-c", "from policy_engine.cli import main; main()", "gitdiff"])
VERSION = """\
ruleset: house
effective_from: {day}T00:00:00Z
announced_at: null
summary: {summary}
uses: [rates]
sources: {{faq: {{title: FAQ}}}}
parameters:
  floor:
    {{title: Floor, value: {floor}, unit: ratio, safer: higher, citation: {{source: faq}}}}
formulas:
  account:
    least: {{title: Least level, unit: ratio, expression: "{least}", citation: {{source: faq}}}}
"""
FILE = "rules/house/2025-01-01.yaml"


def version(day: str = "2025-01-01", floor: str = "1", least: str = "floor") -> str:
    return VERSION.format(day=day, floor=floor, least=least, summary="Once.")


class Repository:
    """A folder under git whose rule files are shown by the driver."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "diff.policy.command", DRIVER)
        self.write(".gitattributes", "rules/**/*.yaml diff=policy\n")
        self.write(FILE, version())
        self.commit()

    def git(self, *words: str, folder: str = ".") -> str:
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, *words],
            cwd=self.root / folder,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "One more.")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_an_edited_file_is_shown_by_what_it_says(repository: Repository) -> None:
    repository.write(FILE, version(floor="1.5", least="max(floor,  1)"))
    wanted = f"""\
rules {FILE}
house: 2025-01-01, edited, in force from 2025-01-01T00:00:00Z, announcement not known
  Once.
  ~ logic   house/formulas/account/least/expression: `floor` -> `max(floor, 1)`  \
[faq, 2025-01-01T00:00:00Z]
  ~ value   house/parameters/floor: 1 -> 1.5 (+0.5, +50%, tighter)  [faq, 2025-01-01T00:00:00Z]

sources
  faq  FAQ

significance: logic; 2 changes: 1 logic, 1 value
"""
    assert repository.git("diff") == wanted
    assert repository.git("diff", folder="rules/house") == wanted
    repository.commit()
    assert repository.git("diff", "HEAD~1", "HEAD") == wanted
    assert "(-0.5, -33.33…%, looser)" in repository.git("diff", "HEAD", "HEAD~1")
    assert repository.git("log", "--ext-diff", "-p", "-1").endswith(wanted)


def test_spaces_and_brackets_are_no_change(repository: Repository) -> None:
    repository.write(FILE, "# a remark\n" + version(least="(floor)"))
    assert repository.git("diff") == f"rules {FILE}\nno change\n"


def test_a_new_file_is_compared_with_the_version_that_it_follows(repository: Repository) -> None:
    later = "rules/house/2025-03-01.yaml"
    repository.write("rules/house/2025-02-01.yaml", version("2025-02-01", floor="2"))
    repository.commit()
    repository.write(later, version("2025-03-01", floor="3"))
    repository.git("add", "--all")
    shown = repository.git("diff", "--cached")
    assert f"rules {later}\nnew; compared with house@2025-02-01, which it follows\n" in shown
    assert "house: 2025-02-01 -> 2025-03-01, in force from" in shown
    assert "house/parameters/floor: 2 -> 3 (+1, +50%, tighter)" in shown
    repository.commit()
    repository.git("rm", "--quiet", later)
    shown = repository.git("diff", "--cached")
    assert "deleted; house@2025-02-01, which it followed, holds again" in shown
    assert "house/parameters/floor: 3 -> 2 (-1, -33.33…%, looser)" in shown


def test_the_first_file_of_a_ruleset_starts_it(repository: Repository) -> None:
    repository.write("rules/other/2025-01-01.yaml", version().replace("house", "other", 1))
    repository.git("add", "--all")
    assert "other: starts with 2025-01-01" in repository.git("diff", "--cached")
    repository.git("rm", "--quiet", "--cached", FILE)
    (repository.root / FILE).unlink()
    assert "house: 2025-01-01 is gone" in repository.git("diff", "--cached")


def test_a_file_that_moves_is_one_change(repository: Repository) -> None:
    later = "rules/house/2025-02-01.yaml"
    repository.git("mv", FILE, later)
    repository.write(later, version("2025-02-01"))
    repository.git("add", "--all")
    shown = repository.git("diff", "--cached", "-M")
    assert shown.startswith(f"rules {FILE} -> {later}\n")
    assert "house/effective_from: 2025-01-01T00:00:00Z -> 2025-02-01T00:00:00Z" in shown


BROKEN = {
    "a formula": version(least="floor +"),
    "a section": version().replace("parameters:", "parameter:"),
    "no yaml": "ruleset: [\n",
    "another file": "name: ci\non: push\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_side_tells_its_problem_and_the_lines(name: str, repository: Repository) -> None:
    repository.write(FILE, BROKEN[name])
    shown = repository.git("diff")
    head, _, lines = shown.partition(f"--- a/{FILE}\n+++ b/{FILE}\n")
    assert f"{FILE}:" in head
    assert "Traceback" not in shown
    assert "+" in {line[:1] for line in lines.splitlines()}
    repository.commit()
    repository.write(FILE, version())
    assert f"{FILE}:" in repository.git("diff")


def test_bytes_that_are_no_text_tell_so(repository: Repository) -> None:
    (repository.root / FILE).write_bytes(b"\xff\xfe\x00")
    assert "not-utf8: the file is UTF-16" in repository.git("diff")


def test_a_broken_neighbour_is_no_version_to_compare_with(repository: Repository) -> None:
    repository.write("rules/house/2025-01-15.yaml", "ruleset: [\n")
    repository.commit()
    repository.write("rules/house/2025-02-01.yaml", version("2025-02-01", floor="2"))
    repository.git("add", "--all")
    assert "compared with house@2025-01-01" in repository.git("diff", "--cached")


def test_a_file_not_merged_yet(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "other")
    repository.write(FILE, version(floor="2"))
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write(FILE, version(floor="3"))
    repository.commit()
    with pytest.raises(AssertionError):
        repository.git("merge", "--quiet", "other")
    assert f"* not merged yet: {FILE}" in repository.git("diff", "--cached")


def test_other_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gitdiff", "a", "b"]) == 2
    assert "2 arguments are given; git calls it with seven" in capsys.readouterr().err
