"""Where the statuses of an account begin as something about it moves by steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from policy_engine.model import Rule
from policy_engine.policy import Compiled
from policy_engine.probing import Figures, Probing
from policy_engine.snapshot import Taken
from policy_engine.walk import Grid


class Moving(Protocol):
    """What moves: the account at each position, which is a whole number of steps."""

    @property
    def lowest(self) -> int:
        """The lowest position."""

    @property
    def highest(self) -> int:
        """The highest position."""

    def inputs(self, position: int, /) -> tuple[Any, ...]:
        """The account's inputs there."""

    def lists(self, position: int, /) -> tuple[Any, ...]:
        """The account's lists there."""


class Found(NamedTuple):
    """A status; None where it cannot be told, and then the reasons."""

    status: str | None
    reasons: tuple[str, ...] = ()


class Way(NamedTuple):
    """Where each other status is first met on a way, and where it first cannot be told."""

    met: Mapping[str, int]
    untold: int | None = None
    reasons: tuple[str, ...] = ()

    def of(self, status: str) -> int | None:
        """Where a status is met; None where it is not."""
        return self.met.get(status)


class Search:
    """Where statuses begin on the way down and up. `now` is the status that holds."""

    def __init__(self, compiled: Compiled, taken: Taken, moving: Moving) -> None:
        self.rules: Sequence[Rule] = compiled.plan.main.statuses
        self.moving = moving
        names = {f"status.{rule.name}" for rule in self.rules if rule.when is not None}
        self.probing = Probing(compiled.plan, names, compiled.lookups)
        now = self.probing.figures(taken.inputs, taken.lists)
        self.now = _status(self.rules, now)
        self.grid = Grid(self._sample, list(self.probing.targets(now)))

    def way(self, start: int, last: int) -> Way:
        """What is met on the way from one position to another."""
        met: dict[str, int] = {}
        outside = not self.moving.lowest <= start <= self.moving.highest
        for point in () if outside or self.now.status is None else self.grid.turns(start, last):
            found = point.state
            if found.status is None:
                return Way(met, point.position, found.reasons)
            if found != self.now:
                met.setdefault(found.status, point.position)
            if len(met) == len(self.rules) - 1:
                break
        return Way(met)

    def _sample(self, position: int) -> tuple[Any, tuple[Decimal | None, ...]]:
        inputs, lists = self.moving.inputs(position), self.moving.lists(position)
        figures = self.probing.figures(inputs, lists)
        return _status(self.rules, figures), tuple(self.probing.values(figures))


def _status(rules: Sequence[Rule], figures: Figures) -> Found:
    """The first status that holds."""
    for rule in rules:
        held = True if rule.when is None else figures[f"status.{rule.name}"]
        if held is not False:
            return Found(rule.name) if held is True else Found(None, held.reasons)
    raise AssertionError("the last status has no condition")
