"""The accounts that flip: what of them differs, how they stand, and what causes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policy_engine.books import Row
from policy_engine.impact.attribution import Ask, Attribution, outcomes_of
from policy_engine.impact.model import (
    BETTER,
    LOST,
    UNDETERMINED,
    UNTOLD,
    WORSE,
    Flip,
    Standing,
)
from policy_engine.impact.row import Decided, Permissions
from policy_engine.impact.standing import Standings

_KINDS = (WORSE, UNTOLD, LOST, BETTER)


class Flips:
    """Gathers the accounts that flip; `ladder` are all statuses, worst first."""

    def __init__(
        self, ladder: Sequence[str], attribution: Attribution, standings: Standings
    ) -> None:
        self._ladder, self._attribution, self._standings = ladder, attribution, standings
        self._found: list[Flip] = []

    def add(self, row: Row, pair: Decided, permitted: Permissions, ask: Ask) -> None:
        """One more account that flips; `ask` tells its outcomes under mixtures of the rules."""
        flip = self._flip(row, pair, permitted)
        outcomes = outcomes_of(pair, permitted)
        causes = self._attribution.causes(pair, row.snapshot, outcomes, ask)
        self._found.append(replace(flip, causes=causes))

    def ordered(self) -> tuple[Flip, ...]:
        """All of them, worst first."""
        return tuple(sorted(self._found, key=self._order))

    def _flip(self, row: Row, pair: Decided, permitted: Permissions) -> Flip:
        def moved(*pairs: tuple[bool | None, bool | None]) -> tuple[str, ...]:
            return tuple(name for name, pair in permitted.items() if pair in pairs)

        flip = Flip(
            row.account or "",
            row.line,
            BETTER,
            *pair.statuses,
            lost=moved((True, False)),
            gained=moved((False, True)),
            lost_sight=moved((True, None), (False, None)),
            found_out=moved((None, True), (None, False)),
        )
        stood, stands = self._stood(pair)
        return replace(flip, kind=self._kind(flip), stood=stood, stands=stands)

    def _kind(self, flip: Flip) -> str:
        told = UNDETERMINED not in (flip.before, flip.after)
        if told and self._ladder.index(flip.after) < self._ladder.index(flip.before):
            return WORSE
        if flip.after == UNDETERMINED != flip.before:
            return UNTOLD
        if flip.lost:
            return LOST
        return UNTOLD if flip.lost_sight else BETTER

    def _stood(self, pair: Decided) -> tuple[Standing | None, Standing | None]:
        """Against the threshold of the worse of the two statuses, on each side."""
        told = [self._ladder.index(name) for name in pair.statuses if name != UNDETERMINED]
        worse = self._ladder[: min(told) + 1 if told else None]
        sides: list[Mapping[str, Standing]]
        sides = [self._standings.by(side).standings(side) for side in (pair.old, pair.new)]
        known = [name for name in worse if any(name in side for side in sides)]
        name = known[-1] if known else ""
        return sides[0].get(name), sides[1].get(name)

    def _order(self, flip: Flip) -> tuple[Any, ...]:
        """Worst first: the worst status, and there the deepest below its threshold."""
        after = self._ladder.index(flip.after) if flip.after != UNDETERMINED else -1
        distance = flip.stands.distance if flip.stands else None
        deep = (distance is None, distance or 0)
        return (_KINDS.index(flip.kind), after, *deep, flip.account, flip.line)
