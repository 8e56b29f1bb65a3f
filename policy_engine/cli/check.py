"""`policy-engine check`: what is wrong with the rule files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from policy_engine.cli.checking import Scope, case_folder, case_texts, look, unapproved
from policy_engine.cli.output import write
from policy_engine.cli.shared import (
    JSON,
    TEXT,
    Asked,
    find_rules,
    moment,
    output_option,
    rules_option,
    say,
)
from policy_engine.errors import did_you_mean
from policy_engine.render.findings import render, render_codes, render_page, to_github, to_json
from policy_engine.rulebook import Rulebook
from policy_engine.shipped import rules_folder
from policy_engine.stamps import STAMPS, with_cases

GITHUB = "github"
SOUND, FOUND = 0, 1
_FORMS = {TEXT: render, JSON: to_json, GITHUB: to_github}


@click.command()
@rules_option
@click.option(
    "--cases",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of cases, whose files are checked too. Default: `tests/cases` beside the rules.",
)
@click.option(
    "--sources",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of saved sources, `<source>.txt` or `.md`: do the quotes stand in them?",
)
@click.option("--strict", is_flag=True, help="Also what decides nothing wrongly: see --codes.")
@click.option("--full", is_flag=True, help="Also what is on record as found sound.")
@click.option("--at", metavar="T", type=moment, help="Versions in force by then. Default: now.")
@click.option("--format", type=click.Choice(list(_FORMS)), default=TEXT, show_default=True)
@output_option
@click.option(
    "--record",
    is_flag=True,
    help="Record the files as sound in `digests.json` beside them, if nothing is wrong.",
)
@click.option("--allow-edit", is_flag=True, help="Versions in force may mean what they did not.")
@click.option(
    "--require-approvals",
    "needed",
    metavar="N",
    type=click.IntRange(1),
    help="Every version is approved by N people, none of them who proposed it.",
)
@click.option(
    "--approvals-since",
    "since",
    metavar="T",
    type=moment,
    help="Versions that take effect before T need no approval.",
)
@click.option("--explain", metavar="CODE", help="What a check finds, why, and what to write.")
@click.option("--codes", is_flag=True, help="All checks, as a Markdown table.")
def check(
    rules: Path | None,
    cases: Path | None,
    sources: Path | None,
    strict: bool,
    full: bool,
    at: datetime | None,
    format: str,
    output: Path | None,
    record: bool,
    allow_edit: bool,
    needed: int | None,
    since: datetime | None,
    explain: str | None,
    codes: bool,
) -> int:
    """What is wrong with the rule files, each alone and in force together.

    Files on record as sound, all of them and no other, are not checked again, unless with --full.
    It ends with 1 if anything is wrong, and with 2 if the files cannot be read.
    """
    asked = Asked(rules=rules, format=format, output=output)
    if explain or codes:
        asked.answer(_page(explain) if explain else _codes())
        return SOUND
    folder = rules or find_rules() or rules_folder()
    now = at or datetime.now(UTC)
    scope = Scope(folder, cases, sources, now, strict, full or record, allow_edit)
    found = look(asked, scope)
    if needed is not None:
        found = replace(found, problems=(*found.problems, *unapproved(folder, needed, since)))
    asked.answer(_FORMS[format](found)) if found.problems or format != GITHUB else None
    if record and not found.problems:
        _record(scope)
    return FOUND if found.problems else SOUND


def _record(scope: Scope) -> None:
    folder = case_folder(scope)
    texts = case_texts(folder).values() if folder else ()
    write(with_cases(Rulebook.load(scope.folder, full=True).record(), texts), scope.folder / STAMPS)
    say(f"recorded: {(scope.folder / STAMPS).as_posix()}")


def _page(code: str) -> str:
    """What is told of a check. Raises click.UsageError for a code that none has."""
    from policy_engine.checks import pages  # not needed to look

    held = pages()
    if code not in held:
        hint = did_you_mean(code, held) or "`policy-engine check --codes` lists those that have one"
        raise click.UsageError(f"there is no page about `{code}`; {hint}")
    return render_page(held[code])


def _codes() -> str:
    from policy_engine.checks import pages  # not needed to look

    return render_codes(pages().values())
