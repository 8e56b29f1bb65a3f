"""The policy as rule-engine has it: its own expressions, with types told beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import rule_engine
from rule_engine import DataType
from rule_engine.builtins import Builtins

from engines import staged
from engines.formulas import C_LIKE
from engines.policy import Answer

TEXTS = {"asset", "sell", "buy", "region"}
TRUTHS = {"questionnaire_completed", "terms_accepted"}
FUNCTIONS = {
    "collateral": (staged.collateral, (DataType.STRING, DataType.FLOAT)),
    "initial": (staged.initial, (DataType.STRING, DataType.FLOAT, DataType.FLOAT)),
    "maintenance": (staged.maintenance, (DataType.STRING, DataType.FLOAT)),
    "least_rate": (staged.least_rate, (DataType.FLOAT,)),
}


def kind(name: str) -> Any:
    """The type of a symbol."""
    if name in TEXTS:
        return DataType.STRING
    if name in TRUTHS:
        return DataType.BOOLEAN
    return DataType.ARRAY(DataType.FLOAT) if name.endswith("_lines") else DataType.FLOAT


def context() -> Any:
    """What rules are parsed in: items of a mapping by name, exact numbers, the functions."""
    made = rule_engine.Context(
        resolver=rule_engine.resolve_item, type_resolver=kind, decimal_context=staged.EXACT
    )
    made.builtins = Builtins.from_defaults(
        {name: function for name, (function, _) in FUNCTIONS.items()},
        value_types={
            name: DataType.FUNCTION(name, return_type=DataType.FLOAT, argument_types=types)
            for name, (_, types) in FUNCTIONS.items()
        },
    )
    return made


def engine(tiers_called: bool = False) -> Callable[[Mapping[str, Any]], Answer]:
    """What decides on a snapshot."""
    parsed_in = context()

    def parsed(text: str) -> Any:
        return rule_engine.Rule(text, context=parsed_in).evaluate

    return staged.stages(replace(C_LIKE, tiers_called=tiers_called), parsed).decide


def comparison() -> Callable[[Mapping[str, Any]], bool]:
    """A policy of one comparison."""
    rule = rule_engine.Rule("level <= 1", context=context())
    return lambda snapshot: bool(rule.matches({"level": Decimal(snapshot["level"])}))
