"""Accounts to start from: the smallest that make some rules decide, from what the rules read."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations, product
from typing import Any

from policy_engine.fields import Field, shape
from policy_engine.language.plan import Plan
from policy_engine.model import ACCOUNT, LISTS, Input, NotKnown
from policy_engine.numbers import text_of
from policy_engine.witnesses.tests_of import Part, key_inputs

NAME = "witness"
AMOUNTS = ("1000", "1000000", "100000", "10000000", "10000")
"""How much a line holds, in turn: some tiers tell nothing apart below their edge."""
PRICE = "1"
MOST_VALUES, MOST_KEYS = 3, 4


@dataclass(frozen=True)
class Pins:
    """What an account must have: values of its own inputs, and keys of lines (any one will do)."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NO_PINS = Pins()


def pins(plan: Plan, part: Part, key: Sequence[str]) -> Pins:
    """What makes a plan look up a key of a table or scale."""
    inputs: dict[str, str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for found in key_inputs(plan, part):
        parts = found.elts if isinstance(found, ast.Tuple) else []
        for node, wanted in zip(parts, key, strict=False):
            _pin(plan, node, (wanted,), inputs, keys)
    return Pins(inputs, keys)


def _pin(
    plan: Plan,
    node: ast.expr,
    wanted: tuple[str, ...],
    inputs: dict[str, str],
    keys: dict[str, tuple[str, ...]],
) -> None:
    if isinstance(node, ast.Name):
        item = _input(plan, node.id)
        entity = item and (item.entity if item.key else item.key_of)
        if entity:
            keys.setdefault(entity, wanted)
        elif item is not None and item.entity == ACCOUNT:
            inputs.setdefault(item.name, wanted[0])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        table = plan.scope.tables.get(node.func.id)
        if table is not None and len(node.args) == 1:
            rows = (row for row in table.rows if str(text_of(_plain(row.value))) in wanted)
            found = tuple(str(text_of(k[0])) for row in rows for k in row.keys)
            _pin(plan, node.args[0], found[:MOST_KEYS], inputs, keys) if found else None


def _plain(value: Any) -> Any:
    return None if isinstance(value, NotKnown) else value


def _input(plan: Plan, name: str) -> Input | None:
    entity, _, own = name.rpartition(".")
    return plan.scope.inputs.get(entity or ACCOUNT, {}).get(own)


# --- the account's own fields ---------------------------------------------------------------------


def seeds(plans: Sequence[Plan], wanted: Pins) -> Iterator[Mapping[str, Any]]:
    """Accounts that the plans may decide on, the likeliest first. Not all of them apply."""
    frames = [list(islice(_frames(plan, wanted), 64)) for plan in plans]
    held = _distinct(one for group in frames for one in group)
    lines = list(_lines(plans, wanted))
    for lists in lines:
        for frame in held:
            yield {**frame, **lists}


def _distinct(frames: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for frame in frames:
        if frame not in found:
            found.append(frame)
    return found


def _frames(plan: Plan, wanted: Pins) -> Iterator[dict[str, Any]]:
    """The account's own fields: every combination of values that the rules tell apart."""
    fields = shape().account
    read = {item.source: item for item in plan.inputs[ACCOUNT]}
    required = {(name,): None for name, one in fields.items() if one.required and name not in LISTS}
    paths = [*dict.fromkeys([*required, *read])]
    options = [list(_options(plan, path, read.get(path), wanted)) for path in paths]
    for chosen in product(*options):
        frame: dict[str, Any] = {}
        for path, value in zip(paths, chosen, strict=True):
            _put(frame, path, value)
        yield frame


def _put(frame: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if value is not None:
        for step in path[:-1]:
            frame = frame.setdefault(step, {})
        frame[path[-1]] = value


def _options(plan: Plan, path: tuple[str, ...], item: Input | None, wanted: Pins) -> Iterator[Any]:
    """Values that a field may have, first those that the rules name; None leaves it out."""
    known = shape().account.get(path[0])
    if item is None:
        yield sorted(known.choices)[0] if known is not None and known.choices else NAME
    elif item.name in wanted.inputs:
        yield wanted.inputs[item.name]
    elif item.kind == "truth":
        yield True
    elif item.kind == "instant" and (item.optional or known is not None):
        yield None
    else:
        named = list(dict.fromkeys(_named(plan, item, known)))[:MOST_VALUES]
        yield from named
        if not named:
            yield None if item.optional else _any(item, known)


def _named(plan: Plan, item: Input, known: Field | None) -> Iterator[str]:
    """The values of an input that the rules name, and one that they do not."""
    applies = plan.main.applies_when
    if applies is not None and item.kind == "text":
        for node in ast.walk(applies.tree):
            if isinstance(node, ast.Compare) and getattr(node.left, "id", "") == item.name:
                yield from (
                    c.value
                    for c in node.comparators
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                )
    keys = [key for table in _tables_by(plan, item.name) for key in _keys_of(plan, table)]
    yield from islice(dict.fromkeys(keys), MOST_VALUES - 1)
    if keys and known is not None and known.choices:
        yield from islice((one for one in sorted(known.choices) if one not in keys), 1)


def _tables_by(plan: Plan, name: str) -> Iterator[str]:
    for table in plan.scope.tables:
        found = (n for key in key_inputs(plan, ("tables", table)) for n in ast.walk(key))
        if any(isinstance(node, ast.Name) and node.id == name for node in found):
            yield table


def _keys_of(plan: Plan, table: str) -> Iterator[str]:
    """One key of each row of a table of one key."""
    rows = plan.scope.tables[table].rows
    yield from (str(text_of(row.keys[0][0])) for row in rows if row.keys and len(row.keys[0]) == 1)


def _any(item: Input, known: Field | None) -> Any:
    if item.kind == "number":
        return AMOUNTS[0]
    example = known.example if known is not None else None
    return NAME if example is None else str(text_of(example) if item.kind == "text" else example)


# --- lines ----------------------------------------------------------------------------------------


def _lines(plans: Sequence[Plan], wanted: Pins) -> Iterator[dict[str, Any]]:
    """The lists of an account: two lines that each hold one kind of amount."""
    entity = next((e for e in LISTS if any(plan.scope.key(e) for plan in plans)), None)
    required = [name for name, one in shape().account.items() if one.required and name in LISTS]
    empty: dict[str, Any] = {name: [] for name in required}
    plan = next((p for p in plans if entity and p.scope.key(entity)), None)
    if plan is None or entity is None:
        yield empty
        return
    pinned = wanted.keys.get(entity, ())
    names = list(_amounts(plan, entity))
    for amount in AMOUNTS:
        for pair in _pairs(plans, entity, pinned):
            for held in permutations(names, 2) if len(names) > 1 else [(*names, *names)]:
                rows = [
                    _line(plan, entity, key, name, amount)
                    for key, name in zip(pair, held, strict=False)
                ]
                yield {**empty, entity: rows}
                if amount == AMOUNTS[0]:
                    yield from ({**empty, entity: rows, **one} for one in _named_by(plan, *pair))
    yield empty


def _named_by(plan: Plan, first: str, second: str) -> Iterator[dict[str, Any]]:
    """Lists with a line that names two lines of another: each amount half of the one before."""
    for entity in LISTS:
        items = plan.inputs[entity]
        if [item.key_of is not None for item in items].count(True) == 2:
            keys, amount, line = iter((first, second)), int(AMOUNTS[0]), {}
            for item in items:
                if item.key_of is not None:
                    line[item.name] = next(keys)
                elif item.kind == "number":
                    line[item.name] = str(amount)
                    amount //= 2
            yield {entity: [line]}


def _pairs(plans: Sequence[Plan], entity: str, pinned: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Keys of two lines: what must be there with what the rules know most of."""
    common = _common_keys(plans, entity)[:MOST_KEYS]
    others = common or [*pinned, "A", "B"]
    for key in pinned[:MOST_KEYS] or others[:2]:
        for other in (one for one in others if one != key):
            yield key, other
            if pinned:
                yield other, key


def _common_keys(plans: Sequence[Plan], entity: str) -> list[str]:
    """The keys of lines that most tables and scales know, in their order."""
    counts: Counter[str] = Counter()
    for plan in plans:
        key = f"{entity}.{plan.scope.key(entity)}"
        for name, table in plan.scope.tables.items():
            if _is_by(plan, ("tables", name), key):
                counts.update(str(k[0]) for row in table.rows for k in row.keys if len(k) == 1)
        for name, scale in plan.scope.scales.items():
            if _is_by(plan, ("scales", name), key):
                counts.update(str(text_of(k)) for k in scale.tiers if k is not None)
    return [key for key, _ in counts.most_common(2 * MOST_KEYS)]


def _is_by(plan: Plan, part: Part, name: str) -> bool:
    """Whether a table or scale is looked up by that very figure."""
    keys = (key.elts for key in key_inputs(plan, part) if isinstance(key, ast.Tuple))
    return any(isinstance(n, ast.Name) and n.id == name for elts in keys for n in elts)


def _amounts(plan: Plan, entity: str) -> Iterator[str]:
    items = plan.inputs[entity]
    yield from (item.name for item in items if item.kind == "number" and item.role is None)


def _line(plan: Plan, entity: str, key: str, held: str, amount: str) -> dict[str, str]:
    """A line that holds one kind of amount and nothing else."""
    line: dict[str, str] = {n: "0" for n, f in shape().lines[entity].items() if f.required}
    for item in plan.inputs[entity]:
        if item.key:
            line[item.name] = key
        elif item.kind == "number":
            line[item.name] = PRICE if item.role == "price" else "0"
        elif not item.optional:
            line[item.name] = NAME
    priced = [n for n, f in shape().lines[entity].items() if f.required and f.above_zero]
    return {**line, **dict.fromkeys(priced, PRICE), held: amount}
