"""The parts of formulas at which a figure can turn: what scales are read at, and comparisons."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

from policy_engine.language.interpreter import dotted
from policy_engine.language.plan import Plan, Stage, Step
from policy_engine.language.scope import SCALE_READINGS
from policy_engine.language.values import Lists, Rows, is_undetermined

_AT_ZERO = (Decimal(0),)


@dataclass(frozen=True, slots=True)
class Probe:
    """A part of a formula, as a figure of the plan: where it turns, and the scale it is read at.

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
                made = list(_parts(figure))
                figures += [step for step, _ in made]
                probes += [probe for _, probe in made if probe is not None]
        stages.append(Stage(stage.entity, tuple(figures)))
    return replace(plan, stages=tuple(stages)), tuple(probes)


def targets(probe: Probe, key: Any, lookups: Mapping[str, Rows | Lists]) -> tuple[Decimal, ...]:
    """The values at which a probe turns something, rising; none for a key without tiers."""
    if probe.scale is None:
        return _AT_ZERO
    lists = lookups[probe.scale]
    if is_undetermined(key) or key not in lists:
        return ()
    return tuple(tier[0] for tier in lists[key].tiers)


def _parts(step: Step) -> Iterator[tuple[Step, Probe | None]]:
    count = 0
    for node in ast.walk(step.tree):
        for tree, scale, key in _turning(node):
            name = f"{step.name} ?{count}"
            count += 1
            key_name = None
            if key is not None:
                key_name = f"{name} key"
                yield _step(key_name, step, key), None
            yield _step(name, step, tree), Probe(name, step.entity, scale, key_name)


def _turning(node: ast.AST) -> Iterator[tuple[ast.expr, str | None, ast.expr | None]]:
    """The figures at which a node turns, each with the scale and key it is read by."""
    if isinstance(node, ast.Compare):
        yield ast.BinOp(node.left, ast.Sub(), node.comparators[0]), None, None
    elif isinstance(node, ast.Call) and dotted(node.func) in SCALE_READINGS - {"top"}:
        keyed = len(node.args) - (dotted(node.func) == "slices" and len(node.args) == 4) > 2
        at = 2 if keyed else 1
        yield node.args[at], dotted(node.args[0]), node.args[1] if keyed else None
    elif isinstance(node, ast.Call) and dotted(node.func) in ("min", "max"):
        for left, right in combinations(node.args, 2):
            yield ast.BinOp(left, ast.Sub(), right), None, None


def _step(name: str, step: Step, tree: ast.expr) -> Step:
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
