"""The inputs of an account that can be moved, and the account with one of them moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from policy_engine.fields import shape
from policy_engine.model import ACCOUNT, LISTS
from policy_engine.numbers import plain
from policy_engine.witnesses.sides import Place, Side


@dataclass(frozen=True, slots=True)
class Axis:
    """A number that moves: of the account, of a line, or of a request (`entity` is `request`).

    `above_zero`: it cannot be 0.
    """

    entity: str
    line: int
    path: tuple[str, ...]
    label: str
    above_zero: bool = False

    def moved(self, place: Place, value: Decimal) -> Place:
        """The place with another value."""
        text = plain(value)
        if self.entity == REQUEST:
            return replace(place, given={**place.given, self.path[0]: text})
        if self.entity == ACCOUNT:
            return replace(place, snapshot=_put(place.snapshot, self.path, text))
        lines = list(place.snapshot[self.entity])
        lines[self.line] = {**lines[self.line], self.path[0]: text}
        return replace(place, snapshot={**place.snapshot, self.entity: lines})


REQUEST = "request"


def _put(held: Mapping[str, Any], path: tuple[str, ...], text: str) -> dict[str, Any]:
    if len(path) == 1:
        return {**held, path[0]: text}
    return {**held, path[0]: _put(held.get(path[0]) or {}, path[1:], text)}


def axes(side: Side, place: Place) -> Iterator[Axis]:
    """What can be moved in a place: what a request brings, amounts that are held, all others."""
    if side.asking is not None:
        for name, item in side.asking.request.inputs.items():
            if item.kind == "number" and not item.one_of and name in place.given:
                above = item.above is not None and item.above >= 0
                yield Axis(REQUEST, -1, (name,), f"{REQUEST}.{name}", above)
    found = [*_of_lines(side, place), *_of_account(side, place)]
    yield from sorted(found, key=lambda one: _rank(one, place))


def _of_lines(side: Side, place: Place) -> Iterator[Axis]:
    reader = side.rules.choice(place.snapshot)[1]
    for entity in LISTS:
        lines = reader.lines[entity]
        for n, line in enumerate(place.snapshot.get(entity) or ()):
            label = str(n) if lines.key is None else line[lines.inputs[lines.key].name]
            for item in lines.inputs:
                if item.kind == "number" and item.name in line:
                    known = shape().lines[entity].get(item.name)
                    above = known is not None and known.above_zero
                    yield Axis(entity, n, (item.name,), f"{entity}.{label}.{item.name}", above)


def _of_account(side: Side, place: Place) -> Iterator[Axis]:
    for item in side.compiled.plan.inputs[ACCOUNT]:
        held: Any = place.snapshot
        for step in item.source:
            held = held.get(step) if isinstance(held, Mapping) else None
        field = shape().account.get(item.source[0])
        free = field is None or (field.choices is None and field.kind in ("amount", "number"))
        if item.kind == "number" and held is not None and free:
            yield Axis(ACCOUNT, -1, item.source, ".".join(item.source))


def _rank(axis: Axis, place: Place) -> tuple[int, int]:
    """Amounts that are there first, then those that could be, then prices."""
    if axis.entity == ACCOUNT:
        return (0, 0)
    held = place.snapshot[axis.entity][axis.line][axis.path[0]]
    return (2 if axis.above_zero else 0 if Decimal(held) else 1, axis.line)
