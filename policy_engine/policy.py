"""What decides under one combination of versions: plan, look-ups, generated code, layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policy_engine.errors import RulesError
from policy_engine.language.code import Program, generate
from policy_engine.language.plan import Plan, assumption_title, plan, rule_figures
from policy_engine.language.units import kind_problems
from policy_engine.language.values import Lists, Rows, lookups
from policy_engine.layout import Deciding, InForce, Layout, Reason
from policy_engine.model import ACCOUNT, LISTS, NotKnown, Rule, Version
from policy_engine.snapshot import Readers


@dataclass(frozen=True)
class Compiled:
    """A plan with everything made from it."""

    plan: Plan
    lookups: Mapping[str, Rows | Lists]
    layout: Layout
    readers: Readers
    askings: dict[tuple[str, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    """The requests compiled so far, by name and by the versions that decide beside this one."""

    @cached_property
    def program(self) -> Program:
        """The generated function of every decision."""
        return generate(self.plan, self.lookups)


def compiled(versions: tuple[Version, ...]) -> Compiled:
    """Everything needed to decide under a version (the first) and those it uses.

    Raises RulesError.
    """
    made = plan(versions)
    problems = list(kind_problems(made))
    if problems:
        raise RulesError(problems)
    return Compiled(made, lookups(made.scope), _layout(made), Readers(made.inputs))


def _layout(made: Plan) -> Layout:
    main, scope = made.main, made.scope
    account = [figure.name for figure in made.figures() if figure.entity == ACCOUNT]
    columns = [figure.name for figure in made.figures() if figure.entity != ACCOUNT]
    position = {name: at for at, name in enumerate(account)}
    rules = {name: _deciding(rule, position.get(name)) for name, rule in rule_figures(main)}
    permissions = {name: _under(f"permissions.{name}", rules) for name in main.permissions}
    return Layout(
        rulesets=_rulesets(scope.versions),
        values={name: position[name] for name in sorted(scope.formulas[ACCOUNT])},
        statuses=tuple(rules[f"status.{rule.name}"] for rule in main.statuses),
        notices=_under("notices", rules),
        permissions=permissions,
        texts={entity: _texts(made, entity) for entity in LISTS},
        columns={entity: _columns(made, entity, columns) for entity in LISTS},
        keys=_keys(made),
        assumed=made.assumed,
        titles={
            name: assumption_title(scope, name) for v in scope.versions for name in v.assumptions
        },
        inputs={item.name: at for at, item in enumerate(made.inputs[ACCOUNT])},
        constants={
            name: None if isinstance(parameter.value, NotKnown) else parameter.value
            for name, parameter in scope.parameters.items()
        },
        conditions={
            name: tuple(rule.at for rule in refusing if rule.at is not None)
            for name, refusing in permissions.items()
            if all(rule.at is not None for rule in refusing)
        },
        requests=tuple(name for name, one in main.requests.items() if one.permission),
        plan=made,
    )


def _deciding(rule: Rule, at: int | None) -> Deciding:
    return Deciding(Reason(rule.name, rule.title, rule.citation), at, rule.shows)


def _under(section: str, rules: Mapping[str, Deciding]) -> tuple[Deciding, ...]:
    """The rules of a section or permission, by name."""
    return tuple(rules[name] for name in sorted(rules) if name.rpartition(".")[0] == section)


def _rulesets(versions: tuple[Version, ...]) -> tuple[InForce, ...]:
    held = (InForce(v.ruleset, v.id.partition("@")[2], v.digest) for v in versions)
    return tuple(sorted(held, key=lambda item: item.ruleset))


def _texts(made: Plan, entity: str) -> dict[str, int]:
    """The positions of the inputs that tell lines apart for a reader."""
    inputs = made.inputs[entity]
    return {item.name: at for at, item in enumerate(inputs) if item.kind == "text"}


def _columns(made: Plan, entity: str, columns: list[str]) -> dict[str, int]:
    formulas = sorted(made.scope.formulas[entity])
    return {name: columns.index(f"{entity}.{name}") for name in formulas}


def _keys(made: Plan) -> dict[str, int]:
    return {
        entity: at for entity in LISTS for at, item in enumerate(made.inputs[entity]) if item.key
    }
