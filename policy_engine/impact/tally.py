"""What is counted and summed over a book, account by account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.impact.model import (
    ERROR,
    UNDETERMINED,
    Distribution,
    Movement,
    Repeated,
    Resting,
    Statuses,
    Total,
)
from policy_engine.model import Formula, Version
from policy_engine.numbers import exact_context

_LINES_TOLD = 5

Formulas = Mapping[str, Formula]


class Migrations:
    """Counts accounts by their statuses before and after."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def statuses(self, versions: Sequence[Version]) -> Statuses:
        """The counts; the names in the order of the rules."""
        titles = {rule.name: rule.title for version in versions for rule in version.statuses}
        names = (*ordered(versions), UNDETERMINED, ERROR)
        shown = (*(titles[name] for name in names[:-2]), "Cannot be told", "Cannot be decided")
        cells = tuple(tuple(self.counts[before, after] for after in names) for before in names)
        return Statuses(names, shown, cells)


def ordered(versions: Sequence[Version]) -> list[str]:
    """The names of all statuses, worst first: each before those that any of the rules puts after
    it, as far as they agree."""
    names: list[str] = []
    for version in versions:
        at = 0
        for rule in version.statuses:
            if rule.name not in names:
                names.insert(at, rule.name)
            at = max(at, names.index(rule.name) + 1)
    return names


class Names:
    """Finds account names that stand in a book more than once, and on which lines."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        self._times: dict[str, int] = {}

    def meet(self, account: str, line: int) -> None:
        """One more line, after all before it."""
        met = self._lines.setdefault(account, [])
        if met:
            self._times[account] = self._times.get(account, 1) + 1
        if len(met) < _LINES_TOLD:
            met.append(line)

    @property
    def repeats(self) -> int:
        """How many names stand there more than once."""
        return len(self._times)

    def repeated(self, most: int) -> tuple[Repeated, ...]:
        """The first of them, with their first lines."""
        first = sorted(self._times, key=lambda name: self._lines[name])[:most]
        return tuple(Repeated(n, self._times[n], tuple(self._lines[n])) for n in first)


class Movements:
    """Counts what became of each permission."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[tuple[bool | None, bool | None]]] = {}

    def add(
        self, permitted: Mapping[str, tuple[bool | None, bool | None]], accounts: int = 1
    ) -> None:
        """One more account, or several of which the same is told."""
        for name, pair in permitted.items():
            if name not in self.counts:
                self.counts[name] = Counter()
            self.counts[name][pair] += accounts

    def movements(self) -> Iterator[Movement]:
        """The counts by permission."""
        for name, of in sorted(self.counts.items()):
            yield Movement(
                name,
                gained=of[False, True],
                lost=of[True, False],
                to_undetermined=of[True, None] + of[False, None],
                from_undetermined=of[None, True] + of[None, False],
                kept=of[True, True],
                still_refused=of[False, False],
                still_undetermined=of[None, None],
            )


class Changed:
    """Gathers by how much a figure changed."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.rises: list[Decimal] = []
        self.unlimited = self.untold = 0

    def add(self, old: Any, new: Any) -> None:
        """One more account, with the figure as each side computes it."""
        if not (isinstance(old, Decimal) and isinstance(new, Decimal)):
            self.untold += 1
        elif old.is_finite() and new.is_finite():
            self.rises.append(exact_context().subtract(new, old))
        else:
            self.unlimited += 1

    def distribution(self) -> Distribution:
        """The changes in order: the least, the quartiles, the greatest."""
        rises, formula = sorted(self.rises), self.formula
        return Distribution(
            formula.name,
            formula.title,
            formula.unit,
            accounts=len(rises),
            fell=sum(one < 0 for one in rises),
            rose=sum(one > 0 for one in rises),
            unlimited=self.unlimited,
            untold=self.untold,
            least=_ranked(rises, 0),
            lower_quartile=_ranked(rises, 1),
            median=_ranked(rises, 2),
            upper_quartile=_ranked(rises, 3),
            greatest=_ranked(rises, 4),
        )


def _ranked(rises: Sequence[Decimal], quarter: int) -> Decimal | None:
    """The nearest rank at so many quarters; None of nothing."""
    return rises[max(-(-len(rises) * quarter // 4) - 1, 0)] if rises else None


class Sums:
    """Sums a figure in money."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.sums = [Decimal(0), Decimal(0), Decimal(0)]
        self.counts = [0, 0, 0]

    def add(self, old: Any, new: Any) -> None:
        """One more account, with the figure as each side computes it."""
        told = [isinstance(one, Decimal) and one.is_finite() for one in (old, new)]
        for at, value in enumerate((old, new)):
            if told[at]:
                self._add(at, value)
        if all(told):
            self._add(2, exact_context().subtract(new, old))

    def _add(self, at: int, value: Decimal) -> None:
        self.sums[at] = exact_context().add(self.sums[at], value)
        self.counts[at] += 1

    def total(self) -> Total:
        """The sums; None where no account tells the figure."""
        before, after, change = (
            value if n else None for value, n in zip(self.sums, self.counts, strict=True)
        )
        formula, counts = self.formula, self.counts
        names = formula.name, formula.title, formula.unit or ""
        return Total(*names, before, after, change, counts[0], counts[1])


class Rested:
    """Counts the assumptions that accounts rest on now and did not, or no longer do."""

    def __init__(self) -> None:
        self.newly: Counter[str] = Counter()
        self.no_longer: Counter[str] = Counter()
        self.titles: dict[str, str] = {}

    def add(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """One more account, with the titles of its assumptions on each side."""
        if old.keys() == new.keys():
            return
        self.titles |= {**old, **new}
        self.newly.update(new.keys() - old.keys())
        self.no_longer.update(old.keys() - new.keys())

    def resting(self) -> Iterator[Resting]:
        """The counts by assumption."""
        for name in sorted(self.titles):
            if self.newly[name] or self.no_longer[name]:
                counts = self.newly[name], self.no_longer[name]
                yield Resting(name, self.titles[name], *counts)
