"""`policy-engine test`: whether the cases come out as they say."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from policy_engine.cases import Case, load_cases, run
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, TEXT, Asked, find_rules
from policy_engine.errors import Place, Problem, RulesError
from policy_engine.render.cases import render, to_json
from policy_engine.render.layout import Page
from policy_engine.shipped import rules_folder

PASSED, FAILED = 0, 1
LONG_RUN = 2_000
"""From this many cases on, a terminal shows how far the run is."""


@click.command()
@click.option(
    "--rules",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of rules. Default: `rules/` here or above, else the shipped ones.",
)
@click.option(
    "--cases",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of cases. Default: `tests/cases` beside the rules.",
)
@click.option("--format", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the result to a file, whole or not at all.",
)
def test(rules: Path | None, cases: Path | None, format: str, output: Path | None) -> int:
    """Decide the snapshot of each case, or ask what it requests, and compare with what it expects.

    It ends with 1 if a case came out otherwise.
    """
    asked = Asked(rules=rules, format=format, output=output)
    book = asked.rulebook()
    found = load_cases(cases if cases is not None else _beside(rules or find_rules()))
    outcomes = [(case, run(book, case)) for case in _shown(found)]
    page = Page(terminal_columns(output), colour_wanted(output))
    asked.answer(to_json(outcomes) if format == JSON else render(outcomes, page))
    return FAILED if any(differences for _, differences in outcomes) else PASSED


def _beside(rules: Path | None) -> Path:
    """The folder of cases that belongs to a folder of rules. Raises RulesError if there is none."""
    folder = (rules or rules_folder()).parent / "tests" / "cases"
    if not folder.is_dir():
        hint = "name the folder of the cases: --cases DIR"
        message = "there are no cases beside these rules"
        raise RulesError([Problem("no-cases", message, hint, Place(folder.as_posix()))])
    return folder


def _shown(cases: list[Case]) -> Iterable[Case]:
    """The cases, with a bar on a terminal while a long run goes on."""
    if len(cases) < LONG_RUN or not sys.stderr.isatty():
        return cases
    from rich.console import Console  # slow to import, seldom needed
    from rich.progress import track

    console = Console(stderr=True)
    return track(cases, description="cases", console=console, transient=True)
