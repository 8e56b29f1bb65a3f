"""Whether the formulas of versions in force together make a plan, and its kinds and units agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policy_engine.checks.combinations import Combination
from policy_engine.errors import Problem, RulesError
from policy_engine.language.plan import plan
from policy_engine.language.units import unit_problems


def plan_problems(combinations: Iterable[Combination]) -> Iterator[Problem]:
    """The problems of every combination, each once; those of some only say with which versions."""
    combinations = list(combinations)
    found: dict[Problem, list[Combination]] = {}
    for combination in combinations:
        for problem in dict.fromkeys(_problems(combination)):
            found.setdefault(problem, []).append(combination)
    for problem, where in found.items():
        yield _with_versions(problem, where, [c for c in combinations if _holds(c, problem)])


def _problems(combination: Combination) -> Iterator[Problem]:
    try:
        yield from unit_problems(plan(combination))
    except RulesError as error:
        yield from error.problems


def _holds(combination: Combination, problem: Problem) -> bool:
    return any(version.path == problem.place.path for version in combination)


def _with_versions(
    problem: Problem, where: list[Combination], possible: list[Combination]
) -> Problem:
    """The problem, with the versions that bring it about if the file is sound with others."""
    sound = [combination for combination in possible if combination not in where]
    if not sound:
        return problem
    file = problem.place.path
    others = [v.id for v in where[0] if v.path != file and any(v not in other for other in sound)]
    together = " and ".join(f"`{name}`" for name in others if f"`{name}`" not in problem.message)
    if not together:
        return problem
    return replace(problem, message=f"{problem.message} (in force together with {together})")
