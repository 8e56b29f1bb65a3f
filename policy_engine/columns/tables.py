"""Tables and scales over columns: each is asked once for every key there is, then by code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np

from policy_engine.columns import numbers, texts, truths
from policy_engine.columns.columns import (
    Column,
    as_kind,
    constant,
    doubt_of,
    made_doubtful,
    made_unknown,
    main_part,
    spread,
    taken,
)
from policy_engine.columns.digits import of_figures
from policy_engine.columns.numbers import (
    SLACK,
    SMALL,
    Array,
    Number,
    error,
)
from policy_engine.columns.texts import Instant, Text
from policy_engine.columns.truths import Truth
from policy_engine.language.values import Rows, is_undetermined
from policy_engine.numbers import UNLIMITED

_FEW_KEYS = 16
_NOTHING = Decimal("0.5e-400")
"""Stands for every number that is no key; nothing that can be asked is like it."""


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """What a table is asked for: each element is the code of one of a few `values`."""

    codes: Array
    values: tuple[Any, ...]
    unknown: Array | None
    doubt: Array | None


def keys_of(x: Column, known: Sequence[Any]) -> Keys:
    """A column as keys, of a table that has rows for the `known` ones."""
    if isinstance(x, Text):
        return Keys(x.codes, x.texts, x.unknown, x.doubt)
    if isinstance(x, Truth):
        codes = (x.bits == truths.FALSE).astype(np.intp)
        unknown = x.bits == truths.UNDETERMINED
        return Keys(codes, (True, False), unknown, doubt_of(x))
    if isinstance(x, Instant):
        moments = sorted(key for key in known if isinstance(key, datetime))
        edges = np.array([texts.micros(key) for key in moments], dtype=np.int64)
        return _found(x.micros, edges, moments, x.unknown, x.doubt)
    return _number_keys(x, sorted(key for key in known if isinstance(key, Decimal)))


def _found(
    asked: Array, edges: Array, keys: Sequence[Any], unknown: Array | None, doubt: Array | None
) -> Keys:
    """Keys that are found exactly, or not at all."""
    codes = np.full(len(asked), len(edges), dtype=np.intp)
    if len(edges) <= _FEW_KEYS:
        for place, edge in enumerate(edges.tolist()):
            codes -= (asked == edge) * (len(edges) - place)
    else:
        at = np.minimum(np.searchsorted(edges, asked), len(edges) - 1)
        codes = np.where(edges[at] == asked, at, len(edges))
    return Keys(codes, (*keys, _NOTHING), unknown, doubt)


def _number_keys(x: Number, known: Sequence[Decimal]) -> Keys:
    """Numbers are a key where they surely equal it, and in doubt where they might."""
    finite = [key for key in known if key.is_finite()]
    columns = [numbers.constant(key) for key in finite]
    edges = np.array([column.value[0] for column in columns])
    keys = _found(x.value, edges, finite, x.unknown, None)
    if x.bound is None and not x.units and x.steady and not any(c.units for c in columns):
        return keys
    doubt = doubt_of(x) | np.isinf(x.value)
    if len(edges):
        off = np.array([error(column)[0] for column in columns])
        nearest = np.minimum(np.searchsorted((edges[1:] + edges[:-1]) / 2, x.value), len(edges) - 1)
        room = (error(x) + off[nearest]) * SLACK
        apart = np.abs(x.value - edges[nearest])
        doubt = doubt | ~((apart > room) | ((room == 0) & (apart == 0)))
    return replace(keys, doubt=doubt if doubt.any() else None)


# --- answers -----------------------------------------------------------------------------------


def column_of(
    answers: Sequence[Any], kind: str, finely: bool = False, lastly: bool = False
) -> Column:
    """One element for each answer of a table; `finely`, exact ones are told from rounded ones;
    `lastly`, numbers have their last digits."""
    unknown = np.array([is_undetermined(answer) for answer in answers], dtype=bool)
    known = [None if is_undetermined(answer) else answer for answer in answers]
    if kind == "truth":
        flags = np.array([bool(answer) for answer in known], dtype=bool)
        return truths.of_flags(flags, unknown)
    column = _TEXTUAL[kind](known) if kind in _TEXTUAL else _numbers(known, finely)
    if lastly and isinstance(column, Number):
        column = replace(column, digits=of_figures([one or Decimal(0) for one in known]))
    return made_unknown(column, unknown if unknown.any() else None)


def _texts(answers: Sequence[Any]) -> Column:
    names = tuple(dict.fromkeys("" if answer is None else answer for answer in answers))
    codes = {name: code for code, name in enumerate(names)}
    return Text(np.array([codes[answer or ""] for answer in answers], dtype=np.intp), names)


def _instants(answers: Sequence[Any]) -> Column:
    return Instant(np.array([0 if a is None else texts.micros(a) for a in answers], dtype=np.int64))


_TEXTUAL = {"text": _texts, "instant": _instants}


def _numbers(answers: Sequence[Any], finely: bool) -> Column:
    """Numbers as the nearest floats: relative to themselves they are one unit off at most."""
    parts = [constant(answer or Decimal(0)) for answer in answers]
    columns = [part for part in parts if isinstance(part, Number)]
    value = np.concatenate([part.value for part in columns])
    units = max(part.units for part in columns)
    sizes = [abs(v) for v in value.tolist() if v]
    least, most = min(sizes, default=1.0), max(sizes, default=0.0)
    positive = bool((value >= 0).all())
    mixed = len({part.units for part in columns if part.value[0]}) > 1
    if (finely and mixed) or any(answer in (UNLIMITED, -UNLIMITED) for answer in answers):
        bound = np.concatenate([np.broadcast_to(error(part), 1) for part in columns])
        return Number(value, bound, 0.0, None, max(least, SMALL), most, positive)
    return Number(value, None, units, None, max(least, SMALL), most, positive)


def picked(answers: Column, keys: Sequence[Keys]) -> Column:
    """The answer for each element, from a column with one for every combination of keys."""
    codes = keys[0].codes
    for key in keys[1:]:
        codes = codes * len(key.values) + key.codes
    made = taken(answers, codes) if len(main_part(answers)) > 1 else _alone(answers, len(codes))
    for key in keys:
        made = made_unknown(made, key.unknown)
    doubts = [key.doubt for key in keys if key.doubt is not None]
    for doubt in doubts:
        made = made_doubtful(made, doubt)
    return made


def _alone(answer: Column, count: int) -> Column:
    """The only answer there is; none of no elements."""
    return answer if count else spread(answer, 0)


def asked(
    rows: Rows, kind: str, keys: Sequence[Keys], finely: bool, lastly: bool = False
) -> Column:
    """What a table answers for every combination of keys."""
    made = [rows[key[0] if rows.single else key] for key in product(*(key.values for key in keys))]
    return column_of(made, kind, finely, lastly)


def is_number(x: Column) -> Number:
    """A column that is one of numbers, or undetermined all through."""
    made = as_kind(x, "number")
    assert isinstance(made, Number)
    return made
