"""Price grids as a person or a program reads them: a map of statuses or a table, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.decision import Decision
from policy_engine.grids import Axis, Grid
from policy_engine.numbers import instant_text, plain, text_of
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, figure_text, on_the_point, table

UNKNOWN = CANNOT_BE_TOLD
_WORSE, _BEST, _NOT_KNOWN = "#+-=~", ".", "?"
_SIGNS = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}
MOST_TICKS = 5


def render(grid: Grid, decision: Decision, page: Page) -> str:
    """The grid as text."""
    parts = [_head(grid, decision, page)]
    parts += [_map(grid, page), _legend(grid)] if len(grid.axes) == 2 else [_table(grid, page)]
    parts += [_limits(grid, page), _reasons(grid, page)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def to_json(grid: Grid, decision: Decision) -> str:
    """The grid as one line of JSON."""
    said = {
        "account": decision.account,
        "at": instant_text(decision.at),
        "rules_at": instant_text(decision.rules_at),
        "known_at": instant_text(decision.known_at) if decision.known_at else None,
        "rulesets": [f"{item.ruleset}@{item.version}" for item in decision.rulesets],
        "axes": [_axis(axis) for axis in grid.axes],
        "figure": grid.figure,
        "unit": grid.unit,
        "statuses": [[_status(grid, rank) for rank in row] for row in grid.ranks],
        "values": [[text_of(value) for value in row] for row in grid.values],
        "thresholds": [
            {
                "kind": line.threshold.kind,
                "rule": line.threshold.rule,
                "sign": line.threshold.sign,
                "values": [text_of(value) for value in line.values],
            }
            for line in grid.lines
        ],
        "undetermined": list(grid.reasons),
        "engine": decision.engine,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _axis(axis: Axis) -> dict[str, Any]:
    keys = None if axis.keys is None else list(axis.keys)
    percents = [plain(percent) for percent in axis.percents]
    return {"prices": keys, "held": list(axis.held), "percents": percents}


# --- words ----------------------------------------------------------------------------------------


def axis_name(axis: Axis) -> str:
    """What moves along a side."""
    if axis.keys is not None:
        return " and ".join(axis.keys)
    return f"all prices but {', '.join(axis.held)}" if axis.held else "all prices"


def percent_text(percent: Decimal) -> str:
    """A change in per cent, with its sign."""
    return f"{'+' if percent > 0 else ''}{plain(percent)}%"


def status_name(grid: Grid, rank: int | None) -> str:
    """The status of a cell."""
    return _status(grid, rank) or UNKNOWN


def _status(grid: Grid, rank: int | None) -> str | None:
    return None if rank is None else grid.statuses[rank].name


def told(grid: Grid, decision: Decision) -> str:
    """A grid in a sentence."""
    ends = [
        (axis, percent_text(axis.percents[0]), percent_text(axis.percents[-1]))
        for axis in grid.axes
    ]
    sides = " and ".join(f"{axis_name(axis)} from {low} to {high}" for axis, low, high in ends)
    figure = f" and {grid.figure}" if grid.figure and len(grid.axes) == 1 else ""
    return f"Status{figure} of account {decision.account} with {sides}."


def _side(axis: Axis) -> str:
    low, high = percent_text(axis.percents[0]), percent_text(axis.percents[-1])
    return f"{axis_name(axis)} from {low} to {high}"


def limits_of(grid: Grid) -> list[tuple[str, tuple[Decimal | None, ...]]]:
    """The thresholds of the figure, those that are alike as one: in words, with their values."""
    rules: dict[tuple[str, tuple[Decimal | None, ...]], list[str]] = {}
    for line in grid.lines:
        rule = line.threshold.rule
        said = rule if line.threshold.kind == "status" else f"{rule} refused"
        names = rules.setdefault((line.threshold.sign, line.values), [])
        names += [] if said in names else [said]
    return [
        (f"{', '.join(names)} {_SIGNS[sign]} {_value(values)}", values)
        for (sign, values), names in rules.items()
    ]


def _value(values: Sequence[Decimal | None]) -> str:
    first, *others = dict.fromkeys(values)
    return "a level that changes" if others else figure_text(first)


def every(count: int, most: int) -> list[int]:
    """Positions of at most so many, at equal distances, the middle one among them and, where
    that can be, the first."""
    half = count // 2
    fit = [n for n in range(1, count + 1) if 2 * (half // n) + 1 <= most]
    step = next((n for n in fit if half % n == 0 and n <= 3 * fit[0]), fit[0])
    return list(range(half % step, count, step))


# --- text -----------------------------------------------------------------------------------------


def _head(grid: Grid, decision: Decision, page: Page) -> Iterator[str]:
    yield page.dim("Account       ") + page.bold(decision.account)
    yield page.dim("Facts of      ") + instant_text(decision.at)
    yield page.dim("Rules of      ") + instant_text(decision.rules_at)
    yield page.dim("Status        ") + (decision.status or UNKNOWN)
    yield from page.wrapped(told(grid, decision), 14, page.dim("Grid"))


def _glyph(grid: Grid, rank: int | None) -> str:
    if rank is None:
        return _NOT_KNOWN
    if rank == len(grid.statuses) - 1:
        return _BEST
    return _WORSE[rank] if rank < len(_WORSE) else chr(ord("a") + rank - len(_WORSE))


def _map(grid: Grid, page: Page) -> Iterator[str]:
    """A sign for each cell, as many of them as the page is wide."""
    across, up = grid.axes
    labels = [percent_text(percent) for percent in up.percents]
    width = max(map(len, labels))
    columns = every(len(across.percents), page.width - width - 8)
    rows = every(len(up.percents), 61)
    ticks = {rows[n] for n in every(len(rows), MOST_TICKS)}
    yield page.bold(f"{axis_name(up)} up, {axis_name(across)} across")
    for row in reversed(rows):
        cells = "".join(_glyph(grid, grid.ranks[row][column]) for column in columns)
        yield f"  {labels[row] if row in ticks else '':>{width}} {cells}"
    yield (" " * (width + 3) + _foot([across.percents[n] for n in columns])).rstrip()
    if len(columns) < len(across.percents) or len(rows) < len(up.percents):
        yield page.dim("not every step is shown here; --format json and svg show all")


def _foot(percents: Sequence[Decimal]) -> str:
    """Labels under some of the columns, each beginning at its own."""
    line = ""
    for n in every(len(percents), MOST_TICKS):
        if len(line) <= n:
            line = line.ljust(n) + percent_text(percents[n]) + " "
    return line


def _legend(grid: Grid) -> Iterator[str]:
    cells = [rank for row in grid.ranks for rank in row]
    ranks: list[int | None] = [*range(len(grid.statuses))]
    yield from table(
        (_glyph(grid, rank), status_name(grid, rank), f"{cells.count(rank):,} of {len(cells):,}")
        for rank in [*ranks, *([None] if None in cells else [])]
    )


def _table(grid: Grid, page: Page) -> Iterator[str]:
    """A row for each step."""
    figure = grid.figure or ""
    shown = [figure_text(v) if grid.figure else "" for v in grid.values[0]]
    percents = [percent_text(percent) for percent in grid.axes[0].percents]
    width = max(map(len, percents))
    rows = zip(percents, grid.ranks[0], on_the_point(shown), strict=True)
    cells = [(text.rjust(width), status_name(grid, rank), value) for text, rank, value in rows]
    yield page.bold(axis_name(grid.axes[0]))
    yield from table([("".rjust(width), "status", figure), *cells])


def _limits(grid: Grid, page: Page) -> Iterator[str]:
    said = limits_of(grid)
    if said:
        yield page.bold(f"Thresholds of {grid.figure}")
    for text, _ in said:
        yield from page.wrapped(text, 2)


def _reasons(grid: Grid, page: Page) -> Iterator[str]:
    if grid.reasons:
        yield page.bold("Cannot be told")
    for reason in grid.reasons:
        yield from page.wrapped(reason, 2)
