"""Two snapshots of one account: what moved between them, and the account with some of it moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.fields import ABSENT
from policy_engine.numbers import NUMBER
from policy_engine.snapshot import Reader
from policy_engine.snapshot_check import as_texts

Snapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that is otherwise in the later snapshot: a field, a line, or a figure of a line.

    `path` leads to it: the field, the key of the line, its figure. ABSENT stands for what is not
    there.
    """

    path: tuple[str, ...]
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The path as a trace spells it: `assets.BTC.price`."""
        return ".".join(self.path)


def moved(old: Snapshot, new: Snapshot, keys: Mapping[str, str]) -> list[Moved]:
    """What differs between two snapshots; `keys` names the key of each list that has one.

    Lines that are new come first and lines that are gone last, so that whatever names one finds it.
    """
    found = list(_fields(old, new, keys))
    return sorted(found, key=lambda one: (_rank(one, keys), one.path))


def _rank(one: Moved, keys: Mapping[str, str]) -> int:
    if one.path[0] in keys and len(one.path) == 2:
        return 0 if one.before is ABSENT else 3
    return 1 if one.path[0] in keys else 2


def _fields(old: Snapshot, new: Snapshot, keys: Mapping[str, str]) -> Iterator[Moved]:
    for name in sorted({*old, *new} - {"account"}):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if name in keys and isinstance(before, list) and isinstance(after, list):
            yield from _lines(name, keys[name], before, after)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from _parts((name,), before, after)
        elif not _same(before, after):
            yield Moved((name,), before, after)


def _parts(path: tuple[str, ...], before: Snapshot, after: Snapshot) -> Iterator[Moved]:
    for name in sorted({*before, *after}):
        sides = before.get(name, ABSENT), after.get(name, ABSENT)
        if not _same(*sides):
            yield Moved((*path, name), *sides)


def _same(before: Any, after: Any) -> bool:
    """Whether two values say the same; a trailing zero says nothing."""
    if isinstance(before, str) and isinstance(after, str):
        numbers = all(NUMBER.fullmatch(text) and text[-1] != "%" for text in (before, after))
        return Decimal(before) == Decimal(after) if numbers else before == after
    return bool(before == after)


def _lines(name: str, key: str, before: list[Snapshot], after: list[Snapshot]) -> Iterator[Moved]:
    sides = [{str(line[key]): line for line in side} for side in (before, after)]
    for one in sorted({*sides[0], *sides[1]}):
        if one in sides[0] and one in sides[1]:
            yield from _parts((name, one), sides[0][one], sides[1][one])
        else:
            yield Moved((name, one), sides[0].get(one, ABSENT), sides[1].get(one, ABSENT))


def keys_of(reader: Reader) -> dict[str, str]:
    """The name of the key of each list whose lines have one."""
    return {
        name: lines.inputs[lines.key].name
        for name, lines in reader.lines.items()
        if lines.key is not None
    }


# --- between --------------------------------------------------------------------------------------


def between(old: Snapshot, made: Collection[Moved], keys: Mapping[str, str]) -> dict[str, Any]:
    """The old snapshot with some of what moved as it is in the new one."""
    account: dict[str, Any] = dict(old)
    for one in made:
        name = one.path[0]
        if len(one.path) == 1:
            _put(account, name, one.after)
        elif name in keys:
            account[name] = list(_with_line(account[name], keys[name], one))
        else:
            account[name] = dict(account[name])
            _put(account[name], one.path[1], one.after)
    return account


def _put(held: dict[str, Any], name: str, value: Any) -> None:
    held.pop(name, None)
    if value is not ABSENT:
        held[name] = value


def _with_line(lines: list[Snapshot], key: str, one: Moved) -> Iterator[Snapshot]:
    for line in lines:
        if str(line[key]) != one.path[1]:
            yield line
        elif len(one.path) == 3:
            changed = dict(line)
            _put(changed, one.path[2], one.after)
            yield changed
    if len(one.path) == 2 and one.after is not ABSENT:
        yield one.after


def plainly(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot with its numbers as they would be written, so that equal ones are equal."""
    return dict(as_texts(snapshot))
