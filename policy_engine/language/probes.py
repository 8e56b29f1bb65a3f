"""The parts of formulas at which a figure can turn: what scales are read at, and comparisons."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from policy_engine.language.interpreter import dotted
from policy_engine.language.plan import Plan, Stage, Step
from policy_engine.language.scope import SCALE_READINGS, Scope
from policy_engine.language.values import Lists, Rows, is_undetermined
from policy_engine.model import ACCOUNT

_AT_ZERO = (Decimal(0),)


@dataclass(frozen=True, slots=True)
class Probe:
    """A part of a formula, as a figure of the plan, and the scale or table that is read at it.

    `key` is the figure of the scale's key, if it has one.
    """

    name: str
    entity: str
    scale: str | None = None
    key: str | None = None


def probed(plan: Plan) -> tuple[Plan, tuple[Probe, ...]]:
    """A plan with a figure for each part at which one of its formulas can turn."""
    probes: list[Probe] = []
    stages = []
    for stage in plan.stages:
        figures = list(stage.figures)
        for figure in stage.figures:
            if isinstance(figure, Step):
                made = list(_parts(figure, plan.scope))
                figures += [step for step, _ in made]
                probes += [probe for _, probe in made if probe is not None]
        stages.append(Stage(stage.entity, tuple(figures)))
    return replace(plan, stages=tuple(stages)), tuple(probes)


def targets(probe: Probe, key: Any, lookups: Mapping[str, Rows | Lists]) -> tuple[Decimal, ...]:
    """The values at which a probe turns something, rising; none for a key without tiers."""
    if probe.scale is None:
        return _AT_ZERO
    held = lookups[probe.scale]
    if isinstance(held, Rows):
        return tuple(sorted(held))
    if is_undetermined(key) or key not in held:
        return ()
    return tuple(tier[0] for tier in held[key].tiers)


def _parts(step: Step, scope: Scope) -> Iterator[tuple[Step, Probe | None]]:
    """The steps of a formula's probes, each with its probe, or with none if that comes after it."""
    found = (part for node in ast.walk(step.tree) for part in _turning(node, scope))
    for count, (tree, scale, key) in enumerate(found):
        name = f"{step.name} ?{count}"
        if key is not None:
            yield step_of(f"{name} key", step, key), None
        if isinstance(tree, ast.BinOp):
            # Each side by itself: what then takes one away from the other is quick if it cannot.
            sides = {f"{name} left": tree.left, f"{name} right": tree.right}
            yield from ((step_of(side, step, part), None) for side, part in sides.items())
            left, right = (ast.Name(side, ast.Load()) for side in sides)
            tree = ast.BinOp(left, tree.op, right)
        probe = Probe(name, step.entity, scale, None if key is None else f"{name} key")
        yield step_of(name, step, tree), probe


def _turning(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.expr, str | None, ast.expr | None]]:
    """The figures at which a node turns, each with the scale or table and the key it is read by."""
    if isinstance(node, ast.Compare):
        left, right = node.left, node.comparators[0]
        if _is_number(left, scope) or _is_number(right, scope):
            yield ast.BinOp(left, ast.Sub(), right), None, None
    elif isinstance(node, ast.Call):
        yield from _turning_call(dotted(node.func), node.args, scope)


def _turning_call(
    function: str, parts: Sequence[ast.expr], scope: Scope
) -> Iterator[tuple[ast.expr, str | None, ast.expr | None]]:
    if function in SCALE_READINGS - {"top"}:
        scale = dotted(parts[0])
        keyed = scope.scales[scale.partition(".")[0]].by is not None
        yield parts[1 + keyed], scale, parts[1] if keyed else None
    elif function in ("min", "max"):
        for left, right in combinations(parts, 2):
            yield ast.BinOp(left, ast.Sub(), right), None, None
    elif function == "abs":
        yield parts[0], None, None
    elif function in scope.tables and scope.tables[function].by == ("number",):
        yield parts[0], function, None


def _is_number(tree: ast.expr, scope: Scope) -> bool:
    """Whether a side of a comparison can be seen to be a number; then both are."""
    if isinstance(tree, ast.Constant):
        return not isinstance(tree.value, str)
    if isinstance(tree, ast.IfExp):
        return _is_number(tree.body, scope) or _is_number(tree.orelse, scope)
    if isinstance(tree, ast.Call):
        return _gives(dotted(tree.func), tree.args, scope) == "number"
    if isinstance(tree, ast.Name):
        return _kind(tree.id, scope) == "number"
    return isinstance(tree, ast.BinOp) or isinstance(getattr(tree, "op", None), ast.USub)


def _gives(function: str, parts: Sequence[ast.expr], scope: Scope) -> str:
    """The kind of what a function gives."""
    if function == "at":
        return _kind(dotted(parts[2]), scope)
    return scope.tables[function].kind if function in scope.tables else "number"


def _kind(name: str, scope: Scope) -> str:
    """The kind of a figure; one made of an aggregate or of a part of a formula is not looked at."""
    entity, _, own = name.rpartition(".")
    lists = (scope.formulas, scope.inputs)
    held = (scope.parameters, *(one.get(entity or ACCOUNT, {}) for one in lists))
    return next((part[own].kind for part in held if own in part), "")


def step_of(name: str, step: Step, tree: ast.expr) -> Step:
    """A part of a step's formula as a step of its own."""
    reads = tuple(dict.fromkeys(_reads(tree)))
    looks = tuple(dict.fromkeys(_looks(tree)))
    return Step(name, step.entity, tree, step.expression, None, reads, looks)


def _reads(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        function = dotted(node.func)
        skipped = (0, 2) if function == "at" else (0,) if function in SCALE_READINGS else ()
        for at, part in enumerate(node.args):
            if at not in skipped:
                yield from _reads(part)
    elif isinstance(node, ast.Name):
        if node.id not in ("true", "false", "unlimited"):
            yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from _reads(child)


def _looks(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) == "at":
            yield dotted(node.args[2])
