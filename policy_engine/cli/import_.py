"""`policy-engine import`: responses of an exchange's API as a new rule file, or as prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from policy_engine.authoring.formatting import FOR_EDITORS
from policy_engine.authoring.scaffold import Heading
from policy_engine.cli.given import read_value, shown_path
from policy_engine.cli.import_csv import CSV, import_csv
from policy_engine.cli.importing import (
    NOT_WRITTEN,
    WRITTEN,
    refuse_existing,
    say_next,
    show,
    target,
    told,
    write_made,
)
from policy_engine.cli.shared import (
    moment,
    output_option,
    rules_option,
    say,
)
from policy_engine.document import read_text
from policy_engine.model import Version
from policy_engine.render.imported import in_force_text, render
from policy_engine.render.layout import Page
from policy_engine.render.yaml import to_yaml
from policy_engine.sources import Part
from policy_engine.sources.imports import IMPORTS
from policy_engine.sources.understood import ACCEPTABLE, OfPrices, Terms


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--from",
    "source",
    type=click.Choice([*IMPORTS, CSV]),
    required=True,
    help="Whose responses these are, or `csv` for one that `export` wrote.",
)
@rules_option
@click.option(
    "--effective-from", metavar="T", type=moment, help="From when the figures apply (for rules)."
)
@click.option(
    "--announced-at", metavar="T", type=moment, help="When they were made known, if that is known."
)
@click.option(
    "--fetched-on", metavar="DAY", type=moment, help="The day of the responses. Default: today."
)
@click.option(
    "--accept",
    "accepted",
    metavar="CODE",
    multiple=True,
    type=click.Choice(list(ACCEPTABLE)),
    help="Take the responses in spite of findings of this code; the file notes them."
    f" Codes: {', '.join(ACCEPTABLE)}.",
)
@click.option("--of", metavar="RULESET NAME", nargs=2, help="Whose figures the CSV file holds.")
@click.option("--summary", metavar="TEXT", default="", help="What the version with them changes.")
@click.option("--dry-run", is_flag=True, help="Show what was understood, on stdout; write nothing.")
@output_option
def import_(
    files: tuple[str, ...],
    source: str,
    rules: Path | None,
    effective_from: datetime | None,
    announced_at: datetime | None,
    fetched_on: datetime | None,
    accepted: tuple[str, ...],
    of: tuple[str, str] | None,
    summary: str,
    dry_run: bool,
    output: Path | None,
) -> int:
    """Responses of an exchange's API as a new version of a ruleset, or as a file of prices.

    Each FILE holds the body of a response as it came, all of one kind; what kind is told by its
    keys. What was understood is shown first; nothing is written where a finding is left, or where
    the rules with the new file would not pass `check`. It ends with 1 then.
    """
    if source == CSV:
        if accepted or fetched_on:
            raise click.UsageError("--accept and --fetched-on are about responses, not about CSV")
        heading = Heading(_start(effective_from), announced_at, summary)
        return import_csv(files, of, rules, heading, output, dry_run)
    if of or summary:
        raise click.UsageError("--of and --summary go with --from csv: a response tells both")
    parts = [Part(read_value(path), shown_path(path)) for path in files]
    kind = IMPORTS[source](parts)
    if isinstance(kind, OfPrices):
        if effective_from or announced_at:
            raise click.UsageError("these are prices: they take effect when they are used")
        made = kind.prices(parts)
        show(render(made.understanding, Page()), dry_run)
        write_made(_json(made.document), output, dry_run)
        return WRITTEN
    start = _start(effective_from)
    refuse_existing(output)
    aim = target(kind.ruleset, rules, start)
    terms = Terms(start, announced_at, _day(fetched_on), frozenset(accepted))
    made = kind.version(parts, aim.before, terms)
    in_force = in_force_text(start, aim.before, aim.after)
    show(render(made.understanding, Page(), in_force), dry_run)
    text = to_yaml(made.document, _first_line(aim.before))
    if made.understanding.findings or told(aim.problems(text)):
        say("nothing is written")
        return NOT_WRITTEN
    write_made(text, output, dry_run)
    say_next(aim, rules)
    return WRITTEN


def _start(effective_from: datetime | None) -> datetime:
    if effective_from is None:
        raise click.UsageError("say from when these rules are in force: --effective-from T")
    return effective_from


def _day(fetched_on: datetime | None) -> str:
    """The day of the responses: the one given, else today, which stderr says."""
    day = f"{fetched_on or datetime.now(UTC):%Y-%m-%d}"
    if fetched_on is None:
        say(f"fetched on: {day}, today (choose another day with --fetched-on)")
    return day


def _first_line(before: Version) -> str:
    """The line that tells editors of the schema, where the version before has one."""
    first = read_text(Path(before.path)).partition("\n")[0]
    return first if first.startswith(FOR_EDITORS) else ""


def _json(prices: Mapping[str, Any]) -> str:
    return json.dumps(prices, indent=2, ensure_ascii=False) + "\n"
