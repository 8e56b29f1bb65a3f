"""What a snapshot enumerates and tables are looked up by, such as countries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from policy_engine.book.model import Listed
from policy_engine.fields import shape
from policy_engine.language.interpreter import dotted
from policy_engine.language.syntax import Expression
from policy_engine.model import ACCOUNT, Row, Table, Version

FEWEST = 20
"""Values from which on an enumeration is worth a list of its own."""


def listed(held: Iterable[Version]) -> tuple[Listed, ...]:
    """The lists of the versions in force, by the name of the input."""
    versions = tuple(held)
    tables = {name: (v.ruleset, one) for v in versions for name, one in v.tables.items()}
    by_input: dict[str, dict[str, Table]] = {}
    for version in versions:
        for table, name in sorted(set(_looked_up(version))):
            if table in tables and len(tables[table][1].by) == 1:
                ruleset, one = tables[table]
                by_input.setdefault(name, {})[f"{ruleset}/tables/{table}"] = one
    return tuple(_listed(name, found) for name, found in sorted(by_input.items()))


def _listed(name: str, tables: Mapping[str, Table]) -> Listed:
    rows = {
        key: {str(k[0]): row for row in one.rows for k in row.keys} for key, one in tables.items()
    }
    keys = sorted({key for found in rows.values() for key in found})
    return Listed(
        name,
        tuple(sorted(tables.items())),
        tuple(
            (key, tuple(_row(rows[at], key, tables[at]) for at in sorted(tables))) for key in keys
        ),
    )


def _row(rows: Mapping[str, Row], key: str, table: Table) -> Row:
    return rows.get(key, table.otherwise)


def _looked_up(version: Version) -> Iterator[tuple[str, str]]:
    """Tables that a version looks up by an input of the account that is enumerated."""
    inputs = version.inputs.get(ACCOUNT, {})
    for expression in _expressions(version):
        for node in ast.walk(expression.tree):
            if isinstance(node, ast.Call) and len(node.args) == 1:
                (key,) = node.args
                if isinstance(key, ast.Name) and key.id in inputs and _many(inputs[key.id].source):
                    yield dotted(node.func), key.id


def _many(source: tuple[str, ...]) -> bool:
    field = shape().account.get(source[0])
    return field is not None and len(field.choices or ()) >= FEWEST


def _expressions(version: Version) -> Iterator[Expression]:
    refused = [
        *(rule for one in version.permissions.values() for rule in one.refuse_when),
        *(rule for one in version.requests.values() for rule in one.refuse_when),
    ]
    formulas = (one.expression for named in version.formulas.values() for one in named.values())
    rules = (rule.when for rule in (*version.statuses, *version.notices, *refused))
    yield from (one for one in (*formulas, *rules) if one is not None)
