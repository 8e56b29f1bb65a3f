"""The policy as simpleeval has it: Python expressions, each parsed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from simpleeval import SimpleEval

from engines import staged
from engines.formulas import PYTHON
from engines.policy import Answer
from engines.staged import Names

FUNCTIONS = {
    "collateral": staged.collateral,
    "initial": staged.initial,
    "maintenance": staged.maintenance,
    "least_rate": staged.least_rate,
    "sum": sum,
    "max": max,
}


def engine(tiers_called: bool = False) -> Callable[[Mapping[str, Any]], Answer]:
    """What decides on a snapshot."""
    evaluator = SimpleEval(functions=FUNCTIONS)

    def parsed(text: str) -> Callable[[Names], Any]:
        tree = evaluator.parse(text)

        def value(names: Names) -> Any:
            evaluator.names = names
            return evaluator.eval(text, tree)

        return value

    return staged.stages(replace(PYTHON, tiers_called=tiers_called), parsed).decide


def comparison() -> Callable[[Mapping[str, Any]], bool]:
    """A policy of one comparison."""
    evaluator = SimpleEval()
    text = "level <= 1"
    tree = evaluator.parse(text)

    def holds(snapshot: Mapping[str, Any]) -> bool:
        evaluator.names = {"level": Decimal(snapshot["level"])}
        return bool(evaluator.eval(text, tree))

    return holds
