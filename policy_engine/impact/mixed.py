"""Mixtures of the rules over all accounts of a batch that flip: each decided when first asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from policy_engine.columns.numbers import Array
from policy_engine.errors import PolicyError
from policy_engine.impact.attribution import Ask, Attribution
from policy_engine.impact.mixture import Made
from policy_engine.impact.model import STATUS
from policy_engine.impact.reach import PERMISSION
from policy_engine.portfolio.batches import Portfolio

WORTH_COLUMNS = 64
"""Of fewer accounts each is decided by itself: making columns of a mixture takes its time."""

AskedOf = Callable[[int, Mapping[str, Any]], Ask]
"""What tells the outcomes of an account, by its place among those that flip and its snapshot."""


class Mixed:
    """Decides batches by mixtures; remembers what it made of each."""

    def __init__(self, attribution: Attribution) -> None:
        self._attribution = attribution
        self._portfolios: dict[Made, Portfolio | None] = {}

    def over(self, batch: pa.RecordBatch, rows: Array) -> AskedOf:
        """What tells the outcomes of some rows of a batch."""
        if len(rows) < WORTH_COLUMNS:
            return lambda _, snapshot: self._attribution.asked_of(snapshot)
        answers = _Answers(self, batch.take(pa.array(rows)))

        def asked(place: int, snapshot: Mapping[str, Any]) -> Ask:
            one_by_one = self._attribution.asked_of(snapshot)

            def ask(made: Made, outcome: str) -> Any:
                column = answers.column(made, outcome)
                return one_by_one(made, outcome) if column is None else column[place]

            return ask

        return asked

    def decided(self, made: Made, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """A batch by a mixture; None where it is told account by account: it cannot be made, or
        has requests that cannot be asked."""
        try:
            if made not in self._portfolios:
                rules = self._attribution.rules(made)
                self._portfolios[made] = None if rules is None else Portfolio(rules)
            portfolio = self._portfolios[made]
            return None if portfolio is None else portfolio.decide(batch)
        except PolicyError:
            self._portfolios[made] = None
            return None


class _Answers:
    """The answers of mixtures on one batch, column by column."""

    def __init__(self, mixed: Mixed, batch: pa.RecordBatch) -> None:
        self._mixed, self._batch = mixed, batch
        self._decided: dict[Made, pa.RecordBatch | None] = {}
        self._columns: dict[tuple[Made, str], list[Any] | None] = {}

    def column(self, made: Made, outcome: str) -> list[Any] | None:
        """An outcome of every account, `...` where it cannot be decided; None if not in columns."""
        if (made, outcome) not in self._columns:
            self._columns[made, outcome] = self._column(made, outcome)
        return self._columns[made, outcome]

    def _column(self, made: Made, outcome: str) -> list[Any] | None:
        if made not in self._decided:
            self._decided[made] = self._mixed.decided(made, self._batch)
        answer = self._decided[made]
        if answer is None:
            return None
        name = outcome.removeprefix(f"{PERMISSION}.")
        told = answer["status" if outcome == STATUS else f"{name}_permitted"].to_pylist()
        wrong = answer["error"].to_pylist()
        return [one if error is None else ... for one, error in zip(told, wrong, strict=True)]
