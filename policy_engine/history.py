"""The timeline of each ruleset: which version held, holds or will hold, and as known when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policy_engine.errors import Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.rulebook import Rulebook, When, instant_of
from policy_engine.versions.held import announced


class State(StrEnum):
    """What a version is at the instant asked of, as known at the instant of knowledge."""

    PAST = "past"
    IN_FORCE = "in_force"
    ANNOUNCED = "announced"
    """It takes effect later, and that had been announced."""
    UNANNOUNCED = "unannounced"
    """It takes effect later, and that had not been announced yet."""
    CORRECTED = "corrected"
    """A correction stands in its place."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A version with its part of the timeline, from its `effective_from` up to `until`.

    `until` is the next version's `effective_from`, None where none follows. `corrects` is what the
    version corrects, and `corrected_by` the correction in its place.
    """

    version: Version
    state: State
    until: datetime | None = None
    corrects: Version | None = None
    corrected_by: Version | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The versions of a ruleset in time order, each instant's corrections in theirs.

    `left_out` counts those that had not been announced at the instant of knowledge.
    """

    ruleset: str
    stretches: tuple[Stretch, ...]
    left_out: int = 0

    @property
    def in_force(self) -> Version | None:
        """The version that holds at the instant asked of; None before the first one."""
        held = (one.version for one in self.stretches if one.state is State.IN_FORCE)
        return next(held, None)

    @property
    def coming(self) -> Version | None:
        """The next version that has been announced."""
        later = (one.version for one in self.stretches if one.state is State.ANNOUNCED)
        return next(later, None)


def timelines(
    book: Rulebook, at: When, known_at: When | None = None, rulesets: Iterable[str] = ()
) -> tuple[Timeline, ...]:
    """The timeline of each ruleset named, or of all, as it looks at an instant.

    Of versions announced after `known_at` nothing shows but their number; without it all are known.
    Both are as in `Rulebook.in_force`. Raises RulesError for a ruleset that is not there.
    """
    moment = instant_of(at, "at")
    known = None if known_at is None else instant_of(known_at, "known_at")
    names = tuple(dict.fromkeys(rulesets)) or tuple(book.rulesets)
    unknown = [name for name in names if name not in book.rulesets]
    if unknown:
        raise RulesError(_no_ruleset(name, book.rulesets) for name in unknown)
    return tuple(timeline(book.rulesets[name], moment, known) for name in names)


def timeline(versions: Sequence[Version], at: datetime, known_at: datetime | None) -> Timeline:
    """The timeline that the versions of one ruleset make."""
    known = sorted(
        (v for v in versions if known_at is None or announced(v) <= known_at),
        key=lambda v: (v.effective_from, announced(v)),
    )
    held = zip([None, *known], known, [*known[1:], None], strict=False)
    stretches = (
        _stretch(before, version, after, _end(version, known), at, known_at or at)
        for before, version, after in held
    )
    return Timeline(versions[0].ruleset, tuple(stretches), len(versions) - len(known))


def _stretch(
    before: Version | None,
    version: Version,
    after: Version | None,
    until: datetime | None,
    at: datetime,
    told: datetime,
) -> Stretch:
    start = version.effective_from
    corrects = before if before and before.effective_from == start else None
    corrected_by = after if after and after.effective_from == start else None
    if corrected_by:
        state = State.CORRECTED
    elif start > at:
        state = State.ANNOUNCED if announced(version) <= told else State.UNANNOUNCED
    else:
        state = State.IN_FORCE if until is None or at < until else State.PAST
    return Stretch(version, state, until, corrects, corrected_by)


def _end(version: Version, known: Iterable[Version]) -> datetime | None:
    starts = (other.effective_from for other in known)
    return min((start for start in starts if start > version.effective_from), default=None)


def _no_ruleset(name: str, known: Iterable[str]) -> Problem:
    hint = did_you_mean(name, known) or f"rulesets: {', '.join(known)}"
    return Problem("unknown-ruleset", f"there is no ruleset `{name}`", hint)
