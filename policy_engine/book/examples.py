"""Worked examples: accounts decided by the engine, one for each status, and requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from policy_engine.cases import Case
from policy_engine.decision import Decision
from policy_engine.errors import PolicyError
from policy_engine.explain import Trace
from policy_engine.ladder import Ladder, ladders
from policy_engine.model import Version
from policy_engine.requests import Answer
from policy_engine.rules import Rules, with_used
from policy_engine.witnesses.seeds import NO_PINS, seeds

MOST_MADE_UP = 2_000
"""Accounts tried where there are no cases."""
LINES_TO_READ = 2
"""An example of so many lines shows how lines come together, and can still be followed."""


@dataclass(frozen=True, slots=True)
class Example:
    """An account, what is decided of it and why; with a request, what that comes to.

    `case` is the case it comes from, None for an account that was made up. `because` is said where
    the case was written for the very versions in force.
    """

    snapshot: Mapping[str, Any]
    decision: Decision
    trace: Trace
    ladders: tuple[Ladder, ...]
    answer: Answer | None = None
    case: str | None = None
    because: str | None = None


@dataclass(frozen=True)
class _Candidate:
    snapshot: Mapping[str, Any]
    request: tuple[str, Mapping[str, Any]] | None = None
    case: str | None = None
    because: str | None = None


def examples(rules: Rules, cases: Iterable[Case]) -> Mapping[str, tuple[Example, ...]]:
    """Examples by the ruleset that decides: one for each status, a permitted request, a refused.

    Those that fit best are taken from the cases; where none has a status, accounts are made up.
    """
    held = [*cases]
    made = {}
    for name, version in rules.versions.items():
        if version.applies_when is not None and _has_started(rules, name):
            made[name] = tuple(_examples_of(rules, version, held))
    return made


def _has_started(rules: Rules, ruleset: str) -> bool:
    return all(name in rules.versions for name in with_used(rules.versions, ruleset))


def _examples_of(rules: Rules, version: Version, cases: list[Case]) -> Iterator[Example]:
    candidates = [_candidate(rules, version, case) for case in cases]
    decided = list(_decided(rules, version, candidates))
    made_up: list[tuple[_Candidate, Decision]] | None = None
    for status in version.statuses:
        fits = [one for one in decided if _has(one, status.name)]
        if not fits:
            made_up = _made_up(rules, version) if made_up is None else made_up
            fits = [one for one in made_up if _has(one, status.name)]
        if fits:
            yield _worked(*min(fits, key=lambda one: _unfit(*one)))
    yield from _requested(rules, decided)


def _has(one: tuple[_Candidate, Decision], status: str) -> bool:
    return one[0].request is None and one[1].status == status


def _candidate(rules: Rules, version: Version, case: Case) -> _Candidate:
    """A case as a candidate; with its reason where it was written for the versions in force."""
    try:
        meant = rules.book.in_force(case.at, case.known_at).versions  # type: ignore[arg-type]
    except PolicyError:
        return _Candidate(case.snapshot, case.request, case.name)
    names = with_used(rules.versions, version.ruleset)
    same = all(meant.get(name) is rules.versions[name] for name in names)
    return _Candidate(case.snapshot, case.request, case.name, case.because if same else None)


def _decided(
    rules: Rules, version: Version, candidates: Iterable[_Candidate]
) -> Iterator[tuple[_Candidate, Decision]]:
    """The candidates that the version decides on, each with its decision."""
    for one in candidates:
        try:
            decision = rules.decide(one.snapshot)
        except PolicyError:
            continue
        if decision.workings()[0].main is version:
            yield one, decision


def _made_up(rules: Rules, version: Version) -> list[tuple[_Candidate, Decision]]:
    plan = rules.compiled(version.ruleset).plan
    found = (_Candidate(snapshot) for snapshot in islice(seeds([plan], NO_PINS), MOST_MADE_UP))
    return list(_decided(rules, version, found))


def _unfit(one: _Candidate, decision: Decision) -> tuple[int, ...]:
    """The less, the better an example: all known, meant for these rules, short but not trivial."""
    unlimited = any(
        isinstance(value, Decimal) and not value.is_finite() for value in decision.values.values()
    )
    lines = len(decision.assets or ())
    return (
        len(decision.undetermined),
        unlimited,
        one.because is None,
        abs(lines - LINES_TO_READ),
        len(decision.orders or ()),
    )


def _worked(one: _Candidate, decision: Decision, answer: Answer | None = None) -> Example:
    trace, found = decision.explain("status"), ladders(decision)
    return Example(one.snapshot, decision, trace, found, answer, one.case, one.because)


def _requested(rules: Rules, decided: Iterable[tuple[_Candidate, Decision]]) -> Iterator[Example]:
    """The best example of a request that is permitted, and of one that is refused."""
    asked = sorted(
        ((one, decision) for one, decision in decided if one.request is not None),
        key=lambda pair: _unfit(*pair),
    )
    wanted = {True, False}
    for one, decision in asked:
        made = _answer(rules, one)
        if made is not None and made.permitted in wanted and made.after is not None:
            wanted.discard(bool(made.permitted))
            yield _worked(one, decision, made)
        if not wanted:
            return


def _answer(rules: Rules, one: _Candidate) -> Answer | None:
    assert one.request is not None
    name, given = one.request
    try:
        made = rules.request(one.snapshot, name, **given)
    except (PolicyError, TypeError):
        return None
    return made if made.inputs else None
