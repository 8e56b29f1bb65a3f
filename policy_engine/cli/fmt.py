"""`policy-engine fmt`: rule files laid out one way."""

from __future__ import annotations

from pathlib import Path

import click

from policy_engine.authoring.formatting import formatted
from policy_engine.cli.output import write
from policy_engine.cli.shared import find_rules, say
from policy_engine.document import read_text
from policy_engine.errors import Place, Problem, RulesError

DONE, WOULD_CHANGE = 0, 1


@click.command()
@click.argument("paths", metavar="[FILE|DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Change nothing; list the files that are laid out otherwise."
)
def fmt(paths: tuple[Path, ...], check: bool) -> int:
    """Lay rule files out one way, comments kept and the meaning as it is.

    A DIR is a folder of rules, `*/*.yaml`, or of one ruleset. Default: `rules/` here or above.
    A file that is not sound by itself is left as it is, and so is one whose digest would change.
    With --check it ends with 1 if a file is laid out otherwise.
    """
    texts = {path: read_text(path) for path in _files(paths)}
    made = _formatted(texts)
    others = [path for path, text in made.items() if text != texts[path]]
    for path in others:
        click.echo(path.as_posix())
        if not check:
            write(made[path], path)
    say(_told(len(texts), len(others), check))
    return WOULD_CHANGE if check and others else DONE


def _formatted(texts: dict[Path, str]) -> dict[Path, str]:
    """Each file's text laid out. Raises RulesError with the problems of all, and changes none."""
    made, problems = {}, list[Problem]()
    for path, text in texts.items():
        try:
            made[path] = formatted(text, path.as_posix())
        except RulesError as error:
            problems += error.problems
    if problems:
        raise RulesError(problems)
    return made


def _told(files: int, others: int, check: bool) -> str:
    """How many files there are, and what became of them."""
    counted = "1 file" if files == 1 else f"{files} files"
    if not others:
        return f"{counted}: nothing to lay out"
    if check:
        return f"{counted}, {others} laid out otherwise; to lay them out: policy-engine fmt"
    record = "then record them: policy-engine check --record"
    return f"{counted}, {others} laid out anew, the meaning unchanged; {record}"


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """The rule files that are named, or that folders hold. Raises RulesError."""
    found = [file for path in paths or (_rules(),) for file in _held(path)]
    return list(dict.fromkeys(found))


def _held(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    held = sorted([*path.glob("*/*.yaml"), *path.glob("*.yaml")])
    if not held:
        hint = "name rule files, or a folder with `<ruleset>/<date>.yaml` files"
        place = Place(path.as_posix())
        raise RulesError([Problem("no-rules", "there are no rule files here", hint, place)])
    return held


def _rules() -> Path:
    folder = find_rules()
    if folder is None:
        raise click.UsageError("there is no `rules/` here or above: name files or a folder")
    return folder
