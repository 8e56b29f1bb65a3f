"""What each step of a formula means on columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np

from policy_engine.columns import numbers, truths, whole_scales
from policy_engine.columns.columns import (
    Column,
    alike,
    as_kind,
    choose,
    constant,
    kind_of,
    made_doubtful,
    made_unknown,
    size,
    taken,
    together,
    unknown_of,
)
from policy_engine.columns.numbers import ARITHMETIC, EVERY, Array, Number
from policy_engine.columns.rounding import rounded
from policy_engine.columns.scales import Padded, padded, slices, slices_at_least, tier, top
from policy_engine.columns.tables import Keys, asked, is_number, keys_of, picked
from policy_engine.columns.texts import Instant, Text, compared_instants, hours, same_texts
from policy_engine.columns.truths import Truth
from policy_engine.columns.whole_scales import Whole, whole
from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.values import CONSTANT_VALUES, Lists, Rows
from policy_engine.model import ACCOUNT, Table

_MOST_REMEMBERED = 4096


@dataclass
class Answers:
    """What tables and scales answered for all the keys of a column, kept for the next column;
    threads may share them. `lastly`: numbers have their last digits."""

    lastly: bool = False
    held: dict[Any, Any] = field(default_factory=dict)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """What is kept under a key, made when it is first asked for."""
        made = self.held.get(key)
        if made is None:
            made = make()
            if len(self.held) >= _MOST_REMEMBERED:
                self.held.clear()
            self.held[key] = made
        return made


@dataclass(frozen=True)
class Sight:
    """What a formula sees of a chunk of accounts.

    `figure(name)` is a figure as wide as the entity whose formula is read; `line(list, key)` gives
    the position of the line that each key names in its account, and where there is none.
    """

    entity: str
    figure: Callable[[str], Column]
    line: Callable[[str, Text], tuple[Array, Array | None]]
    column: Callable[[str], Column]
    lookups: Mapping[str, Rows | Lists]
    tables: Mapping[str, Table]
    answers: Answers


class ColumnsReading:
    """Computes each step on columns, in doubt wherever floats cannot tell."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight

    def literal(self, value: Decimal | str) -> Column:
        return constant(value)

    def name(self, name: str) -> Column:
        if name in CONSTANT_VALUES:
            return constant(CONSTANT_VALUES[name])
        return self.sight.figure(name)

    def arithmetic(self, sign: str, left: Column, right: Column) -> Column:
        return ARITHMETIC[sign](is_number(left), is_number(right))

    def negative(self, operand: Column) -> Column:
        return numbers.negative(is_number(operand))

    def compare(self, sign: str, left: Column, right: Column) -> Column:
        left, right = alike(left, right)
        if isinstance(left, Text) and isinstance(right, Text):
            return same_texts(sign, left, right)
        if isinstance(left, Instant) and isinstance(right, Instant):
            return compared_instants(sign, left, right)
        if isinstance(left, Truth) and isinstance(right, Truth):
            made = truths.joined("==", left, right)
            return made if sign == "==" else truths.negated(made)
        return truths.compared(sign, is_number(left), is_number(right))

    def logic(self, word: str, operands: Sequence[Part[Column]]) -> Column:
        parts = [as_truth(part.read()) for part in operands]
        return reduce(lambda a, b: truths.joined(word, a, b), parts)

    def not_(self, operand: Column) -> Column:
        return truths.negated(as_truth(operand))

    def choose(self, test: Part[Column], then: Part[Column], otherwise: Part[Column]) -> Column:
        return choose(as_truth(test.read()), then.read(), otherwise.read())

    def call(self, function: str, arguments: Sequence[Part[Column]]) -> Column:
        if function in ("slices", "tier", "top"):
            return self._scale(function, arguments)
        if function == "at":
            return self._at(arguments)
        parts = [part.read() for part in arguments]
        if function == "given":
            return truths.of_flags(~unknown_of(parts[0]))
        if function == "clock_hours":
            start, end = (_as_instant(part) for part in parts)
            return hours(start, end)
        if function in ("min", "max"):
            extreme = numbers.smaller if function == "min" else numbers.larger
            return reduce(extreme, map(is_number, parts))
        if function == "abs":
            return numbers.absolute(is_number(parts[0]))
        if function.startswith("round_"):
            return rounded(is_number(parts[0]), is_number(parts[1]), function)
        return self._table(function, parts)

    def _table(self, function: str, parts: Sequence[Column]) -> Column:
        rows, table = self.sight.lookups[function], self.sight.tables[function]
        assert isinstance(rows, Rows)
        keys = [self._keys(function, n, part) for n, part in enumerate(parts)]
        finely = self.sight.entity == ACCOUNT
        asked_for = ("table", id(rows), finely, *(key.values for key in keys))
        held = self.sight.answers
        answers = held.get(asked_for, lambda: asked(rows, table.kind, keys, finely, held.lastly))
        return picked(answers, keys)

    def _keys(self, function: str, at: int, part: Column) -> Keys:
        table = self.sight.tables[function]
        part = alike(part, constant(_SAMPLES[table.by[at]]))[0]
        return keys_of(part, list({key[at]: None for row in table.rows for key in row.keys}))

    def _scale(self, function: str, arguments: Sequence[Part[Column]]) -> Column:
        reference = dotted(arguments[0].node)
        lists = self.sight.lookups[reference]
        assert isinstance(lists, Lists)
        parts = [part.read() for part in arguments[1:]]
        keys = self._scale_keys(lists, parts)
        scale: Padded = self.sight.answers.get(
            ("scale", id(lists), keys.values), lambda: padded(lists, keys.values)
        )
        made = _SCALES[function, len(parts)](scale, keys.codes, *map(is_number, parts))
        if self.sight.answers.lastly:
            tiers: Whole = self.sight.answers.get(
                ("whole", id(lists), keys.values), lambda: whole(lists, keys.values)
            )
            made = _WHOLE_SCALES[function, len(parts)](
                tiers, keys.codes, made, *map(is_number, parts)
            )
        known = made_unknown(made_unknown(made, keys.unknown), together(parts))
        return known if keys.doubt is None else made_doubtful(known, keys.doubt)

    def _scale_keys(self, lists: Lists, parts: list[Column]) -> Keys:
        """The keys that a scale is asked for; the column of them is taken from the parts."""
        if None in lists:
            return Keys(np.zeros(1, dtype=np.intp), (None,), None, None)
        sample = next(iter(lists), "")
        return keys_of(alike(parts.pop(0), constant(sample))[0], list(lists))

    def _at(self, arguments: Sequence[Part[Column]]) -> Column:
        entity, column = dotted(arguments[0].node), dotted(arguments[2].node)
        key, held = alike(arguments[1].read(), constant(""))[0], self.sight.column(column)
        if not isinstance(key, Text):  # keys other than texts are left to the code reading
            return made_doubtful(held, EVERY)
        where, unknown = self.sight.line(entity, key)
        if not size(held):
            return as_kind(replace(numbers.UNKNOWN, unknown=unknown), kind_of(held))
        made = made_unknown(made_unknown(taken(held, where), unknown), key.unknown)
        return made if key.doubt is None else made_doubtful(made, key.doubt)


_SAMPLES: Mapping[str, Any] = {"text": "", "number": Decimal(0), "truth": True}

_SCALES: Mapping[tuple[str, int], Callable[..., Number]] = {
    ("slices", 1): slices,
    ("slices", 2): slices_at_least,
    ("tier", 1): tier,
    ("top", 0): top,
}

_WHOLE_SCALES: Mapping[tuple[str, int], Callable[..., Number]] = {
    ("slices", 1): whole_scales.slices,
    ("slices", 2): whole_scales.slices_at_least,
    ("tier", 1): whole_scales.tier,
    ("top", 0): whole_scales.top,
}


def as_truth(x: Column) -> Truth:
    """A column that is one of truths, or undetermined all through."""
    made = alike(x, truths.constant(True))[0]
    assert isinstance(made, Truth)
    return made


def _as_instant(x: Column) -> Instant:
    made = alike(x, Instant(np.zeros(1, dtype=np.int64)))[0]
    assert isinstance(made, Instant)
    return made
