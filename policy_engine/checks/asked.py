"""The plans of requests, under every combination of versions that decide together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from policy_engine.checks.combinations import Combination
from policy_engine.errors import Problem, RulesError
from policy_engine.language.asked import Asked, asked
from policy_engine.language.plan import Plan, only, plan
from policy_engine.language.scope import Scope, scope
from policy_engine.model import ACCOUNT, Formula, Request


class Planned(NamedTuple):
    """A request in the versions it stands in: what it asks for, or why that makes no plan."""

    request: Request
    versions: Combination
    asked: Asked | None = None
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()


def requests_planned(together: list[list[Combination]]) -> Iterator[Planned]:
    """Each request, once for each set of names that it can see."""
    seen = set()
    for combinations in together:
        names = {tuple(v.id for v in versions): _scope(versions) for versions in combinations}
        afterwards = _afterwards([one for one in names.values() if one is not None])
        for key, one in names.items():
            asked_for = (key, tuple((n, f.kind, f.unit) for n, f in sorted(afterwards.items())))
            if one is not None and asked_for not in seen:
                seen.add(asked_for)
                for request in one.main.requests.values():
                    yield _planned(one, request, afterwards)


def _scope(versions: Combination) -> Scope | None:
    """The names of a combination; None where they clash, which is told elsewhere."""
    try:
        return scope(versions)
    except RulesError:
        return None


def _afterwards(scopes: list[Scope]) -> dict[str, Formula]:
    return {name: item for one in scopes for name, item in one.formulas[ACCOUNT].items()}


def _planned(names: Scope, request: Request, afterwards: Mapping[str, Formula]) -> Planned:
    try:
        made = asked(names, request, afterwards)
        whole = plan((made.version, *names.versions[1:]))
        return Planned(request, names.versions, made, only(whole, _figures(made)))
    except RulesError as error:
        return Planned(request, names.versions, problems=error.problems)


def _figures(made: Asked) -> set[str]:
    return {*made.refusals, *(name for one in made.sets for name in one.values())}
