"""The two states of the rules that a command compares: OLD and NEW."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from policy_engine.cli.shared import Asked, holds_rules, placed
from policy_engine.diff import Changes, compare
from policy_engine.errors import Place, Problem, RulesError
from policy_engine.numbers import day_or_instant
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules


@dataclass(frozen=True)
class Side:
    """One of the two states: a folder, or an instant or version of the rules asked for."""

    word: str
    named: str
    folder: Path | None = None

    @property
    def is_version(self) -> bool:
        """Whether it is the id of a version."""
        return self.folder is None and "@" in self.word

    @property
    def instant(self) -> datetime | None:
        """The instant that it names, if it names one."""
        return None if self.folder is not None or self.is_version else day_or_instant(self.word)


class Sides(NamedTuple):
    """The rules of both states, and what changed from one to the other."""

    old: Rules
    new: Rules
    changes: Changes


def side_of(word: str, named: str) -> Side:
    """What a word on the command line names. Raises RulesError."""
    if "@" in word:
        return Side(word, named)
    if holds_rules(Path(word)):
        return Side(word, named, Path(word))
    try:
        day_or_instant(word)
    except ValueError:
        raise RulesError([_unreadable(word, named)]) from None
    return Side(word, named)


def _unreadable(word: str, named: str) -> Problem:
    message = f"`{word}` is no instant, no version and no folder of rules"
    hint = (
        "write a day such as 2025-02-01, an instant such as 2025-02-01T12:00:00Z, "
        "a version such as <ruleset>@2025-01-21, or a folder that holds rule files"
    )
    return Problem("bad-side", message, hint, Place(named))


def blamed(problem: Problem, sides: tuple[Side, Side]) -> str:
    """Which of the two words a problem is about."""
    return next((side.named for side in sides if f"`{side.word}`" in problem.message), "OLD, NEW")


def both_sides(old: str, new: str, asked: Asked) -> Sides:
    """The rules that OLD and NEW name, each as a whole.

    A version stands among the others in force at --at, else at the instant that the other side
    names, else at the later start of the two. A folder is what is in force in it at --at, else now,
    which stderr says. Raises RulesError.
    """
    sides = side_of(old, "OLD"), side_of(new, "NEW")
    own = asked.rulebook() if any(side.folder is None for side in sides) else None
    books = [_book(side, own) for side in sides]
    at = _moment(sides, books, asked)
    held = [_held(side, book, at, asked) for side, book in zip(sides, books, strict=True)]
    return Sides(held[0], held[1], _changes(sides, held, own, asked))


def _book(side: Side, own: Rulebook | None) -> Rulebook:
    if side.folder is not None:
        return Rulebook.load(side.folder)
    assert own is not None
    return own


def _moment(sides: tuple[Side, Side], books: list[Rulebook], asked: Asked) -> datetime:
    """The instant at which folders are read and versions stand among others."""
    instants = [side.instant for side in sides if side.instant is not None]
    if any(side.folder is not None for side in sides):
        return asked.at or (instants[0] if instants else asked.moment())
    if asked.at is not None or instants:
        return asked.at or instants[0]
    starts = []
    for side, book in zip(sides, books, strict=True):
        with placed(lambda _, name=side.named: name):  # type: ignore[misc]
            starts.append(book.version(side.word).effective_from)
    return max(starts)


def _held(side: Side, book: Rulebook, at: datetime, asked: Asked) -> Rules:
    with placed(lambda _: side.named):
        if not side.is_version:
            return book.in_force(side.instant or at, asked.known_at)
        version = book.version(side.word)
        others = book.in_force(at, asked.known_at).versions
        return Rules(book, at, asked.known_at, {**others, version.ruleset: version})


def _changes(
    sides: tuple[Side, Side], held: list[Rules], own: Rulebook | None, asked: Asked
) -> Changes:
    if own is None or any(side.folder is not None for side in sides):
        versions = [list(rules.versions.values()) for rules in held]
        return compare(versions[0], versions[1], dates=True)
    with placed(lambda problem: blamed(problem, sides)):
        return own.diff(sides[0].word, sides[1].word, asked.known_at)
