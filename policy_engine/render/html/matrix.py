"""How many accounts went from which status to which, as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from policy_engine.impact.model import Statuses
from policy_engine.render.svg import Number, element, label

_CELL, _HIGH, _LEFT, _TOP = 96, 54, 112, 44
_LONGEST = 15
_LEAST, _MOST = Decimal("0.14"), Decimal("0.42")
"""How strongly a cell is tinted: one account, and all of a row."""


def shown_names(statuses: Statuses) -> list[int]:
    """The places of the statuses that any account has or had, worst first."""
    cells = statuses.cells
    return [n for n in range(len(cells)) if any(cells[n]) or any(row[n] for row in cells)]


def matrix(statuses: Statuses) -> str:
    """The matrix as an SVG element: a row for each status before, a column for each after."""
    places = shown_names(statuses)
    size = _LEFT + _CELL * len(places) + 2, _TOP + _HIGH * len(places) + 2
    head: dict[str, Number | str] = {"class": "matrix", "role": "img"}
    head |= {"viewBox": f"0 0 {size[0]} {size[1]}", "aria-label": told(statuses)}
    return element("svg", head, "".join(_parts(statuses, places)))


def _parts(statuses: Statuses, places: list[int]) -> Iterator[str]:
    middle = {"text-anchor": "middle"}
    yield label("before", _LEFT - 8, 34, {"text-anchor": "end"})
    yield label("after", _LEFT + _CELL * len(places) // 2, 12, middle)
    for at, n in enumerate(places):
        name = _short(statuses.names[n])
        yield label(name, _LEFT + _CELL * at + _CELL // 2, 34, {**middle, "class": "head"})
        y = _TOP + _HIGH * at + _HIGH // 2 + 4
        yield label(name, _LEFT - 8, y, {"text-anchor": "end", "class": "head"})
        for to, m in enumerate(places):
            yield from _cell(statuses, (n, m), (_LEFT + _CELL * to, _TOP + _HIGH * at))


def _cell(statuses: Statuses, cell: tuple[int, int], corner: tuple[int, int]) -> Iterator[str]:
    before, after = cell
    count, total = statuses.cells[before][after], sum(statuses.cells[before])
    drawn: dict[str, Number | str] = {"x": corner[0], "y": corner[1], "width": _CELL}
    drawn |= {"height": _HIGH, "class": f"cell {_kind(statuses, before, after) if count else ''}"}
    if count and before != after:
        drawn["fill-opacity"] = _LEAST + (_MOST - _LEAST) * count / total
    yield element("rect", drawn)
    words = "count" if count else "count none"
    at = {"text-anchor": "middle", "class": words}
    yield label(f"{count:,}", corner[0] + _CELL // 2, corner[1] + _HIGH // 2 + 5, at)


def _kind(statuses: Statuses, before: int, after: int) -> str:
    """What a cell tells: names stand worst first, the last two are no statuses."""
    told = len(statuses.names) - 2
    if before == after:
        return "stayed"
    if before >= told or after >= told:
        return "untold"
    return "worse" if after < before else "better"


def _short(name: str) -> str:
    words = name.replace("_", " ")
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def told(statuses: Statuses) -> str:
    """What is read aloud of the matrix."""
    moves = (
        f"{count:,} from {before} to {after}"
        for before, row in statuses.matrix.items()
        for after, count in row.items()
        if count
    )
    return f"accounts by status before and after: {'; '.join(moves) or 'none'}"
