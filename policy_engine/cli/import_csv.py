"""`policy-engine import --from csv`: tiers or rows from a CSV file as a new version."""

from __future__ import annotations

from pathlib import Path

import click

from policy_engine.authoring.comments import comments_of
from policy_engine.authoring.csv_figures import Figures
from policy_engine.authoring.csv_rules import figures_from_csv, figures_of
from policy_engine.authoring.csv_understood import understanding
from policy_engine.authoring.formatting import version_of
from policy_engine.authoring.scaffold import Heading, scaffold, with_member
from policy_engine.cli.importing import (
    NOT_WRITTEN,
    WRITTEN,
    Target,
    refuse_existing,
    say_next,
    show,
    target,
    told,
    write_made,
)
from policy_engine.cli.shared import placed, say
from policy_engine.document import read_text
from policy_engine.errors import PolicyError
from policy_engine.render.imported import in_force_text, render
from policy_engine.render.layout import Page

CSV = "csv"


def import_csv(
    files: tuple[str, ...],
    of: tuple[str, str] | None,
    rules: Path | None,
    heading: Heading,
    output: Path | None,
    dry_run: bool,
) -> int:
    """The exit status after a new version with the figures of a CSV file has been written."""
    if of is None:
        raise click.UsageError("say which figures these are: --of RULESET NAME")
    if len(files) > 1:
        raise click.UsageError(
            "one CSV file holds the figures of one scale or table: import it alone"
        )
    if not heading.summary:
        raise click.UsageError("say what the version changes: --summary TEXT")
    refuse_existing(output)
    aim = target(of[0], rules, heading.effective_from)
    with placed(lambda _: "--of"):
        figures = figures_of(aim.before, of[1])
    text, comments = _text(read_text(Path(files[0]), PolicyError), files[0], figures, aim, heading)
    problems = aim.problems(text)
    if problems:
        told(problems)
        say("nothing is written")
        return NOT_WRITTEN
    made = version_of(text, aim.path.as_posix())
    in_force = in_force_text(heading.effective_from, aim.before, aim.after)
    understood = understanding(figures, aim.before, made, comments)
    show(render(understood, Page(), in_force), dry_run)
    write_made(text, output, dry_run)
    say_next(aim, rules)
    return WRITTEN


def _text(csv: str, path: str, figures: Figures, aim: Target, heading: Heading) -> tuple[str, int]:
    """The text of the new version, and how many comments it has no place for."""
    held = figures_from_csv(csv, path, figures)
    before = scaffold(read_text(Path(aim.before.path)), heading)
    text = with_member(before, (figures.section, figures.name, figures.key), held)
    return text, len(comments_of(before, path)) - len(comments_of(text, path))
