"""What `diff --witnesses` asks for: accounts at the edges of what changed, under both rules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from policy_engine.books import open_book
from policy_engine.cli.output import write
from policy_engine.cli.shared import Asked, find_rules, holds_rules, say
from policy_engine.diff import Changes
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.numbers import day_or_instant
from policy_engine.render import witnesses as text
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules
from policy_engine.witnesses import Boundary, witnesses


@dataclass(frozen=True)
class Wanted:
    """Whether witnesses are wanted, where they are to be written, and which accounts to try."""

    shown: bool = False
    folder: Path | None = None
    accounts: str | None = None

    @property
    def any(self) -> bool:
        """Whether they are wanted at all."""
        return self.shown or self.folder is not None


def witness_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for witnesses, as its argument `wanted`."""
    options = (
        click.option(
            "--witnesses",
            is_flag=True,
            help="Also accounts at the old and new edge of each test that changed.",
        ),
        click.option(
            "--witnesses-dir",
            metavar="DIR",
            type=click.Path(path_type=Path, file_okay=False),
            help="Write those accounts into a folder, a snapshot each.",
        ),
        click.option(
            "--accounts", metavar="FILE", help="Accounts to try first, such as JSON Lines."
        ),
    )

    @functools.wraps(command)
    def with_wanted(
        *arguments: Any,
        witnesses: bool,
        witnesses_dir: Path | None,
        accounts: str | None,
        **others: Any,
    ) -> Any:
        wanted = Wanted(witnesses, witnesses_dir, accounts)
        if accounts is not None and not wanted.any:
            raise click.UsageError("--accounts goes with --witnesses or --witnesses-dir")
        return command(*arguments, wanted=wanted, **others)

    return functools.reduce(lambda made, option: option(made), reversed(options), with_wanted)


def witnessed(
    wanted: Wanted, words: tuple[str, str], asked: Asked, changes: Changes
) -> tuple[Boundary, ...] | None:
    """The witnesses of some changes, also written to the folder asked for; None where they are not
    to be shown. Says on stderr how many there are and how long it took.

    `words` are OLD and NEW. Raises PolicyError.
    """
    if not wanted.any:
        return None
    old, new = (_rules(word, asked) for word in words)
    accounts = [] if wanted.accounts is None else _accounts(wanted.accounts)
    start = perf_counter()
    found = witnesses(old, new, changes, accounts)
    count, seconds = sum(len(one.witnesses) for one in found), perf_counter() - start
    say(f"witnesses: {count} account{'' if count == 1 else 's'} in {seconds:.1f} s")
    if wanted.folder is not None:
        _write(found, wanted.folder)
    return found if wanted.shown else None


def _accounts(name: str) -> list[Any]:
    """The accounts of a file; rows that cannot be read are told of and left out."""
    rows = list(open_book(name).rows)
    broken = [problem for row in rows for problem in row.problems]
    if broken:
        say(f"accounts left out: {sum(bool(row.problems) for row in rows)}, the first: {broken[0]}")
    return [row.snapshot for row in rows if not row.problems]


def _rules(word: str, asked: Asked) -> Rules:
    """The rules that a side names; a version stands among the others of the day it starts."""
    folder = Path(word) if "@" not in word and holds_rules(Path(word)) else None
    book = Rulebook.load(folder or asked.rules or find_rules())
    if "@" in word:
        version = book.version(word)
        held = book.in_force(version.effective_from, asked.known_at)
        return Rules(book, held.at, held.known_at, {**held.versions, version.ruleset: version})
    at: datetime = asked.moment() if folder is not None else day_or_instant(word)
    return book.in_force(at, asked.known_at)


def _write(found: tuple[Boundary, ...], folder: Path) -> None:
    """Write each witness as a snapshot file. Raises PolicyError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        reason = (failure.strerror or "it cannot be made").lower()
        place = Place(str(folder))
        problem = Problem("cannot-write", f"not written: {reason}", "choose another folder", place)
        raise PolicyError([problem]) from None
    made = list(text.files(found))
    for name, content in made:
        write(content, folder / name)
    say(f"wrote {len(made)} snapshot{'' if len(made) == 1 else 's'} to {folder.as_posix()}")
