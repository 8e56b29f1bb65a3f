"""The thresholds of statuses, in the order in which the statuses are read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from policy_engine.checks.bounded import Bounded
from policy_engine.checks.intervals import Interval
from policy_engine.errors import Place, Problem
from policy_engine.language.plan import Plan, Step
from policy_engine.language.thresholds import STATUS, Threshold, thresholds
from policy_engine.model import ACCOUNT
from policy_engine.numbers import text_of


class Edge(NamedTuple):
    """A value that a threshold can have, and the parameter that gives it, if one does."""

    value: Decimal
    parameter: str | None = None

    def __str__(self) -> str:
        shown = f"{text_of(self.value)}"
        return f"{shown} (`{self.parameter}`)" if self.parameter else shown


class Overlap(NamedTuple):
    """A status that would begin where a worse one holds already."""

    status: str
    problem: Problem


def overlaps(found: Bounded) -> Iterator[Overlap]:
    """Each status whose threshold can lie where that of a worse one holds already."""
    if found.request is not None:
        return
    whole, known = thresholds(found.plan)
    trees = {one.name: one.tree for one in whole.figures() if isinstance(one, Step)}
    alone = [
        one
        for one in known
        if one.kind == STATUS and isinstance(trees.get(f"status.{one.rule}"), ast.Compare)
    ]
    for worse, better in combinations(alone, 2):
        if worse.figure == better.figure and worse.from_below == better.from_below:
            sure = [_edges(found, tree) for tree in (trees[worse.limit], trees[better.limit])]
            yield from _overlaps(found.plan, worse, better, *sure)


def _overlaps(
    plan: Plan,
    worse: Threshold,
    better: Threshold,
    of_worse: list[Edge | None],
    of_better: list[Edge | None],
) -> Iterator[Overlap]:
    """One for each value of the better's threshold that lies beyond every one of the worse's."""
    known = [edge for edge in of_worse if edge is not None]
    if len(known) < len(of_worse):
        return
    nearest = (min if worse.from_below else max)(known, key=lambda edge: edge.value)
    for edge in of_better:
        if edge is not None and _beyond(worse, nearest.value, better, edge.value):
            yield Overlap(better.rule, _problem(plan, worse, nearest, better, edge))


def _beyond(worse: Threshold, near: Decimal, better: Threshold, far: Decimal) -> bool:
    """Whether the better status holds only where the worse one does."""
    if near == far:
        return worse.sign == better.sign or worse.sign in ("<=", ">=")
    return far < near if worse.from_below else far > near


_SIDE = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


def _problem(plan: Plan, worse: Threshold, near: Edge, better: Threshold, far: Edge) -> Problem:
    message = (
        f"`{better.rule}` begins {_SIDE[better.sign]} {far},"
        f" where the worse `{worse.rule}` holds already: {_SIDE[worse.sign]} {near}"
    )
    way = "higher" if worse.from_below else "lower"
    hint = f"the threshold of `{better.rule}` is the {way} one: correct one of the two"
    return Problem("thresholds-disorder", message, hint, _place(plan, better, near, far))


def _place(plan: Plan, better: Threshold, near: Edge, far: Edge) -> Place:
    """That of the better status's parameter; of its condition, where it has none of its own."""
    for version in plan.scope.versions:
        if far.parameter in version.parameters and far.parameter != near.parameter:
            return version.place(("parameters", far.parameter, "value"))
    return plan.main.place(("statuses", better.rule, "when"))


def _edges(found: Bounded, tree: ast.expr) -> list[Edge | None]:
    """The values that a threshold can have; None for one that is not known."""
    if isinstance(tree, ast.IfExp):
        return [edge for part in (tree.body, tree.orelse) for edge in _edges(found, part)]
    if isinstance(tree, ast.Name) and tree.id in found.plan.scope.formulas[ACCOUNT]:
        inner = found.plan.scope.formulas[ACCOUNT][tree.id].name
        steps = {one.name: one.tree for one in found.plan.figures() if isinstance(one, Step)}
        return _edges(found, steps[inner])
    value = found.bounds.read(tree)
    if not isinstance(value, Interval) or not value.is_one:
        return [None]
    named = isinstance(tree, ast.Name) and tree.id in found.plan.scope.parameters
    return [Edge(value.low, tree.id if named and isinstance(tree, ast.Name) else None)]
