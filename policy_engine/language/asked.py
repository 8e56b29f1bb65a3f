"""A request as figures of a plan: what it sets, and the reasons to refuse it.

The request's inputs, and the figures it asks for `after` it, become inputs of the account under
names that no rule file can write, so that every reading takes them like any other figure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from policy_engine.errors import Problem, RulesError, did_you_mean
from policy_engine.language.interpreter import dotted
from policy_engine.language.scope import AGGREGATES, SCALE_READINGS, Scope
from policy_engine.language.syntax import Expression, Fault
from policy_engine.model import (
    ACCOUNT,
    LISTS,
    Effect,
    Formula,
    Input,
    Request,
    RequestInput,
    Rule,
    Version,
)


@dataclass(frozen=True)
class Asked:
    """The version that a request makes of the deciding one.

    `after` names the account's figures that it asks for of the changed account; `sets` has, for
    each effect, the figure that gives each value; `refusals` the figure of each reason to refuse.
    """

    version: Version
    after: tuple[str, ...]
    sets: tuple[Mapping[str, str], ...]
    refusals: Mapping[str, Rule]


def input_name(name: str) -> str:
    """The name under which a plan holds an input of the request."""
    return f"{name} of the request"


def line_name(name: str) -> str:
    """The same figure, counted in coins of the line that the request changes."""
    return f"{name} of the request on its line"


def after_name(name: str) -> str:
    """The name under which a plan holds a figure of the changed account."""
    return f"{name} after the request"


def asked(scope: Scope, request: Request, afterwards: Mapping[str, Formula]) -> Asked:
    """The version that a request makes of the deciding one of a scope.

    `afterwards` are the account's figures that the rules may give after it. Raises RulesError.
    """
    rewriting = _Rewriting(scope, request, afterwards)
    sets = tuple(rewriting.effect(n, effect) for n, effect in enumerate(request.effects))
    refusals = {f"requests.{request.name}.{r.name}": r for r in request.refuse_when}
    for name, rule in refusals.items():
        rewriting.refusal(name, rule)
    if rewriting.problems:
        raise RulesError(rewriting.problems)
    return Asked(rewriting.version(), tuple(rewriting.after), sets, refusals)


class _Rewriting:
    """Gathers the figures of a request, and the inputs that they need."""

    def __init__(self, scope: Scope, request: Request, afterwards: Mapping[str, Formula]) -> None:
        self.scope, self.request, self.afterwards = scope, request, afterwards
        self.formulas: dict[str, dict[str, Formula]] = {}
        self.inputs = {item.name: _account_input(item, request) for item in self._brought()}
        self.after: dict[str, Formula] = {}
        self.problems: list[Problem] = []

    def _brought(self) -> Iterable[RequestInput]:
        return self.request.inputs.values()

    def effect(self, at: int, effect: Effect) -> dict[str, str]:
        """The full names of the figures that an effect sets, by the input that each is for."""
        entity = effect_entity(self.request, effect)
        line = None if effect.line is None else self._on_line(effect.line, entity)
        changed = self.scope.inputs[effect.add or entity]
        coins = self._coins(effect) if effect.add else {}
        made = {}
        for name, expression in effect.sets.items():
            item = changed[name]
            figure = f"requests.{self.request.name}.{at}.{name}"
            self._add(entity, figure, item.kind, _coined(item.unit, coins), expression, line)
            made[name] = figure if entity == ACCOUNT else f"{entity}.{figure}"
        return made

    def refusal(self, name: str, rule: Rule) -> None:
        """The figure of a reason to refuse."""
        assert rule.when is not None
        self._add(ACCOUNT, name, "truth", None, rule.when, None, refusing=True)

    def version(self) -> Version:
        """The deciding version with the figures of the request, which alone decide."""
        main = self.scope.main
        later = {name: _later_input(name, formula) for name, formula in self.after.items()}
        own = {**main.inputs.get(ACCOUNT, {}), **_named(self.inputs), **_named(later)}
        entities = {*main.formulas, *self.formulas}
        formulas = {
            entity: {**main.formulas.get(entity, {}), **self.formulas.get(entity, {})}
            for entity in (ACCOUNT, *LISTS)
            if entity in entities
        }
        decides: dict[str, Any] = {"statuses": (), "notices": (), "permissions": {}}
        return replace(main, inputs={**main.inputs, ACCOUNT: own}, formulas=formulas, **decides)

    def _add(
        self,
        entity: str,
        name: str,
        kind: str,
        unit: str | None,
        expression: Expression,
        line: Mapping[str, str] | None,
        refusing: bool = False,
    ) -> None:
        names = {item: input_name(item) for item in self.request.inputs} | dict(line or {})
        later = self._later if refusing else None
        try:
            tree = _Hiding(self.scope, entity, names, later).visit(deepcopy(expression.tree))
        except Fault as fault:
            self.problems.append(expression.problem(fault))
            return
        written = Expression(expression.text, tree, expression.place)
        made = Formula(name, name, entity=entity, kind=kind, unit=unit, expression=written)
        self.formulas.setdefault(entity, {})[name] = made

    def _later(self, name: str) -> str:
        """The input that holds a figure of the changed account. Raises Fault if there is none."""
        if name not in self.afterwards:
            hint = did_you_mean(name, self.afterwards) or "it asks for a formula of the account"
            raise Fault("unknown-name", f"no rules give a figure `{name}` after it", hint)
        self.after[name] = self.afterwards[name]
        return after_name(name)

    def _on_line(self, line: str, entity: str) -> dict[str, str]:
        """Names for the inputs counted in coins of the line that changes."""
        coin, key = f"coin of {line}", self.scope.key(entity) or ""
        counted = [i for i in self._brought() if i.unit and coin in i.unit]
        for item in counted:
            unit = str(item.unit).replace(coin, f"coin of {key}")
            own = Input(line_name(item.name), ACCOUNT, item.kind, unit, item.optional)
            self.inputs[own.name] = own
        return {item.name: line_name(item.name) for item in counted}

    def _coins(self, effect: Effect) -> dict[str, str]:
        """The coins that an added line counts in, as the request names them."""
        trees = ((name, expression.tree) for name, expression in effect.sets.items())
        named = ((name, tree.id) for name, tree in trees if isinstance(tree, ast.Name))
        return {name: input_name(item) for name, item in named if item in self.request.inputs}


def effect_entity(request: Request, effect: Effect) -> str:
    """The entity whose figures an effect's formulas see first."""
    line = request.inputs[effect.line].key_of if effect.line else None
    return line or ACCOUNT


def _named(inputs: Mapping[str, Input]) -> dict[str, Input]:
    return {item.name: item for item in inputs.values()}


def _account_input(item: RequestInput, request: Request) -> Input:
    coins = {name: input_name(name) for name in request.inputs}
    return Input(
        input_name(item.name), ACCOUNT, item.kind, _coined(item.unit, coins), item.optional
    )


def _coined(unit: str | None, coins: Mapping[str, str]) -> str | None:
    """A unit in which the coins of some figures go by other names."""

    def other(match: re.Match[str]) -> str:
        return f"coin of {coins.get(match[1], match[1])}"

    return None if unit is None else re.sub(r"coin of (\w+)", other, unit)


def _later_input(name: str, formula: Formula) -> Input:
    return Input(after_name(name), ACCOUNT, formula.kind, formula.unit)


class _Hiding(ast.NodeTransformer):
    """Gives the inputs of a request their names in a plan; on a line, its own figures go first."""

    def __init__(
        self,
        scope: Scope,
        entity: str,
        names: Mapping[str, str],
        later: Callable[[str], str] | None,
    ) -> None:
        self.scope, self.entity, self.names, self.later = scope, entity, names, later

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A figure."""
        own = self.entity != ACCOUNT and node.id in self.scope.figures(self.entity)
        if own or node.id not in self.names:
            return node
        return ast.copy_location(ast.Name(self.names[node.id], ast.Load()), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A function; what it ranges over and the scale it reads are no figures."""
        function = dotted(node.func)
        if function == "after" and self.later is not None:
            return ast.copy_location(ast.Name(self._after(node), ast.Load()), node)
        if function in AGGREGATES or function == "at":
            node.args[1:] = [self._inside(node, at) for at in range(1, len(node.args))]
        else:
            skipped = 1 if function in SCALE_READINGS else 0
            node.args[skipped:] = [self.visit(part) for part in node.args[skipped:]]
        return node

    def _inside(self, node: ast.Call, at: int) -> ast.expr:
        """A part of what ranges over a list: the figure asked for is one of its lines."""
        of_line = at == (2 if dotted(node.func) == "at" else 1)
        entity = dotted(node.args[0]) if of_line else self._outside(node)
        inner: ast.expr = _Hiding(self.scope, entity, self.names, self.later).visit(node.args[at])
        return inner

    def _outside(self, node: ast.Call) -> str:
        return self.entity if dotted(node.func) == "at" else ACCOUNT

    def _after(self, node: ast.Call) -> str:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            hint = "write `after(figure)`"
            raise Fault("wrong-arguments", "`after` takes the name of one figure", hint).at(node)
        assert self.later is not None
        try:
            return self.later(node.args[0].id)
        except Fault as fault:
            raise fault.at(node.args[0]) from None
