"""A folder of rule files as a rulebook, and the rules in force at an instant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from policy_engine.document import Document, read_text, read_yaml
from policy_engine.errors import Place, Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.numbers import day_or_instant, instant_text
from policy_engine.policy import Compiled, compiled
from policy_engine.rules import Applicable, Rules, applicable
from policy_engine.shapes import shaped
from policy_engine.shipped import rules_folder
from policy_engine.stamps import record_text, stamped_texts, text_digest
from policy_engine.versions import formula_problems, read_version

When = str | datetime | date
_STEM = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}))?(?:\+[2-9])?")


class Rulebook:
    """Every version of every ruleset. Immutable; pickles as its documents."""

    def __init__(
        self, documents: Iterable[tuple[str, str]], sound: Collection[str] = frozenset()
    ) -> None:
        """A rulebook of (path, text) documents. Raises RulesError with everything found.

        Texts whose hashes are in `sound` have been checked against the schema before.
        """
        self._documents, self._sound = tuple(sorted(documents)), sound
        problems: list[Problem] = []
        versions = [_read(path, text, sound, problems) for path, text in self._documents]
        known = [version for version in versions if version is not None]
        problems += _fit_problems(known, self._folders_not_read(known))
        if problems:
            raise RulesError(problems)
        order = sorted(known, key=lambda v: (v.ruleset, v.effective_from, v.id))
        self.versions: tuple[Version, ...] = tuple(order)
        self._applicable: dict[str, Applicable] = {}
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    @classmethod
    def load(cls, folder: str | Path | None = None, *, full: bool = False) -> Rulebook:
        """The rules of a folder (`*/*.yaml`), or the shipped ones.

        Files recorded as sound in the folder's `digests.json`, and unchanged since, are not
        checked against the schema again, unless `full`. Raises RulesError with every problem of
        every file, and no rulebook, when any has one.
        """
        root = Path(folder) if folder is not None else rules_folder()
        return cls(rule_texts(root), frozenset() if full else stamped_texts(root))

    def __reduce__(self) -> tuple[Any, ...]:
        return Rulebook, (self._documents, self._sound)

    def record(self) -> str:
        """The record of these files as sound, for the folder's `digests.json`."""
        return record_text(self.versions, dict(self._documents))

    def _folders_not_read(self, known: list[Version]) -> frozenset[str]:
        """The folders with a file that could not be read: which rulesets there are is not known."""
        read = {version.path for version in known}
        return frozenset(
            PurePath(path).parent.name for path, _ in self._documents if path not in read
        )

    @cached_property
    def rulesets(self) -> Mapping[str, tuple[Version, ...]]:
        """The versions of each ruleset, oldest first, each instant's corrections in order."""
        return {
            name: tuple(v for v in self.versions if v.ruleset == name)
            for name in sorted({version.ruleset for version in self.versions})
        }

    def offered(self, at: datetime, known_at: datetime | None) -> frozenset[str]:
        """The permissions that any version declares that has started by then, and was known."""
        return frozenset(
            name
            for version in self.versions
            if _started(version, at, known_at)
            for name in version.permissions
        )

    def in_force(self, at: When, known_at: When | None = None) -> Rules:
        """The rules that apply at an instant, as far as they had been announced at `known_at`.

        Both are instants in UTC, as text (`2025-02-01T00:00:00Z`, or a day for its midnight), as a
        datetime with a zone or as a date. Raises RulesError where no ruleset had started.
        """
        moment = _moment(at, "at")
        known = None if known_at is None else _moment(known_at, "known_at")
        held = dict(held_at(self.rulesets, moment, known))
        if not held:
            raise RulesError([_before_any(moment, self.versions)])
        return Rules(self, moment, known, held)

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
        for version in self.versions:
            if version.id == name:
                return version
        hint = did_you_mean(name, [version.id for version in self.versions])
        raise RulesError([Problem("unknown-version", f"there is no version `{name}`", hint)])


# --- files ---------------------------------------------------------------------------------------


def _read(path: str, text: str, sound: Collection[str], problems: list[Problem]) -> Version | None:
    """The version of one document, or None and its problems."""
    try:
        document = read_yaml(text, path)
        if text_digest(text) not in sound:
            _check_schema(document)
        version = read_version(document, shaped(document, "ruleset"))
    except RulesError as error:
        problems += error.problems
        return None
    problems += _name_problems(version)
    return version


def _check_schema(document: Document) -> None:
    from policy_engine.schema import problems as schema_problems  # slow to import, seldom needed

    found = schema_problems(document, "ruleset")
    if found:
        raise RulesError([*found, *_more(formula_problems(document), found)])


def _more(problems: list[Problem], found: list[Problem]) -> Iterator[Problem]:
    """Those problems in whose place nothing has been found yet."""
    places = {(problem.place.line, problem.place.pointer) for problem in found}
    return (p for p in problems if (p.place.line, p.place.pointer) not in places)


def _name_problems(version: Version) -> Iterator[Problem]:
    """A file is named after its day, its folder after its ruleset."""
    path = PurePath(version.path)
    match = _STEM.fullmatch(path.stem)
    start = version.effective_from
    if match is None or match[1] != f"{start:%Y-%m-%d}" or match[2] not in (None, f"{start:%H}"):
        message = f"the file is named `{path.name}` and takes effect on {instant_text(start)}"
        hint = (
            f"name it `{start:%Y-%m-%d}.yaml` (a second one that day: `{start:%Y-%m-%dT%H}.yaml`)"
        )
        yield Problem("file-name", message, hint, version.place(("effective_from",)))
    if path.parent.name not in ("", version.ruleset):
        message = f"the ruleset `{version.ruleset}` stands in the folder `{path.parent.name}`"
        hint = f"move it to `{version.ruleset}/`, or correct the name of the ruleset"
        yield Problem("file-name", message, hint, version.place(("ruleset",)))


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


def _fit_problems(versions: list[Version], not_read: frozenset[str]) -> Iterator[Problem]:
    """What is wrong between versions rather than inside one."""
    starts: dict[str, datetime] = {}
    for version in versions:
        first = starts.setdefault(version.ruleset, version.effective_from)
        starts[version.ruleset] = min(first, version.effective_from)
    for version in versions:
        for at, used in enumerate(version.uses):
            if used not in not_read:
                yield from _use_problems(version, used, starts, version.place(("uses", at)))
    yield from _twin_problems(versions)


def _use_problems(
    version: Version, used: str, starts: Mapping[str, datetime], place: Place
) -> Iterator[Problem]:
    if used not in starts:
        hint = did_you_mean(used, starts) or "add its folder to the rules"
        yield Problem("unknown-ruleset", f"there is no ruleset `{used}`", hint, place)
    elif starts[used] > version.effective_from:
        message = f"`{version.id}` uses `{used}`, which starts only at {instant_text(starts[used])}"
        hint = "give it an earlier version, or let this one take effect later"
        yield Problem("uses-not-started", message, hint, place)


def _twin_problems(versions: list[Version]) -> Iterator[Problem]:
    """Two files for one instant: the later announced must say that it corrects the earlier."""
    groups: dict[tuple[str, datetime], list[Version]] = {}
    for version in versions:
        groups.setdefault((version.ruleset, version.effective_from), []).append(version)
    for group in groups.values():
        first, *later = sorted(
            group, key=lambda version: (version.corrects is not None, version.id)
        )
        if first.corrects is not None:
            message = f"`{first.id}` corrects a version that is not there"
            hint = "a correction has the `effective_from` of the version it corrects"
            yield Problem("corrects-nothing", message, hint, first.place(("corrects",), key=True))
        for version in later:
            if version.corrects is None:
                message = f"`{version.id}` takes effect at the same instant as `{first.id}`"
                hint = "a correction has a later `announced_at` and `corrects: {reason: …}`"
                yield Problem("two-versions", message, hint, version.place(("effective_from",)))
        yield from _order_problems(first, [v for v in later if v.corrects is not None])


def _order_problems(first: Version, corrections: list[Version]) -> Iterator[Problem]:
    """Each correction is announced after what it corrects: the last word is the one that holds."""
    before = first
    for version in sorted(corrections, key=_announced):
        if _announced(version) <= _announced(before):
            message = f"`{version.id}` is not announced later than `{before.id}`, which it corrects"
            hint = "write the instant at which the correction was made known"
            yield Problem("announced-too-early", message, hint, version.place(("announced_at",)))
        before = max(before, version, key=_announced)


def _announced(version: Version) -> datetime:
    return version.announced_at or datetime.min.replace(tzinfo=UTC)


# --- time ----------------------------------------------------------------------------------------


def held_at(
    rulesets: Mapping[str, tuple[Version, ...]], moment: datetime, known_at: datetime | None
) -> Iterator[tuple[str, Version]]:
    """The version of each ruleset that holds at an instant, as known at another (None: as now)."""
    for name, versions in rulesets.items():
        started = [version for version in versions if _started(version, moment, known_at)]
        if started:
            yield name, max(started, key=lambda v: (v.effective_from, _announced(v)))


def _started(version: Version, moment: datetime, known_at: datetime | None) -> bool:
    known = known_at is None or _announced(version) <= known_at
    return known and version.effective_from <= moment


def _moment(when: When, name: str) -> datetime:
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


def _before_any(moment: datetime, versions: Iterable[Version]) -> Problem:
    first = min(version.effective_from for version in versions)
    message = f"no rules were in force at {instant_text(moment)}"
    return Problem("no-rules-apply", message, f"the first ones start at {instant_text(first)}")
