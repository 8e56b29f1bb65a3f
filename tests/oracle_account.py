"""A snapshot as the oracle reads it: the account's line and the lines of its lists."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from oracle_figures import Line, Provision, Rules
from oracle_language import key_field
from oracle_values import OracleError, instant_text, number, stated

Lines = dict[str, list[Line] | None]


def read_account(
    rules: Rules,
    snapshot: Mapping[str, Any],
    rules_at: datetime,
    asked: Iterable[tuple[str, Any]] = (),
) -> Lines:
    """Every entity's lines, after prices are added and lines without amounts are left out.

    What is `asked` for, by entity and key, is named like what a line names. Raises `OracleError`
    for a snapshot that has no decision.
    """
    facts = {"at": instant_text(rules_at)} | {k: v for k, v in snapshot.items() if v is not None}
    lines: Lines = {"account": [read_line(rules.inputs["account"], facts)]}
    for entity in rules.inputs.keys() - {"account"}:
        lines[entity] = read_list(rules, entity, snapshot.get(entity, []))
    add_prices(rules, lines, snapshot.get("prices") or {})
    named = {*names_of_lines(rules, lines), *asked}
    for target, key in named:
        if key not in keys_of(rules, lines, target):
            raise OracleError("unknown-key", f"{target} has no line {key}")
    return {entity: kept(rules, entity, some, named) for entity, some in lines.items()}


def read_list(rules: Rules, entity: str, raw: list[Mapping[str, Any]] | None) -> list[Line] | None:
    """The lines of a list; None if it is unknown."""
    if raw is None:
        return None
    lines = [read_line(rules.inputs[entity], line) for line in raw]
    key = key_field(rules, entity)
    if key and len({line[key] for line in lines}) < len(lines):
        raise OracleError("duplicate-line", entity)
    return lines


def read_line(inputs: dict[str, Provision], facts: Mapping[str, Any]) -> Line:
    """The inputs that are given; a required one that is not is an error."""
    line: Line = {}
    for name, said in inputs.items():
        fact = follow(facts, said.get("from", name))
        if fact is not None:
            line[name] = stated(said["type"], fact)
        elif said.get("optional") != "true":
            raise OracleError("missing", name)
    return line


def follow(facts: Any, path: str) -> Any:
    """The fact at a dotted path; None if it is not there."""
    for step in path.split("."):
        facts = facts.get(step) if isinstance(facts, Mapping) else None
    return facts


def add_prices(rules: Rules, lines: Lines, prices: Mapping[str, Any]) -> None:
    """Add a line, held 0 of, for each price whose key has none; a second price must be equal."""
    for entity, inputs in rules.inputs.items():
        key = key_field(rules, entity)
        role = next((name for name, said in inputs.items() if said.get("role") == "price"), "")
        some = lines[entity]
        if key and role and some is not None:
            some += priced(inputs, key, role, some, prices)


def priced(
    inputs: dict[str, Provision], key: str, role: str, lines: list[Line], prices: Mapping[str, Any]
) -> list[Line]:
    """The lines that the prices make, sorted by key."""
    there = {line[key]: line[role] for line in lines}
    if any(there.get(coin, number(price)) != number(price) for coin, price in prices.items()):
        raise OracleError("two-prices")
    nothing: Line = {name: Fraction(0) for name, said in inputs.items() if said["type"] == "number"}
    new = sorted(coin for coin in prices if coin not in there)
    return [{**nothing, key: coin, role: number(prices[coin])} for coin in new]


def names_of_lines(rules: Rules, lines: Lines) -> Iterator[tuple[str, Any]]:
    """Every line that an input with `key_of` names, as (entity, key)."""
    for entity, inputs in rules.inputs.items():
        for name, said in inputs.items():
            given = [line[name] for line in lines[entity] or () if name in line]
            yield from ((said["key_of"], key) for key in given if "key_of" in said)


def keys_of(rules: Rules, lines: Lines, entity: str) -> set[Any]:
    """The keys of an entity's lines."""
    return {line[key_field(rules, entity)] for line in lines.get(entity) or ()}


def kept(
    rules: Rules, entity: str, lines: list[Line] | None, named: set[tuple[str, Any]]
) -> list[Line] | None:
    """The lines that count: not those whose amounts are all 0 and which nothing names."""
    key = key_field(rules, entity)
    amounts = [
        name
        for name, said in rules.inputs[entity].items()
        if said["type"] == "number" and "role" not in said
    ]
    if not key or not amounts or lines is None or entity == "account":
        return lines
    return [
        line
        for line in lines
        if (entity, line[key]) in named or any(line.get(name) != 0 for name in amounts)
    ]
