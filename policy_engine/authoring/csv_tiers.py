"""The tiers of a scale as lines of CSV, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_engine.authoring.cells import Sheet
from policy_engine.authoring.csv_figures import (
    TIERS,
    Figures,
    chosen,
    number_in,
    refused,
    shown_in,
    unit_of,
)
from policy_engine.errors import Problem


def _rates(figures: Figures) -> Mapping[str, str]:
    """The columns of a scale and their units."""
    columns: Mapping[str, str] | None = figures.part.get("columns")
    return columns or {"rate": figures.part["unit"]}


def _lists(figures: Figures) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """The lists of tiers by key; one list without `by` has the key ``."""
    tiers = figures.part[TIERS]
    return tiers if isinstance(tiers, dict) else {"": tiers}


def tiers_out(figures: Figures) -> Iterator[list[str]]:
    """The lines of a scale's tiers, the names of the columns first."""
    tiers = [tier for tiers in _lists(figures).values() for tier in tiers]
    units = {
        name: unit_of(unit, (tier[name] for tier in tiers))
        for name, unit in _rates(figures).items()
    }
    edge = figures.part["in"]
    yield [*figures.keys, f"to ({edge})", *(f"{name} ({unit})" for name, unit in units.items())]
    for key, held in _lists(figures).items():
        for tier in held:
            rates = (shown_in(tier[name], unit) for name, unit in units.items())
            yield [*([key] if figures.keys else []), shown_in(tier["to"], edge), *rates]


def tiers_in(sheet: Sheet, figures: Figures, problems: list[Problem]) -> Any:
    """The tiers that a sheet holds, as a rule file has them; problems are added."""
    units = {"to": figures.part["in"], **_rates(figures)}
    columns = {name: chosen(sheet, name, unit, problems) for name, unit in units.items()}
    if problems or refused(sheet, [*figures.keys, *columns.values()], [], problems):
        return {}
    lists: dict[str, list[dict[str, str]]] = {}
    last = None
    for line in sheet.lines:
        key = line[figures.keys[0]].text if figures.keys else ""
        if key in lists and key != last:
            message = f"tiers of `{key}` stand here again, after those of `{last}`"
            hint = "keep the tiers of one key together"
            problems.append(line[figures.keys[0]].problem("key-again", message, hint))
        tier = {name: number_in(line[column], column, problems) for name, column in columns.items()}
        lists.setdefault(key, []).append(tier)
        last = key
    return lists if figures.keys else lists.get("", [])
