"""Whole batches of accounts: each decided as it would be alone, most of them on floats.

What the floats leave in doubt is looked at again with the last digits of the exact figures. What
these do not tell either, and every row that is not plainly written, is decided by the rules as a
snapshot. So the answers are those of `rules.decide`, row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from policy_engine.columns.columns import doubt_of
from policy_engine.columns.numbers import Array
from policy_engine.columns.reading import Answers
from policy_engine.columns.texts import micros
from policy_engine.columns.truths import Truth
from policy_engine.errors import RulesError, SnapshotError
from policy_engine.policy import Compiled
from policy_engine.portfolio.batch import Batch, Part, check_columns
from policy_engine.portfolio.frames import stream_of
from policy_engine.portfolio.given import Reading
from policy_engine.portfolio.one_by_one import as_batch, each_decided
from policy_engine.portfolio.outcome import Answered, Outcome, answered, rules_digest
from policy_engine.portfolio.requested import told
from policy_engine.portfolio.rows import Snapshot, plainly, snapshots
from policy_engine.portfolio.rulings import Choice, Ruling, Wanted, chosen
from policy_engine.portfolio.untold import anything_untold
from policy_engine.rules import Rules
from policy_engine.snapshot import Reader, beyond_schema

CHUNK, CHUNK_LINES = 65_536, 400_000
"""So many accounts at a time, or fewer where they have more lines than so many: what is not
arithmetic of arrays is done once for a chunk, and its columns are to fit a few hundred MB."""

_MOST_COMBINATIONS = 256

SMALL = 16
"""So few accounts are decided sooner one by one."""

FEW = 48
"""So few of a batch that floats leave in doubt are decided sooner one by one."""


def decide(accounts: Any, rules: Rules) -> Any:
    """The decision on every account, in its order: one row for each.

    A record batch gives a record batch. A table, or a frame of any library that has the Arrow
    stream interface (pandas, Polars), gives a table. The columns are the fields of a snapshot,
    `assets`, `orders` and `loans` lists of structs, numbers decimal128, whole numbers or texts. A
    row that cannot be decided has an `error`, the others none. Raises SnapshotError for columns
    that no row could be read from, and for what is no table of accounts.
    """
    made = portfolio(rules)
    if isinstance(accounts, pa.RecordBatch):
        return made.decide(accounts)
    batches = [made.decide(batch) for batch in stream_of(accounts)]
    return pa.Table.from_batches(batches, made.answered.schema)


@lru_cache(maxsize=32)
def portfolio(rules: Rules) -> Portfolio:
    """What decides batches under some rules; made once for each."""
    return Portfolio(rules)


class Portfolio:
    """Decides batches under rules in force; remembers what it made of the rules."""

    def __init__(self, rules: Rules, wholly: bool = False, lastly: bool = False) -> None:
        """`wholly`: an outcome also says of which accounts anything cannot be told; `lastly`: the
        last digits of exact figures tell what floats leave in doubt, which takes longer."""
        self.rules, self.wholly, self.lastly = rules, wholly, lastly
        self.answers = Answers(lastly)
        self.moment = micros(rules.at)
        deciding = [v for v in rules.versions.values() if v.applies_when is not None]
        self.compiled = [one for v in deciding if (one := self._compiled(v.ruleset)) is not None]
        beyond = beyond_schema(rules.versions.values())
        self.readers = [one.readers.beyond(beyond) for one in self.compiled]
        inputs = (item for v in deciding for item in rules.book.applicable(v).inputs)
        self.asked = sorted({item.source[0] for item in inputs})
        self.offered = frozenset(rules.book.offered(rules.at, rules.known_at))
        self.answered: Answered = answered(self.compiled, sorted(self.offered))
        self.choices: dict[tuple[Any, ...], Choice | None] = {}
        self.checked: pa.Schema | None = None

    def _compiled(self, ruleset: str) -> Compiled | None:
        try:
            return self.rules.compiled(ruleset)
        except RulesError:  # of a ruleset not started: an account under it cannot be decided
            return None

    def decide(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The decision on every account of a batch. Raises SnapshotError as `decide` does."""
        self.check(batch)
        if batch.num_rows <= SMALL:
            return self.one_by_one(batch)
        return self.in_columns(batch)

    def one_by_one(self, batch: pa.RecordBatch, exactly: bool = False) -> pa.RecordBatch:
        """The decisions made each by itself; `exactly`: values as exact texts."""
        self.check(batch)
        found = each_decided(batch, self.rules)
        return as_batch(found, batch.column("account"), self.answered, exactly)

    def in_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The decisions made in columns, and one by one where these leave a doubt."""
        return self.outcome(batch).batch(batch.column("account"))

    def outcome(self, batch: pa.RecordBatch) -> Outcome:
        """The same as arrays."""
        outcome, left, odd = self.ruled(batch)
        doubtful = np.flatnonzero(left & ~odd)
        if len(doubtful) > FEW:
            left[doubtful] = self._looked_at_again(batch, doubtful, outcome)
        self._one_by_one(batch, np.flatnonzero(left | odd), outcome)
        return outcome

    def ruled(
        self, batch: pa.RecordBatch, wanted: Wanted | None = None
    ) -> tuple[Outcome, Array, Array]:
        """What columns rule (all, or what is wanted), the rows of which they leave something of
        it in doubt, and those that are not plainly written."""
        columns = Batch(batch, self.lastly)
        outcome = Outcome(self.answered, columns.count)
        codes, choices = self._choices(columns)
        marks = [
            self._part(columns.part(start, stop), codes[start:stop], choices, outcome, wanted)
            for start, stop in _chunks(columns)
        ]
        left, odd = (np.concatenate(m) for m in zip(*marks, strict=True))
        return outcome, left, odd

    def _looked_at_again(self, batch: pa.RecordBatch, rows: Array, outcome: Outcome) -> Array:
        """Settle what the last digits tell of some rows; which of them are still in doubt."""
        wanted = None if self.wholly else outcome.open(rows)
        found, left, odd = self.closer.ruled(batch.take(pa.array(rows)), wanted)
        outcome.settle_by(found, rows, ~(left | odd))
        return left | odd

    @cached_property
    def closer(self) -> Portfolio:
        """What decides with the last digits."""
        return Portfolio(self.rules, self.wholly, lastly=True)

    def check(self, batch: pa.RecordBatch) -> None:
        """Raise SnapshotError for columns that no row could be read from, of whatever rows."""
        if self.checked is not None and batch.schema.equals(self.checked):
            return
        nothing = Batch(batch.slice(0, 0))
        if self.readers:
            check_columns(nothing, self.readers)
        for reader in self.readers:
            _ = Reading(nothing.part(0, 0), reader, self.moment).odd
        self.checked = batch.schema

    # --- which rules ---------------------------------------------------------------------------

    def _choices(self, batch: Batch) -> tuple[Array, Sequence[Choice | None]]:
        """For each row, the place of its choice among the choices."""
        codes = np.zeros(batch.count, dtype=np.intp)
        values: list[list[Any]] = []
        for name in self.asked:
            found = _distinct(batch.columns.get(name))
            if found is None or len(found[1]) > _MOST_COMBINATIONS:
                return codes * 0, [None]
            codes = codes * len(found[1]) + found[0]
            values.append(found[1])
        present, at = np.unique(codes, return_inverse=True)
        if len(present) > _MOST_COMBINATIONS:
            return codes * 0, [None]
        combinations = list(product(*values))
        return at, [self._choice(combinations[code]) for code in present]

    def _choice(self, combination: tuple[Any, ...]) -> Choice | None:
        if combination not in self.choices:
            pairs = zip(self.asked, combination, strict=True)
            given = {name: value for name, value in pairs if value is not None}
            sample: Snapshot = {"account": "sample", "assets": [], **given}
            self.choices[combination] = chosen(self.rules, sample, self.answers)
        return self.choices[combination]

    # --- a part of the rows ----------------------------------------------------------------------

    def _part(
        self,
        part: Part,
        codes: Array,
        choices: Sequence[Choice | None],
        outcome: Outcome,
        wanted: Wanted | None,
    ) -> tuple[Array, Array]:
        """Rule on a part of the rows; where something is in doubt, and what is not plain."""
        left = np.zeros(part.count, dtype=bool)
        odd = np.zeros(part.count, dtype=bool)
        made: dict[int, Reading] = {}

        def reading(reader: Reader) -> Reading:
            if id(reader) not in made:
                made[id(reader)] = Reading(part, reader, self.moment)
            return made[id(reader)]

        def asked(ruling: Ruling, name: str) -> Truth:
            return told(ruling, name, reading)

        for code in np.unique(codes).tolist():
            choice, rows = choices[code], codes == code
            if choice is None:
                odd |= rows
                continue
            own = reading(choice.reader)
            ruled = Ruling(choice, own, asked).ruled(wanted)
            digest = rules_digest(choice.compiled.layout.rulesets)
            outcome.put(part.start, np.flatnonzero(rows), ruled, choice.compiled, digest)
            left |= rows & ruled.unsure
            if self.wholly:
                untold = anything_untold(choice, own, ruled)
                outcome.put_untold(part.start, np.flatnonzero(rows), untold)
                left |= rows & doubt_of(untold)
            odd |= rows & own.odd
        outcome.unsettle(np.flatnonzero(odd) + part.start)
        return left, odd

    def _one_by_one(self, batch: pa.RecordBatch, rows: Array, outcome: Outcome) -> None:
        if not len(rows):
            return
        decisions = {}
        for row, snapshot in zip(rows.tolist(), snapshots(batch, rows.tolist()), strict=True):
            try:
                decisions[row] = self.rules.decide(snapshot)
            except SnapshotError as error:
                outcome.put_error(row, error)
        outcome.settle(decisions)


def _chunks(batch: Batch) -> list[tuple[int, int]]:
    """Where each chunk of the rows starts and stops; one chunk of none where there are none."""
    count, lines = batch.count, sum(int(of.counts.sum()) for of in batch.lists.values())
    size = max(1, min(CHUNK, CHUNK_LINES * count // max(lines, 1)))
    return [(start, min(start + size, count)) for start in range(0, max(count, 1), size)]


def _distinct(array: pa.Array | None) -> tuple[Array | int, list[Any]] | None:
    """The code of each element, and what it stands for; None for what cannot be told apart."""
    if array is None or pa.types.is_null(array.type):
        return 0, [None]
    if pa.types.is_nested(array.type):
        return None
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
    return codes.astype(np.intp), [plainly(value) for value in values]
