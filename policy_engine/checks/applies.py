"""Whether each `applies_when` is a question that can be asked before the rules are chosen."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.applies import applicable
from policy_engine.errors import Problem, RulesError
from policy_engine.language.units import unit_problems
from policy_engine.rulebook import Rulebook


def applies_problems(book: Rulebook) -> Iterator[Problem]:
    """What is wrong with the conditions that choose a ruleset."""
    for version in book.versions:
        if version.applies_when is not None:
            try:
                yield from unit_problems(applicable(version).plan)
            except RulesError as error:
                yield from error.problems
