"""Rules that no folder has: the old ones with some of the changes made and the others not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from policy_engine.applies import Applicable, applicable
from policy_engine.errors import PolicyError, RulesError
from policy_engine.impact.pieces import USES, Piece, Pieces, assembled, names_in
from policy_engine.impact.units import Divided, Unit
from policy_engine.language.plan import only, rule_figures
from policy_engine.language.units import unit_problems
from policy_engine.model import Version
from policy_engine.policy import Compiled, compiled
from policy_engine.rules import Rules

Made = frozenset[str]
"""The changes that are made, by the ids of their units."""

_ALWAYS = ("inputs", USES)


class Mixture:
    """Every mixture of two states of the rules; each is made when it is first asked for."""

    def __init__(self, parts: Divided, offered: Collection[str], at: datetime) -> None:
        """`offered` are the permissions that either side knows, `at` the instant of the rules."""
        self._strict = True
        self._parts, self._at, self._offered = parts, at, frozenset(offered)
        self._idle = {**parts.left, **parts.brought}
        self._by_name: dict[str, list[Piece]] = {}
        for piece in self._idle:
            self._by_name.setdefault(piece.name, []).append(piece)
        self._texts = {
            text: title for v in parts.frames.values() for text, title in v.assumptions.items()
        }
        self._rules: dict[frozenset[Piece], Rules | None] = {}
        self._made: dict[tuple[str, frozenset[tuple[Piece, int]]], Version] = {}
        self._applicable: dict[str, Applicable] = {}
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    def ease(self) -> None:
        """Let rules go together whose units do not agree, as those of a side may not."""
        self._strict = False
        self._rules.clear()

    def rules(self, units: Collection[Unit], made: Made) -> Rules | None:
        """The rules with some of the units made; None where those do not go together.

        `units` are all there are: together they have every piece that is not alike on both sides.
        """
        new = frozenset(p for unit in units if unit.id in made for p in unit.pieces)
        if new not in self._rules:
            self._rules[new] = self._mixed(units, made)
        return self._rules[new]

    def _mixed(self, units: Collection[Unit], made: Made) -> Rules | None:
        held = dict(self._parts.shared)
        for unit in units:
            held |= unit.new if unit.id in made else unit.old
        held |= self._needed(held)
        versions = {name: self._version(name, held) for name in sorted(self._parts.frames)}
        try:
            rules = Rules(self, self._at, None, versions)
            for name, version in versions.items():
                if version.applies_when is not None:
                    self._check(rules.compiled(name))
            return rules
        except PolicyError:
            return None

    def _needed(self, held: Pieces) -> Pieces:
        """What only one side says and these pieces ask for, and all that a snapshot may carry."""
        waiting = [name for item in held.values() for name in names_in(item)]
        found = {piece: item for piece, item in self._idle.items() if piece.section in _ALWAYS}
        met: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in met:
                met.add(name)
                for piece in self._by_name.get(name, ()):
                    found[piece] = self._idle[piece]
                    waiting += names_in(self._idle[piece])
        return found

    def _check(self, made: Compiled) -> None:
        """Raise RulesError where units do not agree: such rules could not be in force."""
        names = {name for name, _ in rule_figures(made.plan.main)}
        if self._strict and (problems := list(unit_problems(only(made.plan, names)))):
            raise RulesError(problems)

    def _version(self, name: str, held: Pieces) -> Version:
        """A ruleset of its part of those pieces; made once for the same."""
        own = {piece: item for piece, item in held.items() if piece.ruleset == name}
        key = name, frozenset((piece, id(item)) for piece, item in own.items())
        if key not in self._made:
            frame = self._parts.frames[name]
            self._made[key] = assembled(frame, f"{name}@{len(self._made)}", own, self._texts)
        return self._made[key]

    # --- what rules in force ask of their book ---------------------------------------------------

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version made so far."""
        return tuple(self._made.values())

    @property
    def rulesets(self) -> Mapping[str, tuple[Version, ...]]:
        """The same by ruleset."""
        held = {
            name: [v for v in self.versions if v.ruleset == name] for name in self._parts.frames
        }
        return {name: tuple(versions) for name, versions in held.items()}

    def in_force(self, at: datetime, known_at: datetime | None = None) -> Rules:
        """Of mixtures none is in force at an instant."""
        raise NotImplementedError

    def offered(self, at: datetime, known_at: datetime | None) -> frozenset[str]:
        """The permissions that either side knows."""
        return self._offered

    def applicable(self, version: Version) -> Applicable:
        """When a version decides; resolved once. Raises RulesError."""
        if version.id not in self._applicable:
            self._applicable[version.id] = applicable(version)
        return self._applicable[version.id]

    def compiled(self, versions: tuple[Version, ...]) -> Compiled:
        """What decides under a combination of versions. Raises RulesError."""
        key = tuple(version.id for version in versions)
        if key not in self._compiled:
            self._compiled[key] = compiled(versions)
        return self._compiled[key]
