"""`policy-engine log`: decisions kept so that what was decided can be proved."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from policy_engine.cli.given import STDIN, Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import (
    JSON,
    Asked,
    asked_options,
    format_option,
    output_option,
    placed,
    rules_option,
    say,
)
from policy_engine.document.text import shortened
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.log import Recovered, append, read_checkpoint, records, replay, verify
from policy_engine.log.replay import DIFFERENT, NOT_REPLAYABLE, Replayed
from policy_engine.log.verify import Told
from policy_engine.render import log as pages
from policy_engine.render.layout import Page

GOOD, BROKEN, CANNOT_TELL = 0, 1, 3


def _log(ctx: click.Context, param: click.Parameter, path: Path) -> Path:
    """The file of a log. Raises click.BadParameter for stdin."""
    if str(path) == STDIN:
        raise click.BadParameter("a log is a file: stdin and stdout cannot be one")
    return path


log_argument = click.argument("path", metavar="LOG", type=click.Path(path_type=Path), callback=_log)


@click.group()
def log() -> None:
    """Decisions kept so that what was decided, by which rules and of what, can be proved.

    LOG is a file of JSON Lines to which records are only added.
    """


@log.command("append", short_help="Decide an account and record that.")
@log_argument
@given_options
@asked_options
def append_(path: Path, given: Given, asked: Asked) -> int:
    """Decide an account, and record that at the end of a log.

    The log is made if it is not there. SNAPSHOT is a JSON file, or `-` for stdin. What is printed
    is on the disk; as JSON it is a checkpoint. It ends with 0 whatever the status is.
    """
    _apart(path, asked.output)
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        made = append(path, rules, given.snapshot, _now)
    if made.recovered:
        say(_recovered(made.recovered, path))
    as_json = asked.format == JSON
    text = pages.render_appended(made, path.as_posix(), _page(asked.output))
    asked.answer(made.checkpoint.to_json() if as_json else text)
    return GOOD


@log.command("verify", short_help="Whether a log is as it was written.")
@log_argument
@click.option(
    "--against",
    metavar="CHECKPOINT",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file that `log checkpoint` or `log append --format json` made. May be repeated.",
)
@format_option
@output_option
def verify_(path: Path, against: tuple[Path, ...], format: str, output: Path | None) -> int:
    """Whether a log is as it was written, and which record is the first that is not.

    A checkpoint beside the log, LOG.checkpoint, is compared too. It ends with 1 if anything speaks
    against the log.
    """
    _apart(path, output)
    known = {one.as_posix(): read_checkpoint(one) for one in against}
    with _progress("verifying") as told:
        verdict = verify(path, known, told)
    name = path.as_posix()
    as_json = format == JSON
    text = pages.render_verdict(verdict, name, _page(output))
    Asked(output=output).answer(pages.verdict_json(verdict, name) if as_json else text)
    return GOOD if verdict.sound else BROKEN


@log.command("replay", short_help="Decide each record again.")
@log_argument
@rules_option
@format_option
@output_option
def replay_(path: Path, rules: Path | None, format: str, output: Path | None) -> int:
    """Decide each record again from its input, by the versions of the rules that it names.

    It ends with 1 if a decision comes out different, and with 3 if none does but some records
    cannot be replayed.
    """
    _apart(path, output)
    asked = Asked(rules=rules, output=output)
    book, found = asked.rulebook(), set()

    def noted(replays: Iterator[Replayed]) -> Iterator[Replayed]:
        for one in replays:
            found.add(one.outcome)
            yield one

    with _progress("replaying") as told:
        replays = noted(replay(path, book, told))
        page = _page(output)
        text = (
            pages.replays_json(replays) if format == JSON else pages.render_replays(replays, page)
        )
        answer = "\n".join(text)
    asked.answer(answer)
    return BROKEN if DIFFERENT in found else CANNOT_TELL if NOT_REPLAYABLE in found else GOOD


@log.command("show", short_help="The records, or all that one of them holds.")
@log_argument
@click.argument("sequence", metavar="[SEQUENCE]", type=click.IntRange(1), required=False)
@format_option
@output_option
def show(path: Path, sequence: int | None, format: str, output: Path | None) -> int:
    """The records of a log, or all that one of them holds, as they are in the file.

    Nothing is verified but the hashes of each record.
    """
    _apart(path, output)
    page, as_json = _page(output), format == JSON
    asked = Asked(output=output)
    if sequence is None:
        every = records(path)
        asked.answer(pages.records_json(every) if as_json else pages.render_records(every, page))
        return GOOD
    one = next(islice(records(path), sequence - 1, None), None)
    if one is None:
        message, hint = (
            f"there is no record {sequence}",
            f"policy-engine log show {path.as_posix()}",
        )
        raise PolicyError([Problem("no-such-record", message, hint, Place(str(path)))])
    asked.answer(pages.record_json(one) if as_json else pages.render_record(one, page))
    return GOOD if one.intact else BROKEN


@log.command("checkpoint", short_help="Where a log stands, to be kept elsewhere.")
@log_argument
@format_option
@output_option
def checkpoint(path: Path, format: str, output: Path | None) -> int:
    """Where a log stands: its size, the root of its tree, and its first and last hash.

    Keep it where those who can write the log cannot: `log verify --against` then tells whether the
    log still begins so. It is made only of a log that is sound; otherwise this ends with 1. A file
    is written as JSON.
    """
    _apart(path, output)
    with _progress("verifying") as told:
        verdict = verify(path, told=told)
    if not verdict.sound:
        say(pages.render_verdict(verdict, path.as_posix(), Page()))
        return BROKEN
    made = verdict.state.checkpoint(_now())
    as_json = format == JSON or output is not None
    Asked(output=output).answer(
        made.to_json() if as_json else pages.render_checkpoint(made, _page(output))
    )
    return GOOD


# --- the edge ------------------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC)


def _page(output: Path | None) -> Page:
    return Page(terminal_columns(output), colour_wanted(output))


def _apart(path: Path, output: Path | None) -> None:
    """Raise click.UsageError where the answer would be written over the log."""
    if output is not None and output.exists() and path.exists() and os.path.samefile(output, path):
        raise click.UsageError("-o names the log itself: name another file")


def _recovered(found: Recovered, path: Path) -> str:
    """What was done about what a crash had left at the end of the log."""
    log = shortened(path.as_posix(), 200)
    if found.aside is None:
        return f"{log}: the last record lacked its line end, as after a crash; it was given one"
    kept = shortened(found.aside.as_posix(), 200)
    return f"{log}: {found.bytes:,} bytes of a torn line were moved to {kept}"


@contextmanager
def _progress(doing: str) -> Iterator[Told]:
    """A bar on stderr, if that is a terminal, that is told how many bytes have been read."""
    if not sys.stderr.isatty():
        yield lambda done, whole: None
        return
    from rich.console import Console  # slow to import, and only drawn on a terminal
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
