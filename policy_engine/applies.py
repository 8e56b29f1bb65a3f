"""When a version decides: its `applies_when`, and what that asks of a snapshot."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from datetime import datetime
from decimal import localcontext
from functools import cached_property
from typing import Any

from policy_engine.errors import RulesError
from policy_engine.language.exact import ExactReading, Sight
from policy_engine.language.interpreter import Interpreter
from policy_engine.language.plan import Plan, Stage
from policy_engine.language.resolve import Resolved, Step
from policy_engine.language.scope import AGGREGATES, SCALE_READINGS, scope
from policy_engine.language.syntax import Fault
from policy_engine.language.units import kind_problems
from policy_engine.language.values import constant
from policy_engine.model import ACCOUNT, LISTS, Input, Rule, Version
from policy_engine.numbers import EXACT
from policy_engine.snapshot import Readers

_OF_RULES = AGGREGATES | SCALE_READINGS | {"at"}


@dataclass(frozen=True)
class Applicable:
    """A version that decides where its `applies_when` holds, and what that asks of a snapshot."""

    version: Version
    step: Step
    inputs: tuple[Input, ...]
    plan: Plan

    @cached_property
    def readers(self) -> Readers:
        """Read the inputs that the condition names."""
        return Readers({ACCOUNT: self.inputs, **dict.fromkeys(LISTS, ())})

    def applies(self, snapshot: Any, moment: datetime, beyond: tuple[Input, ...]) -> bool:
        """Whether the condition surely holds. Raises SnapshotError."""
        taken = self.readers.beyond(beyond).read(snapshot, moment)
        parameters = {name: constant(p.value) for name, p in self.version.parameters.items()}
        given = zip((item.name for item in self.inputs), taken.inputs, strict=True)
        sight = Sight({**parameters, **dict(given)}, {}, {}, {})
        with localcontext(EXACT):
            return Interpreter(ExactReading(sight)).read(self.step.tree) is True


def applicable(version: Version) -> Applicable:
    """Resolve an `applies_when`. Raises RulesError: it may ask for the account's inputs only."""
    assert version.applies_when is not None
    names = scope([version])
    resolved = Resolved(names)
    try:
        _check_asks(version.applies_when.tree, version)
        resolved.add("applies_when", ACCOUNT, version.applies_when, Rule("applies_when", ""))
    except Fault as fault:
        raise RulesError([version.applies_when.problem(fault)]) from None
    step = resolved.figures["applies_when"]
    assert isinstance(step, Step)
    inputs = {entity: tuple(items.values()) for entity, items in names.inputs.items()}
    plan = Plan(names, (Stage(ACCOUNT, (step,)),), inputs, {}, {})
    if wrong := list(kind_problems(plan)):
        raise RulesError(wrong)
    own = names.inputs[ACCOUNT]
    return Applicable(version, step, tuple(own[name] for name in step.reads if name in own), plan)


def _check_asks(tree: ast.expr, version: Version) -> None:
    """Raise Fault for what is not known yet when the rules are chosen."""
    functions_refused = _OF_RULES | version.tables.keys()
    formulas = version.formulas.get(ACCOUNT, {})
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        refused = functions_refused if node in functions else formulas
        if isinstance(node, ast.Name) and node.id in refused:
            message = f"`applies_when` cannot ask for `{node.id}`"
            hint = "it chooses the rules: it may ask for inputs of the account and for parameters"
            raise Fault("bad-formula", message, hint).at(node)
