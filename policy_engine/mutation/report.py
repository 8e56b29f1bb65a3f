"""What came of every mistake that was tried, and what to do about those no case noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.mutation.equal import Meaning
from policy_engine.mutation.missing import Missing, Searching
from policy_engine.mutation.mutants import Mutant
from policy_engine.mutation.trial import BROKEN, NOTICED, Outcome, Trial


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mistake that no case notices: why it changes no decision, or the case that is missing.

    Both None: no account was found on which it can be seen. `read` tells whether any case reads
    what is changed.
    """

    mutant: Mutant
    read: bool
    why_equal: str | None
    missing: Missing | None


@dataclass(frozen=True)
class Mutation:
    """What came of the mutants of each operator: how many were noticed, survived, are equal.

    `counts` has, by operator, those noticed, those that survive and could be noticed, those that
    change no decision, and those that cannot be loaded.
    """

    counts: dict[str, tuple[int, int, int, int]]
    survivors: tuple[Survivor, ...]

    @property
    def tried(self) -> int:
        """How many mutants change some decision, as far as is known."""
        return sum(noticed + survived for noticed, survived, _, _ in self.counts.values())

    @property
    def noticed(self) -> int:
        """How many of them some case noticed."""
        return sum(noticed for noticed, _, _, _ in self.counts.values())

    @property
    def percent(self) -> int:
        """Those noticed in a hundred, rounded down; 100 where there were none."""
        return self.noticed * 100 // self.tried if self.tried else 100


def mutation(trial: Trial, outcomes: Sequence[Outcome], search: bool = True) -> Mutation:
    """What came of some mutants; with `search`, the case that is missing for each survivor."""
    meaning, searching = Meaning(trial.book), Searching(trial)
    counts: dict[str, list[int]] = {}
    survivors = []
    for outcome in outcomes:
        mutant = trial.mutants[outcome.at]
        held = counts.setdefault(mutant.operator, [0, 0, 0, 0])
        if outcome.word == NOTICED:
            held[0] += 1
        elif outcome.word == BROKEN:
            held[3] += 1
        else:
            why = meaning.why_equal(mutant)
            held[1 if why is None else 2] += 1
            found = searching.missing(mutant) if search and why is None else None
            survivors.append(Survivor(mutant, outcome.tried > 0, why, found))
    by_operator = {name: (a, b, c, d) for name, (a, b, c, d) in sorted(counts.items())}
    return Mutation(by_operator, tuple(survivors))
