"""Deciding again what was decided, from what was recorded: by the versions named in the record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from policy_engine.applies import Applicable
from policy_engine.document.text import Pointer, pointer_text
from policy_engine.errors import Place, PolicyError, Problem, RulesError, SnapshotError
from policy_engine.log.files import lines, reading
from policy_engine.log.record import Line, read_line
from policy_engine.log.verify import Told
from policy_engine.model import Version
from policy_engine.numbers import instant
from policy_engine.policy import Compiled
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules

SAME, DIFFERENT, NOT_REPLAYABLE = "same", "different", "not replayable"
ABSENT = object()
"""Stands for what one of two decisions has not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of a decision that is not what was recorded; `ABSENT` where there is none."""

    path: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of deciding a record again: `same`, `different` with all that differs, or
    `not replayable` with the reason (and what differs, if it could be decided)."""

    sequence: int
    account: str | None
    outcome: str
    differences: tuple[Difference, ...] = ()
    reason: Problem | None = None


def replay(
    path: str | Path, book: Rulebook, told: Told = lambda done, whole: None
) -> Iterator[Replayed]:
    """Each record of a log decided again.

    A record is decided by the versions that it names, whatever has been added or corrected since;
    one of them that is not in the rulebook, or not with the digest on record, makes it not
    replayable. Raises PolicyError for a file that is no log, or none that can be read.
    """
    path, done = Path(path), 0
    with reading(path) as (file, extent):
        for number, raw in enumerate(lines(file, extent.whole), 1):
            yield _replayed(number, read_line(raw), book, path)
            done += len(raw)
            told(done, extent.whole)


def _replayed(number: int, line: Line | None, book: Rulebook, path: Path) -> Replayed:
    place = Place(str(path), line=number)
    if line is None or not line.intact:
        message, hint = "it is not as it was recorded", "policy-engine log verify tells more"
        problem = Problem("record-edited", message, hint, place)
        return Replayed(number, None, NOT_REPLAYABLE, reason=problem)
    sequence, account = line.header.sequence, None
    try:
        record = line.read()
        account = str(record["decision"]["account"])
        return _compared(sequence, account, record, book, place)
    except PolicyError as error:
        return Replayed(sequence, account, NOT_REPLAYABLE, reason=_placed(error, place))
    except (LookupError, TypeError, ValueError, AttributeError):
        message = "what is recorded is not what the engine records"
        problem = Problem("record-edited", message, "it was written by another program", place)
        return Replayed(sequence, account, NOT_REPLAYABLE, reason=problem)


def _compared(
    sequence: int, account: str, record: Mapping[str, Any], book: Rulebook, place: Place
) -> Replayed:
    """A record whose rules are here, decided again. Raises PolicyError where it cannot be."""
    before, given = record["decision"], record["input"]
    needed = {item["ruleset"] for item in before["rulesets"]}
    held, missing = _versions(record["rules"], needed, book)
    known = given["known_at"] and instant(given["known_at"])
    offered = {*before["permissions"], *(o for one in held.values() for o in one.offers)}
    as_then = _AsThen(book, frozenset(offered))
    rules = Rules(as_then, instant(given["rules_at"]), known, held)
    try:
        after = rules.decide(given["snapshot"]).to_dict()
    except SnapshotError as error:
        raise PolicyError([_refused(error)]) from None
    found = tuple(differences(before, {**after, "engine": before["engine"]}))
    if not found:
        return Replayed(sequence, account, SAME)
    excuse = missing or _another_engine(before["engine"], after["engine"])
    reason = None if excuse is None else replace(excuse, place=place)
    return Replayed(sequence, account, NOT_REPLAYABLE if reason else DIFFERENT, found, reason)


@dataclass(frozen=True, slots=True)
class _AsThen:
    """A rulebook that knows of no permission that was added to it since a decision was recorded."""

    book: Rulebook
    known: frozenset[str]

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version."""
        return self.book.versions

    @property
    def rulesets(self) -> Mapping[str, tuple[Version, ...]]:
        """The versions of each ruleset."""
        return self.book.rulesets

    def in_force(self, at: datetime, known_at: datetime | None = None) -> Rules:
        """The rules of another instant."""
        return self.book.in_force(at, known_at)

    def applicable(self, version: Version) -> Applicable:
        """When a version decides."""
        return self.book.applicable(version)

    def offered(self, at: datetime, known_at: datetime | None) -> frozenset[str]:
        """The permissions that were known then."""
        return self.known

    def compiled(self, versions: tuple[Version, ...]) -> Compiled:
        """What decides under a combination of versions."""
        return self.book.compiled(versions)


def _versions(
    recorded: Iterable[Mapping[str, str]], needed: Collection[str], book: Rulebook
) -> tuple[dict[str, Version], Problem | None]:
    """The recorded versions, and what is wrong with one that the decision may rest on.

    Raises PolicyError for what is wrong with one that it is `needed` for.
    """
    held, doubt = {}, None
    for item in recorded:
        name = f"{item['ruleset']}@{item['version']}"
        try:
            version = held[item["ruleset"]] = book.version(name)
            problem = _edited(name) if version.digest != item["digest"] else None
        except RulesError:
            problem = _missing(name)
        if problem and item["ruleset"] in needed:
            raise PolicyError([problem])
        doubt = doubt or problem
    return held, doubt


def differences(before: Any, after: Any, path: Pointer = ()) -> Iterator[Difference]:
    """All parts in which two JSON values are not the same, each by its path, in order."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for n, (one, other) in enumerate(zip_longest(before, after, fillvalue=ABSENT)):
            yield from differences(one, other, (*path, n))
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(pointer_text(path), before, after)


# --- why not -------------------------------------------------------------------------------------


def _missing(name: str) -> Problem:
    message = f"it was decided by `{name}`, which is not among these rules"
    return Problem("rules-missing", message, "name the rules it was decided by with --rules DIR")


def _edited(name: str) -> Problem:
    message = f"it was decided by `{name}`, which has been edited since: its digest is another"
    hint = "restore the file as it was, or name rules that have it with --rules DIR"
    return Problem("rules-edited", message, hint)


def _another_engine(recorded: Any, this: str) -> Problem | None:
    if recorded == this:
        return None
    message = f"engine {recorded} decided it, and this one, {this}, decides otherwise"
    return Problem("another-engine", message, f"replay it with engine {recorded}")


def _refused(error: SnapshotError) -> Problem:
    first = error.problems[0]
    message = f"its snapshot is refused: {first.message} (at {first.place})"
    return Problem("input-refused", message, first.hint)


def _placed(error: PolicyError, place: Place) -> Problem:
    """The first problem, in the log."""
    return replace(error.problems[0], place=place)
