"""Decisions side by side: what differs between two, and one account under several settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, TypeVar

from policy_engine.decision import Decision
from policy_engine.errors import PolicyError, Problem, Undetermined
from policy_engine.layout import Ruling
from policy_engine.model import Request, RequestInput
from policy_engine.numbers import Value
from policy_engine.rules import Rules
from policy_engine.scenario import Scenario
from policy_engine.scenarios import with_settings

T = TypeVar("T")
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything of two decisions that is not alike, by name: what is `before` and `after`.

    One of the two is missing where that decision does not have it.
    """

    status: Mapping[str, str | None]
    values: Mapping[str, Mapping[str, Value | None]]
    permissions: Mapping[str, Mapping[str, Ruling]]

    @property
    def none(self) -> bool:
        """Whether the decisions are alike."""
        return not (self.status or self.values or self.permissions)


def differences(before: Decision, after: Decision) -> Differences:
    """What of one decision is different in another."""
    status = {"status": before.status}, {"status": after.status}
    return Differences(
        _unlike(*status).get("status", {}),
        _unlike(before.values, after.values),
        _unlike(before.permissions, after.permissions),
    )


def _unlike(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, Mapping[str, T]]:
    sides = {BEFORE: before, AFTER: after}
    found = {
        name: {side: part[name] for side, part in sides.items() if name in part}
        for name in sorted({*before, *after})
    }
    return {
        name: held for name, held in found.items() if held.get(BEFORE, _NO) != held.get(AFTER, _NO)
    }


_NO = object()


# --- one account under several settings -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest permitted value of a request for some of its other inputs.

    `value` is infinite where nothing refuses, and None where it cannot be told, which `reasons`
    then explain.
    """

    request: str
    given: Mapping[str, Value]
    value: Value | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """An account under some settings, decided by the rules of an instant.

    `decision` is None where no rules apply; `problems` then say why.
    """

    settings: Scenario
    at: datetime
    decision: Decision | None
    limits: tuple[Bound, ...] = ()
    problems: tuple[Problem, ...] = ()


def side_by_side(
    of_instants: Sequence[Rules], snapshot: Mapping[str, Any], settings: Iterable[Scenario]
) -> tuple[Column, ...]:
    """An account under each of the settings at each instant: the settings in turn, by instant.

    Raises SnapshotError for a snapshot or settings that cannot be used whatever the rules are.
    """
    return tuple(_column(rules, snapshot, one) for one in settings for rules in of_instants)


def _column(rules: Rules, snapshot: Mapping[str, Any], settings: Scenario) -> Column:
    try:
        changed = with_settings(rules, snapshot, settings)
        decision = rules.decide(changed)
    except PolicyError as error:
        if error.code not in _NO_RULES:
            raise
        return Column(settings, rules.at, None, (), error.problems)
    return Column(settings, rules.at, decision, tuple(_limits(rules, changed)))


_NO_RULES = frozenset({"no-rules-apply", "two-rules-apply", "uses-not-started"})


def _limits(rules: Rules, snapshot: Mapping[str, Any]) -> Iterator[Bound]:
    """The limits of all requests, for every combination of their other inputs that there is."""
    for name, request in rules.compiled_for(snapshot).plan.main.requests.items():
        for given in _choices(rules, snapshot, request):
            yield _bound(rules, snapshot, name, given)


def _choices(
    rules: Rules, snapshot: Mapping[str, Any], request: Request
) -> Iterator[Mapping[str, Value]]:
    """What a limit can be asked for; nothing where an input may have any value."""
    if request.limit is None:
        return
    others = {name: item for name, item in request.inputs.items() if name != request.limit.input}
    values = [_values(rules, snapshot, item) for item in others.values()]
    for chosen in product(*values):
        yield dict(zip(others, chosen, strict=True))


def _values(rules: Rules, snapshot: Mapping[str, Any], item: RequestInput) -> Sequence[Value]:
    reader = rules.choice(snapshot)[1]
    if item.key_of in reader.priced:
        return sorted(reader.priced_keys(snapshot, item.key_of))
    return item.one_of


def _bound(
    rules: Rules, snapshot: Mapping[str, Any], name: str, given: Mapping[str, Value]
) -> Bound:
    try:
        return Bound(name, given, rules.limit(snapshot, name, **given))
    except Undetermined as unknown:
        return Bound(name, given, None, unknown.reasons)
