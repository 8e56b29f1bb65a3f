"""What if: the account as a scenario would leave it, and what the rules then decide of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from policy_engine.decision import Decision
from policy_engine.document import Pointer
from policy_engine.effects import changed_snapshot
from policy_engine.errors import Problem, SnapshotError, did_you_mean
from policy_engine.language.thresholds import STATUS, thresholds
from policy_engine.lines import PRICES
from policy_engine.numbers import UNLIMITED, BadNumber, tidy, within_digits
from policy_engine.requests import Answer, answered
from policy_engine.rules import Rules
from policy_engine.scenario import UNCHANGED, Scenario, names_nothing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided of an account before and after a scenario.

    `after` is None where requests leave no account that can be decided on; the last of `answers`
    then says why. `severity` is how many statuses of its rules are better than its own, `tested`
    the figure that the worst of them tests, and `small_is_worse` which way.
    """

    scenario: Scenario
    before: Decision
    snapshot: Mapping[str, Any] | None
    after: Decision | None
    answers: tuple[Answer, ...]
    severity: int | None = None
    tested: str | None = None
    small_is_worse: bool = True


# --- deciding -------------------------------------------------------------------------------------


def what_if(
    rules: Rules, snapshot: Mapping[str, Any], scenarios: Iterable[Scenario]
) -> tuple[Outcome, ...]:
    """What each scenario comes to, each on the account as it is.

    Raises SnapshotError with every problem of the snapshot, else of all scenarios.
    """
    before = rules.decide(snapshot)
    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    for scenario in scenarios:
        try:
            outcomes.append(_outcome(rules, snapshot, before, scenario))
        except SnapshotError as error:
            problems += error.problems
    if problems:
        raise SnapshotError(problems)
    return tuple(outcomes)


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The outcome with the worst status, and of these the one with the worst tested figure.

    None where no outcome has a status. Of equals, and where rules test different figures, the
    first.
    """
    ranked = [one for one in outcomes if one.severity is not None]
    most = max((one.severity for one in ranked if one.severity is not None), default=None)
    worst = [one for one in ranked if one.severity == most]
    return min((one for one in worst if one.tested == worst[0].tested), key=_figure, default=None)


def _figure(outcome: Outcome) -> Decimal:
    """The tested figure, turned so that small is worse."""
    value = outcome.after.values[outcome.tested] if outcome.after and outcome.tested else None
    if not isinstance(value, Decimal):
        return UNLIMITED
    return value if outcome.small_is_worse else value.copy_negate()


def _outcome(
    rules: Rules, snapshot: Mapping[str, Any], before: Decision, scenario: Scenario
) -> Outcome:
    if scenario.changes_nothing:
        raise SnapshotError([names_nothing(scenario)])
    changed, answers = changed_by(rules, snapshot, scenario)
    if changed is None:
        return Outcome(scenario, before, None, None, answers)
    after = rules.decide(changed)
    return _ranked(rules, Outcome(scenario, before, changed, after, answers))


def changed_by(
    rules: Rules, snapshot: Mapping[str, Any], scenario: Scenario
) -> tuple[Mapping[str, Any] | None, tuple[Answer, ...]]:
    """The account as a scenario leaves it, and the answers to its requests.

    None in place of an account in which an amount would be below 0, or is not known; requests after
    that are not made. Raises SnapshotError.
    """
    changed: Mapping[str, Any] | None
    changed = with_prices(rules, with_settings(rules, snapshot, scenario), scenario)
    answers: list[Answer] = []
    for at, (name, given) in enumerate(scenario.requests):
        if changed is not None:
            with _Placed(scenario, ("requests", at, name), "unknown-request"):
                answer, changed = requested(rules, changed, name, given)
            answers.append(answer)
    return changed, tuple(answers)


def _ranked(rules: Rules, outcome: Outcome) -> Outcome:
    assert outcome.after is not None
    assert outcome.snapshot is not None
    plan = rules.compiled_for(outcome.snapshot).plan
    better = [rule.name for rule in reversed(plan.main.statuses)]
    status = outcome.after.status
    outcome = replace(outcome, severity=None if status is None else better.index(status))
    first = next((one for one in thresholds(plan)[1] if one.kind == STATUS), None)
    if first is None:
        return outcome
    return replace(outcome, tested=first.figure, small_is_worse=first.from_below)


class _Placed:
    """Inside, problems of the snapshot are told as problems of a part of a scenario.

    Those with the code `of_key` are about a name there, others about what is written after it.
    """

    def __init__(self, scenario: Scenario, pointer: Pointer, of_key: str) -> None:
        self.scenario, self.pointer, self.of_key = scenario, pointer, of_key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, SnapshotError):
            raise SnapshotError(map(self._placed, error.problems)) from None

    def _placed(self, problem: Problem) -> Problem:
        name = problem.place.pointer.partition(".")[0].partition("[")[0]
        at = self.pointer if name in ("", "request") else (*self.pointer, name)
        place = self.scenario.place(at, key=problem.code == self.of_key)
        return replace(problem, place=place)


# --- settings and prices --------------------------------------------------------------------------


def with_settings(
    rules: Rules, snapshot: Mapping[str, Any], scenario: Scenario
) -> Mapping[str, Any]:
    """The snapshot with the fields that a scenario sets. Raises SnapshotError."""
    if not scenario.settings:
        return snapshot
    changed = {**snapshot, **scenario.settings}
    with _Placed(scenario, ("set",), "unknown-key"):
        rules.read(changed)
    return changed


def with_prices(rules: Rules, snapshot: Mapping[str, Any], scenario: Scenario) -> Mapping[str, Any]:
    """The snapshot with a scenario's prices. Raises SnapshotError for what has no price."""
    if not scenario.prices and scenario.all_prices is None:
        return snapshot
    reader = rules.choice(snapshot)[1]
    known = reader.priced_keys(snapshot)
    problems = [
        replace(unpriced(key, known), place=scenario.place(("prices", key), key=True))
        for key in scenario.prices
        if key not in known
    ]
    if problems:
        raise SnapshotError(problems)
    changed = dict(snapshot)
    for entity, (key, price) in reader.priced.items():
        changed[entity] = [
            {**line, price: _shifted(scenario, line[key], line[price])}
            for line in snapshot.get(entity) or ()
        ]
    if snapshot.get(PRICES):
        changed[PRICES] = {
            key: _shifted(scenario, key, price) for key, price in snapshot[PRICES].items()
        }
    return changed


def unpriced(key: str, known: Iterable[str]) -> Problem:
    """The problem that a snapshot has no price of something."""
    listed = ", ".join(f"`{name}`" for name in sorted(known))
    hint = did_you_mean(key, known) or f"it prices {listed or 'nothing'}"
    return Problem("unknown-key", f"the account has no price of `{key}`", hint)


def _shifted(scenario: Scenario, key: str, price: Any) -> Any:
    """A price after a scenario, as a snapshot writes it."""
    change = scenario.prices.get(key, scenario.all_prices)
    if change is None or change.factor == UNCHANGED:
        return price
    made = tidy(change.of(Decimal(price)))
    try:
        return f"{within_digits(made, f'{made:f}'):f}"
    except BadNumber as bad:
        named = ("prices", key) if key in scenario.prices else ("all_prices",)
        message = f"the price of `{key}` comes out with too many digits: {bad.message}"
        hint = "give the price itself, or a change in fewer digits"
        raise SnapshotError([Problem("bad-number", message, hint, scenario.place(named))]) from None


# --- requests -------------------------------------------------------------------------------------


def requested(
    rules: Rules, snapshot: Mapping[str, Any], name: str, given: Mapping[str, Any]
) -> tuple[Answer, Mapping[str, Any] | None]:
    """The answer to a request, and the account after it whether or not it is permitted.

    None for an account in which an amount would be below 0, or is not known. Raises SnapshotError.
    """
    answer, effects = answered(rules, snapshot, name, given)
    if effects is None or effects.unknown or answer.after is None:
        return answer, None
    return answer, changed_snapshot(rules, effects)
