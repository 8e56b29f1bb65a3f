"""The steps by which rules move: each change that stands alone, and of a table each row by itself
that the account can ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from policy_engine.causes.moved import Moved
from policy_engine.diff import Changes
from policy_engine.diff.tables import Key, escaped, rows_of
from policy_engine.impact.mixture import Mixture
from policy_engine.impact.units import Divided, Unit, changes_of
from policy_engine.model import Table
from policy_engine.rules import Rules


@dataclass(frozen=True)
class Step:
    """Something that can be moved: an input, or a unit of rules, or of that one row (`key`)."""

    unit: Unit | None = None
    input: Moved | None = None
    key: Key | None = None


def rule_steps(units: Sequence[Unit], changes: Changes, texts: frozenset[str]) -> list[Step]:
    """The steps of some units; `texts` are all that the account may ask a table for."""
    return [step for unit in units for step in _of_unit(unit, changes, texts)]


def _of_unit(unit: Unit, changes: Changes, texts: frozenset[str]) -> Iterator[Step]:
    keys = list(_keys(unit, changes, texts))
    yield from (Step(unit=unit, key=key) for key in keys)
    if not keys:
        yield Step(unit=unit)


def _keys(unit: Unit, changes: Changes, texts: frozenset[str]) -> Iterator[Key]:
    """The keys of rows that can be moved one by one: only rows changed, and the account may ask
    for more than one of them."""
    tables = _tables(unit)
    own = changes_of(unit.pieces, changes)
    if tables is None or any(change.kind != "row" for change in own):
        return
    ids = {change.path[-1] for change in own}
    rows = dict.fromkeys([*rows_of(tables[0]), *rows_of(tables[1])])
    met = [key for key in rows if escaped(key) in ids and texts & {*map(str, key)}]
    yield from met if len(met) > 1 else ()


def _tables(unit: Unit) -> tuple[Table, Table] | None:
    """The two sides of a unit that is one table and nothing else."""
    if len(unit.pieces) != 1 or len(unit.old) != 1 or len(unit.new) != 1:
        return None
    old, new = unit.old[unit.pieces[0]], unit.new[unit.pieces[0]]
    both = isinstance(old, Table) and isinstance(new, Table) and old.by == new.by
    return (old, new) if both else None


def _with_rows(unit: Unit, keys: Collection[Key], made: Collection[Key]) -> Unit:
    """A unit whose new table has of some keys the old rows, but for those that are made."""
    tables = _tables(unit)
    assert tables is not None
    rows = rows_of(tables[1])
    for key in keys:
        if key not in made:
            row = rows_of(tables[0]).get(key)
            rows = {k: v for k, v in rows.items() if k != key} | ({key: row} if row else {})
    table = replace(tables[1], rows=tuple(replace(row, keys=(key,)) for key, row in rows.items()))
    return Unit(unit.old, {unit.pieces[0]: table})


@dataclass
class Ways:
    """The rules between two states: with some of the steps taken and the others not."""

    parts: Divided
    units: tuple[Unit, ...]
    steps: Sequence[Step]
    at: datetime
    met: dict[frozenset[tuple[str, Key]], Mixture] = field(default_factory=dict)

    def rules(self, taken: Collection[Step]) -> Rules | None:
        """The rules with some steps taken; None where those do not go together."""
        units, partly = [], set()
        for unit in self.units:
            keys = [one.key for one in self.steps if one.unit is unit and one.key is not None]
            own = [one.key for one in taken if one.unit is unit and one.key is not None]
            if keys and 0 < len(own) < len(keys):
                partly |= {(unit.id, key) for key in own}
                units.append(_with_rows(unit, keys, own))
            else:
                units.append(unit)
        mixture = self.met.setdefault(frozenset(partly), Mixture(self.parts, (), self.at))
        made = frozenset(step.unit.id for step in taken if step.unit is not None)
        return mixture.rules(units, made)
