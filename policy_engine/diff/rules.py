"""Statuses, notices, permissions and requests compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.diff.change import (
    INPUTS,
    LOGIC,
    MOVED,
    REMOVED,
    VALUE,
    WORDING,
    Change,
    Names,
    Path,
    differing,
    named,
    ordered,
    paired,
)
from policy_engine.diff.provisions import aspects, condition, expression, names
from policy_engine.language.syntax import Expression
from policy_engine.model import Limit, Permission, Provision, Request, RequestInput, Rule
from policy_engine.numbers import text_of


def statuses(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    """The changes of the ladder of statuses; their order is part of it."""
    yield from rules(("statuses",), "status", old, new)
    kept = {rule.name for rule in old} & {rule.name for rule in new}
    order, other = (Names(tuple(r.name for r in side if r.name in kept)) for side in (old, new))
    if order != other:
        yield Change(("statuses",), "status", "statuses", MOVED, LOGIC, order, other)


def rules(path: Path, kind: str, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Change]:
    """The changes of named conditions."""

    def both(at: Path, before: Rule, after: Rule) -> Iterator[Change]:
        yield from condition((*at, "when"), kind, before, after, "when")
        shown = names(before.shows), names(after.shows)
        more = {"name": after.name, "citation": after.citation}
        yield from differing((*at, "shows"), kind, *shown, WORDING, **more)
        yield from aspects(at, before, after)

    sides = ({rule.name: rule for rule in side} for side in (old, new))
    yield from named(path, kind, (next(sides), next(sides)), LOGIC, both)


def permission(path: Path, old: Permission, new: Permission) -> Iterator[Change]:
    """The changes of a permission and its refusals."""
    yield from _refusals(path, old, new)
    yield from aspects(path, old, new)


def request(path: Path, old: Request, new: Request) -> Iterator[Change]:
    """The changes of what can be asked for."""
    required = names(old.requires), names(new.requires)
    more = {"name": new.name, "citation": new.citation}
    yield from differing((*path, "requires"), "request", *required, LOGIC, **more)
    told = old.permission, new.permission
    yield from differing((*path, "permission"), "request", *told, LOGIC, **more)
    yield from differing((*path, "takes"), "request", old.takes, new.takes, INPUTS, **more)
    brought = named((*path, "inputs"), "input", (old.inputs, new.inputs), INPUTS, _brought)
    yield from _cited(brought, old, new)
    effects = _effects((*path, "effects"), _sets(old), _sets(new))
    yield from _cited(effects, old, new)
    yield from _cited(_limit((*path, "limit"), old.limit, new.limit), old, new)
    yield from _refusals(path, old, new)
    yield from aspects(path, old, new)


def _refusals(path: Path, old: Permission | Request, new: Permission | Request) -> Iterator[Change]:
    at = (*path, "refuse_when")
    changes = rules(at, "refusal", old.refuse_when, new.refuse_when)
    yield from _cited(changes, old, new)


def _cited(changes: Iterator[Change], old: Provision, new: Provision) -> Iterator[Change]:
    """The changes, on the authority of the whole where a part has none of its own."""
    for change in changes:
        whole = old if change.action == REMOVED else new
        yield replace(change, citation=change.citation or whole.citation)


def _brought(path: Path, old: RequestInput, new: RequestInput) -> Iterator[Change]:
    for aspect, attribute in (("type", "kind"), *((name, name) for name in _BOUNDS)):
        sides = _bound(old, attribute), _bound(new, attribute)
        yield from differing((*path, aspect), "input", *sides, INPUTS, name=new.name)


def _bound(brought: RequestInput, attribute: str) -> Any:
    if attribute == "one_of":
        values = sorted(brought.one_of, key=ordered)
        return Names(tuple(str(text_of(value)) for value in values)) if values else None
    return getattr(brought, attribute)


_BOUNDS = ("unit", "optional", "key_of", "above", "at_least", "at_most", "one_of")


Sets = Mapping[str, Mapping[str, Expression]]


def _sets(request: Request) -> Sets:
    """What is set, by what it is set of: all effects come at once. A second line that is added to
    a list is told apart by its number."""
    held: dict[str, dict[str, Expression]] = {}
    for effect in request.effects:
        name = f"line-{effect.line}" if effect.line else "account"
        if effect.add:
            times = sum(one.partition("+")[0] == f"add-{effect.add}" for one in held)
            name = f"add-{effect.add}" + (f"+{times + 1}" if times else "")
        held.setdefault(name, {}).update(effect.sets)
    return held


def _effects(path: Path, old: Sets, new: Sets) -> Iterator[Change]:
    for name, before, after in paired(old, new):
        yield from named((*path, name), "effect", (before or {}, after or {}), LOGIC, _set)


def _set(path: Path, old: Expression, new: Expression) -> Iterator[Change]:
    yield from expression(path, "effect", old, new)


def _limit(path: Path, old: Limit | None, new: Limit | None) -> Iterator[Change]:
    sides = ({} if limit is None else {"limit": limit} for limit in (old, new))
    yield from named(path[:-1], "limit", (next(sides), next(sides)), LOGIC, _limits)


def _limits(path: Path, old: Limit, new: Limit) -> Iterator[Change]:
    yield from differing((*path, "input"), "limit", old.input, new.input, LOGIC)
    yield from differing((*path, "step"), "limit", old.step, new.step, VALUE)
