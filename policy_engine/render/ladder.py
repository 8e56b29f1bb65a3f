"""Ladders as text: thresholds from the highest down, with the account's own mark among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from policy_engine.ladder import Ladder, Rung
from policy_engine.render.layout import Page, columns_of, figure_text, on_the_point, padded

NOW, AFTER = "now", "afterwards"

_WORDS = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


@dataclass(frozen=True)
class _Row:
    """A line of a ladder: a threshold with what begins there, or a mark of the account."""

    value: Decimal | None
    words: str
    is_mark: bool = False


def render(now: Sequence[Ladder], page: Page, later: Sequence[Ladder] = ()) -> Iterator[str]:
    """The lines of some ladders; where `later` has the same one, both marks stand on it."""
    same = {(one.figure, one.rungs): one for one in later}
    if now:
        yield page.bold("Where it stands")
    for ladder in now:
        moved = same.pop((ladder.figure, ladder.rungs), None)
        marks = [_Row(ladder.value, NOW, True)]
        if moved is not None and moved.value != ladder.value:
            marks.append(_Row(moved.value, AFTER, True))
        yield from _ladder(ladder, marks, page)
    for ladder in same.values():
        yield from _ladder(ladder, [_Row(ladder.value, AFTER, True)], page)


def _ladder(ladder: Ladder, marks: Sequence[_Row], page: Page) -> Iterator[str]:
    unit = "" if ladder.unit in (None, "ratio") else f" in {ladder.unit}"
    yield f"  {ladder.figure}{unit}" + page.dim(f"   {ladder.title}")
    rows = _placed(ladder.rungs, marks)
    texts = on_the_point([figure_text(row.value) for row in rows])
    width = max(map(columns_of, texts))
    for row, text in zip(rows, texts, strict=True):
        sign = "> " if row.is_mark else "  "
        line = f"  {sign}{padded(text, width)}   "
        shown = page.wrapped(row.words, len(line), line)
        yield from map(page.bold, shown) if row.is_mark else shown


def _placed(rungs: Sequence[Rung], marks: Sequence[_Row]) -> list[_Row]:
    """The rows from the highest down; what cannot be told comes last."""
    known = [rung for rung in rungs if rung.value is not None]
    unknown = [rung for rung in rungs if rung.value is None]
    rows: list[_Row] = []
    told = [(mark.value, mark) for mark in marks if mark.value is not None]
    waiting = [mark for _, mark in sorted(told, key=lambda pair: pair[0], reverse=True)]
    for (value, _), group in groupby(known, key=lambda rung: (rung.value, rung.sign)):
        held = list(group)
        while waiting and not held[0].is_above(waiting[0].value or Decimal(0)):
            rows.append(waiting.pop(0))
        rows.append(_Row(value, _begins(held)))
    last = [_Row(None, _begins([rung])) for rung in unknown]
    return [*rows, *waiting, *last, *(mark for mark in marks if mark.value is None)]


def _begins(rungs: Sequence[Rung]) -> str:
    names = (one.name if one.kind == "status" else f"{one.name} refused" for one in rungs)
    return f"{_WORDS[rungs[0].sign]}: {', '.join(names)}"
