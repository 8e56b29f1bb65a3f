"""Where an account stands between the thresholds that its statuses and permissions test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.decision import Decision
from policy_engine.language.compute import compute, start
from policy_engine.language.plan import Plan, Step, only
from policy_engine.language.thresholds import Threshold, thresholds
from policy_engine.language.values import lookups
from policy_engine.model import ACCOUNT
from policy_engine.numbers import EXACT, tidy


@dataclass(frozen=True, slots=True)
class Rung:
    """A threshold: the rule holds where the figure is `sign` (`<` `<=` `>` `>=`) the value.

    `kind` is `status` or `permissions`, `name` that of the status, or of what is refused. `value`
    None cannot be told.
    """

    kind: str
    name: str
    sign: str
    value: Decimal | None

    def is_above(self, value: Decimal) -> bool:
        """Whether a figure of that value stands below it: the edge goes with the side it is on."""
        assert self.value is not None
        return self.value >= value if self.sign in ("<=", ">") else self.value > value


@dataclass(frozen=True, slots=True)
class Ladder:
    """A figure of the account, and its thresholds from the highest to the lowest.

    Those that cannot be told come last. `value` None cannot be told, infinite is unlimited.
    """

    figure: str
    title: str
    unit: str | None
    value: Decimal | None
    rungs: tuple[Rung, ...]


def ladders(decision: Decision) -> tuple[Ladder, ...]:
    """A ladder for each figure that alone decides a status, or refuses something, by a threshold.

    In the order of the rules: those of the statuses first. Raises PolicyError for a decision that
    was stored without its rules.
    """
    plan, inputs, lists = decision.workings()
    whole, found = thresholds(plan)
    alone = [one for one in found if _decides(plan, one)]
    names = {name for one in alone for name in (one.figure, one.limit)}
    with localcontext(EXACT):
        needed = only(whole, names)
        figures = compute(needed, lookups(plan.scope), start(plan, inputs, lists)).figures
    values = {name: _told(figures[name]) for name in names}
    return tuple(
        _ladder(plan, figure, values[figure], list(_rungs(alone, figure, values)))
        for figure in dict.fromkeys(one.figure for one in alone)
    )


def _decides(plan: Plan, threshold: Threshold) -> bool:
    """Whether the rule holds by the comparison alone, whatever else it asks for."""
    rule = threshold.limit.rpartition(" limit ")[0]
    return any(
        isinstance(figure, Step) and figure.name == rule and _is_enough(figure.tree)
        for figure in plan.figures()
    )


def _is_enough(tree: ast.expr) -> bool:
    if isinstance(tree, ast.BoolOp):
        return isinstance(tree.op, ast.Or) and all(map(_is_enough, tree.values))
    return isinstance(tree, ast.Compare)


def _told(value: Any) -> Decimal | None:
    return tidy(value) if isinstance(value, Decimal) else None


def _rungs(
    found: list[Threshold], figure: str, values: dict[str, Decimal | None]
) -> Iterator[Rung]:
    for one in found:
        if one.figure == figure:
            yield Rung(one.kind, one.rule, one.sign, values[one.limit])


def _ladder(plan: Plan, figure: str, value: Decimal | None, rungs: list[Rung]) -> Ladder:
    known = [rung for rung in dict.fromkeys(rungs) if rung.value is not None]
    known.sort(key=lambda rung: (rung.value, rung.sign in ("<=", ">")), reverse=True)
    unknown = [rung for rung in dict.fromkeys(rungs) if rung.value is None]
    formula = plan.scope.formulas[ACCOUNT][figure]
    return Ladder(figure, formula.title, formula.unit, value, (*known, *unknown))
