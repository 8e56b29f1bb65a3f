"""The largest value of a request such that it, and every smaller one, is permitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from policy_engine.asking import Asking, named_figures
from policy_engine.decision import Decision, Reason
from policy_engine.effects import Effects, changed_account, effects_of
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.language.code import Program, generate
from policy_engine.language.plan import Plan, only
from policy_engine.language.probes import Probe, probed, targets
from policy_engine.language.values import Lists, Rows, Undetermined
from policy_engine.model import ACCOUNT
from policy_engine.numbers import DIGITS_BEFORE_POINT, EXACT, UNLIMITED, exactly
from policy_engine.request_inputs import brought
from policy_engine.requests import Answer, answer, weighed
from policy_engine.walk import Grid

if TYPE_CHECKING:
    from policy_engine.rules import Rules

LARGEST = Decimal(10) ** DIGITS_BEFORE_POINT - 1
"""The largest amount that a request can bring."""

Sample = tuple[Any, tuple[Decimal | None, ...]]


@dataclass(frozen=True, slots=True)
class Limited:
    """The largest permitted value of a request, and how that is known.

    `value` is 0 where not even the smallest step is permitted, and unlimited (infinite) where
    nothing refuses. `at` is the answer there and `above` the one a step higher, both asked anew.
    """

    request: str
    input: str
    step: Decimal
    value: Decimal
    at: Answer | None
    above: Answer | None
    evaluations: int

    @property
    def binding(self) -> tuple[Reason, ...]:
        """The rules that refuse one step more."""
        return () if self.above is None else self.above.reasons


def limited(
    rules: Rules, snapshot: Mapping[str, Any], name: str, given: Mapping[str, Any]
) -> Limited:
    """The largest permitted value of the input that a request's `limit` names.

    `given` are its other inputs. Raises SnapshotError for what cannot be asked, and Undetermined
    where the largest value cannot be told.
    """
    asking = rules.asking(snapshot, name)
    limit = asking.request.limit if asking else None
    if asking is None or limit is None:
        message, hint = f"`{name}` has no limit", "ask for a request that the rules give a `limit`"
        raise SnapshotError([Problem("no-limit", message, hint, Place(pointer="request"))])
    item = asking.request.inputs[limit.input]
    first = _positions(item.at_least, item.above, limit.step)
    largest = min(LARGEST, item.at_most or LARGEST)
    last = int(exactly(EXACT.divide_int, largest, limit.step))
    smallest = EXACT.multiply(Decimal(first), limit.step)
    values = brought(asking.request, {**given, limit.input: smallest})
    sampler = _Sampler(rules, asking, snapshot, values, limit.input, limit.step)
    grid = Grid(sampler.sample, sampler.targets())
    found = _last_permitted(grid, first, last)
    return _verified(rules, snapshot, asking, given, found, first, last, grid.evaluations)


def _positions(at_least: Decimal | None, above: Decimal | None, step: Decimal) -> int:
    """The number of the first step that the input may have."""
    least = EXACT.divide(at_least or Decimal(0), step).to_integral_value(ROUND_CEILING)
    over = EXACT.divide(above or Decimal(0), step).to_integral_value(ROUND_FLOOR)
    return max(int(least), int(over) + 1)


def _last_permitted(grid: Grid, first: int, last: int) -> int:
    """The last position up to which all are permitted; the one before the first if none is."""
    permitted = first - 1
    for point in grid.turns(first, last):
        state, unknown = point.state
        if state is None:
            raise Undetermined(unknown)
        if not state:
            break
        permitted = point.position
    return permitted


def _verified(
    rules: Rules,
    snapshot: Mapping[str, Any],
    asking: Asking,
    given: Mapping[str, Any],
    found: int,
    first: int,
    last: int,
    evaluations: int,
) -> Limited:
    """The limit with the answers at it and a step above it, asked in full."""
    limit = asking.request.limit
    assert limit is not None
    name, step = asking.request.name, limit.step

    def asked(position: int) -> Answer:
        value = EXACT.multiply(Decimal(position), step)
        return answer(rules, snapshot, name, {**given, limit.input: value})

    at = asked(found) if found >= first else None
    above = asked(found + 1) if found < last else None
    held = (at is None or at.permitted is True) and (above is None or above.permitted is False)
    assert held, f"the limit {found} of {name} does not hold: please report this account"
    value = EXACT.multiply(Decimal(max(found, 0)), step) if above else UNLIMITED
    value = Decimal(0) if at is None else value
    return Limited(name, limit.input, step, value, at, above, evaluations)


# --- one position ---------------------------------------------------------------------------------


class _Probes:
    """A program with the figures at which it can turn."""

    def __init__(self, plan: Plan, lookups: Mapping[str, Rows | Lists]) -> None:
        made, self.probes = probed(plan)
        self.lookups = lookups
        self.program: Program = generate(made, lookups)

    def run(self, inputs: tuple[Any, ...], lists: tuple[Any, ...]) -> Mapping[str, Any]:
        """The figures by name, those of lists for each line."""
        return exactly(named_figures, self.program, inputs, lists)[0]

    def values(self, figures: Mapping[str, Any]) -> Iterator[Decimal | None]:
        """The probes' figures, line by line."""
        for probe in self.probes:
            yield from (_number(value) for value in _column(probe, figures[probe.name]))

    def targets(self, figures: Mapping[str, Any]) -> Iterator[tuple[Decimal, ...]]:
        """Where each of those turns."""
        for probe in self.probes:
            values = _column(probe, figures[probe.name])
            keys = _column(probe, figures[probe.key]) if probe.key else [None] * len(values)
            yield from (targets(probe, key, self.lookups) for key in keys)


def _column(probe: Probe, value: Any) -> list[Any]:
    if probe.entity == ACCOUNT:
        return [value]
    return list(value) if isinstance(value, tuple | list) else []


def _number(value: Any) -> Decimal | None:
    return value if isinstance(value, Decimal) and value.is_finite() else None


class _Sampler:
    """Answers a request at each value of one input, with the probes of all that decides on it."""

    def __init__(
        self,
        rules: Rules,
        asking: Asking,
        snapshot: Mapping[str, Any],
        values: Mapping[str, Any],
        input: str,
        step: Decimal,
    ) -> None:
        self.rules, self.asking, self.snapshot = rules, asking, snapshot
        self.values, self.input, self.step = values, input, step
        self.before: Decision = rules.decide(snapshot)
        after = changed_account(rules, self._effects(values[input]))[0]
        self.later = _Probes(only(after.plan, set(asking.asked.after)), after.lookups)
        refusing = only(asking.plan, set(asking.asked.refusals))
        self.refusals = _Probes(refusing, asking.compiled.lookups)

    def sample(self, position: int) -> Sample:
        """Whether a number of steps is permitted (and if not known, why), and the probes there."""
        found = self._found(EXACT.multiply(Decimal(position), self.step))
        effects, later, held = found
        ruling = weighed(self.asking, effects, self.before, held)
        unknown = ruling.unknown.reasons if ruling.permitted is None and ruling.unknown else ()
        amounts = (_number(v) for line in effects.lines for v in line.values.values())
        probes = (*self.later.values(later), *self.refusals.values(held), *amounts)
        return (ruling.permitted, unknown), probes

    def targets(self) -> list[tuple[Decimal, ...]]:
        """Where each probe turns something."""
        effects, later, held = self._found(self.values[self.input])
        amounts = [(Decimal(0),) for line in effects.lines for _ in line.values]
        return [*self.later.targets(later), *self.refusals.targets(held), *amounts]

    def _effects(self, value: Decimal) -> Effects:
        given = {**self.values, self.input: value}
        return effects_of(self.rules, self.asking, self.snapshot, given)

    def _found(self, value: Decimal) -> tuple[Effects, Mapping[str, Any], Mapping[str, Any]]:
        """The effects of a value, the changed account's figures, and the refusals' conditions."""
        effects = self._effects(value)
        _, taken = changed_account(self.rules, effects)
        later = self.later.run(taken.inputs, taken.lists)
        after = {name: later[name] for name in self.asking.asked.after}
        own = effects.taken
        inputs = self.asking.inputs(own.inputs, effects.given, after)
        return effects, later, self.refusals.run(inputs, own.lists)
