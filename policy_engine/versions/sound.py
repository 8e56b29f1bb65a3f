"""What makes a rule file unsound that its schema cannot see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.errors import MOST_PROBLEMS, did_you_mean
from policy_engine.model import ACCOUNT, LISTS, Input
from policy_engine.versions.part import Part


def check(root: Part, inputs: dict[str, dict[str, Input]]) -> None:
    """Note every problem of a file whose sections have been read."""
    _check_entities(root)
    _check_references(root)
    _check_required(root)
    _check_statuses(root)
    _check_keys(inputs, root)
    _check_accruals(inputs, root)


def _check_references(root: Part) -> None:
    """Every source cited and every assumption named must be declared in the same file."""
    sources, assumptions = root.get("sources", {}), root.get("assumptions", {})
    for part in mappings(root):
        if part.pointer and part.pointer[-1] == "citation" and isinstance(part.get("source"), str):
            _declared(part["source"], sources, "sources")
        for key in ("assumes", "otherwise_assumes"):
            for item in part[key].each() if key in part and len(part.pointer) > 1 else ():
                _declared(item, assumptions, "assumptions")


def mappings(part: Part) -> Iterator[Part]:
    """A part and all in it that is a mapping."""
    if isinstance(part.content, dict):
        yield part
        for name in part.content:
            yield from mappings(part[name])
    elif isinstance(part.content, list):
        for item in part.each():
            yield from mappings(item)


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


def _check_accruals(inputs: dict[str, dict[str, Input]], root: Part) -> None:
    """What a figure adds to and what it reads for that are inputs of this file."""
    for entity, formulas in root.items("formulas"):
        for _, formula in formulas.items():
            if "accrues" in formula:
                _check_accrual(formula["accrues"], inputs, entity)


def _check_accrual(part: Part, inputs: dict[str, dict[str, Input]], entity: str) -> None:
    target = inputs.get(part.get("of"), {})
    if entity == ACCOUNT:
        hint = "only a list's line names a line: take `accrues` out"
        part.complain("invalid-value", "a figure of the account accrues to no line", hint, key=True)
        return
    if not any(item.key for item in target.values()):
        keyed = [name for name, of in inputs.items() if any(i.key for i in of.values())]
        hint = did_you_mean(part.get("of"), keyed) or "lines add to the lines of a list with a key"
        part["of"].complain("unknown-name", f"`{part.get('of')}` is not a list with a key", hint)
        return
    lists = (part.get("of"), entity)
    _check_input(part["to"], part.get("to"), target, lists[0])
    _check_input(part["by"], part.get("by"), inputs.get(entity, {}), lists[1])
    for whole, share in part["covers"].items():
        _check_input(share, whole, target, lists[0], key=True)
        _check_input(share, share.content, inputs.get(entity, {}), lists[1])


def _check_input(
    part: Part, name: str, known: dict[str, Input], entity: str, key: bool = False
) -> None:
    if name not in known:
        hint = did_you_mean(name, known) or f"declare it under `inputs: {{{entity}: …}}`"
        part.complain("unknown-name", f"`{name}` is not an input of `{entity}`", hint, key=key)


def _check_entities(root: Part) -> None:
    """Inputs and formulas are of the account or of a list of the snapshot."""
    for section in ("inputs", "formulas"):
        for name, part in root.items(section):
            if name not in (ACCOUNT, *LISTS):
                listed = f"there are `{ACCOUNT}`, {', '.join(f'`{entity}`' for entity in LISTS)}"
                hint = did_you_mean(name, (ACCOUNT, *LISTS)) or listed
                message = f"`{name}` is neither the account nor a list of the snapshot"
                part.complain("unknown-name", message, hint, key=True)
