"""The careful way to read a snapshot: what is wrong with it, in words, with the place of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from policy_engine.document.text import MOST_DEPTH, MOST_VALUES
from policy_engine.errors import Place, Problem
from policy_engine.fields import shape
from policy_engine.numbers import (
    DIGITS_BEFORE_POINT,
    MOST_NUMBER_CHARACTERS,
    BadNumber,
    number,
    plain,
    within_digits,
)

Extra = Mapping[str, frozenset[str]]
_LINE_DEPTH = 3
"""Where the figures of a list's lines are: of these there may be as many as there are."""
_TOO_LARGE = 10**MOST_NUMBER_CHARACTERS
"""Whole numbers from here on are not even shown: that alone would take long."""


def checked(snapshot: Any, extra: Extra) -> tuple[Any, list[Problem]]:
    """The snapshot with every number as plain text, and every problem found.

    `extra` names fields that the rules declare beyond the schema, for the account and each list.
    """
    from policy_engine.schema import problems as schema_problems  # slow to import, seldom needed

    problems = _size_problems(snapshot)
    if problems:
        return None, problems
    sound = _without_zeros(_sound(snapshot, "", problems))
    told = {problem.place.pointer for problem in problems}
    found = schema_problems(_without(sound, extra), "snapshot")
    problems += [problem for problem in found if problem.place.pointer not in told]
    return as_texts(sound), problems


def _size_problems(snapshot: Any) -> list[Problem]:
    """The problem that values are nested too deep or too often, as in a list that holds itself.

    Level by level: parts that are met many times over grow faster than any list that is written.
    """
    level = [snapshot]
    for depth in range(MOST_DEPTH + 1):
        if depth > _LINE_DEPTH and len(level) > MOST_VALUES:
            message = f"the snapshot has more than {MOST_VALUES:,} values inside one another"
            return [Problem("too-large", message, "write it flatter")]
        most = MOST_VALUES + 1 if depth >= _LINE_DEPTH else None
        level = list(islice(chain.from_iterable(map(_inside, level)), most))
        if not level:
            return []
    message = f"values are nested more than {MOST_DEPTH} deep"
    return [Problem("too-deep", message, "write it flatter")]


def _inside(value: Any) -> Collection[Any]:
    """The values that a mapping or list holds; none of anything else."""
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def _sound(value: Any, at: str, problems: list[Problem]) -> Any:
    """A copy in plain mappings and lists; what is no exact figure is noted and replaced by 1."""
    if isinstance(value, Mapping):
        return {
            _key(key, at, problems): _sound(item, _join(at, key), problems)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_sound(item, f"{at}[{n}]", problems) for n, item in enumerate(value)]
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int) and abs(value) < _TOO_LARGE:
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return value
    problems.append(not_exact(value, at))
    return 1


def _without_zeros(snapshot: Any) -> Any:
    """The same with whole numbers and numbered choices as `3`, whatever zeros follow a point."""
    if not isinstance(snapshot, dict):
        return snapshot
    return {name: _shortest(name, value) for name, value in snapshot.items()}


def _shortest(name: str, value: Any) -> Any:
    field = shape().account.get(name)
    digits = field is not None and any(choice.isdigit() for choice in field.choices or ())
    counted = field is not None and (field.kind == "whole" or digits)
    try:
        return plain(number(value, percent=False)) if counted and isinstance(value, str) else value
    except BadNumber:
        return value


def _key(key: Any, at: str, problems: list[Problem]) -> str:
    if not isinstance(key, str):
        message, hint = "a key here is not text", "write every key as text"
        problems.append(Problem("unknown-key", message, hint, Place(pointer=at)))
    return str(key)


def _join(at: str, key: Any) -> str:
    return f"{at}.{key}" if at else str(key)


def not_exact(value: Any, at: str) -> Problem:
    place = Place(pointer=at)
    if isinstance(value, int):
        message = f"the number has more than {DIGITS_BEFORE_POINT} digits before the point"
        hint = "check the number: nothing that large is taken"
        return Problem("bad-number", message, hint, place)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        message = f"`{value}` is a binary fraction, which may not be the number that was meant"
        return Problem("float", message, f'pass it as text: "{value}", or as a Decimal', place)
    if isinstance(value, (float, Decimal)):
        hint = "only finite numbers can be used; leave an unknown figure out"
        return Problem("bad-number", "this is not a number", hint, place)
    return Problem("wrong-type", "this is neither text nor a number", None, place)


def _without(value: Any, extra: Extra) -> Any:
    """The snapshot without the fields that only the rules know."""
    if not isinstance(value, dict):
        return value
    kept = {name: item for name, item in value.items() if name not in extra.get("account", ())}
    for entity, names in extra.items():
        if names and isinstance(kept.get(entity), list):
            kept[entity] = [_line_without(line, names) for line in kept[entity]]
    return kept


def _line_without(line: Any, names: frozenset[str]) -> Any:
    if not isinstance(line, dict):
        return line
    return {name: item for name, item in line.items() if name not in names}


def as_texts(value: Any) -> Any:
    """A snapshot, or a part of one, with its numbers as text."""
    if isinstance(value, Mapping):
        return {key: as_texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_texts(item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _text(Decimal(value))
    return value


def figures_as_texts(snapshot: Any, numeric: Extra) -> Any:
    """A snapshot with the numbers of its numeric fields as text; all else as it is.

    `numeric` are the names of those fields, of the account and of the lines of each list.
    """
    if snapshot.__class__ is not dict:
        return snapshot
    changed = _figures(snapshot, numeric["account"])
    for entity in numeric.keys() & snapshot.keys():
        lines = snapshot[entity]
        if lines.__class__ is list:
            changed[entity] = [_figures(line, numeric[entity]) for line in lines]
    return changed


def _figures(held: Any, names: Collection[str]) -> Any:
    if held.__class__ is not dict:
        return held
    return {name: _figure(value) if name in names else value for name, value in held.items()}


def _figure(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _figure(item) for key, item in value.items()}
    number = value.__class__ is int or (value.__class__ is Decimal and value.is_finite())
    return _text(Decimal(value)) if number else value


def _text(value: Decimal) -> str:
    try:
        return plain(within_digits(value, ""))
    except BadNumber:
        return ""
