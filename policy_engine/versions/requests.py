"""Requests of a rule file: what an account may ask for, and what that changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.errors import did_you_mean
from policy_engine.language.syntax import Expression
from policy_engine.model import ACCOUNT, Effect, Input, Limit, Request, RequestInput, Rule
from policy_engine.versions.part import Part, provision

Brought = Mapping[str, RequestInput]
Inputs = Mapping[str, Mapping[str, Input]]


def read_request(part: Part, refuse_when: tuple[Rule, ...], inputs: Inputs) -> Request:
    """A request; `inputs` are those of the version, by entity."""
    brought = {name: _input(item) for name, item in part.items("inputs")}
    effects = tuple(_effects(part, brought, inputs))
    _check_permission(part, brought)
    _check_takes(part, brought, inputs)
    _check_once(part)
    return Request(
        **provision(part),
        permission=part.get("permission", False),
        takes=part.get("takes"),
        requires=tuple(part.get("requires", ())),
        inputs=brought,
        effects=effects,
        refuse_when=refuse_when,
        limit=_limit(part, brought),
    )


def _check_once(part: Part) -> None:
    """All effects come at once, so no figure of one line or of the account is set twice."""
    met: set[tuple[str, str]] = set()
    for item in part["effects"].each() if "effects" in part else ():
        held = [("account", name, value) for name, value in item.items("account")]
        if "line" in item:
            line = str(item.get("line"))
            held += [(f"line {line}", name, value) for name, value in item.items("set")]
        for where, name, value in held:
            if (where, name) in met:
                hint = "all effects come at once: say what it becomes in one of them"
                value.complain("duplicate-key", f"`{name}` is set twice", hint, key=True)
            met.add((where, name))


def _check_permission(part: Part, brought: Brought) -> None:
    """A request can be told as a permission if every value it can be asked with is known."""
    free = [name for name, item in brought.items() if not item.one_of and not item.optional]
    if part.get("permission", False) and free:
        message = f"`{part.name}` cannot be a permission: `{free[0]}` may be anything"
        hint = f"list its values with `one_of`, or declare `{part.name}` under `permissions`"
        part["permission"].complain("invalid-value", message, hint, key=True)


def _check_takes(part: Part, brought: Brought, inputs: Inputs) -> None:
    """What is made with a line brings figures of that line, and nothing that is sought."""
    if (
        "takes" not in part
        or _one_of(part["takes"], inputs, "lists that this version reads") is None
    ):
        return
    taken = part.get("takes")
    for name in brought.keys() - inputs[taken].keys():
        hint = did_you_mean(name, inputs[taken]) or "leave it out: the line brings all figures"
        message = f"`{name}` is no figure of the `{taken}` that `{part.name}` takes"
        part["inputs"][name].complain("unknown-name", message, hint, key=True)
    for key in ("limit", "permission"):
        if part.get(key):
            hint = f"take `{key}` or `takes` out"
            message = f"`{part.name}` is made with a line of `{taken}`, so it can have no `{key}`"
            part[key].complain("invalid-value", message, hint, key=True)


def _input(part: Part) -> RequestInput:
    kind = part.get("type")
    bounds = {name: _bound(part, name) for name in ("above", "at_least", "at_most")}
    values = tuple(item.value(kind) for item in part["one_of"].each()) if "one_of" in part else ()
    return RequestInput(
        part.name,
        kind,
        part.get("unit"),
        part.get("optional", False),
        part.get("key_of"),
        **bounds,
        one_of=values,
        place=part.key_place,
    )


def _bound(part: Part, name: str) -> Decimal | None:
    return part[name].number() if name in part else None


def _effects(part: Part, brought: Brought, inputs: Inputs) -> Iterator[Effect]:
    """The effects one by one; one that names the account and a line is two."""
    for item in part["effects"].each() if "effects" in part else ():
        if "account" in item:
            yield Effect(_sets(item["account"], ACCOUNT, inputs), place=item.place)
        if "set" in item:
            entity = _entity(item, brought, inputs)
            sets = _sets(item["set"], entity, inputs)
            if "add" in item and entity is not None:
                _check_whole(item, entity, sets, inputs)
            yield Effect(sets, item.get("line"), item.get("add"), item.place)


def _entity(part: Part, brought: Brought, inputs: Inputs) -> str | None:
    """The list of the line that an effect changes or adds; None and a problem if there is none."""
    if "add" in part:
        return _one_of(part["add"], inputs, "lists that this version reads")
    name = _declared(part["line"], brought)
    if name is None:
        return None
    entity = brought[name].key_of
    if entity is None:
        hint = f"add `key_of: assets` to `{name}`, or the list whose line it names"
        message = f"`{name}` does not say which list's lines it names"
        part["line"].complain("invalid-value", message, hint)
    return entity


def _check_whole(part: Part, entity: str, sets: Mapping[str, Expression], inputs: Inputs) -> None:
    """A line that is added has every figure that such a line needs."""
    for name, item in inputs[entity].items():
        if name not in part["set"] and not item.optional:
            hint = f"add `{name}: …`"
            message = f"the line added to `{entity}` has no `{name}`"
            part["set"].complain("missing-key", message, hint, key=True)


def _sets(part: Part, entity: str | None, inputs: Inputs) -> dict[str, Expression]:
    """What each figure becomes; only a figure that the version reads of a snapshot can be set."""
    made = {name: part.expression(name) for name in part.content}
    for name in made if entity is not None else ():
        known = inputs.get(str(entity), {})
        if name not in known:
            hint = did_you_mean(name, known) or f"declare it under `inputs: {entity}:`"
            message = f"`{name}` is not one of the inputs of `{entity}`"
            part[name].complain("unknown-name", message, hint, key=True)
    return {name: expression for name, expression in made.items() if expression is not None}


def _declared(part: Part, brought: Brought) -> str | None:
    return _one_of(part, brought, "inputs of the request")


def _one_of(part: Part, known: Mapping[str, Any], what: str) -> str | None:
    """The name written here, or None and a problem where it is not among those known."""
    name = str(part.content)
    if name in known:
        return name
    hint = did_you_mean(name, known) or "declare it under `inputs`"
    part.complain("unknown-name", f"`{name}` is not one of the {what}", hint)
    return None


def _limit(part: Part, brought: Brought) -> Limit | None:
    if "limit" not in part:
        return None
    limit = part["limit"]
    _declared(limit["input"], brought)
    step = limit["step"].number()
    if step <= 0:
        hint = "write the smallest difference that counts, such as 0.00000001"
        limit["step"].complain("invalid-value", "the step is not above 0", hint)
    return Limit(limit.get("input"), step)
