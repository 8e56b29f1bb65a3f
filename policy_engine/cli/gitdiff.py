"""`policy-engine gitdiff`: what changed in one rule file, for `git diff` to show.

echo 'rules/**/*.yaml diff=policy' >> .gitattributes
git config diff.policy.command 'policy-engine gitdiff'
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import click

from policy_engine.cli.output import colour_wanted, terminal_columns, write
from policy_engine.diff import compare
from policy_engine.document import read_text, read_yaml
from policy_engine.errors import RulesError
from policy_engine.model import Version
from policy_engine.render import diff as text
from policy_engine.render import problems as problem_text
from policy_engine.render.layout import Page
from policy_engine.schema import problems
from policy_engine.shapes import shaped
from policy_engine.versions import read_version
from policy_engine.versions.held import announced

NOT_THERE = "/dev/null"
"""What git names in place of a file that a side does not have."""

_UNMERGED, _SAME_PATH, _RENAMED = 1, 7, 9
"""How many arguments git gives."""


@click.command()
@click.argument("arguments", nargs=-1, metavar="PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX …")
def gitdiff(arguments: tuple[str, ...]) -> None:
    """What changed in one rule file, for git to call.

    To see it in `git diff`, write `rules/**/*.yaml diff=policy` in `.gitattributes` and run
    `git config diff.policy.command 'policy-engine gitdiff'`. A new file is compared with the
    version that it follows in the work tree.
    """
    if len(arguments) not in (_UNMERGED, _SAME_PATH, _RENAMED):
        hint = "git calls it with seven: see `policy-engine gitdiff --help`"
        raise click.UsageError(f"{len(arguments)} arguments are given; {hint}")
    path = arguments[0]
    if len(arguments) == _UNMERGED:
        write(f"* not merged yet: {path}\n", None)
        return
    moved_to = arguments[_SAME_PATH] if len(arguments) == _RENAMED else path
    sides = (path, arguments[1]), (moved_to, arguments[4])
    write("".join(f"{line}\n" for line in _lines(*sides)), None)


def _lines(old: tuple[str, str], new: tuple[str, str]) -> Iterator[str]:
    """What git shows of two sides, each the path of a rule file and the file that has its text."""
    page = Page(terminal_columns(None), colour_wanted(None))
    yield page.bold(f"rules {old[0]}" if old[0] == new[0] else f"rules {old[0]} -> {new[0]}")
    try:
        yield from _compared(old, new, page)
    except RulesError as error:
        yield problem_text.render(error.problems)
        yield from _as_text(old, new)


def _compared(old: tuple[str, str], new: tuple[str, str], page: Page) -> Iterator[str]:
    """The changes. Raises RulesError where a side cannot be read."""
    before, after = (_version(*side) for side in (old, new))
    same_file = before is not None and after is not None
    if before is None and after is not None:
        before = _followed(new[0], after)
        if before is not None:
            yield f"new; compared with {before.id}, which it follows"
    elif after is None and before is not None:
        after = _followed(old[0], before)
        if after is not None:
            yield f"deleted; {after.id}, which it followed, holds again"
    sides = ([version] if version is not None else [] for version in (before, after))
    yield text.render(compare(*sides, dates=same_file), page)


def _version(path: str, file: str) -> Version | None:
    """The version that a file has under a path, by itself. Raises RulesError."""
    if file == NOT_THERE:
        return None
    document = read_yaml(_text(file), path)
    if found := list(problems(document, "ruleset")):
        raise RulesError(found)
    return read_version(document, shaped(document, "ruleset"))


def _text(file: str) -> str:
    return "" if file == NOT_THERE else read_text(Path(file))


def _followed(path: str, version: Version) -> Version | None:
    """The version before one, among the files beside it in the work tree that can be read."""
    held = []
    for other in sorted(Path(path).parent.glob("*.yaml")):
        if other != Path(path):
            try:
                held.append(_version(other.as_posix(), str(other)))
            except RulesError:
                continue  # `check` tells of it; here it is only no version to compare with
    own = _order(version)
    earlier = [v for v in held if v and v.ruleset == version.ruleset and _order(v) < own]
    return max(earlier, key=_order, default=None)


def _order(version: Version) -> tuple[object, object]:
    return version.effective_from, announced(version)


def _as_text(old: tuple[str, str], new: tuple[str, str]) -> Iterator[str]:
    """The lines that differ, where what they mean cannot be told."""
    try:
        before, after = (_text(file).splitlines() for _, file in (old, new))
    except RulesError:
        return  # it is no text: the problem that is told says so
    yield from unified_diff(before, after, f"a/{old[0]}", f"b/{new[0]}", lineterm="")
