"""What a request brings: each figure read exactly, or refused with its place and a hint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.kinds import kind_slip
from policy_engine.language.values import Undetermined
from policy_engine.model import Request, RequestInput
from policy_engine.numbers import EXACT, Value, instant, number, plain, text_of, tidy
from policy_engine.snapshot_check import not_exact

_KINDS = {"number": "a number", "instant": "an instant"}
_TRUTHS = {"true": True, "false": False}


def of_line(
    request: Request, given: Mapping[str, Any], snapshot: Mapping[str, Any]
) -> tuple[Mapping[str, Any], int | None]:
    """What a request brings, and the position of the line it takes, which brings its figures.

    Raises SnapshotError for a line that is not there.
    """
    entity = request.takes
    if entity is None:
        return given, None
    if entity not in given:
        message = f"`{request.name}` is made with a line of `{entity}`"
        hint = f"name it by its position: `{entity}=0` for the first"
        raise SnapshotError([Problem("missing-key", message, hint, Place(pointer=entity))])
    lines, written = snapshot.get(entity) or (), str(given[entity])
    if not (written.isascii() and written.isdecimal() and int(written) < len(lines)):
        raise SnapshotError([_no_line(entity, written, snapshot)])
    line = lines[int(written)]
    others = {name: value for name, value in given.items() if name != entity}
    for name in others.keys() & request.inputs.keys():
        message, hint = f"`{name}` is that of the line", f"leave `{name}` out"
        raise SnapshotError([Problem("given-twice", message, hint, Place(pointer=name))])
    return {**{name: line.get(name) for name in request.inputs}, **others}, int(written)


def _no_line(entity: str, written: str, snapshot: Mapping[str, Any]) -> Problem:
    count = len(snapshot.get(entity) or ())
    hint = f"count from 0 to {count - 1}" if count else f"the account has no `{entity}`"
    if entity in snapshot and snapshot[entity] is None:
        hint = f"the account's `{entity}` are not known: give them"
    message = f"`{entity}` has no line {written}"
    return Problem("unknown-line", message, hint, Place(pointer=entity))


def brought(request: Request, given: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that a request brings, by name; undetermined where an optional one is absent.

    Numbers are texts in plain notation, ints or Decimals. Raises SnapshotError with everything
    that is wrong.
    """
    problems: list[Problem] = []
    values = dict(_values(request, given, problems))
    for name in given:
        if name not in request.inputs:
            problems.append(_unknown(name, request))
    if problems:
        raise SnapshotError(problems)
    return values


def _unknown(name: str, request: Request) -> Problem:
    known = ", ".join(f"`{item}`" for item in request.inputs) or "nothing"
    hint = did_you_mean(name, request.inputs) or f"it takes {known}"
    return Problem("unknown-key", f"`{request.name}` takes no `{name}`", hint, Place(pointer=name))


def _values(
    request: Request, given: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    for name, item in request.inputs.items():
        value = given.get(name)
        if value is not None:
            found = _value(item, value)
            if found is None:
                yield name, _taken(item, value)
                found = _out_of_bounds(item, _taken(item, value)) or _off_step(request, item, value)
            problems += [] if found is None else [found]
        elif item.optional:
            yield name, Undetermined([f"`{name}` is not given; hint: {name}=…"])
        else:
            message, hint = f"`{request.name}` needs `{name}`", f"give it: `{name}=…`"
            problems.append(Problem("missing-key", message, hint, Place(pointer=name)))


def _value(item: RequestInput, value: Any) -> Problem | None:
    """What keeps a value from being of the input's kind."""
    place = Place(pointer=item.name)
    if item.kind == "truth":
        known = isinstance(value, bool) or (isinstance(value, str) and value in _TRUTHS)
        message, hint = f"`{item.name}` is a truth", "write `true` or `false`"
        return None if known else Problem("wrong-type", message, hint, place)
    if item.kind == "text":
        message, hint = f"`{item.name}` is a text", "write it as text"
        return None if isinstance(value, str) else Problem("wrong-type", message, hint, place)
    if isinstance(value, float):
        return not_exact(value, item.name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        message, hint = f"`{item.name}` is {_KINDS[item.kind]}", "write it as text"
        return Problem("wrong-type", message, hint, place)
    slip = kind_slip("amount" if item.kind == "number" else "instant", value, {})
    return None if slip is None else Problem(*slip, place)


def _taken(item: RequestInput, value: Any) -> Value:
    if item.kind == "truth":
        return value if isinstance(value, bool) else _TRUTHS[value]
    if item.kind == "number":
        return tidy(number(value, percent=False) if isinstance(value, str) else Decimal(value))
    return instant(str(value)) if item.kind == "instant" else str(value)


def _out_of_bounds(item: RequestInput, value: Value) -> Problem | None:
    if item.one_of and value not in item.one_of:
        listed = ", ".join(str(text_of(one)) for one in item.one_of)
        message = f"`{item.name}` is one of {listed}, not `{text_of(value)}`"
        nearest = did_you_mean(str(text_of(value)), [str(text_of(one)) for one in item.one_of])
        hint = nearest or "give one of them"
        return Problem("invalid-value", message, hint, Place(pointer=item.name))
    if not isinstance(value, Decimal):
        return None
    for words, bound, holds in (
        ("above", item.above, Decimal.__gt__),
        ("at least", item.at_least, Decimal.__ge__),
        ("at most", item.at_most, Decimal.__le__),
    ):
        if bound is not None and not holds(value, bound):
            message = f"`{item.name}` is to be {words} {plain(bound)}, here is {plain(value)}"
            return Problem("invalid-value", message, "check the number", Place(pointer=item.name))
    return None


def _off_step(request: Request, item: RequestInput, value: Any) -> Problem | None:
    """A number between the steps on which the request can be asked."""
    limit = request.limit
    if limit is None or limit.input != item.name:
        return None
    amount = _taken(item, value)
    assert isinstance(amount, Decimal)
    below = EXACT.multiply(EXACT.divide_int(amount, limit.step), limit.step)
    if below == amount:
        return None
    message = f"`{item.name}` is no multiple of {plain(limit.step)}: {plain(amount)}"
    hint = f"the nearest one below is {plain(below)}"
    return Problem("invalid-value", message, hint, Place(pointer=item.name))
