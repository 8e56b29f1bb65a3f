"""Whether the formulas of requests make a plan, and its kinds and units agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy_engine.checks.combinations import Combination, deciding_together
from policy_engine.errors import Problem, RulesError
from policy_engine.language.asked import Asked, asked
from policy_engine.language.plan import only, plan
from policy_engine.language.scope import Scope, scope
from policy_engine.language.units import unit_problems
from policy_engine.model import ACCOUNT, Formula, Request
from policy_engine.rulebook import Rulebook


def request_problems(book: Rulebook) -> Iterator[Problem]:
    """What is wrong with requests, under every combination of versions that decide together."""
    seen = set()
    for together in deciding_together(book):
        names = {tuple(v.id for v in versions): _scope(versions) for versions in together}
        afterwards = _afterwards([one for one in names.values() if one is not None])
        for key, one in names.items():
            asked_for = (key, tuple((n, f.kind, f.unit) for n, f in sorted(afterwards.items())))
            if one is not None and asked_for not in seen:
                seen.add(asked_for)
                for request in one.main.requests.values():
                    yield from _problems(one, request, afterwards)


def _scope(versions: Combination) -> Scope | None:
    """The names of a combination; None where they clash, which is told elsewhere."""
    try:
        return scope(versions)
    except RulesError:
        return None


def _afterwards(scopes: list[Scope]) -> dict[str, Formula]:
    return {name: item for one in scopes for name, item in one.formulas[ACCOUNT].items()}


def _problems(
    names: Scope, request: Request, afterwards: Mapping[str, Formula]
) -> Iterator[Problem]:
    try:
        made = asked(names, request, afterwards)
        whole = plan((made.version, *names.versions[1:]))
        yield from unit_problems(only(whole, _figures(made)))
    except RulesError as error:
        yield from error.problems


def _figures(made: Asked) -> set[str]:
    return {*made.refusals, *(name for one in made.sets for name in one.values())}
