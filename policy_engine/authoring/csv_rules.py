"""The tiers of a scale and the rows of a table as CSV, and CSV as tiers and rows again."""

from __future__ import annotations

from typing import Any

from policy_engine.authoring.cells import read_csv, to_csv
from policy_engine.authoring.csv_figures import SECTIONS, TIERS, Figures
from policy_engine.authoring.csv_rows import rows_in, rows_out
from policy_engine.authoring.csv_tiers import tiers_in, tiers_out
from policy_engine.errors import PolicyError, Problem, RulesError, did_you_mean
from policy_engine.model import Version


def figures_of(version: Version, name: str) -> Figures:
    """The scale or table of a version of that name. Raises RulesError if there is none."""
    for section in SECTIONS:
        if name in version.document.get(section, {}):
            return Figures(section, name, version.document[section][name])
    known = [one for section in SECTIONS for one in version.document.get(section, {})]
    listed = f"it has {', '.join(f'`{one}`' for one in known)}" if known else "it has none"
    hint = did_you_mean(name, known) or listed
    message = f"`{version.id}` has no scale and no table `{name}`"
    raise RulesError([Problem("unknown-name", message, hint)])


def figures_csv(figures: Figures) -> str:
    """The CSV text of tiers or rows."""
    return to_csv(tiers_out(figures) if figures.key == TIERS else rows_out(figures))


def figures_from_csv(text: str, path: str, figures: Figures) -> Any:
    """The tiers or rows that a CSV text spells, as the data of a rule file.

    `figures` say of what form they are. Raises PolicyError with every problem found.
    """
    sheet, problems = read_csv(text, path), list[Problem]()
    read = tiers_in if figures.key == TIERS else rows_in
    made = read(sheet, figures, problems)
    if figures.key == TIERS and not sheet.lines and not problems:
        first = next(iter(sheet.head.values()))
        hint = "write a line for each tier"
        problems.append(first.problem("empty-file", "there are no tiers below this line", hint))
    if problems:
        raise PolicyError(problems)
    return made
