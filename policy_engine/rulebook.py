"""A folder of rule files as a rulebook, and the rules in force at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policy_engine.applies import Applicable, applicable
from policy_engine.document import Document, read_text, read_yaml
from policy_engine.errors import Place, Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.numbers import day_or_instant, instant_text
from policy_engine.policy import Compiled, compiled
from policy_engine.rules import Rules
from policy_engine.shapes import shaped
from policy_engine.shipped import rules_folder
from policy_engine.stamps import (
    Stamp,
    Stamps,
    read_stamps,
    record_text,
    text_digest,
    version_id,
)
from policy_engine.versions import formula_problems, read_version
from policy_engine.versions.fit import fit_problems, name_problems
from policy_engine.versions.held import Head, by_ruleset, chain, held_at, started

if TYPE_CHECKING:
    from policy_engine.diff import Changes

When = str | datetime | date


class Rulebook:
    """Every version of every ruleset. Immutable; pickles as its documents."""

    def __init__(
        self, documents: Iterable[tuple[str, str]], stamps: Stamps = MappingProxyType({})
    ) -> None:
        """A rulebook of (path, text) documents. Raises RulesError with everything found.

        Documents with `stamps` of theirs have been found sound before. If all have, and these are
        all there are, each is read when it is first asked for.
        """
        self._documents, self._stamps = tuple(sorted(documents)), stamps
        found = {version_id(path): (path, text) for path, text in self._documents}
        stamped = {name: one for name, one in stamps.items() if _unchanged(one, found.get(name))}
        self._made: dict[str, Version] = {}
        self._unread: Mapping[str, tuple[str, str]] = {}
        self._heads: Mapping[str, tuple[Head, ...]]
        if stamped and len(stamped) == len(stamps) == len(self._documents):
            self._unread, self._heads = found, by_ruleset(tuple(stamps.values()))
        else:
            self._heads = self._read_all(stamped)
        self._applicable: dict[str, Applicable] = {}
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    @classmethod
    def load(cls, folder: str | Path | None = None, *, full: bool = False) -> Rulebook:
        """The rules of a folder (`*/*.yaml`), or the shipped ones.

        Files recorded as sound in the folder's `digests.json`, and unchanged since, are not checked
        again, unless `full`. Raises RulesError with every problem of every file, and no rulebook,
        when any has one.
        """
        root = Path(folder) if folder is not None else rules_folder()
        return cls(rule_texts(root), {} if full else read_stamps(root))

    def __reduce__(self) -> tuple[Any, ...]:
        return Rulebook, (self._documents, dict(self._stamps))

    def _read_all(self, stamped: Stamps) -> Mapping[str, tuple[Version, ...]]:
        """All versions by ruleset. Raises RulesError with everything that is wrong with any."""
        problems: list[Problem] = []
        known: list[Version] = []
        for path, text in self._documents:
            try:
                known.append(_read(path, text, stamped.get(version_id(path))))
            except RulesError as error:
                problems += error.problems
        for version in known:
            problems += name_problems(version)
        problems += fit_problems(known, self._folders_not_read(known))
        if problems:
            raise RulesError(problems)
        self._made = {version.id: version for version in known}
        return by_ruleset(known)

    def _folders_not_read(self, known: list[Version]) -> frozenset[str]:
        """The folders with a file that could not be read: which rulesets there are is not known."""
        read = {version.path for version in known}
        return frozenset(
            PurePath(path).parent.name for path, _ in self._documents if path not in read
        )

    def record(self) -> str:
        """The record of these files as sound, for the folder's `digests.json`."""
        return record_text(self.versions, dict(self._documents))

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Every version, by ruleset and time."""
        return tuple(self.version(head.id) for heads in self._heads.values() for head in heads)

    @cached_property
    def rulesets(self) -> Mapping[str, tuple[Version, ...]]:
        """The versions of each ruleset, oldest first, each instant's corrections in order."""
        return by_ruleset(self.versions)

    def offered(self, at: datetime, known_at: datetime | None) -> frozenset[str]:
        """The permissions that any version declares that has started by then, and was known."""
        return frozenset(
            name
            for heads in self._heads.values()
            for head in heads
            if started(head, at, known_at)
            for name in head.offers
        )

    def in_force(self, at: When, known_at: When | None = None) -> Rules:
        """The rules that apply at an instant, as far as they had been announced at `known_at`.

        Both are instants in UTC, as text (`2025-02-01T00:00:00Z`, or a day for its midnight), as a
        datetime with a zone or as a date. Raises RulesError where no ruleset had started.
        """
        moment = instant_of(at, "at")
        known = None if known_at is None else instant_of(known_at, "known_at")
        held = {name: self.version(v.id) for name, v in held_at(self._heads, moment, known)}
        if not held:
            raise RulesError([self._before_any(moment)])
        return Rules(self, moment, known, held)

    def diff(self, old: When, new: When, known_at: When | None = None) -> Changes:
        """What changed from one state of the rules to another.

        Each is an instant, as `in_force` takes it, or the id of a version, which is then compared
        with the version of its ruleset on the other side. Raises RulesError where there are no
        such rules, and for two versions of different rulesets.
        """
        from policy_engine.diff import compare  # not needed to decide

        known = None if known_at is None else instant_of(known_at, "known_at")
        before, after = one_ruleset(self._state(old, known), self._state(new, known))
        chains = {
            name: [self.version(v.id) for v in chain(self._heads[name], before[name], held, known)]
            for name, held in after.items()
            if name in before
        }
        return compare(before.values(), after.values(), chains=chains)

    def _state(self, side: When, known_at: datetime | None) -> Mapping[str, Version] | Version:
        """The version that an id names, or those by ruleset that are in force at an instant."""
        if isinstance(side, str) and "@" in side:
            return self.version(side)
        return self.in_force(side, known_at).versions

    def _before_any(self, moment: datetime) -> Problem:
        first = min(heads[0].effective_from for heads in self._heads.values())
        message = f"no rules were in force at {instant_text(moment)}"
        return Problem("no-rules-apply", message, f"the first ones start at {instant_text(first)}")

    def applicable(self, version: Version) -> Applicable:
        """When a version decides; resolved when first asked for. Raises RulesError."""
        if version.id not in self._applicable:
            self._applicable[version.id] = applicable(version)
        return self._applicable[version.id]

    def compiled(self, versions: tuple[Version, ...]) -> Compiled:
        """What decides under a combination of versions; made when first asked for."""
        key = tuple(version.id for version in versions)
        if key not in self._compiled:
            self._compiled[key] = compiled(versions)
        return self._compiled[key]

    def version(self, name: str) -> Version:
        """The version of that id. Raises RulesError if there is none."""
        if name in self._made:
            return self._made[name]
        if name in self._unread:
            return self._made.setdefault(name, _read(*self._unread[name], self._stamps[name]))
        hint = did_you_mean(name, [head.id for heads in self._heads.values() for head in heads])
        raise RulesError([Problem("unknown-version", f"there is no version `{name}`", hint)])


def one_ruleset(
    old: Mapping[str, Version] | Version, new: Mapping[str, Version] | Version
) -> tuple[Mapping[str, Version], Mapping[str, Version]]:
    """Both sides as versions by ruleset; of one ruleset where a side is a version.

    Raises RulesError for versions of two rulesets.
    """
    named = [side for side in (old, new) if isinstance(side, Version)]
    if len({version.ruleset for version in named}) > 1:
        message = f"`{named[0].id}` and `{named[1].id}` are versions of two rulesets"
        hint = "name two versions of one ruleset, or two instants"
        raise RulesError([Problem("two-rulesets", message, hint)])
    only = named[0].ruleset if named else None
    before, after = (
        {side.ruleset: side}
        if isinstance(side, Version)
        else {name: version for name, version in side.items() if only in (None, name)}
        for side in (old, new)
    )
    return before, after


# --- files ---------------------------------------------------------------------------------------


def _unchanged(stamp: Stamp, document: tuple[str, str] | None) -> bool:
    """Whether a document has the text that is on record."""
    return document is not None and text_digest(document[1]) == stamp.text


def _read(path: str, text: str, stamp: Stamp | None) -> Version:
    """The version of one document; one with a stamp is not checked. Raises RulesError."""
    document = read_yaml(text, path)
    if stamp is not None:
        try:
            return read_version(document, shaped(document, "ruleset"), stamp.digest_of)
        except Exception:
            pass  # the record lies, in whatever way: the file is checked after all
    _check_schema(document)
    return read_version(document, shaped(document, "ruleset"))


def _check_schema(document: Document) -> None:
    from policy_engine.schema import problems as schema_problems  # slow to import, seldom needed

    found = schema_problems(document, "ruleset")
    if found:
        raise RulesError([*found, *_more(formula_problems(document), found)])


def _more(problems: list[Problem], found: list[Problem]) -> Iterator[Problem]:
    """Those problems in whose place nothing has been found yet."""
    places = {(problem.place.line, problem.place.pointer) for problem in found}
    return (p for p in problems if (p.place.line, p.place.pointer) not in places)


def rule_texts(root: Path) -> list[tuple[str, str]]:
    """The rule files of a folder, `*/*.yaml`, by path, and their texts.

    Raises RulesError where there are none, and for every file that cannot be read as text.
    """
    paths = sorted(root.glob("*/*.yaml"))
    problems = [] if paths else [_no_rules(root)]
    texts = []
    for path in paths:
        try:
            texts.append((path.as_posix(), read_text(path)))
        except RulesError as error:
            problems += error.problems
    if problems:
        raise RulesError(problems)
    return texts


def _no_rules(root: Path) -> Problem:
    hint = "name a folder that holds `<ruleset>/<date>.yaml` files"
    message = "there are no rule files here"
    return Problem("no-rules", message, hint, Place(root.as_posix()))


# --- time ----------------------------------------------------------------------------------------


def instant_of(when: When, name: str) -> datetime:
    """An instant in UTC from what a caller gives. Raises RulesError."""
    try:
        if isinstance(when, str):
            return day_or_instant(when)
        if isinstance(when, datetime):
            if when.tzinfo is None:
                raise ValueError
            return when.astimezone(UTC)
        return datetime(when.year, when.month, when.day, tzinfo=UTC)
    except (ValueError, OverflowError, AttributeError):
        shown = (
            when if isinstance(when, str) else when.isoformat() if isinstance(when, date) else ""
        )
        hint = "write a day such as 2025-02-01, or an instant such as 2025-02-01T12:00:00Z"
        message = f"`{shown}` is not an instant with a zone" if shown else "this is not an instant"
        raise RulesError([Problem("bad-instant", message, hint, Place(pointer=name))]) from None
