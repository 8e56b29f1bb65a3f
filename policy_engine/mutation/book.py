"""A rulebook in which one version is another, made in memory."""

from __future__ import annotations

from dataclasses import replace

from policy_engine.errors import RulesError
from policy_engine.model import Version
from policy_engine.policy import Compiled, compiled
from policy_engine.rulebook import Rulebook, When
from policy_engine.rules import Rules

_DIGEST = "sha256:altered"


class AlteredBook:
    """A rulebook with one version in the place of that of its id.

    Only combinations with that version are made anew. `broken` tells that some cannot be used.
    """

    def __init__(self, book: Rulebook, version: Version) -> None:
        self.book = book
        self.version = replace(version, make_digest=lambda _: _DIGEST)
        self.versions, self.rulesets = book.versions, book.rulesets
        self.applicable, self.offered = book.applicable, book.offered
        self.broken = False
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    def in_force(self, at: When, known_at: When | None = None) -> Rules:
        """The rules at an instant, with the other version."""
        rules = self.book.in_force(at, known_at)
        held = rules.versions
        if (name := self.version.ruleset) in held and held[name].id == self.version.id:
            held = {**held, name: self.version}
        return Rules(self, rules.at, rules.known_at, held)

    def compiled(self, versions: tuple[Version, ...]) -> Compiled:
        """What decides under a combination. Raises RulesError, and then the book is broken."""
        if all(version is not self.version for version in versions):
            return self.book.compiled(versions)
        key = tuple(version.id for version in versions)
        if key not in self._compiled:
            try:
                self._compiled[key] = compiled(versions)
            except RulesError:
                self.broken = True
                raise
        return self._compiled[key]
