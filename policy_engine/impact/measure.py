"""The impact of a change on a book: every account decided by both sides, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from policy_engine.books import Row, placed
from policy_engine.decision import Decision
from policy_engine.diff import Changes
from policy_engine.errors import Problem, SnapshotError
from policy_engine.impact.attribution import Attribution, outcomes_of
from policy_engine.impact.model import (
    BETTER,
    ERROR,
    LOST,
    UNDETERMINED,
    UNTOLD,
    WORSE,
    Counts,
    Failure,
    Flip,
    Impact,
    Repeated,
    Side,
    Standing,
)
from policy_engine.impact.row import Decided, difference
from policy_engine.impact.standing import Tested
from policy_engine.impact.tally import Changed, Migrations, Movements, Rested, Sums, ordered
from policy_engine.numbers import instant_text
from policy_engine.rules import Rules

MOST_KEPT = 100
"""Failures, and names that stand in the book twice, that are told one by one; all are counted."""

_LINES_TOLD = 5
_KINDS = (WORSE, UNTOLD, LOST, BETTER)


def impact(
    old: Rules,
    new: Rules,
    changes: Changes,
    rows: Iterable[Row],
    names: tuple[str, str] = ("old", "new"),
    book: str = "accounts",
) -> Impact:
    """What going from some rules to others does to a book of accounts.

    `changes` is the diff of the two. A row that cannot be read or decided is counted apart. An
    account without an instant of its own is decided at the later of the two sides on both. Raises
    RulesError where the rules of a side do not go together.
    """
    for rules in (old, new):
        for name, version in rules.versions.items():
            if version.applies_when is not None:
                rules.compiled(name)
    measured = _Measured(old, new, changes, book)
    for row in rows:
        measured.add(row)
    return measured.impact(names)


class _Measured:
    def __init__(self, old: Rules, new: Rules, changes: Changes, book: str) -> None:
        self._sides, self._changes, self._book = (old, new), changes, book
        self._at = instant_text(max(old.at, new.at))
        self._attribution = Attribution(old, new, changes)
        self._versions = [
            version for side in (new, old) for version in side.versions.values() if version.statuses
        ]
        self._ladder = ordered(self._versions)
        self._tested: dict[int, Tested] = {}
        self._counts = {field.name: 0 for field in fields(Counts)}
        self._migrations, self._movements, self._rested = Migrations(), Movements(), Rested()
        self._changed: dict[str, Changed] = {}
        self._sums: dict[str, Sums] = {}
        self._flips: list[Flip] = []
        self._failures: list[Failure] = []
        self._seen: dict[str, list[int]] = {}
        self._times: dict[str, int] = {}
        self._untold = [0, 0]

    def add(self, row: Row) -> None:
        """One more row of the book."""
        self._counts["accounts"] += 1
        if row.account is not None:
            self._meet(row.account, row.line)
        if row.problems:
            self._fail(row, "row", row.problems, (ERROR, ERROR))
            return
        snapshot = row.snapshot if "at" in row.snapshot else {**row.snapshot, "at": self._at}
        old, new = (_decided(rules, snapshot) for rules in self._sides)
        if isinstance(old, Decision) and isinstance(new, Decision):
            self._compare(row, snapshot, Decided(old, new))
        else:
            self._half(row, [old, new])

    def _meet(self, account: str, line: int) -> None:
        met = self._seen.setdefault(account, [])
        if met:
            self._times[account] = self._times.get(account, 1) + 1
        if len(met) < _LINES_TOLD:
            met.append(line)

    def _half(self, row: Row, sides: list[Decision | tuple[Problem, ...]]) -> None:
        """A row that a side, or neither, can decide."""
        failed = [side for side in sides if not isinstance(side, Decision)]
        which = "both" if len(failed) == 2 else ("new" if isinstance(sides[0], Decision) else "old")
        statuses = [_status(side) if isinstance(side, Decision) else ERROR for side in sides]
        problems = tuple(dict.fromkeys(problem for side in failed for problem in side))
        self._fail(row, which, problems, (statuses[0], statuses[1]))

    def _fail(
        self, row: Row, side: str, problems: tuple[Problem, ...], statuses: tuple[str, str]
    ) -> None:
        self._counts["errors"] += 1
        self._migrations.counts[statuses] += 1
        if len(self._failures) < MOST_KEPT:
            told = tuple(placed(problem, self._book, row.line) for problem in problems)
            self._failures.append(Failure(row.line, row.account, side, told))

    def _compare(self, row: Row, snapshot: Mapping[str, Any], pair: Decided) -> None:
        statuses, permitted = pair.statuses, pair.permitted()
        self._migrations.counts[statuses] += 1
        self._movements.add(permitted)
        self._rested.add(*(_titles(side) for side in (pair.old, pair.new)))
        for at, side in enumerate((pair.old, pair.new)):
            self._untold[at] += bool(side.undetermined)
        self._measure(pair)
        flips = statuses[0] != statuses[1] or any(a is not b for a, b in permitted.values())
        names = self._tested_by(pair.old).formulas, self._tested_by(pair.new).formulas
        self._counts[difference(pair, flips, names)] += 1
        if flips:
            flip = self._flip(row, pair, permitted)
            causes = self._attribution.causes(pair, snapshot, tuple(outcomes_of(flip)))
            self._flips.append(replace(flip, causes=causes))

    def _measure(self, pair: Decided) -> None:
        """The changes and sums of the figures that are tested, and of those in money."""
        old, new = self._tested_by(pair.old), self._tested_by(pair.new)
        formulas = {**old.formulas, **new.formulas}
        for name in dict.fromkeys((*new.figures, *old.figures)):
            changed = self._changed.get(name) or self._changed.setdefault(
                name, Changed(formulas[name])
            )
            changed.add(pair.old.figure(name), pair.new.figure(name))
        for name in dict.fromkeys((*new.money, *old.money)):
            sums = self._sums.get(name) or self._sums.setdefault(name, Sums(formulas[name]))
            sums.add(pair.old.figure(name), pair.new.figure(name))

    def _tested_by(self, decision: Decision) -> Tested:
        plan = decision.workings()[0]
        if id(plan) not in self._tested:
            self._tested[id(plan)] = Tested(plan)
        return self._tested[id(plan)]

    # --- flips -----------------------------------------------------------------------------------

    def _flip(
        self,
        row: Row,
        pair: Decided,
        permitted: Mapping[str, tuple[bool | None, bool | None]],
    ) -> Flip:
        def moved(*pairs: tuple[bool | None, bool | None]) -> tuple[str, ...]:
            return tuple(name for name, pair in permitted.items() if pair in pairs)

        flip = Flip(
            row.account or "",
            row.line,
            BETTER,
            *pair.statuses,
            lost=moved((True, False)),
            gained=moved((False, True)),
            lost_sight=moved((True, None), (False, None)),
            found_out=moved((None, True), (None, False)),
        )
        stood, stands = self._standings(pair)
        return replace(flip, kind=self._kind(flip), stood=stood, stands=stands)

    def _kind(self, flip: Flip) -> str:
        told = UNDETERMINED not in (flip.before, flip.after)
        if told and self._ladder.index(flip.after) < self._ladder.index(flip.before):
            return WORSE
        if flip.after == UNDETERMINED != flip.before:
            return UNTOLD
        if flip.lost:
            return LOST
        return UNTOLD if flip.lost_sight else BETTER

    def _standings(self, pair: Decided) -> tuple[Standing | None, Standing | None]:
        """Against the threshold of the worse of the two statuses, on each side."""
        told = [self._ladder.index(name) for name in pair.statuses if name != UNDETERMINED]
        worse = self._ladder[: min(told) + 1 if told else None]
        sides = [self._tested_by(side).standings(side) for side in (pair.old, pair.new)]
        known = [name for name in worse if any(name in side for side in sides)]
        name = known[-1] if known else ""
        return sides[0].get(name), sides[1].get(name)

    def _order(self, flip: Flip) -> tuple[Any, ...]:
        """Worst first: the worst status, and there the deepest below its threshold."""
        after = self._ladder.index(flip.after) if flip.after != UNDETERMINED else -1
        distance = flip.stands.distance if flip.stands else None
        deep = (distance is None, distance or 0)
        return (_KINDS.index(flip.kind), after, *deep, flip.account, flip.line)

    # --- the result ------------------------------------------------------------------------------

    def impact(self, names: tuple[str, str]) -> Impact:
        """What has come of all rows."""
        old, new = (
            Side(name, rules.at, tuple(v.id for _, v in sorted(rules.versions.items())))
            for name, rules in zip(names, self._sides, strict=True)
        )
        repeated = sorted(self._times, key=lambda name: self._seen[name])[:MOST_KEPT]
        return Impact(
            book=self._book,
            old=old,
            new=new,
            known_at=self._sides[1].known_at,
            changes=self._changes,
            counts=Counts(**self._counts),
            statuses=self._migrations.statuses(self._versions),
            permissions=tuple(self._movements.movements()),
            flips=tuple(sorted(self._flips, key=self._order)),
            distributions=tuple(one.distribution() for one in self._changed.values()),
            totals=tuple(one.total() for one in self._sums.values()),
            groups=self._attribution.groups(),
            assumptions=tuple(self._rested.resting()),
            failures=tuple(self._failures),
            repeated=tuple(
                Repeated(name, self._times[name], tuple(self._seen[name])) for name in repeated
            ),
            repeats=len(self._times),
            undetermined_before=self._untold[0],
            undetermined_after=self._untold[1],
            not_apart=self._attribution.not_apart,
        )


def _decided(rules: Rules, snapshot: Mapping[str, Any]) -> Decision | tuple[Problem, ...]:
    try:
        return rules.decide(snapshot)
    except SnapshotError as error:
        return error.problems


def _status(decision: Decision) -> str:
    return decision.status or UNDETERMINED


def _titles(decision: Decision) -> dict[str, str]:
    return {one.name: one.title for one in decision.assumptions}
