"""Which changes an outcome can depend on: what its rules name, and what that names in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.impact.model import STATUS
from policy_engine.impact.pieces import LADDER, SCOPE, USES, Piece, Pieces, names_in
from policy_engine.impact.units import Divided, Unit

PERMISSION = "permissions"


class Reach:
    """Follows names through both sides at once: what neither leads to changes nothing."""

    def __init__(self, parts: Divided) -> None:
        self._units = parts.units
        self._asks: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._requests: set[str] = set()
        sides = (side for unit in parts.units for side in (unit.old, unit.new))
        for held in (parts.shared, parts.left, parts.brought, *sides):
            self._add(held)
        self._found: dict[tuple[str, frozenset[str]], tuple[Unit, ...]] = {}

    def units(self, outcome: str, rulesets: frozenset[str]) -> tuple[Unit, ...]:
        """The units on which an outcome can depend that those rulesets decide.

        A permission that is a request's depends on every ruleset: the account may be another's
        afterwards.
        """
        key = outcome, rulesets
        if key not in self._found:
            among = None if outcome in self._requests else rulesets
            met = self._met(outcome, among)
            self._found[key] = tuple(u for u in self._units if _is_met(u, met, among))
        return self._found[key]

    def _add(self, held: Pieces) -> None:
        for piece, item in held.items():
            node = _node(piece, item)
            self._asks.setdefault(node, []).append((piece.ruleset, names_in(item)))
            if piece.section == "requests":
                self._requests.add(node)

    def _met(self, outcome: str, rulesets: frozenset[str] | None) -> frozenset[str]:
        """All names that an outcome leads to; in some rulesets, or (None) in any."""
        waiting = [outcome, SCOPE, USES]
        met: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in met:
                met.add(name)
                waiting += self._asked(name, rulesets)
        return frozenset(met)

    def _asked(self, name: str, rulesets: frozenset[str] | None) -> Iterator[str]:
        for ruleset, asked in self._asks.get(name, ()):
            if rulesets is None or ruleset in rulesets:
                yield from asked


def _is_met(unit: Unit, met: frozenset[str], among: frozenset[str] | None) -> bool:
    """Whether a unit has a piece of those names, in some rulesets or (None) in any."""
    return any(
        _node(piece, item) in met
        and (among is None or piece.ruleset in among or piece.section == SCOPE)
        for side in (unit.old, unit.new)
        for piece, item in side.items()
    )


def _node(piece: Piece, item: Any) -> str:
    """The name under which a piece is met; a request that is no permission is met by none."""
    if piece.section == LADDER:
        return STATUS
    if piece.section == PERMISSION or getattr(item, "permission", False):
        return f"{PERMISSION}.{piece.name}"
    if piece.section == "requests":
        return f"requests.{piece.name}"
    return piece.section if piece.section in (SCOPE, USES) else piece.name
