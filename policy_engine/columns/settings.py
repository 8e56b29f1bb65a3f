"""Figures of settings alone, computed exactly once for each combination of settings that occurs.

A book has few settings and many accounts; and what is exact here does not put a whole book in
doubt where a figure, as rounding has it, lies on an edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from policy_engine.columns.columns import (
    Column,
    alike,
    constant,
    made_doubtful,
    taken,
    unknown_of,
)
from policy_engine.columns.numbers import Array, either
from policy_engine.columns.tables import column_of, keys_of
from policy_engine.language.compute import compute, start
from policy_engine.language.plan import Plan, Stage
from policy_engine.language.settings import of_settings
from policy_engine.language.values import Lists, Rows, Undetermined, is_undetermined
from policy_engine.model import ACCOUNT, LISTS
from policy_engine.numbers import exactly

_MOST_COMBINATIONS = 4096
_MOST_KEPT = 64
_NOT_GIVEN = Undetermined(["this is not given"])


@dataclass(frozen=True)
class Settings:
    """The figures of a plan that are made of parameters, texts and truths alone."""

    plan: Plan
    lookups: Mapping[str, Rows | Lists]
    lastly: bool = False
    computed: dict[tuple[Any, ...], Mapping[str, Any]] = field(default_factory=dict)
    kept: dict[Any, Mapping[str, Column]] = field(default_factory=dict)

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], tuple[str, ...], Plan]:
        figures, inputs = of_settings(self.plan)
        names = tuple(figure.name for figure in figures)
        stages = (Stage(ACCOUNT, tuple(figures)),) if figures else ()
        return names, tuple(sorted(inputs)), replace(self.plan, stages=stages)

    @property
    def names(self) -> tuple[str, ...]:
        """Those figures, in the order in which they are computed."""
        return self._found[0]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that they are made of."""
        return self._found[1]

    def exactly(self, given: tuple[Any, ...]) -> Mapping[str, Any]:
        """The figures for one combination of the inputs; None is one that is not given."""
        if given not in self.computed:
            held = dict(zip(self.inputs, given, strict=True))
            inputs = [_given(held.get(item.name)) for item in self.plan.inputs[ACCOUNT]]
            plan, lists = self._found[2], [() for _ in LISTS]
            made = exactly(lambda: compute(plan, self.lookups, start(plan, inputs, lists)))
            self.computed[given] = made.figures
        return self.computed[given]

    def columns(self, given: Sequence[Column]) -> Mapping[str, Column] | None:
        """The figures for columns of the inputs; None where there are too many combinations."""
        if not given:
            figures = self.exactly(())
            return {name: constant(figures[name]) for name in self.names}
        kinds = {item.name: item.kind for item in self.plan.inputs[ACCOUNT]}
        samples = [constant(True if kinds[name] == "truth" else "") for name in self.inputs]
        pairs = zip(given, samples, strict=True)
        return self._by_combination([alike(part, sample)[0] for part, sample in pairs])

    def _by_combination(self, given: Sequence[Column]) -> Mapping[str, Column] | None:
        codes, doubt = np.zeros(1, dtype=np.int64), None
        values: list[tuple[Any, ...]] = []
        for part in given:
            keys = keys_of(part, ())
            known = np.where(unknown_of(part), len(keys.values), keys.codes)
            codes = codes * (len(keys.values) + 1) + known
            values.append((*keys.values, None))
            doubt = either(doubt, keys.doubt)
        present, at = _present(codes, int(np.prod([float(len(part)) for part in values])))
        if len(present) > _MOST_COMBINATIONS:
            return None
        columns = self._columns_of(present, tuple(values))
        spread = {name: taken(column, at) for name, column in columns.items()}
        if doubt is None:
            return spread
        return {name: made_doubtful(column, doubt) for name, column in spread.items()}

    def _columns_of(
        self, present: Array, values: tuple[tuple[Any, ...], ...]
    ) -> Mapping[str, Column]:
        """Each figure for the combinations that occur; most chunks have the same ones."""
        key = (present.tobytes(), values)
        columns = self.kept.get(key)
        if columns is None:
            made = [self.exactly(combination) for combination in _spelled(present, values)]
            columns = {
                name: _column([one[name] for one in made], self.lastly) for name in self.names
            }
            if len(self.kept) >= _MOST_KEPT:  # another thread may use what was kept
                self.kept.clear()
            self.kept[key] = columns
        return columns


def _given(value: Any) -> Any:
    return _NOT_GIVEN if value is None else value


def _present(codes: Array, most: int) -> tuple[Array, Array]:
    """The codes that occur, and for each element which of them it is."""
    if most > 1 << 18:
        return np.unique(codes, return_inverse=True)
    seen = np.bincount(codes, minlength=1) > 0
    present = np.flatnonzero(seen)
    return present, (np.cumsum(seen) - 1).take(codes)


def _spelled(present: Array, values: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The inputs that each code stands for."""
    made = []
    for code in present.tolist():
        parts = []
        for of_part in reversed(values):
            code, at = divmod(code, len(of_part))
            parts.append(of_part[at])
        made.append(tuple(reversed(parts)))
    return made


_KINDS = ((bool, "truth"), (Decimal, "number"), (str, "text"), (datetime, "instant"))


def _column(answers: Sequence[Any], lastly: bool) -> Column:
    known = [answer for answer in answers if not is_undetermined(answer)]
    if not known:
        return taken(constant(answers[0]), np.zeros(len(answers), dtype=np.intp))
    kind = next(name for python, name in _KINDS if isinstance(known[0], python))
    return column_of(answers, kind, True, lastly)
