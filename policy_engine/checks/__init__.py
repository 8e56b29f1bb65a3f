"""What is wrong with rules that a single file does not show: one small function for each check."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.checks.applies import applies_problems
from policy_engine.checks.asked import request_problems
from policy_engine.checks.combinations import Combination, combinations
from policy_engine.checks.plans import plan_problems
from policy_engine.checks.scales import scale_problems
from policy_engine.errors import Problem, in_file_order
from policy_engine.rulebook import Rulebook

__all__ = ["Combination", "combinations", "findings"]


def findings(book: Rulebook) -> list[Problem]:
    """Everything that is wrong with a rulebook, in file order, each problem once."""
    return list(in_file_order(_found(book)))


def _found(book: Rulebook) -> Iterator[Problem]:
    yield from applies_problems(book)
    yield from scale_problems(book)
    yield from plan_problems(combinations(book))
    yield from request_problems(book)
