"""What each thing that moved brought, as all are moved one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.causes.model import INPUTS, RULES, WIDE, Share, Split
from policy_engine.causes.ways import Step
from policy_engine.diff import Changes
from policy_engine.diff.tables import escaped
from policy_engine.impact.units import Unit, changes_of

Jumps = list[tuple[list[int], Decimal]]
"""What each step brought; several steps where the figure cannot be told between them."""


def walked(
    steps: Sequence[Step],
    figure: Callable[[Sequence[Step]], Decimal | None],
    known: Mapping[int, Decimal],
) -> Jumps:
    """What is brought by moving one thing after the other."""
    jumps: Jumps = []
    last, waiting = known[0], list[int]()
    for count in range(1, len(steps) + 1):
        waiting.append(count - 1)
        value = known[count] if count in known else figure(steps[:count])
        if value is not None:
            jumps.append((waiting, WIDE.subtract(value, last)))
            last, waiting = value, []
    return jumps


def shares_of(
    steps: Sequence[Step], forth: Jumps, back: Jumps, changes: Changes, keys: frozenset[str]
) -> list[Share]:
    """The shares of all steps; those that one of the orders cannot tell apart are one share."""
    count = len(steps)
    mirrored = [([count - 1 - at for at in reversed(held)], value) for held, value in back]
    ends = [{max(held) for held, _ in jumps} for jumps in (forth, mirrored)]
    found, low = [], 0
    for high in sorted(ends[0] & ends[1]):
        own = range(low, high + 1)
        sums = [
            _sum(value for held, value in jumps if held[0] in own) for jumps in (forth, mirrored)
        ]
        found.append(_share([steps[at] for at in own], Split(*sums), changes, keys))
        low = high + 1
    return found


def _sum(values: Any) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = WIDE.add(total, value)
    return total


def _share(steps: Sequence[Step], split: Split, changes: Changes, keys: frozenset[str]) -> Share:
    inputs = [step.input for step in steps if step.input]
    if inputs:
        first = inputs[0]
        return Share(
            INPUTS, tuple(one.name for one in inputs), split, (), first.before, first.after
        )
    units = [step.unit for step in steps if step.unit]
    names = [name for step in steps for name in _names(step, changes, keys)]
    return Share(RULES, tuple(dict.fromkeys(names)), split, tuple(dict.fromkeys(_titles(units))))


def _names(step: Step, changes: Changes, keys: frozenset[str]) -> Iterator[str]:
    """The changes of a step; of the rows of a table, those whose key is one of the account's."""
    assert step.unit is not None
    own = changes_of(step.unit.pieces, changes)
    if step.key is not None:
        yield from (one.id for one in own if one.path[-1] == escaped(step.key))
        return
    met = [one for one in own if one.kind != "row" or keys & {*one.path[-1].split(",")}]
    yield from (one.id for one in met)
    if not met:
        yield step.unit.id


def texts_in(snapshot: Any) -> Iterator[str]:
    """Every text in a snapshot."""
    if isinstance(snapshot, Mapping):
        snapshot = snapshot.values()
    if isinstance(snapshot, str):
        yield snapshot
    elif isinstance(snapshot, Iterable):
        for part in snapshot:
            yield from texts_in(part)


def _titles(units: Sequence[Unit]) -> list[str]:
    titles = []
    for unit in units:
        items = [unit.new.get(piece, unit.old.get(piece)) for piece in unit.pieces]
        titles += [title for item in items if (title := getattr(item, "title", ""))][:1]
    return titles
