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
from policy_engine.impact.flips import Flips
from policy_engine.impact.model import ERROR, UNDETERMINED, Counts, Failure, Impact, Side
from policy_engine.impact.row import Decided, difference
from policy_engine.impact.standing import Standings
from policy_engine.impact.tally import (
    Changed,
    Migrations,
    Movements,
    Names,
    Rested,
    Sums,
    ordered,
)
from policy_engine.numbers import instant_text
from policy_engine.rules import Rules

MOST_KEPT = 100
"""Failures, and names that stand in the book twice, that are told one by one; all are counted."""


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
    measured = Measured(old, new, changes, book)
    for row in rows:
        measured.add(row)
    return measured.impact(names)


class Measured:
    """What comes of the accounts met so far: each compared by itself, or many counted at a time.

    Of accounts that are only counted, figures and wordings are not compared.
    """

    def __init__(self, old: Rules, new: Rules, changes: Changes, book: str) -> None:
        _check(old, new)
        self._sides, self._changes, self._book = (old, new), changes, book
        self.at = instant_text(max(old.at, new.at))
        self.attribution = Attribution(old, new, changes)
        self._versions = [
            version for side in (new, old) for version in side.versions.values() if version.statuses
        ]
        self._tested = Standings()
        self.flips = Flips(ordered(self._versions), self.attribution, self._tested)
        self._counts = {field.name: 0 for field in fields(Counts)}
        self._migrations, self.movements, self._rested = Migrations(), Movements(), Rested()
        self._changed: dict[str, Changed] = {}
        self._sums: dict[str, Sums] = {}
        self._failures: list[Failure] = []
        self.names = Names()
        self._untold = [0, 0]

    def add(self, row: Row) -> None:
        """One more row of the book, decided by both sides and compared."""
        if row.account is not None:
            self.names.meet(row.account, row.line)
        if row.problems:
            self._fail(row, "row", row.problems, (ERROR, ERROR))
            return
        if "at" not in row.snapshot:
            row = replace(row, snapshot={**row.snapshot, "at": self.at})
        pair = self.decided(row)
        if pair is not None:
            self._compare(row, pair)

    def decided(self, row: Row) -> Decided | None:
        """An account as both sides decide it; where one cannot, it is counted as in error."""
        sides = [_decided(rules, row.snapshot) for rules in self._sides]
        old, new = sides
        if isinstance(old, Decision) and isinstance(new, Decision):
            return Decided(old, new)
        failed = [side for side in sides if not isinstance(side, Decision)]
        which = "both" if len(failed) == 2 else ("new" if isinstance(old, Decision) else "old")
        statuses = [_status(side) if isinstance(side, Decision) else ERROR for side in sides]
        problems = tuple(dict.fromkeys(problem for side in failed for problem in side))
        self._fail(row, which, problems, (statuses[0], statuses[1]))
        return None

    def count(self, kind: str, statuses: Mapping[tuple[str, str], int]) -> None:
        """Accounts of a kind, as `Counts` names them, by their statuses before and after."""
        for pair, number in statuses.items():
            self._counts["accounts"] += number
            self._counts[kind] += number
            self._migrations.counts[pair] += number

    def untold(self, before: int, after: int) -> None:
        """Accounts of which a side cannot tell something."""
        self._untold = [self._untold[0] + before, self._untold[1] + after]

    @property
    def failures_left(self) -> int:
        """How many more rows in error will be told one by one."""
        return MOST_KEPT - len(self._failures)

    def _fail(
        self, row: Row, side: str, problems: tuple[Problem, ...], statuses: tuple[str, str]
    ) -> None:
        self.count("errors", {statuses: 1})
        if self.failures_left:
            told = tuple(placed(problem, self._book, row.line) for problem in problems)
            self._failures.append(Failure(row.line, row.account, side, told))

    # --- an account by itself --------------------------------------------------------------------

    def _compare(self, row: Row, pair: Decided) -> None:
        permitted = pair.permitted()
        self.movements.add(permitted)
        self._rested.add(*(_titles(side) for side in (pair.old, pair.new)))
        self.untold(bool(pair.old.undetermined), bool(pair.new.undetermined))
        self._measure(pair)
        flips = bool(outcomes_of(pair, permitted))
        tested = self._tested
        names = tested.by(pair.old).formulas, tested.by(pair.new).formulas
        self.count(difference(pair, flips, names), {pair.statuses: 1})
        if flips:
            self.flips.add(row, pair, permitted, self.attribution.asked_of(row.snapshot))

    def _measure(self, pair: Decided) -> None:
        """The changes and sums of the figures that are tested, and of those in money."""
        old, new = self._tested.by(pair.old), self._tested.by(pair.new)
        formulas = {**old.formulas, **new.formulas}
        for name in dict.fromkeys((*new.figures, *old.figures)):
            changed = self._changed.get(name) or self._changed.setdefault(
                name, Changed(formulas[name])
            )
            changed.add(pair.old.figure(name), pair.new.figure(name))
        for name in dict.fromkeys((*new.money, *old.money)):
            sums = self._sums.get(name) or self._sums.setdefault(name, Sums(formulas[name]))
            sums.add(pair.old.figure(name), pair.new.figure(name))

    # --- the result ------------------------------------------------------------------------------

    def impact(self, names: tuple[str, str], compared: bool = True) -> Impact:
        """What has come of all rows; `compared`: figures and wordings of all of them were."""
        old, new = (
            Side(name, rules.at, tuple(v.id for _, v in sorted(rules.versions.items())))
            for name, rules in zip(names, self._sides, strict=True)
        )
        return Impact(
            book=self._book,
            old=old,
            new=new,
            known_at=self._sides[1].known_at,
            changes=self._changes,
            counts=Counts(**self._counts),
            statuses=self._migrations.statuses(self._versions),
            permissions=tuple(self.movements.movements()),
            flips=self.flips.ordered(),
            distributions=tuple(one.distribution() for one in self._changed.values()),
            totals=tuple(one.total() for one in self._sums.values()),
            groups=self.attribution.groups(),
            assumptions=tuple(self._rested.resting()),
            failures=tuple(self._failures),
            repeated=self.names.repeated(MOST_KEPT),
            repeats=self.names.repeats,
            undetermined_before=self._untold[0],
            undetermined_after=self._untold[1],
            not_apart=self.attribution.not_apart,
            compared=compared,
        )


def _check(*sides: Rules) -> None:
    """Raise RulesError where the rules of a side do not go together."""
    for rules in sides:
        for name, version in rules.versions.items():
            if version.applies_when is not None:
                rules.compiled(name)


def _decided(rules: Rules, snapshot: Mapping[str, Any]) -> Decision | tuple[Problem, ...]:
    try:
        return rules.decide(snapshot)
    except SnapshotError as error:
        return error.problems


def _status(decision: Decision) -> str:
    return decision.status or UNDETERMINED


def _titles(decision: Decision) -> dict[str, str]:
    return {one.name: one.title for one in decision.assumptions}
