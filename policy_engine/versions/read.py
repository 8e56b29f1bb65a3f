"""The sections of a rule file, read one by one into a version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from policy_engine.document import Document
from policy_engine.errors import MOST_PROBLEMS, Problem, RulesError, did_you_mean
from policy_engine.model import (
    ACCOUNT,
    LISTS,
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
        _check_entities(root)
        _check_references(root)
        _check_required(root)
        _check_statuses(root)
        _check_keys(fields["inputs"], root)
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
    for part in _mappings(Part(document, document.data, problems)):
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
    )


def _invariant(part: Part) -> Formula:
    return Formula(**provision(part), kind="truth", expression=part.expression("expression"))


def _rules(part: Part, section: str) -> tuple[Rule, ...]:
    return tuple(_rule(item) for _, item in part.items(section))


def _rule(part: Part) -> Rule:
    shows = tuple(part.get("shows", ()))
    return Rule(**provision(part), when=part.expression("when"), shows=shows)


def _permission(part: Part) -> Permission:
    return Permission(**provision(part), refuse_when=_rules(part, "refuse_when"))


# --- what the schema cannot see ------------------------------------------------------------------


def _check_references(root: Part) -> None:
    """Every source cited and every assumption named must be declared in the same file."""
    sources, assumptions = root.get("sources", {}), root.get("assumptions", {})
    for part in _mappings(root):
        if part.pointer and part.pointer[-1] == "citation" and isinstance(part.get("source"), str):
            _declared(part["source"], sources, "sources")
        for key in ("assumes", "otherwise_assumes"):
            for item in part[key].each() if key in part and len(part.pointer) > 1 else ():
                _declared(item, assumptions, "assumptions")


def _mappings(part: Part) -> Iterator[Part]:
    if isinstance(part.content, dict):
        yield part
        for name in part.content:
            yield from _mappings(part[name])
    elif isinstance(part.content, list):
        for item in part.each():
            yield from _mappings(item)


def _declared(part: Part, known: dict[str, Any], section: str) -> None:
    if part.content not in known and len(part.problems) < MOST_PROBLEMS:
        hint = did_you_mean(part.content, known) or f"declare it under `{section}`"
        part.complain("unknown-name", f"`{part.content}` is not one of the `{section}`", hint)


def _check_required(root: Part) -> None:
    """What a request requires is a permission of the same file."""
    told = [name for name, part in root.items("requests") if part.get("permission", False)]
    known = [*root.get("permissions", {}), *told]
    for name, part in root.items("requests"):
        for item in part["requires"].each() if "requires" in part else ():
            if item.content not in known:
                hint = did_you_mean(item.content, known) or "declare it under `permissions`"
                message = f"`{name}` requires `{item.content}`, which is no permission here"
                item.complain("unknown-name", message, hint)
        if name in told and name in _required(root, name):
            hint = "a permission cannot wait for itself: take it out of `requires`"
            part["requires"].complain("cycle", f"`{name}` requires itself", hint)


def _required(root: Part, request: str) -> set[str]:
    """All that a request requires, and what those require that are requests themselves."""
    declared, requests = root.get("permissions", {}), root.get("requests", {})
    met: set[str] = set()
    waiting = list(requests[request].get("requires", ()))
    while waiting:
        name = waiting.pop()
        if name not in met and name not in declared:
            waiting += requests.get(name, {}).get("requires", ())
        met.add(name)
    return met - set(declared)


def _check_statuses(root: Part) -> None:
    """All but the last have a condition: the first that holds is the account's status."""
    statuses = [part for _, part in root.items("statuses")]
    for part in statuses[:-1]:
        if "when" not in part:
            hint = "only the last one goes without: it is what remains"
            part.complain("missing-key", f"status `{part.name}` has no `when`", hint, key=True)
    if statuses and "when" in statuses[-1]:
        message = f"the last status, `{statuses[-1].name}`, has a `when`"
        hint = "the last status is what remains when no other holds: take its `when` out"
        statuses[-1]["when"].complain("invalid-value", message, hint, key=True)
    if "applies_when" in root and not statuses:
        message = "a ruleset that applies to accounts needs `statuses`"
        hint = "add at least one; the last needs no `when`, as in `normal: {title: Normal}`"
        root["applies_when"].complain("missing-key", message, hint, key=True)


def _check_keys(inputs: dict[str, dict[str, Input]], root: Part) -> None:
    """One key to a list, and `key_of` names a list with a key."""
    for entity, items in inputs.items():
        keys = [item for item in items.values() if item.key]
        for item in keys[1:]:
            message = f"`{entity}` has two keys, `{keys[0].name}` and `{item.name}`"
            part = root["inputs"][entity][item.name]
            hint = "one input tells the lines apart: take `key: true` from the other"
            part.complain("duplicate-key", message, hint, key=True)
        for item in items.values():
            target = inputs.get(item.key_of or "", {})
            if item.key_of and not any(other.key for other in target.values()):
                part = root["inputs"][entity][item.name]["key_of"]
                keyed = [name for name, of in inputs.items() if any(i.key for i in of.values())]
                hint = did_you_mean(item.key_of, keyed) or "mark an input of that list `key: true`"
                part.complain("unknown-name", f"`{item.key_of}` is not a list with a key", hint)


def _check_entities(root: Part) -> None:
    """Inputs and formulas are of the account or of a list of the snapshot."""
    for section in ("inputs", "formulas"):
        for name, part in root.items(section):
            if name not in (ACCOUNT, *LISTS):
                listed = f"there are `{ACCOUNT}`, {', '.join(f'`{entity}`' for entity in LISTS)}"
                hint = did_you_mean(name, (ACCOUNT, *LISTS)) or listed
                message = f"`{name}` is neither the account nor a list of the snapshot"
                part.complain("unknown-name", message, hint, key=True)
