"""What is counted of the answers of a book: part by part, and added up in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.language.thresholds import STATUS, thresholds
from policy_engine.layout import Layout
from policy_engine.portfolio.batches import Portfolio
from policy_engine.portfolio.outcome import number_values, rules_digest

MOST = 10
"""Accounts shown one by one: the worst, and the first in error."""


class Listed(NamedTuple):
    """An account in the list of the worst: how bad its status is, by which figure, and its row."""

    rank: int
    level: float
    row: int
    account: str
    status: str
    figure: str | None
    value: str | None


@dataclass
class Tally:
    """The counts of some rows. `undetermined` has the nulls of each column that should tell."""

    accounts: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    undetermined: Counter[str] = field(default_factory=Counter)
    digests: Counter[str] = field(default_factory=Counter)
    exactly: int = 0
    errors: int = 0
    wrong: list[tuple[int, str | None, str]] = field(default_factory=list)
    worst: list[Listed] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what another has counted, too."""
        self.accounts += other.accounts
        self.exactly += other.exactly
        self.errors += other.errors
        for mine, others in (
            (self.statuses, other.statuses),
            (self.undetermined, other.undetermined),
            (self.digests, other.digests),
        ):
            mine.update(others)
        self.wrong = nsmallest(MOST, [*self.wrong, *other.wrong], key=lambda one: one[0])
        self.worst = nsmallest(MOST, [*self.worst, *other.worst])

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return dict(vars(self))

    @classmethod
    def of_dict(cls, held: Mapping[str, Any]) -> Tally:
        """What `to_dict` gave."""
        made = cls(**held)
        made.statuses, made.undetermined = Counter(made.statuses), Counter(made.undetermined)
        made.digests = Counter(made.digests)
        made.wrong = [tuple(one) for one in held["wrong"]]
        made.worst = [Listed(*one) for one in held["worst"]]
        return made


class Told(NamedTuple):
    """What decisions under one combination of versions tell: the columns that should have values,
    and the figure that each status turns on, with whether small ones are bad."""

    columns: tuple[str, ...]
    turns_on: Mapping[str, tuple[str, bool]]


class Counted:
    """Counts the answers under some rules."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.answered = portfolio.answered
        self.told = {
            rules_digest(one.layout.rulesets): Told(
                (*_permissions(one.layout, self.answered.permissions), *number_values(one)),
                _turns_on(one.layout),
            )
            for one in portfolio.compiled
        }
        self.ranks = _ranks([one.layout for one in portfolio.compiled])

    def of(self, answer: pa.RecordBatch, start: int) -> Tally:
        """The counts of an answer whose first row is that of the book."""
        made = Tally(answer.num_rows)
        made.exactly = _count(answer["decided_exactly"])
        made.errors = answer.num_rows - answer["error"].null_count
        made.statuses.update(_counts(answer["status"]))
        made.digests.update(_counts(answer["rules_digest"]))
        undecided = answer["status"].null_count - made.errors
        made.undetermined.update({"status": undecided} if undecided else {})
        for digest in made.digests:
            made.undetermined.update(self._unknown(answer, digest))
        made.wrong = _wrong(answer, start)
        made.worst = nsmallest(MOST, self._worst(answer, start, made.statuses))
        return made

    def _unknown(self, answer: pa.RecordBatch, digest: str) -> dict[str, int]:
        rows = _is(answer["rules_digest"], digest)
        columns = ((name, answer[name]) for name in self.told[digest].columns)
        nulls = {name: column.is_null() for name, column in columns if column.null_count}
        counts = {name: _count(pc.and_(rows, null)) for name, null in nulls.items()}
        return {name: count for name, count in counts.items() if count}

    # --- the worst ----------------------------------------------------------------------------

    def _worst(
        self, answer: pa.RecordBatch, start: int, statuses: Mapping[str, int]
    ) -> Iterator[Listed]:
        """The worst accounts of the worst statuses there are, but for those that are all well."""
        found = 0
        for status in sorted(statuses, key=lambda name: self.ranks[name]):
            if found >= MOST or status == self.answered.statuses[-1]:
                return
            found += statuses[status]
            for digest, told in self.told.items():
                rows = pc.and_(_is(answer["status"], status), _is(answer["rules_digest"], digest))
                yield from self._listed(answer, start, status, rows, told)

    def _listed(
        self, answer: pa.RecordBatch, start: int, status: str, rows: pa.Array, told: Told
    ) -> Iterator[Listed]:
        places = np.flatnonzero(rows.to_numpy(zero_copy_only=False))
        figure, from_below = told.turns_on.get(status, (None, True))
        if figure is None:
            levels, values = np.zeros(len(places)), [None] * len(places)
        else:
            some = answer[figure].take(pa.array(places))
            values = some
            levels = some.cast(pa.float64()).fill_null(np.inf).to_numpy(zero_copy_only=False)
        order = np.argsort(levels if from_below else -levels, kind="stable")[:MOST].tolist()
        for at in order:
            row, value = int(places[at]), values[at]
            text = None if value is None or value.as_py() is None else str(value.as_py())
            level = float(levels[at]) * (1 if from_below else -1)
            account = answer["account"][row].as_py()
            yield Listed(self.ranks[status], level, start + row + 1, account, status, figure, text)


def _permissions(layout: Layout, names: tuple[str, ...]) -> Iterator[str]:
    told = {*layout.permissions, *layout.requests}
    return (f"{name}_permitted" for name in names if name in told)


def _turns_on(layout: Layout) -> Mapping[str, tuple[str, bool]]:
    """The first figure that the rule of each status compares."""
    assert layout.plan is not None
    found = [one for one in thresholds(layout.plan)[1] if one.kind == STATUS]
    return {one.rule: (one.figure, one.from_below) for one in reversed(found)}


def _ranks(layouts: list[Layout]) -> Mapping[str, int]:
    """How bad a status is, 0 the worst."""
    made: dict[str, int] = {}
    for layout in layouts:
        for place, rule in enumerate(layout.statuses):
            made[rule.reason.rule] = max(place, made.get(rule.reason.rule, 0))
    return made


def _is(column: pa.Array, name: str) -> pa.Array:
    """Where a column of names has one."""
    place = column.dictionary.to_pylist().index(name)
    return pc.equal(column.indices, place).fill_null(False)


def _counts(column: pa.Array) -> dict[str, int]:
    counts = np.bincount(column.indices.drop_null().to_numpy(), minlength=len(column.dictionary))
    names = column.dictionary.to_pylist()
    return {name: n for name, n in zip(names, counts.tolist(), strict=True) if n}


def _count(truths: pa.Array) -> int:
    return int(truths.true_count)


def _wrong(answer: pa.RecordBatch, start: int) -> list[tuple[int, str | None, str]]:
    rows = np.flatnonzero(answer["error"].is_valid().to_numpy(zero_copy_only=False))[:MOST]
    accounts, errors = answer["account"], answer["error"]
    return [(start + r + 1, accounts[r].as_py(), errors[r].as_py()) for r in rows.tolist()]
