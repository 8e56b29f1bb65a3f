"""`policy-engine impact`: what a change of the rules does to a book of accounts."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from policy_engine.books import Book, Row, check_there, open_book
from policy_engine.books.formats import ARROW, ENDINGS, PARQUET
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import (
    JSON,
    TEXT,
    Asked,
    at_option,
    check_columns,
    known_at_option,
    output_option,
    placed,
    rules_option,
    say,
)
from policy_engine.cli.sides import Sides, both_sides
from policy_engine.errors import Place
from policy_engine.impact.conditions import Condition, check_names, condition
from policy_engine.impact.measure import impact as measured
from policy_engine.impact.model import Impact
from policy_engine.numbers import instant_text
from policy_engine.render import impact as text
from policy_engine.render import impact_json, impact_markdown
from policy_engine.render.layout import Page

MARKDOWN, HTML = "markdown", "html"
DONE, ANSWER_IS_NO = 0, 1
MOST = 20


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--accounts",
    "accounts",
    metavar="FILE",
    required=True,
    help="The accounts: JSON Lines (`-` is stdin), CSV (.csv), Parquet (.parquet) or Arrow "
    "(.arrow).",
)
@click.option(
    "--figures/--no-figures",
    default=None,
    help="Whether figures are compared too, account by account, which takes longer. Unless said, "
    "Parquet and Arrow of more than 100,000 accounts leave them out.",
)
@click.option(
    "--fail-on",
    metavar="CONDITION",
    multiple=True,
    help="End with 1 if it holds, such as `new <status> > 0`, `lost <permission> > 1%`, "
    "`flipped > 10`, `errors > 0` or `undetermined > 0`.",
)
@click.option(
    "--most",
    metavar="N",
    type=click.IntRange(min=0),
    default=MOST,
    show_default=True,
    help="Accounts shown one by one; JSON has all.",
)
@rules_option
@at_option
@known_at_option
@click.option(
    "--format", type=click.Choice([TEXT, JSON, MARKDOWN, HTML]), default=TEXT, show_default=True
)
@output_option
def impact(
    old: str,
    new: str,
    accounts: str,
    figures: bool | None,
    fail_on: tuple[str, ...],
    most: int,
    rules: Path | None,
    at: datetime | None,
    known_at: datetime | None,
    format: str,
    output: Path | None,
) -> int:
    """What a change of the rules does to a book of accounts: who flips, by how much, and why.

    OLD and NEW are each a day or instant, the id of a version (among the others then in force), or
    a folder of rules. FILE has an account on every row, with the fields of a snapshot; in CSV,
    lists are JSON in their cells. Rows in error are counted apart, and end it with 1.
    """
    asked = Asked(rules, at, known_at, format, output)
    conditions = [condition(one) for one in fail_on]
    sides = both_sides(old, new, asked)
    check_names(conditions, sides.old, sides.new)
    with placed(lambda _: "OLD, NEW"):
        found = _measured(sides, (old, new), accounts, figures)
    held = [one for one in conditions if one.holds(found)]
    command = _command(old, new, accounts, figures, most, asked)
    if format == HTML:
        asked.answer(_page(found, sides, command, most))
    else:
        asked.answer(_rendered(found, command, asked, most))
    _say(found, held)
    return ANSWER_IS_NO if held or found.counts.errors else DONE


def _measured(sides: Sides, names: tuple[str, str], accounts: str, figures: bool | None) -> Impact:
    """What comes of a book, told by the end of its name. Raises PolicyError for what is none."""
    kind = ENDINGS.get(Path(accounts).suffix.lower())
    if kind in (PARQUET, ARROW):
        return _of_table(sides, names, accounts, kind, figures)
    if figures is False:
        raise click.UsageError("--no-figures is for accounts in Parquet or Arrow")
    book = open_book(accounts)
    return measured(*sides, _watched(book), names, book.name)


def _of_table(
    sides: Sides, names: tuple[str, str], accounts: str, kind: str, figures: bool | None
) -> Impact:
    """The same of Parquet and Arrow, which numpy and pyarrow read: they may not be installed."""
    check_columns("Parquet and Arrow are read", Place(accounts))
    from policy_engine.impact.table import Change
    from policy_engine.impact.table import impact as measured_table
    from policy_engine.portfolio.files.sources import Source

    check_there(Path(accounts))
    with _bar() as progress:
        return measured_table(Change(*sides, names), Source(accounts, kind), figures, progress)


def _rendered(found: Impact, command: str, asked: Asked, most: int) -> str:
    if asked.format == JSON:
        return impact_json.to_json(found, command)
    if asked.format == MARKDOWN:
        return impact_markdown.render(found, command, most)
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    return text.render(found, command, page, most)


def _page(found: Impact, sides: Sides, command: str, most: int) -> str:
    """The impact as a page; jinja2 is slow to import, and is wanted for pages only."""
    from policy_engine.render.html import State, impact_page

    old, new = (
        State(side.name, tuple(rules.versions.values()))
        for side, rules in ((found.old, sides.old), (found.new, sides.new))
    )
    return impact_page(found, old, new, command, most)


def _say(found: Impact, held: Sequence[Condition]) -> None:
    if found.counts.errors:
        say(f"in error: {found.counts.errors} of {found.counts.accounts} accounts")
    for one in held:
        say(f"--fail-on: {one.text}: {one.count(found)} of {found.counts.accounts} accounts")


def _command(
    old: str, new: str, accounts: str, figures: bool | None, most: int, asked: Asked
) -> str:
    """The command line that gives the report again, quoted for a shell."""
    words = ["policy-engine", "impact", old, new, "--accounts", accounts]
    words += [] if figures is None else ["--figures" if figures else "--no-figures"]
    words += [] if asked.rules is None else ["--rules", asked.rules.as_posix()]
    words += [] if asked.at is None else ["--at", instant_text(asked.at)]
    words += [] if asked.known_at is None else ["--known-at", instant_text(asked.known_at)]
    words += [] if asked.format == TEXT else ["--format", asked.format]
    words += [] if most == MOST or asked.format == JSON else ["--most", str(most)]
    return shlex.join(words)


# --- progress -------------------------------------------------------------------------------------


@contextmanager
def _bar() -> Iterator[Callable[[int, int | None], None]]:
    """What is told how far the book has been read: a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda read, of: None
        return
    from rich.console import Console
    from rich.progress import Progress  # slow to import, and seldom needed

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("accounts", total=None)
        yield lambda read, of: bar.update(task, completed=read, total=of)


def _watched(book: Book) -> Iterator[Row]:
    """The rows, with how far the book has been read."""
    with _bar() as progress:
        for row in book.rows:
            yield row
            progress(row.end, book.length)
