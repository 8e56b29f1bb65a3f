"""Of which accounts of a chunk anything cannot be told: a figure, a notice or a ruling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from policy_engine.columns.columns import Column, doubt_of, unknown_of
from policy_engine.columns.numbers import Array
from policy_engine.columns.reading import as_truth
from policy_engine.columns.truths import EITHER, FALSE, TRUE, UNDETERMINED, Truth, joined
from policy_engine.portfolio.given import Reading
from policy_engine.portfolio.rulings import Choice, Ruled, any_of, line_figures, notices

_OPEN = -2


def anything_untold(choice: Choice, reading: Reading, ruled: Ruled) -> Truth:
    """Where a decision would have something `undetermined`."""
    found = [*map(untold, ruled.values.values()), *map(untold, ruled.permissions.values())]
    made = joined("or", any_of(found), _without_status(ruled.status))
    return joined("or", made, any_of([*_of_others(choice, reading)]))


def untold(column: Column) -> Truth:
    """Where an element is undetermined."""
    if isinstance(column, Truth):
        bits = column.bits
        unknown, doubt = bits == UNDETERMINED, (bits & UNDETERMINED != 0) & (bits != UNDETERMINED)
    else:
        unknown, doubt = unknown_of(column), doubt_of(column)
    return _flags(unknown, doubt)


def _flags(unknown: Array, doubt: Array) -> Truth:
    return Truth(np.where(unknown, TRUE, np.where(doubt, EITHER, FALSE)).astype(np.uint8))


def _without_status(status: Array) -> Truth:
    return _flags(status == -1, status == _OPEN)


def _of_others(choice: Choice, reading: Reading) -> Iterator[Truth]:
    """Of what no ruling asks for: notices, and figures of lines."""
    layout, given = choice.compiled.layout, reading.given
    figures = choice.beside.figures(given)
    yield from (untold(as_truth(figures(name))) for name in notices(layout))
    for entity, name in line_figures(layout):
        yield _of_rows(untold(figures(name)), given.lines[entity].owner, reading.count)


def _of_rows(lines: Truth, owner: Array, count: int) -> Truth:
    """Where one of the lines of an account is, or may be, undetermined."""
    bits = np.broadcast_to(lines.bits, len(owner))
    unknown, doubt = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    unknown[owner[bits == TRUE]] = True
    doubt[owner[bits == EITHER]] = True
    return _flags(unknown, doubt)
