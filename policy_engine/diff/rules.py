"""Statuses, notices, permissions and requests compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.diff.change import (
    INPUTS,
    LOGIC,
    MOVED,
    VALUE,
    WORDING,
    Change,
    Names,
    Path,
    differing,
    named,
)
from policy_engine.diff.provisions import aspects, condition, expression, names
from policy_engine.language.syntax import Expression
from policy_engine.model import Citation, Effect, Limit, Permission, Request, RequestInput, Rule
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
    cited = new.citation or old.citation
    more = {"name": new.name, "citation": cited}
    yield from differing((*path, "requires"), "request", *required, LOGIC, **more)
    told = old.permission, new.permission
    yield from differing((*path, "permission"), "request", *told, LOGIC, **more)
    brought = named((*path, "inputs"), "input", (old.inputs, new.inputs), INPUTS, _brought)
    yield from _cited(brought, cited)
    effects = named((*path, "effects"), "effect", (_sets(old), _sets(new)), LOGIC, _effect)
    yield from _cited(effects, cited)
    yield from _cited(_limit((*path, "limit"), old.limit, new.limit), cited)
    yield from _refusals(path, old, new)
    yield from aspects(path, old, new)


def _refusals(path: Path, old: Permission | Request, new: Permission | Request) -> Iterator[Change]:
    at = (*path, "refuse_when")
    changes = rules(at, "refusal", old.refuse_when, new.refuse_when)
    yield from _cited(changes, new.citation or old.citation)


def _cited(changes: Iterator[Change], citation: Citation | None) -> Iterator[Change]:
    """The changes, on the authority of the whole where a part has none of its own."""
    return (replace(change, citation=change.citation or citation) for change in changes)


def _brought(path: Path, old: RequestInput, new: RequestInput) -> Iterator[Change]:
    for aspect, attribute in (("type", "kind"), *((name, name) for name in _BOUNDS)):
        sides = _bound(old, attribute), _bound(new, attribute)
        yield from differing((*path, aspect), "input", *sides, INPUTS, name=new.name)


def _bound(brought: RequestInput, attribute: str) -> Any:
    if attribute == "one_of":
        return names(tuple(str(text_of(value)) for value in brought.one_of))
    return getattr(brought, attribute)


_BOUNDS = ("unit", "optional", "key_of", "above", "at_least", "at_most", "one_of")


def _sets(request: Request) -> Mapping[str, Effect]:
    """The effects by what they change; a second one on the same is told apart by its number."""
    held: dict[str, Effect] = {}
    for effect in request.effects:
        name = f"line-{effect.line}" if effect.line else f"add-{effect.add}"
        name = name if effect.line or effect.add else "account"
        times = sum(one.partition("+")[0] == name for one in held)
        held[f"{name}+{times + 1}" if times else name] = effect
    return held


def _effect(path: Path, old: Effect, new: Effect) -> Iterator[Change]:
    yield from named(path, "effect", (old.sets, new.sets), LOGIC, _set)


def _set(path: Path, old: Expression, new: Expression) -> Iterator[Change]:
    yield from expression(path, "effect", old, new)


def _limit(path: Path, old: Limit | None, new: Limit | None) -> Iterator[Change]:
    sides = ({} if limit is None else {"limit": limit} for limit in (old, new))
    yield from named(path[:-1], "limit", (next(sides), next(sides)), LOGIC, _limits)


def _limits(path: Path, old: Limit, new: Limit) -> Iterator[Change]:
    yield from differing((*path, "input"), "limit", old.input, new.input, LOGIC)
    yield from differing((*path, "step"), "limit", old.step, new.step, VALUE)
