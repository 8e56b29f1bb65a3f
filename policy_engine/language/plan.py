"""The plan: every figure of a combination of versions, in an order in which it can be computed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from policy_engine.errors import MOST_PROBLEMS, Problem, RulesError, did_you_mean
from policy_engine.language.resolve import Figure, Gather, Resolved, Step
from policy_engine.language.scope import Scope, formula_figures, scope
from policy_engine.language.syntax import Expression, Fault
from policy_engine.model import ACCOUNT, Input, Provision, Rule, Version


@dataclass(frozen=True, slots=True)
class Stage:
    """Figures of one entity that can be computed in one pass over its lines."""

    entity: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Plan:
    """What every reading walks.

    `stages` in order; `inputs` of each entity in the order in which a reading is given them;
    `assumed` are the assumptions that every decision of this plan rests on.
    """

    scope: Scope
    stages: tuple[Stage, ...]
    inputs: Mapping[str, tuple[Input, ...]]
    assumed: Mapping[str, str]
    used: Mapping[str, Provision]

    @property
    def main(self) -> Version:
        """The version whose statuses and permissions decide."""
        return self.scope.main

    def figures(self) -> Iterator[Figure]:
        """Every figure, in the order in which it is computed."""
        for stage in self.stages:
            yield from stage.figures


def plan(versions: Iterable[Version]) -> Plan:
    """The plan of a version (the first) and all that it uses, transitively.

    Raises RulesError with every unknown name, wrong argument, clash and cycle.
    """
    names = scope(versions)
    resolved = Resolved(names)
    problems = list(islice(_resolve_all(resolved), MOST_PROBLEMS))
    if problems:
        raise RulesError(problems)
    stages = tuple(_stages(resolved, names.entities))
    inputs = {entity: tuple(names.inputs.get(entity, {}).values()) for entity in names.entities}
    return Plan(names, stages, inputs, _assumed(resolved), resolved.used)


def only(whole: Plan, names: set[str]) -> Plan:
    """The plan of some of a plan's figures, and of all that they need."""
    held = {figure.name: figure for figure in whole.figures()}
    needed, waiting = set(names), list(names)
    while waiting:
        figure = held.get(waiting.pop())
        more = {*figure.reads, *figure.looks} - needed if figure else set()
        needed |= more
        waiting += more
    stages = (
        Stage(stage.entity, tuple(figure for figure in stage.figures if figure.name in needed))
        for stage in whole.stages
    )
    return replace(whole, stages=tuple(stage for stage in stages if stage.figures))


def rule_figures(version: Version) -> Iterator[tuple[str, Rule]]:
    """Every rule of a version that has a condition, with the name of its figure."""
    yield from ((f"status.{rule.name}", rule) for rule in version.statuses)
    yield from ((f"notices.{rule.name}", rule) for rule in version.notices)
    for permission in version.permissions.values():
        for rule in permission.refuse_when:
            yield f"permissions.{permission.name}.{rule.name}", rule


def _resolve_all(resolved: Resolved) -> Iterator[Problem]:
    for name, formula in formula_figures(resolved.scope):
        assert formula.expression is not None
        yield from _resolve(resolved, name, formula.entity, formula.expression, formula)
    yield from _unknown_shows(resolved.scope)
    for name, rule in rule_figures(resolved.scope.main):
        if rule.when is not None:
            yield from _resolve(resolved, name, ACCOUNT, rule.when, rule)


def _unknown_shows(names: Scope) -> Iterator[Problem]:
    known = names.figures(ACCOUNT)
    for rule in names.main.notices:
        for at, name in enumerate(rule.shows):
            if name not in known:
                place = names.main.place(("notices", rule.name, "shows", at))
                hint = did_you_mean(name, known) or "a notice shows figures of the account"
                yield Problem("unknown-name", f"no figure `{name}` is known", hint, place)


def _resolve(
    resolved: Resolved, name: str, entity: str, expression: Expression, provision: Provision
) -> Iterator[Problem]:
    try:
        resolved.add(name, entity, expression, provision)
    except Fault as fault:
        yield expression.problem(fault)


def _assumed(resolved: Resolved) -> dict[str, str]:
    """Assumptions of everything the plan uses, with their titles, by name."""
    main = resolved.scope.main
    rules = [rule for _, rule in rule_figures(main)]
    formulas = [formula for _, formula in formula_figures(resolved.scope)]
    provisions = [*resolved.used.values(), *formulas, *rules, *main.permissions.values()]
    names = {name for provision in provisions for name in provision.assumes}
    return {name: assumption_title(resolved.scope, name) for name in sorted(names)}


def assumed_by(whole: Plan, names: set[str]) -> dict[str, str]:
    """The assumptions of all that some of a plan's figures need, with their titles, by name."""
    found: set[str] = set()
    for figure in only(whole, names).figures():
        if isinstance(figure, Step):
            found.update(figure.provision.assumes if figure.provision else ())
            called = (node.id for node in ast.walk(figure.tree) if isinstance(node, ast.Name))
            used = (whole.used.get(name.partition(".")[0]) for name in called)
            found.update(name for one in used if one is not None for name in one.assumes)
    return {name: assumption_title(whole.scope, name) for name in sorted(found)}


def assumption_title(names: Scope, assumption: str) -> str:
    """What an assumption says, from whichever version declares it."""
    titles = (version.assumptions.get(assumption) for version in names.versions)
    return next((title for title in titles if title is not None), "")


# --- order -------------------------------------------------------------------------------------


def _stages(resolved: Resolved, entities: tuple[str, ...]) -> Iterator[Stage]:
    """Pass over the entities in turn, each time taking all that can be computed by now."""
    waiting = dict(resolved.figures)
    done = set(_given_figures(resolved.scope))
    while waiting:
        before = len(waiting)
        for entity in entities:
            ready = list(_ready(entity, waiting, done))
            if ready:
                yield Stage(entity, tuple(ready))
                done |= {figure.name for figure in ready}
        if len(waiting) == before:
            raise RulesError([_cycle(waiting)])


def _given_figures(names: Scope) -> Iterator[str]:
    yield from names.parameters
    for entity, inputs in names.inputs.items():
        yield from (name if entity == ACCOUNT else f"{entity}.{name}" for name in inputs)


def _ready(entity: str, waiting: dict[str, Figure], done: set[str]) -> Iterator[Figure]:
    """Take figures of an entity out of `waiting`, each after those of the same pass it reads."""
    here: set[str] = set()
    found = True
    while found:
        found = False
        for name, figure in list(waiting.items()):
            known = figure.entity == entity and done.issuperset(figure.looks)
            if known and all(read in done or read in here for read in figure.reads):
                here.add(name)
                found = True
                yield waiting.pop(name)


def _cycle(waiting: Mapping[str, Figure]) -> Problem:
    """The problem of figures that need each other, with their path."""
    trail: list[str] = []
    name = next(iter(waiting))
    while name not in trail:
        trail.append(name)
        needs = (*waiting[name].reads, *waiting[name].looks)
        name = next(need for need in needs if need in waiting)
    path = [*trail[trail.index(name) :], name]
    figure = waiting[name]
    message = "these figures need each other: " + " -> ".join(f"`{step}`" for step in path)
    if len(path) == 2:
        message = f"`{name}` needs itself"
    hint = "work one of them out without the next"
    place = figure.expression.place(0, len(figure.expression.text))
    return Problem("cycle", message, hint, place)


__all__ = ["Figure", "Gather", "Plan", "Stage", "Step", "only", "plan", "rule_figures"]
