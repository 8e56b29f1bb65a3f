"""How far prices may move before the status of an account changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from policy_engine.deciding import Deciding
from policy_engine.effects import with_lines
from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.language.values import is_undetermined
from policy_engine.lines import known_rows
from policy_engine.model import LISTS, Rule
from policy_engine.numbers import EXACT, LARGEST, BadNumber, number, plain, tidy
from policy_engine.policy import Compiled
from policy_engine.probing import Figures, Probing
from policy_engine.snapshot import Reader, Taken
from policy_engine.walk import Grid

_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Distance:
    """A status, and where it begins: at the first price that is met on the way down, and up.

    None where it does not begin that way, be it that it holds already or is never met.
    """

    status: str
    title: str
    below: Decimal | None
    above: Decimal | None


@dataclass(frozen=True, slots=True)
class Distances:
    """Where each status begins, from the worst to the best, as prices move by ticks from `present`.

    Of one line's price, or, with `line` None, of all prices together in percent. `untold_below` and
    `untold_above` are where the status first cannot be told on the way, for `reasons`: what begins
    beyond is not looked for. `sure` is as for a limit.
    """

    line: str | None
    held: tuple[str, ...]
    present: Decimal
    tick: Decimal
    status: str | None
    statuses: tuple[Distance, ...]
    untold_below: Decimal | None
    untold_above: Decimal | None
    reasons: tuple[str, ...]
    evaluations: int
    sure: bool


def distances(
    rules: Deciding,
    snapshot: Mapping[str, Any],
    line: str | None = None,
    tick: str | int | Decimal = "0.01",
    hold: Collection[str] = (),
) -> Distances:
    """Where each status begins as a price moves, or all but those on `hold` in percent.

    Solved with the tiers that hold there. Raises SnapshotError.
    """
    step = _step(tick)
    compiled, reader = rules.choice(snapshot)
    taken = reader.read(snapshot, rules.at)
    if line is None:
        _check_held(reader, snapshot, hold)
    else:
        lists = [entity for entity in LISTS if reader.lines[entity].price is not None]
        taken = with_lines(reader, taken, snapshot, [(entity, line, "line") for entity in lists])
    prices = _Prices(reader, taken, line, frozenset(hold), step)
    if line is not None and step > prices.present:
        raise SnapshotError([_too_large(step, prices.present)])
    return _Search(compiled, taken, prices).distances()


def _step(tick: str | int | Decimal) -> Decimal:
    try:
        step = number(str(tick), percent=False)
        if step > 0:
            return step
        message, hint = f"a tick of {plain(step)} leads nowhere", "give one above 0"
    except BadNumber as bad:
        message, hint = bad.message, bad.hint or "write it as a number such as 0.01"
    raise SnapshotError([Problem("bad-number", message, hint, Place(pointer="tick"))])


def _too_large(step: Decimal, price: Decimal) -> Problem:
    message = f"a tick of {plain(step)} is more than the price, {plain(price)}"
    return Problem("bad-number", message, "give a smaller one", Place(pointer="tick"))


def _check_held(reader: Reader, snapshot: Mapping[str, Any], hold: Collection[str]) -> None:
    known = reader.priced_keys(snapshot)
    unknown = [Problem(*_not_priced(name, known)) for name in sorted({*hold} - known)]
    if unknown:
        raise SnapshotError(unknown)


def _not_priced(name: str, known: Collection[str]) -> tuple[str, str, str, Place]:
    hint = did_you_mean(name, known) or "name a line of the account"
    return "unknown-key", f"`{name}` has no price that could be held", hint, Place(pointer="hold")


def _priced(reader: Reader, taken: Taken) -> Iterator[tuple[Sequence[Any], int, int]]:
    """The lines of each list that has prices, and where key and price stand in them."""
    for entity, rows in zip(LISTS, taken.lists, strict=True):
        lines = reader.lines[entity]
        if lines.price is not None and lines.key is not None:
            yield known_rows(rows), lines.key, lines.price


class _Prices:
    """Prices that move: a position is a number of ticks, of a price or of percent."""

    def __init__(
        self, reader: Reader, taken: Taken, line: str | None, held: frozenset[str], tick: Decimal
    ) -> None:
        self.reader, self.taken, self.line, self.tick = reader, taken, line, tick
        self.moving = {
            row[key]: row[price]
            for rows, key, price in _priced(reader, taken)
            for row in rows
            if (row[key] == line if line is not None else row[key] not in held)
        }
        self.held = tuple(sorted(held))
        self.present = Decimal(0) if line is None else self.moving[line]

    def near(self, rounding: str) -> int:
        """The tick at the present price, or the next one down or up."""
        return int(EXACT.divide(self.present, self.tick).to_integral_value(rounding))

    @property
    def lowest(self) -> int:
        """The lowest tick: every price stays above 0."""
        if self.line is not None:
            return 1
        return int(EXACT.divide(-_PERCENT, self.tick).to_integral_value(ROUND_FLOOR)) + 1

    @property
    def highest(self) -> int:
        """The highest tick: no price has more digits than a snapshot may have."""
        top = LARGEST
        if self.line is None:
            most = EXACT.divide(LARGEST, max(self.moving.values(), default=LARGEST))
            top = EXACT.multiply(EXACT.subtract(most, Decimal(1)), _PERCENT)
        return int(EXACT.divide_int(top, self.tick))

    def value(self, position: int) -> Decimal:
        """The price at a position, or the change in percent."""
        return tidy(EXACT.multiply(Decimal(position), self.tick))

    def lists(self, position: int) -> tuple[Any, ...]:
        """The account's lists at the prices of a position."""
        value = self.value(position)
        factor = EXACT.add(Decimal(1), EXACT.divide(value, _PERCENT))
        found = dict(zip(LISTS, self.taken.lists, strict=True))
        for entity, rows in found.items():
            lines = self.reader.lines[entity]
            if lines.price is not None and lines.key is not None and not is_undetermined(rows):
                found[entity] = tuple(
                    self._moved(row, lines.key, lines.price, value, factor) for row in rows
                )
        return tuple(found.values())

    def _moved(self, row: Any, key: int, price: int, value: Decimal, factor: Decimal) -> Any:
        if row[key] not in self.moving:
            return row
        moved = value if self.line is not None else EXACT.multiply(row[price], factor)
        return (*row[:price], moved, *row[price + 1 :])


class _Search:
    """Where statuses begin on the way down and up."""

    def __init__(self, compiled: Compiled, taken: Taken, prices: _Prices) -> None:
        self.rules, self.taken, self.prices = compiled.plan.main.statuses, taken, prices
        names = {f"status.{rule.name}" for rule in self.rules if rule.when is not None}
        self.probing = Probing(compiled.plan, names, compiled.lookups)
        now = self.probing.figures(taken.inputs, taken.lists)
        self.now = _status(self.rules, now)
        self.grid = Grid(self._sample, list(self.probing.targets(now)))

    def distances(self) -> Distances:
        """All of them, both ways."""
        prices = self.prices
        below = self._way(prices.near(ROUND_FLOOR), prices.lowest)
        above = self._way(prices.near(ROUND_CEILING), prices.highest)
        reasons = {*self.now.reasons, *below.reasons, *above.reasons}
        return Distances(
            prices.line,
            prices.held,
            tidy(prices.present),
            tidy(prices.tick),
            self.now.status,
            tuple(
                Distance(rule.name, rule.title, below.met.get(rule.name), above.met.get(rule.name))
                for rule in self.rules
            ),
            below.untold,
            above.untold,
            tuple(sorted(reasons)),
            self.grid.evaluations,
            self.grid.sure,
        )

    def _way(self, start: int, last: int) -> _Way:
        """What is met on the way from one position to another."""
        met: dict[str, Decimal] = {}
        outside = not self.prices.lowest <= start <= self.prices.highest
        for point in () if outside or self.now.status is None else self.grid.turns(start, last):
            value, found = self.prices.value(point.position), point.state
            if found.status is None:
                return _Way(met, value, found.reasons)
            if found != self.now:
                met.setdefault(found.status, value)
            if len(met) == len(self.rules) - 1:
                break
        return _Way(met)

    def _sample(self, position: int) -> tuple[Any, tuple[Decimal | None, ...]]:
        figures = self.probing.figures(self.taken.inputs, self.prices.lists(position))
        return _status(self.rules, figures), tuple(self.probing.values(figures))


class _Found(NamedTuple):
    """A status; None where it cannot be told, and then the reasons."""

    status: str | None
    reasons: tuple[str, ...] = ()


class _Way(NamedTuple):
    """Where each other status is first met on a way, and where it first cannot be told."""

    met: Mapping[str, Decimal]
    untold: Decimal | None = None
    reasons: tuple[str, ...] = ()


def _status(rules: Sequence[Rule], figures: Figures) -> _Found:
    """The first status that holds."""
    for rule in rules:
        held = True if rule.when is None else figures[f"status.{rule.name}"]
        if held is not False:
            return _Found(rule.name) if held is True else _Found(None, held.reasons)
    raise AssertionError("the last status has no condition")
