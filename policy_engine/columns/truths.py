"""Columns of truths: for each element, the set of what it may be, as bits.

An element with one bit is sure; one with more is in doubt between them. So three-valued logic and
doubt need one table for each word of the language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from policy_engine.columns.numbers import (
    Array,
    Number,
    either,
    error,
    order,
)

TRUE, FALSE, UNDETERMINED = 1, 2, 4
EITHER, ANYTHING = TRUE | FALSE, TRUE | FALSE | UNDETERMINED


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A column of truths, or one for all."""

    bits: Array


def constant(value: bool | None) -> Truth:
    """One truth for all; None is undetermined."""
    bit = UNDETERMINED if value is None else TRUE if value else FALSE
    return Truth(np.array([bit], dtype=np.uint8))


def _both(a: int, b: int) -> int:
    return FALSE if FALSE in (a, b) else UNDETERMINED if UNDETERMINED in (a, b) else TRUE


def _one(a: int, b: int) -> int:
    return TRUE if TRUE in (a, b) else UNDETERMINED if UNDETERMINED in (a, b) else FALSE


def _same(a: int, b: int) -> int:
    return UNDETERMINED if UNDETERMINED in (a, b) else TRUE if a == b else FALSE


def _table(word: Callable[[int, int], int]) -> Array:
    """What a word may give for every two sets of what its operands may be."""
    made = np.zeros(64, dtype=np.uint8)
    for a, b in product(range(8), repeat=2):
        for x, y in product((TRUE, FALSE, UNDETERMINED), repeat=2):
            if x & a and y & b:
                made[a << 3 | b] |= word(x, y)
    return made


_TABLES = {"and": _table(_both), "or": _table(_one), "==": _table(_same)}
_NOT = np.array([(b & 4) | (b & 1) << 1 | (b & 2) >> 1 for b in range(8)], dtype=np.uint8)


def joined(word: str, a: Truth, b: Truth) -> Truth:
    """`and`, `or` or `==` of two truths."""
    return Truth(_TABLES[word].take(a.bits << 3 | b.bits))


def negated(x: Truth) -> Truth:
    """`not`."""
    return Truth(_NOT.take(x.bits))


def sure(x: Truth) -> bool:
    """Whether every element is true or false, and which is known."""
    return bool(((x.bits == TRUE) | (x.bits == FALSE)).all())


# --- comparisons -------------------------------------------------------------------------------


def compared(sign: str, a: Number, b: Number) -> Truth:
    """A comparison: sure where the two are further apart than their errors reach together."""
    if _is_zero(b) and a.steady:
        less, more = a.value < 0, a.value > 0  # an error that is relative leaves the sign alone
        bits = _bits(sign, less, ~(less | more), more)
    else:
        bits = _bits(sign, *order(a, b))
        if not (a.steady and b.steady):
            bits = np.where(np.isfinite(error(a) + error(b)), bits, ANYTHING).astype(np.uint8)
    return marked(bits, either(a.unknown, b.unknown))


def _is_zero(x: Number) -> bool:
    return x.bound is None and len(x.value) == 1 and x.value[0] == 0


def _bits(sign: str, less: Array, equal: Array, more: Array) -> Array:
    """What a comparison may be, from where it is surely less, equal or more."""
    holds = {"<": less, "<=": less | equal, ">": more, ">=": more | equal, "==": equal}
    fails = {"<": more | equal, "<=": more, ">": less | equal, ">=": less, "==": less | more}
    if sign == "!=":
        true, false = less | more, equal
    else:
        true, false = holds[sign], fails[sign]
    made: Array = (~false).view(np.uint8) | (~true).view(np.uint8) << 1
    return made


def marked(bits: Array, unknown: Array | None) -> Truth:
    """Truths, undetermined where the operands are."""
    if unknown is None:
        return Truth(bits)
    mask = -(unknown.view(np.uint8))
    return Truth(bits & ~mask | mask & np.uint8(UNDETERMINED))


def of_flags(flags: Array, unknown: Array | None = None) -> Truth:
    """Truths from flags that are sure."""
    return marked((~flags).view(np.uint8) + np.uint8(1), unknown)
