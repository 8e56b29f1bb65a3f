"""What a run of the rules leaves behind: the marks by which items are covered."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.coverage.items import TIER, TIER_EDGE, WORKED_OUT, Mark, key_what, row_what
from policy_engine.coverage.points import can_happen, happened
from policy_engine.coverage.possible import (
    FALSE,
    TRUE,
    UNKNOWN,
    VALUE,
    Kinds,
    PossibleReading,
    allows,
    gathered,
    given,
    sure_keys,
)
from policy_engine.coverage.seeing import Run, Seeing, Values, seen
from policy_engine.coverage.written import Path, expressions
from policy_engine.language.interpreter import dotted
from policy_engine.language.plan import Gather, Plan, Step
from policy_engine.language.scope import SCALE_READINGS
from policy_engine.language.values import is_undetermined
from policy_engine.model import Scale, Table, Version
from policy_engine.numbers import text_of

Where = Mapping[int, tuple[str, Path]]
"""The version and path of each formula, by the identity of what tells its place."""

READ_SCALE = "key of a scale"
_CONDITIONS = ("statuses", "notices", "permissions", "requests")


def where(versions: Iterable[Version]) -> dict[int, tuple[str, Path]]:
    """Where every formula of some versions stands."""
    found = ((version, *one) for version in versions for one in expressions(version))
    return {id(formula.place): (version.id, path) for version, path, formula in found}


def marks(run: Run, known: Where) -> set[Mark]:
    """Everything that happened in a run."""
    found: set[Mark] = set()
    held: dict[str, Any] = {}
    for step, values in seen(run):
        version, path = known.get(id(step.expression.place), ("", ()))
        is_rule = _is_rule(step, path)
        found |= {(version, path, what) for what in happened(step.tree, values, is_rule)}
        found |= set(_looked_up(step, values, run.plan))
        if is_rule:
            held[step.name] = values[step.tree]
            found |= _outcome(version, path, values[step.tree])
        elif not is_undetermined(values[step.tree]):
            found.add((version, path, WORKED_OUT))
    return found | _status(run.plan, held)


def _is_rule(step: Step, path: Path) -> bool:
    """Whether a figure is the condition of a rule, and not what a request sets."""
    return path[:1] != () and path[0] in _CONDITIONS and "effects" not in path[2:3]


def _outcome(version: str, path: Path, value: Any) -> set[Mark]:
    if value is False:
        return {(version, path, ("rests",))}
    fires = value is True and path[0] != "statuses"
    return {(version, path, ("fires",))} if fires else set()


def _status(plan: Plan, held: Mapping[str, Any]) -> set[Mark]:
    """The status of the account: of those that hold, the worst."""
    for rule in plan.main.statuses:
        name = f"status.{rule.name}"
        if rule.when is not None and name not in held:
            return set()  # the run is not one of the account's status
        if rule.when is None or held[name] is True:
            return {(plan.main.id, ("statuses", rule.name), ("fires",))} if held else set()
        if is_undetermined(held[name]):
            return set()
    return set()


# --- tables and scales ---------------------------------------------------------------------------


def _looked_up(step: Step, values: Values, plan: Plan) -> Iterator[Mark]:
    for node in ast.walk(step.tree):
        if not isinstance(node, ast.Call) or node not in values:
            continue
        function = dotted(node.func)
        if function in SCALE_READINGS:
            scale = plan.scope.scales[dotted(node.args[0]).partition(".")[0]]
            yield from _of_scale(scale, [values.get(part) for part in node.args[1:]], plan)
        elif function in plan.scope.tables:
            key = tuple(values.get(part) for part in node.args)
            if not any(is_undetermined(part) for part in key):
                yield from _of_table(plan.scope.tables[function], key, plan)


def _of_table(table: Table, key: tuple[Any, ...], plan: Plan) -> Iterator[Mark]:
    head = _owner(plan, "tables", table.name), ("tables", table.name)
    row = next((row for row in table.rows if key in row.keys), None)
    yield *head, row_what(row) if row else ("row", "otherwise")
    yield *head, key_what(key)


def _of_scale(scale: Scale, values: list[Any], plan: Plan) -> Iterator[Mark]:
    head = _owner(plan, "scales", scale.name), ("scales", scale.name)
    key = values.pop(0) if scale.by else None
    if is_undetermined(key) or key not in scale.tiers:
        return
    yield *head, (READ_SCALE, key)
    amount = values[0] if values else None
    if not isinstance(amount, Decimal) or amount <= 0:
        return
    edges = [tier.to for tier in scale.tiers[key]]
    upper = scale.edge_belongs_to == "upper"
    yield *head, (TIER, key, (bisect_right if upper else bisect_left)(edges, amount))
    if amount in edges:
        yield *head, (TIER_EDGE, key, edges.index(amount))


def _owner(plan: Plan, section: str, name: str) -> str:
    return next(v.id for v in plan.scope.versions if name in getattr(v, section))


# --- what could happen ---------------------------------------------------------------------------


def possible_marks(plan: Plan, known: Where) -> set[Mark]:
    """What could happen inside the formulas, rules and tables of a plan on some account."""
    found: set[Mark] = set()
    for step, kinds in kinds_of(plan):
        version, path = known.get(id(step.expression.place), ("", ()))
        is_rule = _is_rule(step, path)
        found |= {(version, path, what) for what in can_happen(step.tree, kinds, is_rule)}
        found |= set(_possible_rows(step, kinds, plan))
        if is_rule:
            outcomes = {TRUE: ("fires",), FALSE: ("rests",)}
            held = kinds[step.tree] & {TRUE, FALSE}
            found |= {(version, path, outcomes[one]) for one in held}
        elif kinds[step.tree] != {UNKNOWN}:
            found.add((version, path, WORKED_OUT))
    return found


def kinds_of(plan: Plan) -> Iterator[tuple[Step, Mapping[ast.expr, Kinds]]]:
    """Every formula of a plan with the kinds of values that each of its parts could have."""
    kinds, sure = given(plan), sure_keys(plan)
    for figure in plan.figures():
        if isinstance(figure, Gather):
            kinds[figure.name] = gathered(figure, kinds[figure.column])
            continue
        seeing = Seeing(PossibleReading(kinds, plan.scope.tables, sure))
        kinds[figure.name] = seeing.read(figure.tree)
        yield figure, seeing.values


def _possible_rows(step: Step, kinds: Mapping[ast.expr, Kinds], plan: Plan) -> Iterator[Mark]:
    for node in ast.walk(step.tree):
        function = dotted(node.func) if isinstance(node, ast.Call) and node in kinds else ""
        if function not in plan.scope.tables or not isinstance(node, ast.Call):
            continue
        table, parts = plan.scope.tables[function], [kinds[part] for part in node.args]
        head = _owner(plan, "tables", function), ("tables", function)
        for row in table.rows:
            asked = [key for key in row.keys if all(map(allows, parts, key))]
            yield from ((*head, key_what(key)) for key in asked)
            if asked:
                yield *head, row_what(row)
        keys = {text_of(key[0]) for row in table.rows for key in row.keys if len(key) == 1}
        listed = {one.removeprefix("= ") for one in parts[0] if one.startswith("= ")}
        if VALUE in parts[0] or len(parts) > 1 or listed - keys:
            yield *head, ("row", "otherwise")
