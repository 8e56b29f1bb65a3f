"""The names a combination of versions gives to its formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy_engine.errors import Problem, RulesError
from policy_engine.model import (
    ACCOUNT,
    LISTS,
    Formula,
    Input,
    Parameter,
    Provision,
    Scale,
    Table,
    Version,
)

AGGREGATES = frozenset({"sum", "count", "any", "all", "largest", "smallest"})
SCALE_READINGS = frozenset({"slices", "tier", "top"})
MOST_ARGUMENTS = 99
BUILT_INS: Mapping[str, tuple[int, int]] = {
    "min": (1, MOST_ARGUMENTS),
    "max": (1, MOST_ARGUMENTS),
    "abs": (1, 1),
    "round_up": (2, 2),
    "round_down": (2, 2),
    "round_half_up": (2, 2),
    "clock_hours": (2, 2),
}
"""How many arguments each takes, at least and at most."""

CONSTANTS = frozenset({"true", "false", "unlimited"})
RESERVED = AGGREGATES | SCALE_READINGS | frozenset(BUILT_INS) | {"at", "given", "after"}


@dataclass(frozen=True)
class Scope:
    """Everything visible to the formulas of a version: its own and that of what it uses."""

    versions: tuple[Version, ...]
    inputs: Mapping[str, Mapping[str, Input]]
    formulas: Mapping[str, Mapping[str, Formula]]
    parameters: Mapping[str, Parameter]
    tables: Mapping[str, Table]
    scales: Mapping[str, Scale]
    names: Mapping[str, frozenset[str]]

    @property
    def main(self) -> Version:
        """The version whose statuses and permissions decide."""
        return self.versions[0]

    @property
    def entities(self) -> tuple[str, ...]:
        """The account, then its lists."""
        return (ACCOUNT, *LISTS)

    def figures(self, entity: str) -> frozenset[str]:
        """The names of an entity's own figures."""
        return self.names.get(entity, frozenset())

    def key(self, entity: str) -> str | None:
        """The input that tells the lines of a list apart, if it has one."""
        keys = (name for name, item in self.inputs.get(entity, {}).items() if item.key)
        return next(keys, None)

    def owner(self, kind: str, name: str) -> str:
        """The ruleset that declares a parameter, table or scale."""
        return next(v.ruleset for v in self.versions if name in getattr(v, kind))


def scope(versions: Iterable[Version]) -> Scope:
    """The scope of a version (the first) and all it uses. Raises RulesError on equal names."""
    versions = tuple(versions)
    problems = list(_clashes(versions))
    if problems:
        raise RulesError(problems)
    inputs = {entity: _merged(versions, "inputs", entity) for entity in (ACCOUNT, *LISTS)}
    formulas = {entity: _merged(versions, "formulas", entity) for entity in (ACCOUNT, *LISTS)}
    parameters = _merged(versions, "parameters")
    names = {entity: frozenset({*inputs[entity], *formulas[entity]}) for entity in inputs}
    names[ACCOUNT] |= parameters.keys()
    tables, scales = _merged(versions, "tables"), _merged(versions, "scales")
    return Scope(versions, inputs, formulas, parameters, tables, scales, names)


def _merged(versions: Iterable[Version], section: str, entity: str | None = None) -> dict[str, Any]:
    sections = (getattr(version, section) for version in versions)
    parts = (part if entity is None else part.get(entity, {}) for part in sections)
    return {name: item for part in parts for name, item in part.items()}


def _clashes(versions: Iterable[Version]) -> Iterator[Problem]:
    held: dict[tuple[str, str], tuple[Input | Provision, Version]] = {}
    for version in versions:
        for space, item in _claims(version):
            first, owner = held.setdefault((space, item.name), (item, version))
            shared = isinstance(item, Input) and item == first
            if first is not item and not shared:
                yield _twice(item, first, owner)
            if space == "functions" and item.name in RESERVED:
                yield _clash(item, "is a function of the language")
            if space != "functions" and item.name in CONSTANTS:
                yield _clash(item, "is a constant of the language")


def _claims(version: Version) -> Iterator[tuple[str, Input | Provision]]:
    """Each name and its space: an entity's figures, or the functions."""
    for entity in {**version.inputs, **version.formulas}:
        for section in (version.inputs, version.formulas):
            yield from ((entity, item) for item in section.get(entity, {}).values())
    yield from ((ACCOUNT, item) for item in version.parameters.values())
    yield from (("functions", t) for t in version.tables.values())
    yield from (("functions", s) for s in version.scales.values())


def _twice(item: Input | Provision, first: Input | Provision, owner: Version) -> Problem:
    """The problem of a name that stands for something else already."""
    line = first.place.line
    if isinstance(item, Input) and isinstance(first, Input):
        hint = "an input is declared alike wherever it is read"
        return _clash(item, f"is declared otherwise in `{owner.id}`, on line {line}", hint)
    if first.place.path == item.place.path:
        return _clash(item, f"names something else in this file, on line {line}")
    hint = "rulesets that are used together share their names: rename one of the two"
    return _clash(item, f"is a name of `{owner.id}` too, on line {line}", hint)


def _clash(item: Input | Provision, what: str, hint: str = "give it another name") -> Problem:
    return Problem("duplicate-name", f"`{item.name}` {what}", hint, item.place)


def formula_figures(scope: Scope) -> list[tuple[str, Formula]]:
    """Every formula of a scope with its full name, in the order of the files."""
    return [
        (name if entity == ACCOUNT else f"{entity}.{name}", formula)
        for entity in scope.entities
        for name, formula in scope.formulas.get(entity, {}).items()
    ]
