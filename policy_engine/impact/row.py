"""One account decided by both sides: what is the same and what is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from policy_engine.decision import Decision
from policy_engine.impact.model import UNDETERMINED
from policy_engine.language.values import is_undetermined
from policy_engine.numbers import Value, text_of

IDENTICAL, REWORDED, FIGURES, DECIDED = "identical", "reworded", "figures", "decided"
_LISTS = ("assets", "orders", "loans")
_WORDS = ("reasons", "permissions", "notices", "assumptions", "undetermined")

Permissions = Mapping[str, tuple[bool | None, bool | None]]
"""Permissions by name, before and after."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An account as both sides decide it."""

    old: Decision
    new: Decision

    @property
    def statuses(self) -> tuple[str, str]:
        """The status before and after."""
        return self.old.status or UNDETERMINED, self.new.status or UNDETERMINED

    def permitted(self) -> Permissions:
        """Every permission, before and after; what a side does not know it does not permit."""
        old, new = self.old.permissions, self.new.permissions
        return {name: (_ruling(old, name), _ruling(new, name)) for name in sorted({*old, *new})}


def _ruling(told: Mapping[str, Any], name: str) -> bool | None:
    return told[name].permitted if name in told else False


def difference(row: Decided, flips: bool, names: tuple[Collection[str], Collection[str]]) -> str:
    """How far the outputs differ, whatever they say of the rules themselves.

    `names` are those of the account's figures on each side.
    """
    if flips:
        return DECIDED
    old, new = row.old, row.new
    if set(names[0]) != set(names[1]):
        return FIGURES
    if not all(_same(old.figure(name), new.figure(name)) for name in names[0]):
        return FIGURES
    if not _same_lines(old, new):
        return FIGURES
    worded = any(getattr(old, part) != getattr(new, part) for part in _WORDS)
    return REWORDED if worded else IDENTICAL


def _same_figures(old: Mapping[str, Value | None], new: Mapping[str, Value | None]) -> bool:
    if old.keys() != new.keys():
        return False
    return all(_same(value, new[name]) for name, value in old.items())


def _same(old: Any, new: Any) -> bool:
    """Whether two figures are the same text."""
    if old.__class__ is not new.__class__:
        return False
    return is_undetermined(old) or bool(old == new) or text_of(old) == text_of(new)


def _same_lines(old: Decision, new: Decision) -> bool:
    for part in _LISTS:
        before, after = getattr(old, part), getattr(new, part)
        if before is None or after is None:
            if before is not after:
                return False
        elif len(before) != len(after) or not all(map(_same_figures, before, after)):
            return False
    return True
