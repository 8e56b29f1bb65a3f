"""The formulas of a version by where they stand, and the version with one of them replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policy_engine.language.syntax import Expression
from policy_engine.model import Rule, Version

Path = tuple[str, ...]
"""Where something stands in a version, such as `("formulas", "account", "net_value")`."""

_REFUSALS = ("permissions", "requests")


def rules(version: Version) -> Iterator[tuple[Path, Rule]]:
    """Every status, notice and refusal, statuses from the worst on."""
    yield from ((("statuses", rule.name), rule) for rule in version.statuses)
    yield from ((("notices", rule.name), rule) for rule in version.notices)
    for section in _REFUSALS:
        for name, one in getattr(version, section).items():
            yield from (((section, name, rule.name), rule) for rule in one.refuse_when)


def expressions(version: Version) -> Iterator[tuple[Path, Expression]]:
    """Every formula: of figures, of conditions, and of what requests set."""
    for entity, formulas in version.formulas.items():
        for name, formula in formulas.items():
            if formula.expression is not None:
                yield ("formulas", entity, name), formula.expression
    yield from ((path, rule.when) for path, rule in rules(version) if rule.when is not None)
    for name, request in version.requests.items():
        for at, effect in enumerate(request.effects):
            for field, expression in effect.sets.items():
                yield ("requests", name, "effects", str(at), field), expression


def with_expression(version: Version, path: Path, expression: Expression) -> Version:
    """The version with another formula at a path."""
    if path[0] == "formulas":
        section = version.formulas[path[1]]
        made = {**section, path[2]: replace(section[path[2]], expression=expression)}
        return replace(version, formulas={**version.formulas, path[1]: made})
    if len(path) == 5:
        return _with_effect(version, path, expression)
    return _with_rules(version, path, {"when": expression})


def without_rule(version: Version, path: Path) -> Version:
    """The version without a status, notice or refusal."""
    return _with_rules(version, path, None)


def _with_rules(version: Version, path: Path, changed: dict[str, Any] | None) -> Version:
    held = getattr(version, path[0])
    owner = held[path[1]] if path[0] in _REFUSALS else None
    made = tuple(_rules(owner.refuse_when if owner else held, path[-1], changed))
    section: Any = {**held, path[1]: replace(owner, refuse_when=made)} if owner else made
    changes: dict[str, Any] = {path[0]: section}
    return replace(version, **changes)


def _rules(held: tuple[Rule, ...], name: str, changed: dict[str, Any] | None) -> Iterator[Rule]:
    for rule in held:
        if rule.name != name:
            yield rule
        elif changed is not None:
            yield replace(rule, **changed)


def _with_effect(version: Version, path: Path, expression: Expression) -> Version:
    request = version.requests[path[1]]
    effects = [*request.effects]
    at = int(path[3])
    effects[at] = replace(effects[at], sets={**effects[at].sets, path[4]: expression})
    made = replace(request, effects=tuple(effects))
    return replace(version, requests={**version.requests, path[1]: made})
