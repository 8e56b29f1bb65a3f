"""Where accounts stand: the figures that statuses and permissions test, and their thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from policy_engine.decision import Decision
from policy_engine.impact.model import Standing
from policy_engine.language.code import Program, generate
from policy_engine.language.plan import Plan, only
from policy_engine.language.thresholds import STATUS, Threshold, thresholds
from policy_engine.language.values import lookups
from policy_engine.model import ACCOUNT, Formula
from policy_engine.numbers import exactly, tidy

_PER_COIN = " / coin of "
"""A price is money per coin, and so tells which unit is money."""


class Tested:
    """What the statuses and permissions of a plan test, and which of its figures are money."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._whole, self._found = thresholds(plan)
        self.formulas: Mapping[str, Formula] = plan.scope.formulas[ACCOUNT]
        self.figures = tuple(dict.fromkeys(one.figure for one in self._found))
        units = {unit for unit in map(_money, _priced(plan)) if unit}
        self.money = tuple(name for name, one in self.formulas.items() if one.unit in units)

    @cached_property
    def _by_status(self) -> Mapping[str, Threshold]:
        """The first threshold of each status."""
        found = [one for one in self._found if one.kind == STATUS]
        return {one.rule: one for one in reversed(found)}

    @cached_property
    def _program(self) -> Program:
        """Computes the figures that statuses test and their thresholds."""
        names = {name for one in self._by_status.values() for name in (one.figure, one.limit)}
        return generate(only(self._whole, names), lookups(self.plan.scope))

    def standings(self, decision: Decision) -> Mapping[str, Standing]:
        """Where the account of a decision stands against the threshold of each status."""
        if not self._by_status:
            return {}
        _, inputs, lists = decision.workings()
        figures = exactly(self._program.run, inputs, *lists)[0]
        values = dict(zip(self._program.figures, figures, strict=True))
        return {name: self._standing(one, values) for name, one in self._by_status.items()}

    def _standing(self, one: Threshold, values: Mapping[str, Any]) -> Standing:
        formula = self.formulas[one.figure]
        sides = _told(values[one.figure]), _told(values[one.limit])
        return Standing(one.rule, one.figure, formula.title, formula.unit, one.sign, *sides)


class Standings:
    """What the plans of decisions test; each is looked at once."""

    def __init__(self) -> None:
        self._tested: dict[int, Tested] = {}

    def by(self, decision: Decision) -> Tested:
        """What the plan of a decision tests."""
        plan = decision.workings()[0]
        if id(plan) not in self._tested:
            self._tested[id(plan)] = Tested(plan)
        return self._tested[id(plan)]


def _priced(plan: Plan) -> list[str]:
    inputs = (item for items in plan.inputs.values() for item in items)
    return [item.unit or "" for item in inputs if item.role == "price"]


def _money(unit: str) -> str:
    money, per, _ = unit.partition(_PER_COIN)
    return money if per else ""


def _told(value: Any) -> Decimal | None:
    return tidy(value) if isinstance(value, Decimal) else None
