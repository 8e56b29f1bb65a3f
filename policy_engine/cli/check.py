"""`policy-engine check`: what is wrong with the rule files."""

from __future__ import annotations

from pathlib import Path

import click

from policy_engine.cases import load_cases
from policy_engine.checks import combinations, findings
from policy_engine.checks.files import unread_files
from policy_engine.cli.output import write
from policy_engine.cli.shared import (
    JSON,
    Asked,
    find_rules,
    format_option,
    output_option,
    rules_option,
    say,
)
from policy_engine.errors import Problem, RulesError
from policy_engine.render.findings import Findings, render, to_json
from policy_engine.rulebook import Rulebook
from policy_engine.shipped import rules_folder
from policy_engine.stamps import STAMPS

SOUND, FOUND = 0, 1
NOT_LOOKED_AT = frozenset({"no-rules", "no-cases", "no-such-file", "not-a-file", "unreadable-file"})
"""Codes of what keeps anybody from looking; every other problem is a finding."""


@click.command()
@rules_option
@click.option(
    "--cases",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of cases, whose files are checked too. Default: `tests/cases` beside the rules.",
)
@format_option
@output_option
@click.option(
    "--record",
    is_flag=True,
    help="Record the files as sound in `digests.json` beside them, if nothing is wrong.",
)
def check(
    rules: Path | None, cases: Path | None, record: bool, format: str, output: Path | None
) -> int:
    """What is wrong with the rule files, each alone and in force together.

    It ends with 1 if anything is, and with 2 if the files cannot be read.
    """
    asked = Asked(rules=rules, format=format, output=output)
    folder = rules or find_rules() or rules_folder()
    found = _of_rules(asked, folder).and_of(_of_cases(cases, folder))
    asked.answer(to_json(found) if format == JSON else render(found))
    if record and not found.problems:
        write(Rulebook.load(folder).record(), folder / STAMPS)
        say(f"recorded: {(folder / STAMPS).as_posix()}")
    return FOUND if found.problems else SOUND


def _of_rules(asked: Asked, folder: Path) -> Findings:
    stray = tuple(unread_files(folder))
    files = len(list(folder.glob("*/*.yaml")))
    try:
        book = asked.rulebook(full=True)
    except RulesError as error:
        return Findings((*_seen(error), *stray), files)
    deciding = {version.ruleset for version in book.versions if version.applies_when}
    made = len(combinations(book))
    return Findings((*findings(book), *stray), files, len(book.versions), len(deciding), made)


def _of_cases(cases: Path | None, folder: Path) -> Findings:
    """What is wrong with case files; whether a case comes out as it says is for `test` to tell."""
    beside = folder.parent / "tests" / "cases"
    if cases is None and not beside.is_dir():
        say("no cases beside these rules, so none are checked (name their folder with --cases)")
        return Findings()
    try:
        return Findings(cases=len(load_cases(cases or beside)))
    except RulesError as error:
        return Findings(_seen(error))


def _seen(error: RulesError) -> tuple[Problem, ...]:
    """The problems as findings. Raises the error where they kept us from looking."""
    if any(problem.code in NOT_LOOKED_AT for problem in error.problems):
        raise error
    return error.problems
