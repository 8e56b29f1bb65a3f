"""What checks look at: rules that have been read, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from policy_engine.applies import applicable
from policy_engine.cases import Case
from policy_engine.checks.asked import Planned, requests_planned
from policy_engine.checks.combinations import (
    Combination,
    Known,
    combinations,
    deciding_together,
    with_versions,
)
from policy_engine.errors import Problem, RulesError
from policy_engine.language.plan import Plan, plan
from policy_engine.language.units import unit_problems
from policy_engine.rulebook import Rulebook
from policy_engine.stamps import Stamp


@dataclass(frozen=True)
class Saved:
    """The saved text of a source, and the file it stands in."""

    path: str
    text: str


@dataclass(frozen=True)
class Subject:
    """A rulebook to be checked.

    `reading` is what was found while it was read; it is empty where the rulebook is not.
    `recorded` is what is on record of versions, `now` the instant that tells which of them are in
    force. `sources` are the saved texts of sources by their names; None: none
    were given. `cases` are the cases beside the rules, `stray` the YAML files that are not
    read. Formulas of versions `known` to be sound together are not looked at again.
    """

    book: Rulebook
    reading: tuple[Problem, ...] = ()
    recorded: Mapping[str, Stamp] = field(default_factory=dict)
    record_path: str = ""
    now: datetime | None = None
    sources: Mapping[str, Saved] | None = None
    cases: tuple[Case, ...] = ()
    stray: tuple[str, ...] = ()
    known: Known = frozenset()
    made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def combinations(self) -> list[Combination]:
        """The versions that are ever in force together."""
        return combinations(self.book)

    @cached_property
    def plans(self) -> list[tuple[Combination, Plan | None, tuple[Problem, ...]]]:
        """The plan of each combination that is not known, or None, and what is wrong with it."""
        return [(versions, *_planned(versions)) for versions in combinations(self.book, self.known)]

    @cached_property
    def requests(self) -> list[Planned]:
        """The plans of requests."""
        return list(requests_planned(list(deciding_together(self.book, self.known))))

    @cached_property
    def formulas(self) -> tuple[Problem, ...]:
        """What is wrong with formulas: their names, arguments, kinds and units."""
        return (*_of_conditions(self.book), *self._of_plans(), *self._of_requests())

    def coded(self, code: str) -> Iterator[Problem]:
        """What was found under a code, while reading or in formulas."""
        return (one for one in (*self.reading, *self.formulas) if one.code == code)

    def _of_plans(self) -> Iterator[Problem]:
        found: dict[Problem, list[Combination]] = {}
        for versions, _, problems in self.plans:
            for problem in dict.fromkeys(problems):
                found.setdefault(problem, []).append(versions)
        for problem, where in found.items():
            yield with_versions(problem, where, self.combinations)

    def _of_requests(self) -> Iterator[Problem]:
        for one in self.requests:
            yield from one.problems
            if one.plan is not None:
                yield from unit_problems(one.plan)


def _of_conditions(book: Rulebook) -> Iterator[Problem]:
    """What is wrong with the conditions that choose a ruleset."""
    for version in book.versions:
        if version.applies_when is not None:
            try:
                yield from unit_problems(applicable(version).plan)
            except RulesError as error:
                yield from error.problems


def _planned(versions: Combination) -> tuple[Plan | None, tuple[Problem, ...]]:
    try:
        whole = plan(versions)
        return whole, tuple(unit_problems(whole))
    except RulesError as error:
        return None, error.problems
