"""The pieces of versions: what of a rule file can be replaced by that of another version."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from policy_engine.diff import Change
from policy_engine.language.syntax import Expression
from policy_engine.model import ACCOUNT, Request, Rule, Version

BY_NAME = ("parameters", "tables", "scales", "permissions", "requests")
BY_ENTITY = ("inputs", "formulas")
LADDER = "statuses"
SCOPE = "applies_when"
USES = "uses"


class Piece(NamedTuple):
    """Where a piece stands: its ruleset, section, entity (where the section has some) and name."""

    ruleset: str
    section: str
    entity: str = ""
    name: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Its path inside the ruleset, as changes have it."""
        return tuple(part for part in self[1:] if part)

    @property
    def id(self) -> str:
        """The ruleset and the path, as ids of changes begin."""
        return "/".join((self.ruleset, *self.path))

    def holds(self, change: Change) -> bool:
        """Whether a change is of this piece, or of all that its ruleset says."""
        own = change.path[: len(self.path)]
        return change.ruleset == self.ruleset and own in ((), self.path)


Pieces = Mapping[Piece, Any]


def pieces(version: Version, ladder: bool) -> dict[Piece, Any]:
    """What a version says piece by piece; `ladder`: its statuses are one piece together."""
    name = version.ruleset
    held: dict[Piece, Any] = {Piece(name, USES, "", used): used for used in version.uses}
    if version.applies_when is not None:
        held[Piece(name, SCOPE)] = version.applies_when
    for section in BY_NAME:
        items = getattr(version, section).items()
        held |= {Piece(name, section, "", key): item for key, item in items}
    for section in BY_ENTITY:
        for entity, items in getattr(version, section).items():
            held |= {Piece(name, section, entity, key): item for key, item in items.items()}
    if ladder and version.statuses:
        held[Piece(name, LADDER)] = version.statuses
    elif not ladder:
        held |= {Piece(name, LADDER, "", rule.name): rule for rule in version.statuses}
    return held


def blank(version: Version) -> Version:
    """The version as if it said nothing."""
    empty: dict[str, Any] = {section: {} for section in (*BY_NAME, *BY_ENTITY)}
    return replace(version, uses=(), applies_when=None, statuses=(), notices=(), **empty)


def assembled(frame: Version, name: str, held: Pieces, texts: Mapping[str, str]) -> Version:
    """A version made of pieces, under an id of its own. It keeps no notices and no invariants:
    they decide nothing. `texts` are the assumptions that any of its pieces may list."""
    made: dict[str, Any] = {section: {} for section in (*BY_NAME, *BY_ENTITY)}
    for piece, item in held.items():
        if piece.section in BY_NAME:
            made[piece.section][piece.name] = item
        elif piece.section in BY_ENTITY:
            made[piece.section].setdefault(piece.entity, {})[piece.name] = item
    return replace(
        frame,
        id=name,
        make_digest=_no_digest,
        corrects=None,
        completes_within=None,
        uses=tuple(piece.name for piece in held if piece.section == USES),
        applies_when=held.get(Piece(frame.ruleset, SCOPE)),
        statuses=_ladder(frame, held),
        notices=(),
        invariants={},
        assumptions=texts,
        **made,
    )


def _ladder(frame: Version, held: Pieces) -> tuple[Rule, ...]:
    whole = held.get(Piece(frame.ruleset, LADDER))
    if whole is not None:
        return tuple(whole)
    named = (held.get(Piece(frame.ruleset, LADDER, "", rule.name)) for rule in frame.statuses)
    return tuple(rule for rule in named if rule is not None)


def _no_digest(version: Version) -> str:
    """A version that is made up for a question has no digest that anybody could look up."""
    return ""


# --- names ----------------------------------------------------------------------------------------


def defines(piece: Piece) -> str | None:
    """The name that formulas ask for a piece by; None for what they cannot name."""
    if piece.section in (*BY_ENTITY, "parameters", "tables", "scales"):
        return piece.name
    return None


def space(piece: Piece) -> tuple[str, str] | None:
    """The name a piece takes and the space in which no other may have it."""
    if piece.section in ("tables", "scales"):
        return "functions", piece.name
    if piece.section == "parameters":
        return ACCOUNT, piece.name
    return (piece.entity, piece.name) if piece.section in BY_ENTITY else None


def names_in(item: Any) -> frozenset[str]:
    """Every name that a piece asks for, and each permission as `permissions.<name>`."""
    return frozenset(_names(item))


def _names(item: Any) -> Iterator[str]:
    if isinstance(item, Expression):
        yield from (node.id for node in ast.walk(item.tree) if isinstance(node, ast.Name))
    elif isinstance(item, Request):
        yield from (f"permissions.{name}" for name in item.requires)
        for effect in item.effects:
            yield from effect.sets
            yield from _of_all(effect.sets.values())
        yield from _of_all(item.refuse_when)
    elif isinstance(item, tuple):
        yield from _of_all(item)
    else:
        for part in ("expression", "when", "refuse_when"):
            if getattr(item, part, None) is not None:
                yield from _names(getattr(item, part))


def _of_all(items: Iterable[Any]) -> Iterator[str]:
    for item in items:
        yield from _names(item)
