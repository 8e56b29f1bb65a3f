"""The changes between two states of the rules that can be made apart from one another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy_engine.diff import Change, Changes, Significance
from policy_engine.impact.pieces import (
    LADDER,
    SCOPE,
    USES,
    Piece,
    Pieces,
    blank,
    defines,
    names_in,
    pieces,
    space,
)
from policy_engine.model import Version
from policy_engine.rules import with_used

Versions = Mapping[str, Version]
_DEEP = Significance.VALUE
_RULES = ("permissions", "requests", LADDER, SCOPE)
"""Sections whose pieces decide by being there; of the others, those that nothing names are idle."""


@dataclass(frozen=True)
class Unit:
    """A change that is made or not made as one: the pieces of each side."""

    old: Pieces
    new: Pieces

    @property
    def id(self) -> str:
        """The id of its first piece."""
        return self.pieces[0].id

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All its pieces, what decides and what computes before what they are made of."""
        found = {*self.old, *self.new}
        return tuple(sorted(found, key=lambda piece: (_ORDER.index(piece.section), piece)))

    def names(self) -> frozenset[str]:
        """Every name that it asks for on either side."""
        items = (*self.old.values(), *self.new.values())
        return frozenset(name for item in items for name in names_in(item))


_COMPUTES = ("formulas", "tables", "scales", "parameters", "inputs")
_ORDER = (SCOPE, LADDER, "permissions", "requests", *_COMPUTES, USES)


@dataclass(frozen=True)
class Divided:
    """Two states taken apart: what both say alike, and the units of change.

    What only one side says and decides nothing by itself comes and goes with what asks for it:
    `brought` is what the new side has of it, `left` the old.
    """

    frames: Versions
    shared: Pieces
    units: tuple[Unit, ...]
    brought: Pieces = field(default_factory=dict)
    left: Pieces = field(default_factory=dict)
    families: tuple[frozenset[str], ...] = ()
    """The rulesets that are read together, for each ruleset on each side."""


def divided(old: Versions, new: Versions, changes: Changes) -> Divided:
    """What two states of the rules, each a version of every ruleset, are made of."""
    frames = {**old, **new}
    sides = _pieces(old, frames, _reordered(old, new)), _pieces(new, frames, _reordered(old, new))
    both = {p: item for p, item in sides[1].items() if p in sides[0]}
    lone = [{p: item for p, item in side.items() if p not in both} for side in sides]
    groups = [{p} for p in both if _is_deep(p, sides, changes)]
    groups += _deciding([*lone[0], *lone[1]])
    families = _families(old, new)
    groups += _clashing(lone, {*sides[0], *sides[1]}, families)
    apart = {piece for group in groups for piece in group}
    idle = [{p: item for p, item in side.items() if p not in apart} for side in lone]
    shared = {p: item for p, item in both.items() if p not in apart}
    units = sorted((_unit(group, sides) for group in groups), key=lambda unit: unit.id)
    return Divided(frames, shared, tuple(units), idle[1], idle[0], families)


def _pieces(side: Versions, frames: Versions, reordered: Collection[str]) -> dict[Piece, Any]:
    """All pieces of a side; a ruleset that it has not says nothing."""
    found: dict[Piece, Any] = {}
    for name, frame in frames.items():
        found |= pieces(side.get(name) or blank(frame), ladder=name in reordered)
    return found


def _reordered(old: Versions, new: Versions) -> frozenset[str]:
    """The rulesets whose statuses are not the same in the same order."""
    ladders = [
        {name: [rule.name for rule in version.statuses] for name, version in side.items()}
        for side in (old, new)
    ]
    return frozenset(n for n in {*old, *new} if ladders[0].get(n) != ladders[1].get(n))


def _is_deep(piece: Piece, sides: tuple[Pieces, Pieces], changes: Changes) -> bool:
    """Whether a piece decides or computes otherwise on the other side."""
    if sides[0][piece] == sides[1][piece]:
        return False
    return any(piece.holds(one) and one.significance >= _DEEP for one in changes.changes)


def _unit(group: Collection[Piece], sides: tuple[Pieces, Pieces]) -> Unit:
    old, new = ({p: side[p] for p in sorted(group) if p in side} for side in sides)
    return Unit(old, new)


def _deciding(lone: Iterable[Piece]) -> list[set[Piece]]:
    """What only one side says and that decides by being there: all of a ruleset that decides on
    one side only, else each piece."""
    deciding = [piece for piece in lone if piece.section in _RULES]
    whole = {piece.ruleset for piece in deciding if piece.section == SCOPE}
    found = [{p for p in deciding if p.ruleset == name} for name in sorted(whole)]
    return found + [{p} for p in deciding if p.ruleset not in whole]


def _families(old: Versions, new: Versions) -> tuple[frozenset[str], ...]:
    found = (frozenset(with_used(side, name)) for side in (old, new) for name in side)
    return tuple(dict.fromkeys(found))


def _clashing(
    lone: list[dict[Piece, Any]], known: Collection[Piece], families: Collection[frozenset[str]]
) -> list[set[Piece]]:
    """What only one side says and that cannot stand beside the other side as it is: its name is
    taken there, or is one that others would then read in place of another figure."""
    takers: dict[str, list[Piece]] = {}
    for piece in known:
        if space(piece) is not None:
            takers.setdefault(piece.name, []).append(piece)
    found: list[set[Piece]] = []
    met: set[Piece] = set()
    for piece in (*lone[0], *lone[1]):
        others = {one for one in takers.get(piece.name, ()) if _meet(piece, one, families)}
        if space(piece) is not None and piece not in met and others:
            group = {piece, *(one for one in others if one in lone[0] or one in lone[1])}
            met |= group
            found.append(group)
    return found


def _meet(piece: Piece, other: Piece, families: Collection[frozenset[str]]) -> bool:
    """Whether two pieces of one name can be taken for each other: both name figures, or both
    functions, and are read together."""
    if piece == other or _is_function(piece) != _is_function(other):
        return False
    return any({piece.ruleset, other.ruleset} <= family for family in families)


def _is_function(piece: Piece) -> bool:
    return piece.section in ("tables", "scales")


# --- merging --------------------------------------------------------------------------------------


def merged(units: Iterable[Unit]) -> Unit:
    """Several units as one."""
    old: dict[Piece, Any] = {}
    new: dict[Piece, Any] = {}
    for unit in units:
        old |= unit.old
        new |= unit.new
    return Unit(old, new)


def neighbours(unit: Unit, units: Iterable[Unit]) -> list[Unit]:
    """The other units whose names it asks for, or that ask for its own."""
    own = {defines(piece) for piece in unit.pieces} - {None}
    asked = unit.names()
    found = []
    for other in units:
        theirs = {defines(piece) for piece in other.pieces} - {None}
        if other is not unit and (theirs & asked or own & other.names()):
            found.append(other)
    return found


# --- what belongs to a unit -----------------------------------------------------------------------


def needs(unit: Unit, divided: Divided) -> Iterator[Piece]:
    """What comes with a unit, or goes with it, because it asks for it: pieces of one side."""
    own = {piece.ruleset for piece in unit.pieces}
    read = frozenset().union(*(family for family in divided.families if own & family))
    for items, idle in ((unit.new, divided.brought), (unit.old, divided.left)):
        waiting = [name for item in items.values() for name in names_in(item)]
        met: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in met:
                continue
            met.add(name)
            for piece, item in idle.items():
                if piece.name == name and piece.section != USES and piece.ruleset in read:
                    yield piece
                    waiting += names_in(item)


def changes_of(pieces: Iterable[Piece], changes: Changes) -> tuple[Change, ...]:
    """The changes of some pieces that go deeper than wording, in the order of the diff."""
    held = tuple(pieces)
    deep = changes.at_least(_DEEP).changes
    return tuple(change for change in deep if any(piece.holds(change) for piece in held))


__all__ = ["Divided", "Unit", "changes_of", "divided", "merged", "needs", "neighbours"]
