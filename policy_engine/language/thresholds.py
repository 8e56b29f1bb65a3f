"""The thresholds of a plan: what statuses and permissions compare a number of the account with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from policy_engine.language.plan import Plan, Stage, Step
from policy_engine.language.probes import step_of
from policy_engine.model import ACCOUNT

STATUS, PERMISSION = "status", "permissions"

ORDERINGS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
"""How each comparison that has an order is written."""
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The same comparison read from its other side."""

_DENIED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
"""What holds where a comparison does not."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison in a rule: the rule speaks where `figure` `sign` `limit` holds.

    `kind` is `status` or `permissions`, `rule` the name of the status or of the permission that is
    refused; `limit` is the figure of the plan that has the threshold's value.
    """

    kind: str
    rule: str
    figure: str
    sign: str
    limit: str

    @property
    def from_below(self) -> bool:
        """Whether small figures are the ones that the rule is about."""
        return self.sign in ("<", "<=")


def thresholds(plan: Plan) -> tuple[Plan, tuple[Threshold, ...]]:
    """The thresholds, statuses first and worst first, and the plan with a figure for each."""
    found: dict[str, list[Threshold]] = {STATUS: [], PERMISSION: []}
    stages = []
    for stage in plan.stages:
        figures = list(stage.figures)
        for figure in stage.figures:
            kind, _, rule = figure.name.partition(".")
            if kind in found and isinstance(figure, Step):
                for step, threshold in _of_rule(plan, figure, kind, rule):
                    figures.append(step)
                    found[kind].append(threshold)
        stages.append(Stage(stage.entity, tuple(figures)))
    order = [rule.name for rule in plan.main.statuses]
    statuses = sorted(found[STATUS], key=lambda one: order.index(one.rule))
    held = (*statuses, *sorted(found[PERMISSION], key=lambda one: one.rule))
    return replace(plan, stages=tuple(stages)), held


def _of_rule(plan: Plan, figure: Step, kind: str, rule: str) -> Iterator[tuple[Step, Threshold]]:
    about = rule.rpartition(".")[0] if kind == PERMISSION else rule
    for count, (left, sign, right) in enumerate(_comparisons(figure.tree, True)):
        if not _is_figure(plan, left):
            left, sign, right = right, _TURNED[sign], left
        if isinstance(left, ast.Name) and _is_figure(plan, left):
            name = f"{figure.name} limit {count}"
            yield step_of(name, figure, right), Threshold(kind, about, left.id, sign, name)


def _is_figure(plan: Plan, node: ast.expr) -> bool:
    formula = plan.scope.formulas[ACCOUNT].get(node.id) if isinstance(node, ast.Name) else None
    return formula is not None and formula.kind == "number"


def _comparisons(node: ast.expr, holds: bool) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Every ordering comparison that helps a condition to hold, as it must come out for that."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in ORDERINGS:
        sign = ORDERINGS[type(node.ops[0])]
        yield node.left, sign if holds else _DENIED[sign], node.comparators[0]
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _comparisons(part, holds)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _comparisons(node.operand, not holds)
    elif isinstance(node, ast.IfExp):
        for part in (node.body, node.orelse):
            yield from _comparisons(part, holds)
