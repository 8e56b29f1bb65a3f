"""How far prices may move before the status of an account changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from policy_engine.begins import Search
from policy_engine.deciding import Deciding
from policy_engine.effects import with_lines
from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.language.values import is_undetermined
from policy_engine.lines import known_rows
from policy_engine.model import LISTS
from policy_engine.numbers import EXACT, LARGEST, BadNumber, number, plain, tidy
from policy_engine.snapshot import Reader, Taken

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
    return _found(prices, Search(compiled, taken, prices))


def _found(prices: _Prices, search: Search) -> Distances:
    below = search.way(prices.near(ROUND_FLOOR), prices.lowest)
    above = search.way(prices.near(ROUND_CEILING), prices.highest)
    reasons = {*search.now.reasons, *below.reasons, *above.reasons}
    return Distances(
        prices.line,
        prices.held,
        tidy(prices.present),
        tidy(prices.tick),
        search.now.status,
        tuple(
            Distance(
                rule.name,
                rule.title,
                prices.value_at(below.of(rule.name)),
                prices.value_at(above.of(rule.name)),
            )
            for rule in search.rules
        ),
        prices.value_at(below.untold),
        prices.value_at(above.untold),
        tuple(sorted(reasons)),
        search.grid.evaluations,
        search.grid.sure,
    )


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

    def value_at(self, position: int | None) -> Decimal | None:
        """The same, and None of none."""
        return None if position is None else self.value(position)

    def inputs(self, position: int) -> tuple[Any, ...]:
        """The account's inputs, which stay as they are."""
        return self.taken.inputs

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
