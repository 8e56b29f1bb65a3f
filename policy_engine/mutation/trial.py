"""Which mistakes some case notices: each tried on the cases that can tell, until one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from policy_engine.cases import Case, load_cases, run
from policy_engine.coverage.measure import Traced, trace
from policy_engine.coverage.points import EDGE
from policy_engine.model import Version
from policy_engine.mutation.book import AlteredBook
from policy_engine.mutation.mutants import Mutant, mutants
from policy_engine.rulebook import Rulebook

BROKEN, NOTICED, SURVIVES = "cannot be loaded", "noticed", "survives"
_CHUNK = 48
"""Mutants that one process tries before it asks for more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a mutant: its position among all, and the position of the case that noticed.

    `tried` is how many cases were run.
    """

    at: int
    word: str
    case: int | None
    tried: int


@dataclass
class Trial:
    """A rulebook with its cases, what happened in each, and every mutant to be tried."""

    book: Rulebook
    cases: Sequence[Case]
    traced: Traced
    orders: dict[tuple[object, ...], list[int]] = field(default_factory=dict)

    @cached_property
    def mutants(self) -> tuple[Mutant, ...]:
        """Every mutant of every version, in the order of the versions."""
        return tuple(mutant for version in self.book.versions for mutant in mutants(version))

    def outcome(self, at: int) -> Outcome:
        """Try one mutant on the cases that can tell, those most likely to notice first."""
        mutant = self.mutants[at]
        altered = AlteredBook(self.book, mutant.make())
        tried = 0
        for number in self.telling(mutant):
            tried += 1
            differs = run(cast("Rulebook", altered), self.cases[number])
            if altered.broken:
                return Outcome(at, BROKEN, None, tried)
            if differs:
                return Outcome(at, NOTICED, number, tried)
        return Outcome(at, SURVIVES, None, tried)

    def telling(self, mutant: Mutant) -> list[int]:
        """The cases whose decision can depend on what is changed.

        Those that rest on the version; where the change is one of a table's row or a scale's list,
        those that read it. Others decide exactly as before.
        """
        key = (mutant.version, mutant.path, mutant.read)
        if key not in self.orders:
            mark = (mutant.version, mutant.path, mutant.read)
            rest = self.resting[mutant.version]
            found = [n for n in rest if mutant.read is None or mark in self.traced.marks[n]]
            self.orders[key] = sorted(found, key=lambda n: (-self._near(mutant, n), n))
        return self.orders[key]

    @cached_property
    def resting(self) -> dict[str, list[int]]:
        """The cases that rest on each version, by its id."""
        found: dict[str, list[int]] = {version.id: [] for version in self.book.versions}
        for at, versions in enumerate(self.traced.touched):
            for version in versions:
                found[version].append(at)
        return found

    @cached_property
    def _paths(self) -> tuple[dict[tuple[object, ...], int], ...]:
        """How much happened at each path of a version, by case; an edge counts most."""
        made: list[dict[tuple[object, ...], int]] = []
        for found in self.traced.marks:
            counts: dict[tuple[object, ...], int] = {}
            for version, path, what in found:
                weight = 8 if what[0] == EDGE else 1
                counts[version, path] = counts.get((version, path), 0) + weight
            made.append(counts)
        return tuple(made)

    def _near(self, mutant: Mutant, number: int) -> int:
        request = self.cases[number].request
        asked = mutant.path[0] == "requests" and request is not None
        named = 4 if asked and request and request[0] == mutant.path[1] else 0
        return self._paths[number].get((mutant.version, mutant.path), 0) + named


def wanted(
    trial: Trial, versions: Iterable[Version], operators: Sequence[str] | None = None
) -> list[int]:
    """The positions of the mutants of some versions, by some operators (None: all)."""
    named = {version.id for version in versions}
    return [
        at
        for at, mutant in enumerate(trial.mutants)
        if mutant.version in named and (operators is None or mutant.operator in operators)
    ]


def prepared(book: Rulebook, cases: Sequence[Case]) -> Trial:
    """A trial of all mutants of a rulebook, its cases run once."""
    return Trial(book, cases, trace(book, cases))


def tried(trial: Trial, positions: Sequence[int], folder: Path, jobs: int = 1) -> Iterator[Outcome]:
    """The outcome of each mutant, in order; the same for any number of processes.

    `folder` is that of the cases, which each process reads for itself.
    """
    if jobs < 2 or len(positions) <= _CHUNK:
        yield from map(trial.outcome, positions)
        return
    chunks = [positions[at : at + _CHUNK] for at in range(0, len(positions), _CHUNK)]
    with ProcessPoolExecutor(
        jobs, initializer=_start, initargs=(trial.book, folder, trial.traced)
    ) as pool:
        for outcomes in pool.map(_try, chunks):
            yield from outcomes


_trial: Callable[[], Trial]


def _start(book: Rulebook, folder: Path, traced: Traced) -> None:
    """Give a process its trial."""
    global _trial
    made = Trial(book, load_cases(folder), traced)
    _trial = lambda: made  # noqa: E731


def _try(positions: Sequence[int]) -> list[Outcome]:
    return [_trial().outcome(at) for at in positions]
