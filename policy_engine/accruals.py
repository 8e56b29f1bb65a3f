"""How many hours it takes until the status of an account changes by what accrues alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from policy_engine.begins import Search
from policy_engine.deciding import Deciding
from policy_engine.decision import Decision
from policy_engine.model import ACCOUNT, LISTS, Accrual
from policy_engine.numbers import exact_context, plain
from policy_engine.policy import Compiled
from policy_engine.snapshot import Reader, Taken

HORIZON = 876_600
"""How many hours are looked at: a hundred years."""

_HOUR = timedelta(hours=1)
_EXACT = exact_context()


@dataclass(frozen=True, slots=True)
class Accruing:
    """A figure that grows: the line's list and key, the input, and what each hour adds to it."""

    entity: str
    key: str
    name: str
    each: Decimal


@dataclass(frozen=True, slots=True)
class Wait:
    """A status, after how many full clock hours it begins, and the instant of that.

    None where it does not begin within the horizon, be it that it holds already.
    """

    status: str
    title: str
    hours: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Hours:
    """When each status begins, from the worst to the best, if nothing changes but what accrues.

    `untold` is after how many hours the status first cannot be told, for `reasons`: what begins
    later is not looked for. `sure` is as for a limit.
    """

    at: datetime
    accruing: tuple[Accruing, ...]
    status: str | None
    statuses: tuple[Wait, ...]
    untold: int | None
    reasons: tuple[str, ...]
    evaluations: int
    sure: bool


def hours(rules: Deciding, snapshot: Mapping[str, Any]) -> Hours:
    """When each status begins by what the rules say accrues, all else as it is.

    Raises SnapshotError.
    """
    compiled, reader = rules.choice(snapshot)
    taken = reader.read(snapshot, rules.at)
    growth = _Growth(compiled, reader, taken, rules.decided(compiled, taken))
    accruing = tuple(growth.accruing())
    passing = _Passing(compiled, reader, taken, accruing)
    search = Search(compiled, taken, passing)
    way = search.way(passing.lowest, 0 if growth.unknown else passing.highest)
    untold = 0 if growth.unknown or search.now.status is None else way.untold
    return Hours(
        taken.at,
        accruing,
        search.now.status,
        tuple(
            Wait(rule.name, rule.title, met := way.of(rule.name), passing.instant(met))
            for rule in search.rules
        ),
        untold,
        tuple(sorted({*search.now.reasons, *way.reasons, *growth.unknown})),
        search.grid.evaluations,
        search.grid.sure,
    )


class _Passing:
    """Hours that pass: a position is how many full clock hours have begun since."""

    lowest, highest = 0, HORIZON

    def __init__(
        self, compiled: Compiled, reader: Reader, taken: Taken, accruing: tuple[Accruing, ...]
    ) -> None:
        self.reader, self.taken, self.accruing = reader, taken, accruing
        account = compiled.plan.inputs[ACCOUNT]
        self.moments = frozenset(n for n, item in enumerate(account) if item.source == ("at",))

    def instant(self, position: int | None) -> datetime | None:
        """When so many full hours have begun; None of none."""
        if not position:
            return None if position is None else self.taken.at
        return self.taken.at.replace(minute=0, second=0, microsecond=0) + position * _HOUR

    def inputs(self, position: int) -> tuple[Any, ...]:
        """The account's inputs then."""
        then = self.instant(position)
        return tuple(then if n in self.moments else v for n, v in enumerate(self.taken.inputs))

    def lists(self, position: int) -> tuple[Any, ...]:
        """The account's lists then: all that accrues has grown."""
        found = dict(zip(LISTS, self.taken.lists, strict=True))
        for one in self.accruing:
            added = _EXACT.multiply(one.each, Decimal(position))
            found[one.entity] = tuple(self._grown(one, added, row) for row in found[one.entity])
        return tuple(found.values())

    def _grown(self, one: Accruing, added: Decimal, row: Any) -> Any:
        lines = self.reader.lines[one.entity]
        if lines.pick_key(row) != one.key:
            return row
        at = next(n for n, item in enumerate(lines.inputs) if item.name == one.name)
        return (*row[:at], _EXACT.add(row[at], added), *row[at + 1 :])


class _Growth:
    """What each hour adds to an account. `unknown` is what keeps that from being told."""

    def __init__(
        self, compiled: Compiled, reader: Reader, taken: Taken, decision: Decision
    ) -> None:
        self.reader, self.taken, self.decision = reader, taken, decision
        self.unknown: list[str] = []
        formulas = compiled.plan.scope.formulas
        self.declared = [
            (entity, formula.name, formula.accrues)
            for entity in LISTS
            for formula in formulas[entity].values()
            if formula.accrues is not None
        ]
        if not self.declared:
            self.unknown.append("the rules in force do not say what accrues by the hour")

    def accruing(self) -> Iterator[Accruing]:
        """Every figure that grows, with all that each hour adds to it."""
        for entity, name, accrual in self.declared:
            lines, targets = self._lines(entity), self._lines(accrual.of)
            figures = getattr(self.decision, entity)
            if lines is None or targets is None or figures is None:
                unknown = entity if lines is None else accrual.of
                self.unknown.append(f"the account's `{unknown}` are not known")
                continue
            each = self._each(entity, name, accrual, lines, figures)
            key = self.reader.lines[accrual.of].inputs[self.reader.lines[accrual.of].key or 0].name
            held = {target[key]: target for target in targets}
            self.unknown += _not_held(entity, accrual, each, held)
            self.unknown += _not_covered(entity, accrual, lines, held)
            yield from (
                Accruing(accrual.of, found, accrual.to, added)
                for found, added in sorted(each.items())
                if added and found in held
            )

    def _lines(self, entity: str) -> list[dict[str, Any]] | None:
        """The lines of a list as read, by input; None where it is not known."""
        rows = self.taken.lists[LISTS.index(entity)]
        names = [item.name for item in self.reader.lines[entity].inputs]
        known = isinstance(rows, tuple | list)
        return [dict(zip(names, row, strict=True)) for row in rows] if known else None

    def _each(
        self,
        entity: str,
        name: str,
        accrual: Accrual,
        lines: list[dict[str, Any]],
        figures: tuple[Mapping[str, Any], ...],
    ) -> dict[str, Decimal]:
        """What each hour adds to the line of each key."""
        each: dict[str, Decimal] = {}
        for at, (line, figure) in enumerate(zip(lines, figures, strict=True)):
            if not isinstance(figure[name], Decimal):
                self.unknown += self.decision.undetermined[f"{entity}.{at}.{name}"]
                continue
            key = line[accrual.by]
            each[key] = _EXACT.add(each.get(key, Decimal(0)), figure[name])
        return each


def _not_held(
    entity: str, accrual: Accrual, each: Mapping[str, Decimal], held: Mapping[str, Any]
) -> Iterator[str]:
    for key in sorted(each.keys() - held.keys()):
        yield f"`{entity}` name {key}, which has no line among the `{accrual.of}`: add one"


def _not_covered(
    entity: str,
    accrual: Accrual,
    lines: list[dict[str, Any]],
    held: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    """Where the lines that add are not all that is borne: the rest bears nobody knows what."""
    for (key, target), (whole, share) in product(sorted(held.items()), accrual.covers.items()):
        total = Decimal(0)
        for line in lines:
            total = _EXACT.add(total, line[share]) if line[accrual.by] == key else total
        if total != target[whole]:
            yield (
                f"the `{entity}` of {key} add up to {plain(total)}, and its `{whole}` is"
                f" {plain(target[whole])}: give each of its `{entity}`"
            )
