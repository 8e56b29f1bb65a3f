"""What is wrong with rules: one small function for each check, whose name is its code.

Each takes what is checked and yields what it finds. What it finds, why that matters, what to avoid
and what to prefer stand in its docstring, which is all the documentation there is of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from policy_engine.checks import (
    citations,
    conditions,
    covered,
    directions,
    formulas,
    names,
    reading,
    scales,
    timeline,
)
from policy_engine.checks.combinations import Combination, combinations
from policy_engine.checks.subject import Saved, Subject
from policy_engine.errors import Problem, in_file_order
from policy_engine.rulebook import Rulebook

__all__ = [
    "CORRECTNESS",
    "SOURCES",
    "STYLE",
    "Combination",
    "Page",
    "Saved",
    "Subject",
    "combinations",
    "findings",
    "page",
    "pages",
]

Check = Callable[[Subject], Iterator[Problem]]

CORRECTNESS: tuple[Check, ...] = (
    reading.unread_file,
    reading.bad_formula,
    reading.bad_number,
    reading.bare_number,
    reading.missing_key,
    reading.unknown_key,
    reading.duplicate_key,
    reading.invalid_value,
    formulas.unknown_name,
    formulas.unknown_function,
    formulas.wrong_arguments,
    formulas.wrong_kind,
    formulas.unit_mismatch,
    formulas.cycle,
    formulas.duplicate_name,
    conditions.division_by_zero,
    conditions.constant_condition,
    conditions.unreachable_status,
    conditions.thresholds_disorder,
    conditions.always_refused,
    directions.safer_contradicted,
    reading.tier_order,
    reading.tier_gap,
    reading.tier_overlap,
    scales.rates_disorder,
    scales.amount_mismatch,
    scales.columns_disorder,
    reading.file_name,
    reading.two_versions,
    reading.corrects_nothing,
    reading.announced_too_early,
    reading.unknown_ruleset,
    reading.uses_not_started,
    timeline.announced_late,
    timeline.same_meaning,
    timeline.version_in_force_edited,
    citations.value_not_in_quote,
)
"""What is wrong whatever the house's style."""

SOURCES: tuple[Check, ...] = (citations.quote_not_found,)
"""What only the saved texts of the sources can show."""

STYLE: tuple[Check, ...] = (
    names.unused_name,
    citations.missing_citation,
    citations.quote_not_once,
    covered.rule_without_case,
)
"""What decides no account wrongly, and makes the rules harder to review."""


def findings(subject: Subject | Rulebook, *, strict: bool = False) -> list[Problem]:
    """Everything that is wrong, in file order, each problem once; with `strict` its style too."""
    looked = Subject(subject) if isinstance(subject, Rulebook) else subject
    checks = (*CORRECTNESS, *SOURCES, *(STYLE if strict else ()))
    coded = {code_of(check) for check in checks}
    rest = (one for one in (*looked.reading, *looked.formulas) if one.code not in coded)
    return list(in_file_order([*rest, *(one for check in checks for one in check(looked))]))


# --- documentation -------------------------------------------------------------------------------


class Page(NamedTuple):
    """What is told of a check: what it finds, why that matters, what to avoid and to prefer."""

    code: str
    finds: str
    why: str
    avoid: str
    prefer: str
    when: str


def code_of(check: Check) -> str:
    """The code of what a check finds."""
    return check.__name__.replace("_", "-")


def pages() -> Mapping[str, Page]:
    """The page of every check by its code."""
    groups = ((CORRECTNESS, "always"), (SOURCES, "with --sources"), (STYLE, "with --strict"))
    made = (page(check, when) for checks, when in groups for check in checks)
    return {one.code: one for one in made}


def page(check: Check, when: str) -> Page:
    """The page of a check, from its docstring."""
    parts: dict[str, list[str]] = {"Finds": []}
    part = "Finds"
    for line in (check.__doc__ or "").splitlines():
        word, colon, rest = line.strip().partition(": ")
        if colon and word in ("Why", "Avoid", "Prefer"):
            part, line = word, rest
            parts[part] = []
        parts[part].append(line.strip())
    said = {name: " ".join(filter(None, lines)) for name, lines in parts.items()}
    return Page(code_of(check), said["Finds"], said["Why"], said["Avoid"], said["Prefer"], when)
