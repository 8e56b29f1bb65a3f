"""Which changes cause an outcome: the smallest sets of them that bring it about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from policy_engine.decision import Decision
from policy_engine.errors import PolicyError
from policy_engine.impact.mixture import Made, Mixture
from policy_engine.impact.units import Unit
from policy_engine.rules import Rules

MOST_COMBINED = 6
"""Of so many changes every combination is tried; of more each alone, all but each, and one way."""

Same = Callable[[Made], bool]
"""Whether the outcome is the new one when some changes are made."""


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest sets that suffice, and those without each of which the outcome is another.

    `complete`: every combination was tried.
    """

    enough: tuple[Made, ...]
    needed: Made
    complete: bool


NOTHING_FOUND = Found((), frozenset(), False)


def found(units: Iterable[str], same: Same) -> Found:
    """What brings about an outcome that is new with all changes made, and not with none."""
    every = frozenset(units)
    if same(frozenset()) or not same(every):
        return NOTHING_FOUND
    needed = frozenset(unit for unit in every if not same(every - {unit}))
    if len(every) > MOST_COMBINED:
        return Found(_one_way(every, same), needed, False)
    return Found(_smallest(every, same), needed, True)


def _smallest(every: Made, same: Same) -> tuple[Made, ...]:
    """All sets that suffice of which no smaller part does, the smallest first."""
    enough: list[Made] = []
    for size in range(1, len(every) + 1):
        for chosen in combinations(sorted(every), size):
            made = frozenset(chosen)
            if not any(smaller <= made for smaller in enough) and same(made):
                enough.append(made)
    return tuple(enough)


def _one_way(every: Made, same: Same) -> tuple[Made, ...]:
    """Those that suffice alone; where none does, one set of which no single one can be left out."""
    alone = tuple(frozenset({unit}) for unit in sorted(every) if same(frozenset({unit})))
    if alone:
        return alone
    kept = every
    for unit in sorted(every):
        if same(kept - {unit}):
            kept -= {unit}
    return (kept,)


# --- asked of mixtures ----------------------------------------------------------------------------


class Tried:
    """An account under mixtures of the rules; each is decided when it is first asked for."""

    def __init__(
        self, mixture: Mixture, units: Iterable[Unit], snapshot: Mapping[str, Any]
    ) -> None:
        self._mixture, self._units, self._snapshot = mixture, tuple(units), snapshot
        self._decided: dict[Made, Decision | None] = {}

    def outcome(self, made: Made, read: Callable[[Decision], Any]) -> Any:
        """An outcome under a mixture, as it is read from the decision; `...` where there is none:
        the changes do not go together, or the account cannot be decided."""
        if made not in self._decided:
            self._decided[made] = self._decide(self._mixture.rules(self._units, made))
        decision = self._decided[made]
        try:
            return ... if decision is None else read(decision)
        except PolicyError:
            return ...

    def _decide(self, rules: Rules | None) -> Decision | None:
        try:
            return None if rules is None else rules.decide(self._snapshot)
        except PolicyError:
            return None
