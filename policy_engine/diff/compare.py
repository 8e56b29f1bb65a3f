"""Two states of the rules compared, ruleset by ruleset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from policy_engine.diff.change import (
    ADDED,
    LOGIC,
    REMOVED,
    REPLACED,
    Change,
    Path,
    Significance,
    Words,
)
from policy_engine.diff.versions import changes, dates
from policy_engine.model import Citation, Source, Version

Chains = Mapping[str, Sequence[Version]]
"""The versions of each ruleset that were in force one after the other, up to the new one."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A ruleset on both sides: None where it has not started, or is gone."""

    ruleset: str
    before: Version | None
    after: Version | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two states of the rules: all rulesets that differ, and each change,
    by ruleset, the deepest first."""

    rulesets: tuple[Compared, ...]
    changes: tuple[Change, ...]

    @property
    def significance(self) -> Significance | None:
        """The deepest of the changes; None where there is none."""
        return max((change.significance for change in self.changes), default=None)

    def at_least(self, significance: Significance) -> Changes:
        """Those that go so deep or deeper."""
        kept = tuple(change for change in self.changes if change.significance >= significance)
        named = {change.ruleset for change in kept}
        return Changes(tuple(pair for pair in self.rulesets if pair.ruleset in named), kept)

    def of(self, ruleset: str) -> tuple[Change, ...]:
        """The changes of one ruleset."""
        return tuple(change for change in self.changes if change.ruleset == ruleset)


def compare(
    old: Iterable[Version],
    new: Iterable[Version],
    *,
    dates: bool = False,
    chains: Chains | None = None,
) -> Changes:
    """What changed from some versions to others, at most one of each ruleset on a side.

    `dates`: also when they hold and what they say of themselves, which differs by nature between
    versions of one rulebook. `chains` tells which version brought a change where several lie
    between; without it, that is the new one.
    """
    sides = [{version.ruleset: version for version in side} for side in (old, new)]
    pairs = (
        Compared(name, sides[0].get(name), sides[1].get(name))
        for name in sorted({*sides[0], *sides[1]})
    )
    found = [(pair, tuple(_of(pair, dates, chains or {}))) for pair in pairs]
    return Changes(
        tuple(pair for pair, held in found if held),
        tuple(change for _, held in found for change in _ordered(held)),
    )


def _ordered(held: Iterable[Change]) -> list[Change]:
    return sorted(held, key=lambda change: (-change.significance, change.id))


def _of(pair: Compared, with_dates: bool, chains: Chains) -> Iterator[Change]:
    """The changes of one ruleset, each with its ruleset, its source, and since when it holds."""
    old, new = pair.before, pair.after
    latest = new or old
    assert latest is not None
    brought = _Brought(chains.get(pair.ruleset, ()))
    for change in _pair(old, new, with_dates):
        yield replace(
            change,
            ruleset=pair.ruleset,
            since=brought.by(change, latest).effective_from,
            source=_source(change.citation, new, old),
        )


def _pair(old: Version | None, new: Version | None, with_dates: bool) -> Iterator[Change]:
    if old is None or new is None:
        version = old or new
        assert version is not None
        action = ADDED if old is None else REMOVED
        was, now = (Words(side.summary) if side else None for side in (old, new))
        yield Change((), "ruleset", version.ruleset, action, LOGIC, was, now)
    elif old is not new:
        yield from changes(old, new)
        yield from dates(old, new) if with_dates else ()


def _source(citation: Citation | None, *versions: Version | None) -> Source | None:
    """The document cited, as the newest version that has it describes it."""
    if citation is None:
        return None
    held = (version.sources.get(citation.source) for version in versions if version)
    return next((source for source in held if source is not None), None)


class _Brought:
    """Which of several versions, one after the other, brought what is in force at the end."""

    def __init__(self, chain: Sequence[Version]) -> None:
        steps = list(pairwise(chain)) if len(chain) > 2 else []
        self._steps = [(after, list(changes(before, after))) for before, after in reversed(steps)]

    def by(self, change: Change, latest: Version) -> Version:
        """The last version that brought this change, or else touched the tiers it is in."""
        for touches in (_is_of, _is_in_tiers_of):
            for version, brought in self._steps:
                if any(touches(change.path, one) for one in brought):
                    return version
        return latest


def _is_of(path: Path, brought: Change) -> bool:
    """Whether a change is of what lies at a path, or adds or replaces all that it lies in."""
    whole = brought.action in (ADDED, REMOVED, REPLACED) and path[: len(brought.path)]
    return brought.path in (path, whole)


def _is_in_tiers_of(path: Path, brought: Change) -> bool:
    """Whether a change is in the tiers of the scale and key that a path leads into."""
    return brought.kind == "tier" and brought.path[:4] == path[:4]
