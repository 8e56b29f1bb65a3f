"""`policy-engine portfolio`: a whole book of accounts decided, from file to file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policy_engine.books import check_there
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import (
    JSON,
    TEXT,
    Asked,
    at_option,
    check_columns,
    known_at_option,
    placed,
    rules_option,
    say,
)
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.numbers import instant, instant_text

if TYPE_CHECKING:
    from policy_engine.portfolio.files.run import Finished, Order, Watch
    from policy_engine.portfolio.files.sources import Source

CSV = "csv"
FORMATS = ("parquet", "arrow", "csv", "jsonl")
DONE, ANSWER_IS_NO = 0, 1


@click.command()
@click.argument("accounts", metavar="ACCOUNTS")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="The file of answers, a row for each account. Without it, they are only counted.",
)
@click.option(
    "--from", "read_as", type=click.Choice(FORMATS), help="Format of ACCOUNTS, if not by its name."
)
@click.option(
    "--to", "write_as", type=click.Choice(FORMATS), help="Format of OUT, if not by its name."
)
@click.option("--exact", is_flag=True, help="Values as exact texts, not as doubles. Takes longer.")
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that decide.",
)
@click.option(
    "--sql",
    "query",
    metavar="QUERY",
    help="Print what this finds in the table `results` of the answers, not the summary.",
)
@rules_option
@at_option
@known_at_option
@click.option(
    "--format",
    type=click.Choice([TEXT, JSON, CSV]),
    default=TEXT,
    show_default=True,
    help="Of what is printed; csv is for --sql.",
)
def portfolio(
    accounts: str,
    output: Path | None,
    read_as: str | None,
    write_as: str | None,
    exact: bool,
    processes: int,
    query: str | None,
    rules: Path | None,
    at: datetime | None,
    known_at: datetime | None,
    format: str,
) -> int:
    """Decide a whole book: a row in, a row out, in their order, and a summary.

    ACCOUNTS has an account in every row, with the fields of a snapshot: Parquet, Arrow, CSV (lists
    are JSON in their cells) or JSON Lines (`-` is stdin), told by its name. A run that is ended
    early goes on where it stopped when it is run again. Rows in error end it with 1.
    """
    if format == CSV and query is None:
        raise click.UsageError("--format csv prints what --sql finds; there is no --sql here")
    check_columns("whole books are decided")
    _check_output(output, accounts)
    asked = Asked(rules, at, known_at, format)
    source = _source(accounts, read_as)
    order = _order(source, asked, output, write_as, exact, processes, query)
    finished = _run(order)
    asked.answer(_rendered(finished, order, asked))
    _say(finished, query is not None)
    return ANSWER_IS_NO if finished.tally.errors else DONE


# --- what is asked --------------------------------------------------------------------------------


def _check_output(output: Path | None, accounts: str) -> None:
    if output is None:
        return
    if str(output) == "-":
        raise click.UsageError("-o takes a file: an answer is there whole or not at all")
    if output.exists() and not output.is_file():
        message, hint = "not written: this is no file", "choose another file"
        raise PolicyError([Problem("cannot-write", message, hint, Place(str(output)))])
    if output.exists() and Path(accounts).exists() and output.samefile(accounts):
        message, hint = "not written: the accounts are read from it", "choose another file"
        raise PolicyError([Problem("cannot-write", message, hint, Place(str(output)))])


def _source(accounts: str, read_as: str | None) -> Source:
    """The file of accounts. Raises PolicyError where it is not there or its format is not told."""
    from policy_engine.books.formats import JSONL, format_of
    from policy_engine.portfolio.files.sources import STDIN, Source

    if accounts == STDIN:
        return Source(accounts, read_as or JSONL)
    path = Path(accounts)
    check_there(path)
    return Source(accounts, read_as or format_of(accounts, "--from"))


def _order(
    source: Source,
    asked: Asked,
    output: Path | None,
    write_as: str | None,
    exact: bool,
    processes: int,
    query: str | None,
) -> Order:
    """What is to be decided; without --at, a run begun before is gone on with at its instant."""
    from policy_engine.books.formats import PARQUET, format_of
    from policy_engine.portfolio.files.run import Order

    to = PARQUET if output is None else write_as or format_of(str(output), "--to")
    before = _earlier_moment(output) if asked.at is None else None
    book = asked.rulebook()
    if before is not None:
        rules = book.in_force(before, asked.known_at)
        order = Order(source, rules, output, to, exact, processes, query)
        if _can_go_on(order):
            say(f"at: {instant_text(before)}, as the run begun before")
            return order
    rules = asked.in_force(book)
    return Order(source, rules, output, to, exact, processes, query)


def _can_go_on(order: Order) -> bool:
    from policy_engine.portfolio.files.run import can_go_on

    return can_go_on(order)


def _earlier_moment(output: Path | None) -> datetime | None:
    from policy_engine.portfolio.files.parts import begun

    held = begun(output) if output is not None else None
    try:
        return instant(held["--at"]) if isinstance(held, dict) else None
    except (KeyError, ValueError):
        return None


# --- how it goes ----------------------------------------------------------------------------------


def _run(order: Order) -> Finished:
    from policy_engine.portfolio.files.run import run

    try:
        with _watch() as watch, placed(lambda _: order.source.called):
            return run(order, watch)
    except KeyboardInterrupt:
        if order.output is not None:
            say(f"stopped; {_left(order.output)}")
        raise


def _left(output: Path) -> str:
    from policy_engine.portfolio.files.parts import kept

    if kept(output):
        return "run it again to go on from here"
    return "it was too short for anything to be kept, so it begins anew when it is run again"


@contextmanager
def _watch() -> Iterator[Watch]:
    """A bar on stderr where that is a terminal."""
    from policy_engine.portfolio.files.run import Watch

    if not sys.stderr.isatty():
        yield Watch(say=say)
        return
    from rich.console import Console
    from rich.progress import Progress  # slow to import, and seldom needed

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("accounts", total=None)
        yield Watch(
            lambda done, of: bar.update(task, completed=done, total=of),
            lambda text: bar.console.print(text, markup=False, highlight=False),
        )


# --- what is printed ------------------------------------------------------------------------------


def _rendered(finished: Finished, order: Order, asked: Asked) -> str:
    from policy_engine.render import portfolio as text
    from policy_engine.render.layout import Page

    if finished.found is not None:
        return text.found(finished.found, asked.format)
    summary = text.Summary(
        finished.tally, order.rules, order.source.called, str(order.output or "")
    )
    if asked.format == JSON:
        return text.to_json(summary)
    return text.render(summary, Page(terminal_columns(None), colour_wanted(None)))


def _say(finished: Finished, instead: bool) -> None:
    tally = finished.tally
    if tally.errors:
        say(f"in error: {tally.errors:,} of {tally.accounts:,} accounts")
        if instead:
            for row, account, error in tally.wrong:
                say(f"  row {row:,}, {account or 'no account'}: {error}")
