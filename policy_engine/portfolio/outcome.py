"""What is decided of the accounts of a batch, as arrays that become a record batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from hashlib import sha256

import numpy as np
import pyarrow as pa

from policy_engine.columns.columns import main_part, unknown_of
from policy_engine.columns.numbers import Array
from policy_engine.columns.truths import EITHER, FALSE, TRUE, UNDETERMINED, Truth
from policy_engine.decision import Decision
from policy_engine.errors import Problem, SnapshotError
from policy_engine.layout import InForce
from policy_engine.model import ACCOUNT
from policy_engine.policy import Compiled
from policy_engine.portfolio.rulings import Ruled, Wanted

CODED = pa.dictionary(pa.int32(), pa.string())

_OPEN = -2
"""The status of a row of which floats cannot tell it."""

_BITS = {True: TRUE, False: FALSE, None: UNDETERMINED}


@dataclass(frozen=True)
class Answered:
    """The statuses, permissions and values that some rules in force may tell, by name, and the
    digests of the combinations of versions that may decide."""

    statuses: tuple[str, ...]
    permissions: tuple[str, ...]
    values: tuple[str, ...]
    digests: tuple[str, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the answer; the same for every batch under the same rules."""
        return self._schema(pa.float64())

    @cached_property
    def exact_schema(self) -> pa.Schema:
        """The same with values as texts, which are exact."""
        return self._schema(pa.string())

    def _schema(self, value: pa.DataType) -> pa.Schema:
        return pa.schema(
            [
                ("account", pa.string()),
                ("status", CODED),
                *((f"{name}_permitted", pa.bool_()) for name in self.permissions),
                *((name, value) for name in self.values),
                ("decided_exactly", pa.bool_()),
                ("error", pa.string()),
                ("rules_digest", CODED),
            ]
        )


def answered(compiled: Sequence[Compiled], offered: Sequence[str]) -> Answered:
    """All that some rules may tell; figures other than numbers are not told."""
    statuses = (rule.reason.rule for one in compiled for rule in one.layout.statuses)
    told = (n for one in compiled for n in (*one.layout.permissions, *one.layout.requests))
    values = (name for one in compiled for name in number_values(one))
    return Answered(
        tuple(dict.fromkeys(statuses)),
        tuple(sorted({*offered, *told})),
        tuple(sorted(set(values))),
        tuple(rules_digest(one.layout.rulesets) for one in compiled),
    )


def number_values(compiled: Compiled) -> Iterator[str]:
    """The account's figures that are numbers."""
    formulas = compiled.plan.scope.formulas[ACCOUNT]
    return (name for name in compiled.layout.values if formulas[name].kind == "number")


class Outcome:
    """The answer of a batch while it is made. Rows that nothing was said of are not permitted."""

    def __init__(self, answered: Answered, count: int) -> None:
        self.answered, self.count = answered, count
        self.statuses = {name: place for place, name in enumerate(answered.statuses)}
        self.status = np.full(count, -1, dtype=np.int32)
        self.permissions = {
            name: np.full(count, FALSE, dtype=np.uint8) for name in answered.permissions
        }
        self.values = {name: np.zeros(count) for name in answered.values}
        self.absent = {name: np.ones(count, dtype=bool) for name in answered.values}
        self.untold = np.zeros(count, dtype=np.uint8)
        self.exactly = np.zeros(count, dtype=bool)
        self.digests = {digest: place for place, digest in enumerate(answered.digests)}
        self.digest = np.full(count, -1, dtype=np.int32)
        self.errors: dict[int, str] = {}

    def put(self, start: int, rows: Array, ruled: Ruled, compiled: Compiled, digest: str) -> None:
        """Take what is ruled of some rows of a part that starts there."""
        layout, there = compiled.layout, _places(rows, start)
        names = [self.statuses[rule.reason.rule] for rule in layout.statuses]
        places = np.array([*names, _OPEN, -1], dtype=np.int32)
        self.status[there] = places.take(ruled.status.take(rows))
        for name, truth in ruled.permissions.items():
            self.permissions[name][there] = _of(truth.bits, rows)
        for name in number_values(compiled):
            if name not in ruled.values:
                continue
            column = ruled.values[name]
            self.values[name][there] = _of(main_part(column), rows)
            self.absent[name][there] = _of(unknown_of(column), rows)
            if name in ruled.rough:
                self.values[name][rows[_of(ruled.rough[name], rows)] + start] = np.nan
        self.digest[there] = self.digests[digest]

    def put_untold(self, start: int, rows: Array, untold: Truth) -> None:
        """Take of which rows of a part anything cannot be told; 0 where nothing was said of it."""
        self.untold[rows + start] = _of(untold.bits, rows)

    def unsettle(self, rows: Array) -> None:
        """Leave everything that is to be said of some rows open."""
        self.status[rows] = _OPEN
        self.untold[rows] = EITHER
        for bits in self.permissions.values():
            bits[rows] = TRUE | FALSE | UNDETERMINED
        for name, values in self.values.items():
            values[rows], self.absent[name][rows] = np.nan, False

    def settle(self, decisions: Mapping[int, Decision]) -> None:
        """Take from decisions what floats left open of their rows."""
        rows = np.array(list(decisions), dtype=np.intp)
        self.exactly[rows] = True
        for row in rows[self.status[rows] == _OPEN].tolist():
            status = decisions[row].status
            self.status[row] = -1 if status is None else self.statuses[status]
        for row in rows[self.untold[rows] == EITHER].tolist():
            self.untold[row] = _BITS[bool(decisions[row].undetermined)]
        for name, bits in self.permissions.items():
            some = bits[rows]
            for row in rows[some & (some - 1) != 0].tolist():
                bits[row] = _BITS[decisions[row].ruling(name)[0].permitted]
        for name, values in self.values.items():
            for row in rows[np.isnan(values[rows])].tolist():
                value = decisions[row].figure(name)
                known = isinstance(value, Decimal)
                self.absent[name][row] = not known
                values[row] = float(value) if known else 0.0
        for row in rows[self.digest[rows] < 0].tolist():
            self.digest[row] = self.digests[rules_digest(decisions[row].rulesets)]

    def open(self, rows: Array) -> Wanted:
        """What is left open of any of some rows."""
        some = {name: bits[rows] for name, bits in self.permissions.items()}
        return Wanted(
            bool((self.status[rows] == _OPEN).any()),
            frozenset(name for name, bits in some.items() if (bits & (bits - 1)).any()),
            frozenset(n for n, values in self.values.items() if np.isnan(values[rows]).any()),
        )

    def settle_by(self, found: Outcome, rows: Array, sure: Array) -> None:
        """Take from another outcome, which has these rows only, what is left open of those that it
        is sure of."""
        at, rows = np.flatnonzero(sure), rows[sure]
        self.exactly[rows] = True
        _filled(self.status, found.status, rows, at, self.status[rows] == _OPEN)
        _filled(self.untold, found.untold, rows, at, self.untold[rows] == EITHER)
        for name, bits in self.permissions.items():
            some = bits[rows]
            _filled(bits, found.permissions[name], rows, at, some & (some - 1) != 0)
        for name, values in self.values.items():
            where = np.isnan(values[rows])
            _filled(self.absent[name], found.absent[name], rows, at, where)
            _filled(values, found.values[name], rows, at, where)

    def put_error(self, row: int, error: SnapshotError) -> None:
        """Take what is wrong with a row."""
        self.status[row] = self.digest[row] = -1
        for bits in self.permissions.values():
            bits[row] = UNDETERMINED
        for absent in self.absent.values():
            absent[row] = True
        self.errors[row] = error_text(error) or ""

    def batch(self, accounts: pa.Array) -> pa.RecordBatch:
        """The answer, row by row as the accounts are."""
        schema = self.answered.schema
        columns = [
            _text(accounts),
            _named(self.status, self.answered.statuses),
            *(
                pa.array(bits == TRUE, mask=bits == UNDETERMINED)
                for bits in self.permissions.values()
            ),
            *(pa.array(v, mask=self.absent[name]) for name, v in self.values.items()),
            pa.array(self.exactly),
            self._errors(),
            _named(self.digest, self.answered.digests),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _errors(self) -> pa.Array:
        if not self.errors:
            return pa.nulls(self.count, pa.string())
        return pa.array([self.errors.get(row) for row in range(self.count)], pa.string())


def _filled(held: Array, found: Array, rows: Array, at: Array, where: Array) -> None:
    """Put what is found at some places into some rows, where that is marked."""
    held[rows[where]] = found[at[where]]


def _places(rows: Array, start: int) -> Array | slice:
    """Where some rows of a part stand that starts there; a stretch of rows needs no list."""
    if len(rows) and len(rows) == rows[-1] - rows[0] + 1:
        return slice(start + int(rows[0]), start + int(rows[-1]) + 1)
    return rows + start


def _of(values: Array, rows: Array) -> Array:
    """The values of some rows, which rise; one stands for all."""
    return values if len(values) in (1, len(rows)) else values.take(rows)


def _text(accounts: pa.Array) -> pa.Array:
    return accounts.cast(pa.string())


def _named(codes: Array, names: Sequence[str]) -> pa.Array:
    """Codes as a dictionary of names, the same one in every batch."""
    indices = pa.array(codes, CODED.index_type, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, CODED.value_type))


def error_text(found: Decision | SnapshotError) -> str | None:
    """What is wrong with a row and what to do about it, on one line; None where it is decided."""
    return None if isinstance(found, Decision) else "; ".join(map(_told, found.problems))


def _told(problem: Problem) -> str:
    return str(problem) if problem.hint is None else f"{problem} (hint: {problem.hint})"


@lru_cache(maxsize=256)
def rules_digest(rulesets: tuple[InForce, ...]) -> str:
    """The digest of all the versions that a decision rests on, in the order of their names."""
    held = [[item.ruleset, item.version, item.digest] for item in rulesets]
    return "sha256:" + sha256(json.dumps(held, separators=(",", ":")).encode()).hexdigest()
