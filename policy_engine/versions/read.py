"""The sections of a rule file, read one by one into a version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from policy_engine.document import Document
from policy_engine.errors import Problem, RulesError
from policy_engine.model import (
    Accrual,
    Formula,
    Input,
    Parameter,
    Permission,
    Rule,
    Source,
    Version,
)
from policy_engine.versions.digest import digest
from policy_engine.versions.figures import read_scale, read_table, read_value
from policy_engine.versions.part import Part, provision
from policy_engine.versions.requests import read_request
from policy_engine.versions.sound import check, mappings

_FORMULAS = ("applies_when", "when", "expression")


def read_version(
    document: Document, content: Any, recorded: Callable[[Version], str] | None = None
) -> Version:
    """The version that a rule file declares. Raises RulesError with everything found.

    `content` is the document's data as the schema shapes it; the schema has found no problem.
    `recorded` gives the digest of a file found sound before: it is not checked again.
    """
    problems: list[Problem] = []
    root = Part(document, content, problems)
    fields = dict(_fields(root))
    if recorded is None:
        check(root, fields["inputs"])
    if problems:
        raise RulesError(problems)
    return Version(
        id=f"{root.get('ruleset')}@{PurePath(document.path).stem}",
        path=document.path,
        make_digest=recorded or digest,
        document=content,
        place=document.place,
        **fields,
    )


def formula_problems(document: Document) -> list[Problem]:
    """The formulas of a rule file that cannot be read, whatever else is wrong with it."""
    problems: list[Problem] = []
    for part in mappings(Part(document, document.data, problems)):
        for key in _FORMULAS:
            if isinstance(part.content.get(key), str):
                part.expression(key)
    return problems


def _fields(root: Part) -> Iterator[tuple[str, Any]]:
    yield "ruleset", root.get("ruleset")
    yield "effective_from", root["effective_from"].moment()
    announced = root.get("announced_at")
    yield "announced_at", None if announced is None else root["announced_at"].moment()
    yield "summary", root.get("summary")
    yield "completes_within", _length(root.get("completes_within"))
    yield "corrects", root.get("corrects", {}).get("reason")
    yield "applies_when", root.expression("applies_when")
    yield "uses", tuple(root.get("uses", ()))
    yield "sources", {name: _source(part) for name, part in root.items("sources")}
    yield "assumptions", dict(root.get("assumptions", {}))
    inputs = {entity: _inputs(part) for entity, part in root.items("inputs")}
    yield "inputs", inputs
    yield "parameters", {name: _parameter(part) for name, part in root.items("parameters")}
    yield "tables", {name: read_table(part) for name, part in root.items("tables")}
    yield "scales", {name: read_scale(part) for name, part in root.items("scales")}
    yield "formulas", {entity: _formulas(part) for entity, part in root.items("formulas")}
    yield "statuses", _rules(root, "statuses")
    yield "notices", _rules(root, "notices")
    yield "permissions", {name: _permission(part) for name, part in root.items("permissions")}
    yield (
        "requests",
        {
            name: read_request(part, _rules(part, "refuse_when"), inputs)
            for name, part in root.items("requests")
        },
    )
    yield "invariants", {name: _invariant(part) for name, part in root.items("invariants")}


def _length(text: str | None) -> timedelta | None:
    """A stretch of time such as `30 minutes`; the schema has found it sound."""
    match = re.match(r"(\d+) (minute|hour|day)", text or "")
    return timedelta(**{f"{match[2]}s": int(match[1])}) if match else None


def _source(part: Part) -> Source:
    return Source(part.get("title"), part.get("updated"), part.get("url"))


def _inputs(part: Part) -> dict[str, Input]:
    keys = frozenset(name for name, item in part.items() if item.get("key", False))
    return {name: _input(item, part.name, keys) for name, item in part.items()}


def _price_role(part: Part, keys: frozenset[str]) -> str | None:
    """A figure per coin of the line's own key is its price, whether or not its role says so."""
    per = str(part.get("unit", "")).partition(" / coin of ")[2]
    return "price" if per in keys else None


def _input(part: Part, entity: str, keys: frozenset[str]) -> Input:
    return Input(
        part.name,
        entity,
        part.get("type"),
        part.get("unit"),
        part.get("optional", False),
        part.get("key", False),
        part.get("key_of"),
        part.get("role") or _price_role(part, keys),
        tuple(part.get("from", part.name).split(".")),
        part.key_place,
    )


def _parameter(part: Part) -> Parameter:
    kind = part.get("gives", "number")
    _needs_unit(part, kind)
    value = read_value(part, "value", kind, part.get("because"))
    return Parameter(
        **provision(part), value=value, kind=kind, unit=part.get("unit"), safer=part.get("safer")
    )


def _needs_unit(part: Part, kind: str) -> None:
    if kind == "number" and "unit" not in part:
        part.complain(
            "missing-key",
            f"`{part.name}` has no `unit`",
            "write `unit: ratio` for a bare number, or `gives: text` (truth, instant)",
            key=True,
        )


def _formulas(part: Part) -> dict[str, Formula]:
    return {name: _formula(item, part.name) for name, item in part.items()}


def _formula(part: Part, entity: str) -> Formula:
    kind = part.get("gives", "number")
    _needs_unit(part, kind)
    return Formula(
        **provision(part),
        entity=entity,
        kind=kind,
        unit=part.get("unit"),
        expression=part.expression("expression"),
        accrues=_accrual(part["accrues"]) if "accrues" in part else None,
    )


def _accrual(part: Part) -> Accrual:
    return Accrual(part.get("of"), part.get("by"), part.get("to"), dict(part.get("covers")))


def _invariant(part: Part) -> Formula:
    return Formula(**provision(part), kind="truth", expression=part.expression("expression"))


def _rules(part: Part, section: str) -> tuple[Rule, ...]:
    return tuple(_rule(item) for _, item in part.items(section))


def _rule(part: Part) -> Rule:
    shows = tuple(part.get("shows", ()))
    return Rule(**provision(part), when=part.expression("when"), shows=shows)


def _permission(part: Part) -> Permission:
    return Permission(**provision(part), refuse_when=_rules(part, "refuse_when"))
