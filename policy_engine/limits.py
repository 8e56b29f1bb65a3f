"""The largest value of a request such that it, and every smaller one, is permitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from policy_engine.asking import Asking
from policy_engine.deciding import Deciding
from policy_engine.decision import Decision, Reason
from policy_engine.effects import Effects, changed_account, effects_of
from policy_engine.errors import Place, Problem, SnapshotError, Undetermined
from policy_engine.language.values import is_undetermined
from policy_engine.lines import known_rows
from policy_engine.model import Limit, RequestInput
from policy_engine.numbers import EXACT, LARGEST, UNLIMITED, tidy
from policy_engine.probing import Figures, finite
from policy_engine.request_inputs import brought
from policy_engine.requests import Answer, answer, weighed
from policy_engine.snapshot import Taken
from policy_engine.snapshot_check import as_texts
from policy_engine.walk import Grid

Sample = tuple[Any, tuple[Decimal | None, ...]]


@dataclass(frozen=True, slots=True)
class Limited:
    """The largest permitted value of a request, and how that is known.

    `value` is 0 where not even the smallest step is permitted, and unlimited (infinite) where
    nothing refuses. `at` is the answer there and `above` the one a step higher, both asked anew.
    `sure` is False where figures do not move in straight lines or quotients of them, as rounded
    ones do not: then a smaller value that is refused may have been passed over.
    """

    request: str
    input: str
    step: Decimal
    value: Decimal
    at: Answer | None
    above: Answer | None
    evaluations: int
    sure: bool = True

    @property
    def binding(self) -> tuple[Reason, ...]:
        """The rules that refuse one step more."""
        return () if self.above is None else self.above.reasons


def limited(
    rules: Deciding, snapshot: Mapping[str, Any], name: str, given: Mapping[str, Any]
) -> Limited:
    """The largest permitted value of the input that a request's `limit` names.

    `given` are its other inputs. Raises SnapshotError for what cannot be asked, and Undetermined
    where the largest value cannot be told.
    """
    asking = rules.asking(snapshot, name)
    limit = asking.request.limit if asking else None
    if asking is None or limit is None:
        raise SnapshotError([_no_limit(rules, snapshot, name)])
    if limit.input in given:
        raise SnapshotError([_sought(name, limit.input)])
    rules.choice(snapshot)[1].read(
        snapshot, rules.at
    )  # one that is not sound is refused as it was written
    snapshot = as_texts(snapshot)  # which is read most quickly
    return _Search(rules, snapshot, rules.decide(snapshot), asking, limit, given).limited()


def _no_limit(rules: Deciding, snapshot: Mapping[str, Any], name: str) -> Problem:
    requests = rules.choice(snapshot)[0].plan.main.requests
    names = ", ".join(f"`{one}`" for one, request in requests.items() if request.limit)
    offered = f"these requests have one: {names}" if names else "no request has one here"
    message = f"`{name}` has no limit" if name in requests else f"`{name}` is not offered here"
    return Problem("no-limit", message, offered, Place(pointer="request"))


def _sought(name: str, input: str) -> Problem:
    message = f"`{input}` is what the limit of `{name}` is sought for"
    return Problem("limit-given", message, f"leave `{input}` out", Place(pointer=input))


@dataclass(frozen=True)
class _Search:
    """A limit that is sought: positions are numbers of steps."""

    rules: Deciding
    snapshot: Mapping[str, Any]
    before: Decision
    asking: Asking
    limit: Limit
    given: Mapping[str, Any]

    def limited(self) -> Limited:
        """The limit with the answers at it and a step above it, asked in full."""
        item = self.asking.request.inputs[self.limit.input]
        first, last = _first(item, self.limit.step), _last(item, self.limit.step)
        if first > last:
            return self._made(Decimal(0), None, None, 0)  # no step is a value that it may have
        smallest = self.answered(first)
        if smallest.permitted is None:
            raise Undetermined(smallest.undetermined)
        if not smallest.permitted:
            return self._made(Decimal(0), None, smallest, 1)
        grid = self._grid(first)
        found = _last_permitted(grid, first, last)
        at = self.answered(found)
        above = self.answered(found + 1) if found < last else None
        held = at.permitted and (above is None or above.permitted is False)
        assert held, f"the limit {found} of {self.asking.request.name} does not hold"
        free = above is None and item.at_most is None
        value = UNLIMITED if free else tidy(self.value(found))
        return self._made(value, at, above, grid.evaluations, grid.sure)

    def value(self, position: int) -> Decimal:
        """What is brought at a position."""
        return EXACT.multiply(Decimal(position), self.limit.step)

    def answered(self, position: int) -> Answer:
        """The full answer at a position."""
        given = {**self.given, self.limit.input: self.value(position)}
        return answer(self.rules, self.snapshot, self.asking.request.name, given, self.before)

    def _grid(self, first: int) -> Grid:
        given = {**self.given, self.limit.input: self.value(first)}
        sampler = _Sampler(self, brought(self.asking.request, given))
        return Grid(sampler.sample, sampler.targets)

    def _made(self, value: Decimal, *found: Any) -> Limited:
        limit = self.limit
        return Limited(self.asking.request.name, limit.input, limit.step, value, *found)


def _first(item: RequestInput, step: Decimal) -> int:
    """The number of the first step that the input may have."""
    least = EXACT.divide(item.at_least or Decimal(0), step).to_integral_value(ROUND_CEILING)
    over = EXACT.divide(item.above or Decimal(0), step).to_integral_value(ROUND_FLOOR)
    return max(int(least), int(over) + 1, 1)


def _last(item: RequestInput, step: Decimal) -> int:
    """The number of the last step that it may have."""
    largest = LARGEST if item.at_most is None else min(LARGEST, item.at_most)
    return int(EXACT.divide_int(largest, step))


def _last_permitted(grid: Grid, first: int, last: int) -> int:
    """The last position up to which all are permitted. Raises Undetermined."""
    permitted = first
    for point in grid.turns(first, last):
        ruling, unknown = point.state
        if ruling is None:
            raise Undetermined(unknown)
        if not ruling:
            break
        permitted = point.position
    return permitted


class _Sampler:
    """Answers a request at each position, with the probes of all that decides on it."""

    def __init__(self, search: _Search, values: Mapping[str, Any]) -> None:
        self.search, self.values = search, values
        self.rules, self.asking = search.rules, search.asking
        self.taken: Taken | None = None
        effects = self._effects(values[search.limit.input])
        self.taken = effects.taken
        self.targets: list[tuple[Decimal, ...]] = []
        try:
            self.later = self.asking.probing_later(changed_account(self.rules, effects)[0])
        except SnapshotError:  # no rules apply to the changed account: there is nothing to probe
            self.probes = False
            return
        self.probes = True
        later, held = self._figures(effects)
        self.targets += self.later.targets(later)
        self.targets += self.asking.probing.targets(held)
        self.targets += ((Decimal(0),) for line in effects.lines for _ in line.values)

    def sample(self, position: int) -> Sample:
        """Whether a number of steps is permitted (and if not known, why), and the probes there."""
        effects = self._effects(self.search.value(position))
        if not self.probes or any(is_undetermined(value) for _, value in effects.settings):
            found = self.search.answered(position)
            return (found.permitted, found.undetermined), (None,) * len(self.targets)
        later, held = self._figures(effects)
        ruling = weighed(self.asking, effects, self.search.before, held)
        amounts = (finite(v) for line in effects.lines for v in line.values.values())
        probes = (*self.later.values(later), *self.asking.probing.values(held), *amounts)
        reasons = () if ruling.unknown is None else ruling.unknown.reasons
        return (ruling.permitted, () if ruling.permitted else reasons), probes

    def _effects(self, value: Decimal) -> Effects:
        given = {**self.values, self.search.limit.input: value}
        return effects_of(self.rules, self.asking, self.search.snapshot, given, self.taken)

    def _figures(self, effects: Effects) -> tuple[Figures, Figures]:
        """The changed account's figures, and those of the request, its refusals among them."""
        _, reader, taken = changed_account(self.rules, effects)
        own, held = effects.taken, reader.held(taken)
        later = decided = self.later.figures(taken.inputs, taken.lists)
        if _counts(held) != _counts(taken):  # all lines are probed, but empty ones do not decide
            decided = self.later.figures(held.inputs, held.lists)
        after = {name: decided[name] for name in self.asking.asked.after}
        inputs = self.asking.inputs(own.inputs, effects.given, after)
        return later, self.asking.probing.figures(inputs, own.lists)


def _counts(taken: Taken) -> list[int]:
    """How many lines each list has."""
    return [len(known_rows(rows)) for rows in taken.lists]
