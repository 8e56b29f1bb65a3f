"""What `explain --to` and `--later` ask for: the same account at a second instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import click

from policy_engine.causes import Causes, causes
from policy_engine.cli.given import STDIN, Given, read_given
from policy_engine.cli.shared import Asked, placed
from policy_engine.errors import Problem


def from_instant(words: Sequence[str]) -> list[str]:
    """A command line on which `--from` with a day or instant is the first of two: `--at`."""
    made = []
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        following = value if equals else next(iter(words[at + 1 :]), "")
        instant = option == "--from" and following[:1].isdigit()
        made.append(f"--at{equals}{value}" if instant else word)
    return made


def later_given(given: Given, later: str | None) -> Given:
    """The account at the second instant, with the fields that `--set` gives; the first one where
    only the rules move. Raises SnapshotError."""
    if later is None:
        return given
    if later == STDIN == given.path:
        raise click.UsageError("only one file can be read from stdin (`-`)")
    second = read_given(later)
    fields = [name for name, origin in given.origins.items() if origin.startswith("--set ")]
    if not isinstance(second.snapshot, dict):
        return second
    settings = {name: given.snapshot[name] for name in fields}
    origins = {name: given.origins[name] for name in fields}
    return replace(second, snapshot={**second.snapshot, **settings}, origins=origins)


def caused(given: Given, later: str | None, to: datetime | None, asked: Asked, name: str) -> Causes:
    """What the change of a figure came from. Raises PolicyError."""
    book = asked.rulebook()
    second = later_given(given, later)
    old = asked.in_force(book, given.at)
    otherwise = second.at if later is not None and second.at else old.at
    with placed(lambda _: "--to"):
        new = book.in_force(to or otherwise, asked.known_at)
    facts = given.snapshot
    if later is None and isinstance(facts, dict) and "at" not in facts:
        second = replace(second, snapshot={**facts, "at": old.at.isoformat()})

    def where(problem: Problem) -> str:
        return (
            second.file_of(problem) if problem.code == "other-account" else given.file_of(problem)
        )

    with placed(second.file_of):
        new.decide(second.snapshot)
    with placed(lambda problem: "NAME" if problem.code == "unknown-name" else where(problem)):
        return causes(old, given.snapshot, new, second.snapshot, name)
