"""`policy-engine test`: whether the cases come out as they say, and what they would miss."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from policy_engine.cases import Case, load_cases, run
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import (
    JSON,
    Asked,
    find_rules,
    format_option,
    output_option,
    rules_option,
)
from policy_engine.errors import Place, Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.render.cases import render, to_json
from policy_engine.render.layout import Page
from policy_engine.rulebook import Rulebook
from policy_engine.shipped import rules_folder

PASSED, FAILED = 0, 1
LONG_RUN = 2_000
"""From this many cases on, a terminal shows how far the run is."""

T = TypeVar("T")


@click.command()
@rules_option
@click.option(
    "--cases",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of cases. Default: `tests/cases` beside the rules.",
)
@click.option("--coverage", is_flag=True, help="Tell what of the rules the cases make happen.")
@click.option("--alike-once", is_flag=True, help="Count what versions say alike only once.")
@click.option("--listed", is_flag=True, help="List what is covered too, with the case that does.")
@click.option("--each-needed", is_flag=True, help="End with 1 where a case covers nothing new.")
@click.option("--mutate", is_flag=True, help="Tell which mistakes in the rules no case notices.")
@click.option("--only", metavar="RULESET@VERSION", multiple=True, help="Mistakes there only.")
@click.option("--operators", metavar="NAME,…", help="Mistakes of these kinds only.")
@click.option("--jobs", metavar="N", type=click.IntRange(1), help="Processes. Default: all cores.")
@click.option(
    "--fail-under",
    metavar="N",
    type=click.IntRange(0, 100),
    help="End with 1 where a percentage is below N.",
)
@format_option
@output_option
def test(
    rules: Path | None,
    cases: Path | None,
    coverage: bool,
    alike_once: bool,
    listed: bool,
    each_needed: bool,
    mutate: bool,
    only: tuple[str, ...],
    operators: str | None,
    jobs: int | None,
    fail_under: int | None,
    format: str,
    output: Path | None,
) -> int:
    """Decide the snapshot of each case, or ask what it requests, and compare with what it expects.

    With `--coverage`, which parts of the rules the cases reach; with `--mutate`, which small
    mistakes made in the rules on purpose no case would notice. It ends with 1 if a case came out
    otherwise.
    """
    covers, mutates = alike_once or listed or each_needed, bool(only or operators or jobs)
    _check(coverage, mutate, fail_under, covers, mutates)
    asked = Asked(rules=rules, format=format, output=output)
    book = asked.rulebook()
    folder = cases if cases is not None else _beside(rules or find_rules())
    found = load_cases(folder)
    outcomes = [(case, run(book, case)) for case in _shown(found, len(found) >= LONG_RUN)]
    page = Page(terminal_columns(output), colour_wanted(output))
    if any(differences for _, differences in outcomes) or not (coverage or mutate):
        asked.answer(to_json(outcomes) if format == JSON else render(outcomes, page))
        return FAILED if any(differences for _, differences in outcomes) else PASSED
    if coverage:
        under = fail_under or 0
        return _cover(asked, book, found, page, alike_once, listed, under, each_needed)
    return _mutate(asked, book, found, folder, page, only, operators, jobs, fail_under or 0)


def _check(coverage: bool, mutate: bool, under: int | None, covers: bool, mutates: bool) -> None:
    """Raise click.UsageError for options that say nothing together."""
    if coverage and mutate:
        raise click.UsageError("ask for `--coverage` or for `--mutate`, one at a time")
    if covers and not coverage:
        raise click.UsageError(
            "`--alike-once`, `--listed` and `--each-needed` go with `--coverage`"
        )
    if mutates and not mutate:
        raise click.UsageError("`--only`, `--operators` and `--jobs` go with `--mutate`")
    if under is not None and not (coverage or mutate):
        raise click.UsageError("`--fail-under` goes with `--coverage` or `--mutate`")


def _cover(
    asked: Asked,
    book: Rulebook,
    cases: Sequence[Case],
    page: Page,
    alike_once: bool,
    listed: bool,
    under: int,
    each_needed: bool,
) -> int:
    from policy_engine.coverage import coverage  # not needed to run cases
    from policy_engine.render import coverage as rendered

    found = coverage(book, cases, alike_once)
    text = rendered.render(found, page, listed)
    asked.answer(rendered.to_json(found) if asked.format == JSON else text)
    idle = each_needed and bool(found.idle)
    return FAILED if idle or rendered.lowest(found) < under else PASSED


def _mutate(
    asked: Asked,
    book: Rulebook,
    cases: Sequence[Case],
    folder: Path,
    page: Page,
    only: tuple[str, ...],
    operators: str | None,
    jobs: int | None,
    under: int,
) -> int:
    from policy_engine.mutation import mutation  # not needed to run cases
    from policy_engine.mutation.trial import prepared, tried, wanted
    from policy_engine.render import mutation as rendered

    trial = prepared(book, cases)
    named = _operators(operators, sorted({one.operator for one in trial.mutants}))
    positions = wanted(trial, _versions(book, only), named)
    outcomes = tried(trial, positions, folder, jobs or os.cpu_count() or 1)
    found = mutation(trial, list(_shown(outcomes, True, len(positions), "mistakes")))
    asked.answer(rendered.to_json(found) if asked.format == JSON else rendered.render(found, page))
    return FAILED if found.percent < under else PASSED


def _versions(book: Rulebook, only: tuple[str, ...]) -> tuple[Version, ...]:
    return tuple(map(book.version, only)) if only else book.versions


def _operators(text: str | None, known: Sequence[str]) -> list[str] | None:
    """The operators named. Raises click.BadParameter for one that there is not."""
    if text is None:
        return None
    named = [name.strip() for name in text.split(",")]
    for name in named:
        if name not in known:
            hint = did_you_mean(name, known) or f"mistakes: {', '.join(known)}"
            raise click.BadParameter(f"there is no mistake `{name}`; {hint}")
    return named


def _beside(rules: Path | None) -> Path:
    """The folder of cases that belongs to a folder of rules. Raises RulesError if there is none."""
    folder = (rules or rules_folder()).parent / "tests" / "cases"
    if not folder.is_dir():
        hint = "name the folder of the cases: --cases DIR"
        message = "there are no cases beside these rules"
        raise RulesError([Problem("no-cases", message, hint, Place(folder.as_posix()))])
    return folder


def _shown(
    items: Iterable[T], long: bool, total: int | None = None, what: str = "cases"
) -> Iterable[T]:
    """The items, with a bar on a terminal while a long run goes on."""
    if not long or not sys.stderr.isatty():
        return items
    from rich.console import Console  # slow to import, seldom needed
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, total, console=console, transient=True)
