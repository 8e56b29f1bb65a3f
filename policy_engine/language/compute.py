"""A whole plan by the exact reading: every figure of an account, step by step."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_engine.language.exact import ExactReading, Sight, gathered
from policy_engine.language.interpreter import Interpreter
from policy_engine.language.plan import Gather, Plan, Step
from policy_engine.language.values import Lists, Rows, constant, is_undetermined
from policy_engine.model import ACCOUNT, LISTS


@dataclass
class Computed:
    """All figures of an account: the account's by name, each list's columns by full name.

    `counts` has the number of lines of each list, `lines` the index of each line by its key;
    an unknown list is undetermined in all of them.
    """

    figures: MutableMapping[str, Any]
    columns: MutableMapping[str, Any]
    lines: MutableMapping[str, Any]
    counts: MutableMapping[str, Any]
    reached: set[str]


def start(plan: Plan, inputs: Sequence[Any], lists: Sequence[Any]) -> Computed:
    """The inputs of an account, as `Program.run` takes them, before any figure is computed."""
    figures = {name: constant(item.value) for name, item in plan.scope.parameters.items()}
    names = (item.name for item in plan.inputs[ACCOUNT])
    computed = Computed({**figures, **dict(zip(names, inputs, strict=True))}, {}, {}, {}, set())
    for entity, lines in zip(LISTS, lists, strict=True):
        unknown = is_undetermined(lines)
        computed.counts[entity] = lines if unknown else len(lines)
        for at, item in enumerate(plan.inputs[entity]):
            column = lines if unknown else [line[at] for line in lines]
            computed.columns[f"{entity}.{item.name}"] = column
        key = plan.scope.key(entity)
        if key is not None:
            keys = computed.columns[f"{entity}.{key}"]
            computed.lines[entity] = keys if unknown else {k: n for n, k in enumerate(keys)}
    return computed


def compute(plan: Plan, lookups: Mapping[str, Rows | Lists], computed: Computed) -> Computed:
    """Fill in every figure of a plan, from the inputs that `computed` holds already."""
    for figure in plan.figures():
        if isinstance(figure, Gather):
            computed.figures[figure.name] = _gather(figure, lookups, computed)
        elif figure.entity == ACCOUNT:
            computed.figures[figure.name] = read_step(figure, lookups, computed)
        else:
            _column(figure, lookups, computed)
    return computed


def read_step(
    step: Step, lookups: Mapping[str, Rows | Lists], computed: Computed, line: int = -1
) -> Any:
    """One figure, of the account or of the line of that index."""
    sight = sight_of(step.entity, lookups, computed, line)
    return Interpreter(ExactReading(sight)).read(step.tree)


def sight_of(
    entity: str, lookups: Mapping[str, Rows | Lists], computed: Computed, line: int = -1
) -> Sight:
    """What a formula of an entity sees; a line's figures come before the account's."""
    figures = computed.figures
    if line >= 0:
        own = {
            name: values[line]
            for name, values in computed.columns.items()
            if name.startswith(f"{entity}.") and not is_undetermined(values)
        }
        figures = {**figures, **own}
    return Sight(figures, computed.columns, computed.lines, lookups, computed.reached)


def _gather(gather: Gather, lookups: Mapping[str, Rows | Lists], computed: Computed) -> Any:
    value = gathered(gather.function, computed.columns[gather.column])
    if value is None and gather.empty is not None:
        sight = sight_of(ACCOUNT, lookups, computed)
        return Interpreter(ExactReading(sight)).read(gather.empty)
    return value


def _column(step: Step, lookups: Mapping[str, Rows | Lists], computed: Computed) -> None:
    count = computed.counts[step.entity]
    if is_undetermined(count):
        computed.columns[step.name] = count
    else:
        values = [read_step(step, lookups, computed, line) for line in range(count)]
        computed.columns[step.name] = values
