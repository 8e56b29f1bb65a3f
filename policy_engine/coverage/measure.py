"""Which cases cover what: every case is run, and what happens on the way is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from policy_engine.cases import Case, run
from policy_engine.coverage.items import FIRES, FORMULA, GROUPS, ROW, Item, Mark, items
from policy_engine.coverage.marks import marks, possible_marks, where
from policy_engine.coverage.plans import combinations, plans
from policy_engine.coverage.points import BRANCH, EDGE, OPERAND
from policy_engine.coverage.seeing import Run, Watched
from policy_engine.rulebook import Rulebook

_TOLD = frozenset({FIRES, EDGE, BRANCH, OPERAND, ROW, FORMULA})


@dataclass(frozen=True)
class Traced:
    """What happened in each case, in the order of the cases, and the plans that were run.

    `touched` has the versions that any decision of a case rests on.
    """

    marks: tuple[frozenset[Mark], ...]
    touched: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """Something to cover that one version or several say alike, and the cases that cover it.

    `by` are positions of cases; `versions` all that say so, `under` those in which a case covers
    it. `possible` is False where no account can: the rules have no figure for it.
    """

    item: Item
    versions: tuple[str, ...]
    under: tuple[str, ...]
    by: tuple[int, ...]
    possible: bool


@dataclass(frozen=True)
class Coverage:
    """Everything to cover in a rulebook, and what adds nothing to it.

    `idle` are the positions of cases without which nothing less is covered.
    """

    cases: Sequence[Case]
    found: tuple[Covered, ...]
    idle: tuple[int, ...]

    def of(self, group: str) -> list[Covered]:
        """What is counted in a group: that which an account can make happen."""
        return [one for one in self.found if one.item.group == group and one.possible]


def trace(book: Rulebook, cases: Iterable[Case]) -> Traced:
    """Run every case and keep what happens on the way."""
    known = where(book.versions)
    met: list[Run] = []
    watched = Watched(book, met.append)
    found, touched = [], []
    for case in cases:
        met.clear()
        run(cast("Rulebook", watched), case)
        found.append(frozenset().union(*(marks(one, known) for one in met)))
        touched.append(frozenset(v.id for one in met for v in one.plan.scope.versions))
    return Traced(tuple(found), tuple(touched))


def coverage(book: Rulebook, cases: Sequence[Case], alike_once: bool = False) -> Coverage:
    """What the cases cover, counted in every version apart.

    With `alike_once`, what several versions of a ruleset say alike counts once and is covered by a
    case under any of them.
    """
    traced = trace(book, cases)
    could = _could(book)
    covering: dict[Mark, list[int]] = {}
    for at, found in enumerate(traced.marks):
        for mark in found:
            covering.setdefault(mark, []).append(at)
    groups: dict[tuple[object, ...], list[Item]] = {}
    for version in book.versions:
        for item in items(version):
            key = item.shared if alike_once else (*item.shared, version.id)
            groups.setdefault(key, []).append(item)
    made = [_covered(alike, covering, could) for alike in groups.values()]
    made.sort(key=lambda one: GROUPS.index(one.item.group))
    return Coverage(cases, tuple(made), _idle(len(cases), made))


def _could(book: Rulebook) -> set[Mark]:
    """Everything that some account can make happen, as far as the rules' own figures tell."""
    known = where(book.versions)
    met = {id(plan): plan for rules in combinations(book) for plan in plans(rules)}
    return {mark for plan in met.values() for mark in possible_marks(plan, known)}


def _covered(alike: list[Item], covering: Mapping[Mark, list[int]], could: set[Mark]) -> Covered:
    by = sorted({at for item in alike for at in covering.get(item.mark, ())})
    under = tuple(item.version for item in alike if item.mark in covering)
    told = alike[0].group in _TOLD and alike[0].path[0] != "statuses"
    possible = bool(by) or not told or any(item.mark in could for item in alike)
    return Covered(alike[0], tuple(i.version for i in alike), under, tuple(by), possible)


def _idle(count: int, found: Iterable[Covered]) -> tuple[int, ...]:
    """Cases that can go one after the other, from the last, without anything being uncovered."""
    holding = [set(one.by) for one in found if one.by]
    mine: dict[int, list[set[int]]] = {}
    for one in holding:
        for at in one:
            mine.setdefault(at, []).append(one)
    gone = []
    for at in reversed(range(count)):
        if all(len(one) > 1 for one in mine.get(at, ())):
            gone.append(at)
            for one in mine.get(at, ()):
                one.discard(at)
    return tuple(reversed(gone))
