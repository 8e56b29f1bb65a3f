"""Scales compared tier by tier, aligned at the edges that both have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from policy_engine.diff.change import (
    ADDED,
    LOGIC,
    MERGED,
    MOVED,
    REMOVED,
    REPLACED,
    SPLIT,
    VALUE,
    WORDING,
    Change,
    Names,
    Path,
    Tiers,
    differing,
    named,
    paired,
)
from policy_engine.diff.provisions import aspects, figure, names
from policy_engine.diff.tables import escaped
from policy_engine.model import Scale, Tier
from policy_engine.numbers import Value, plain

LAST_TIERS = "last"


class _Block(NamedTuple):
    """The tiers of both sides between two edges that both have; the last block has no end."""

    low: str
    high: str | None
    old: Sequence[Tier]
    new: Sequence[Tier]

    @property
    def name(self) -> str:
        """The block as a part of a path."""
        return f"{self.low}..{self.high or ''}"


def scale(path: Path, old: Scale, new: Scale) -> Iterator[Change]:
    """The changes of a scale."""
    for change in _changes(path, old, new):
        cited = change.citation or (old if change.action == REMOVED else new).citation
        yield replace(change, citation=cited, name=f"{new.name}{change.name}")


def _changes(path: Path, old: Scale, new: Scale) -> Iterator[Change]:
    yield from _terms(path, old, new)
    yield from _above_last((*path, "above_last"), old, new)
    at = (*path, "tiers")
    if old.by == new.by:
        for key, before, after in paired(old.tiers, new.tiers):
            yield from _key(at, key, (old, before), (new, after))
    elif old.tiers != new.tiers:
        yield Change(at, "tier", "", REPLACED, VALUE, old, new)
    for change in aspects(path, old, new):
        yield replace(change, name="")


def _terms(path: Path, old: Scale, new: Scale) -> Iterator[Change]:
    """The changes in what a scale is over, and in what it claims."""
    for aspect, attribute in (("by", "by"), ("in", "unit_in"), ("edge_belongs_to",) * 2):
        sides = getattr(old, attribute), getattr(new, attribute)
        yield from differing((*path, aspect), "scale", *sides, LOGIC, name="")
    columns = dict(old.columns), dict(new.columns)
    yield from named((*path, "columns"), "scale", columns, LOGIC, _column)
    yield from differing((*path, "rates"), "scale", old.rates, new.rates, WORDING, name="")
    claims = (_identity(old), _identity(new))
    yield from differing((*path, "maintenance_amount"), "scale", *claims, WORDING, name="")
    rise = _rising(old), _rising(new)
    yield from differing((*path, "columns_rise"), "scale", *rise, WORDING, name="")
    safer = _declared(old.safer), _declared(new.safer)
    yield from differing((*path, "safer"), "scale", *safer, WORDING, name="")


def _column(path: Path, old: str, new: str) -> Iterator[Change]:
    yield from differing(path, "scale", old, new, LOGIC, name="")


def _identity(scale: Scale) -> Names | None:
    return None if scale.maintenance_amount is None else Names(scale.maintenance_amount)


def _rising(scale: Scale) -> Names | None:
    return Names(scale.columns_rise) if scale.columns_rise else None


def _declared(safer: Mapping[str, str]) -> Names | None:
    return names(tuple(f"{column} {direction}" for column, direction in safer.items()))


def _above_last(path: Path, old: Scale, new: Scale) -> Iterator[Change]:
    of = old.above_last, new.above_last
    before, after = (LAST_TIERS if above.rate is None else above.rate for above in of)
    column, unit = new.columns[0]
    more = {} if new.has_columns else {"unit": unit, "safer": _safer(column, old, new)}
    yield from figure(path, "scale", before, after, name="", **more)
    listed = names(of[0].assumes), names(of[1].assumes)
    yield from differing((*path, "assumes"), "assumes", *listed, WORDING, name="")


# --- tiers ----------------------------------------------------------------------------------------

_Side = tuple[Scale, Sequence[Tier] | None]


def _key(path: Path, key: Value | None, old: _Side, new: _Side) -> Iterator[Change]:
    """The changes in the tiers of one key."""
    at = path if key is None else (*path, escaped(key))
    name = "" if key is None else f"[{at[-1]}]"
    if old[1] is None or new[1] is None:
        action = REMOVED if new[1] is None else ADDED
        yield Change(at, "tier", name, action, VALUE, _tiers(*old), _tiers(*new))
        return
    for block in _blocks(old[1], new[1]):
        for change in _block((*at, block.name), block, old[0], new[0]):
            yield replace(change, name=name)


def _tiers(scale: Scale, tiers: Sequence[Tier] | None) -> Tiers | None:
    columns = tuple(name for name, _ in scale.columns) if scale.has_columns else ()
    return None if tiers is None else Tiers(columns, tuple(tiers))


def _blocks(old: Sequence[Tier], new: Sequence[Tier]) -> Iterator[_Block]:
    shared = sorted({tier.to for tier in old} & {tier.to for tier in new})
    low = "0"
    for edge in shared:
        sides = ([t for t in side if t.to <= edge] for side in (old, new))
        yield _Block(low, plain(edge), *sides)
        old, new = ([t for t in side if t.to > edge] for side in (old, new))
        low = plain(edge)
    if old or new:
        yield _Block(low, None, old, new)


def _block(path: Path, block: _Block, old: Scale, new: Scale) -> Iterator[Change]:
    count = len(block.old), len(block.new)
    if count[0] == count[1]:
        yield from _pairs(path, block, old, new)
        return
    sides: list[Any] = [_tiers(old, block.old), _tiers(new, block.new)]
    action = REPLACED
    if 0 in count:
        action = ADDED if count[0] == 0 else REMOVED
        sides = [tiers if size else None for tiers, size in zip(sides, count, strict=True)]
    elif block.high is not None and 1 in count:
        action = SPLIT if count[0] == 1 else MERGED
    yield Change(path, "tier", "", action, VALUE, *sides)


def _pairs(path: Path, block: _Block, old: Scale, new: Scale) -> Iterator[Change]:
    """As many tiers on both sides: edges that moved, rates that changed."""
    alone = len(block.old) == 1 and block.high is not None
    for at, (before, after) in enumerate(zip(block.old, block.new, strict=True), 1):
        if before.to != after.to:
            edges = before.to, after.to
            moved = (*path, f"edge-{at}")
            yield Change(moved, "tier", "", MOVED, VALUE, *edges, unit=new.unit_in)
        yield from _rates(path if alone else (*path, f"tier-{at}"), before, after, old, new)


def _rates(path: Path, before: Tier, after: Tier, old: Scale, new: Scale) -> Iterator[Change]:
    """The changed rates of the columns that both have."""
    units, was = dict(new.columns), dict(zip(dict(old.columns), before.rates, strict=True))
    for column, rate in zip(units, after.rates, strict=True):
        if column in was:
            more = {"unit": units[column], "safer": _safer(column, old, new), "name": ""}
            yield from differing((*path, column), "tier", was[column], rate, VALUE, **more)


def _safer(column: str, old: Scale, new: Scale) -> str | None:
    return new.safer.get(column) or old.safer.get(column)
