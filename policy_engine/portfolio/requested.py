"""Requests that are told as permissions, over columns.

A request that sets some of the account's settings to fixed values leaves all its lines as they
are: what it asks for `after` it is the other plan's figures over the same columns. Any other
request is left to the rules, account by account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from policy_engine.asking import Asking
from policy_engine.columns.columns import constant
from policy_engine.columns.numbers import UNKNOWN
from policy_engine.columns.reading import as_truth
from policy_engine.columns.run import Placed, Prepared, prepared
from policy_engine.columns.texts import marked_doubtful
from policy_engine.columns.truths import ANYTHING, Truth, negated
from policy_engine.errors import SnapshotError
from policy_engine.fields import Odd
from policy_engine.language.asked import after_name, input_name, line_name
from policy_engine.language.plan import Step, only
from policy_engine.language.values import Undetermined, is_undetermined
from policy_engine.model import ACCOUNT, LISTS
from policy_engine.numbers import exactly, text_of
from policy_engine.policy import Compiled
from policy_engine.portfolio.given import Reading
from policy_engine.portfolio.rulings import Choice, Ruling, any_of
from policy_engine.snapshot import Reader

_NOT_GIVEN = Undetermined(["this is not given"])
Source = tuple[str, ...]


@dataclass(frozen=True)
class After:
    """The rules that apply to the changed account, its settings that change, and its figures."""

    compiled: Compiled
    reader: Reader
    prepared: Prepared
    placed: Mapping[str, Placed]


@dataclass(frozen=True)
class Option:
    """A request with one combination of the values it can be asked with.

    `after` is None where no rules apply to the changed account.
    """

    name: str
    given: Mapping[str, Placed]
    after: After | None


@dataclass(frozen=True)
class Request:
    """A request as columns tell it; without `options` it is left to the rules."""

    asking: Asking
    refusals: Prepared
    options: tuple[Option, ...]


def told(ruling: Ruling, name: str, readings: Callable[[Reader], Reading]) -> Truth:
    """Where a request is permitted with any of the values it can be asked with."""
    choice = ruling.choice
    if name not in choice.requests:
        choice.requests[name] = _request(choice, name)
    request: Request = choice.requests[name]
    if not request.options:
        return Truth(np.full(1, ANYTHING, dtype=np.uint8))
    return any_of([_permitted(ruling, request, option, readings) for option in request.options])


def _permitted(
    ruling: Ruling, request: Request, option: Option, readings: Callable[[Reader], Reading]
) -> Truth:
    placed, after = dict(option.given), option.after
    reading = None if after is None else readings(after.reader)
    later = None
    if after is not None and reading is not None:
        later = after.prepared.figures(reading.given, after.placed)
    for figure in request.asking.asked.after:
        known = after is not None and figure in after.compiled.layout.values
        column = later(figure) if later is not None and known else UNKNOWN
        placed[after_name(figure)] = Placed((option.name, figure), column)
    found = request.refusals.figures(ruling.reading.given, placed)
    held = [as_truth(found(name)) for name in request.asking.asked.refusals]
    closed = [negated(ruling.permission(name)) for name in request.asking.request.requires]
    made = negated(any_of([*held, *closed]))
    return made if reading is None else marked_doubtful(made, reading.odd)


# --- made once ---------------------------------------------------------------------------------


def _request(choice: Choice, name: str) -> Request:
    asking = choice.rules.asking(choice.sample, name)
    assert asking is not None
    wanted = set(asking.asked.refusals)
    refusals = prepared(asking.plan, choice.compiled.lookups, wanted, choice.answers)
    fixed = _sets_fixed_settings(asking)
    options = [_option(choice, asking, given) for given in _choices(asking)] if fixed else [None]
    whole = tuple(option for option in options if option is not None)
    return Request(asking, refusals, whole if len(whole) == len(options) else ())


def _choices(asking: Asking) -> Iterator[Mapping[str, Any]]:
    """Every combination of the values that the inputs of a request may have."""
    inputs = asking.request.inputs
    lists = [item.one_of or (_NOT_GIVEN,) for item in inputs.values()]
    return (dict(zip(inputs, values, strict=True)) for values in product(*lists))


def _sets_fixed_settings(asking: Asking) -> bool:
    """Whether all that a request sets are settings, from what it brings and the rules say."""
    effects = asking.request.effects
    if any(effect.line is not None or effect.add is not None for effect in effects):
        return False
    inputs = asking.request.inputs
    known = {*asking.plan.scope.parameters, *map(input_name, inputs), *map(line_name, inputs)}
    for figure in only(asking.plan, _set_figures(asking)).figures():
        if not isinstance(figure, Step) or figure.entity != ACCOUNT or figure.looks:
            return False
        if not known.issuperset(figure.reads):
            return False
        known.add(figure.name)
    return True


def _set_figures(asking: Asking) -> set[str]:
    return {name for one in asking.asked.sets for name in one.values()}


def _option(choice: Choice, asking: Asking, given: Mapping[str, Any]) -> Option | None:
    """A request with some values; None where the account that follows must be looked at."""
    inputs = [_NOT_GIVEN] * len(choice.compiled.plan.inputs[ACCOUNT])
    made, _ = exactly(asking.set_values, inputs, [() for _ in LISTS], given)
    own = choice.compiled.plan.scope.inputs[ACCOUNT]
    sets = {own[n].source: made[f] for one in asking.asked.sets for n, f in one.items()}
    if any(is_undetermined(value) for value in sets.values()):
        return None
    name = repr((asking.request.name, sorted((n, str(v)) for n, v in given.items())))
    brought = {
        spelled(item): Placed((name, item), constant(value))
        for item, value in given.items()
        for spelled in (input_name, line_name)
    }
    sample = _changed(choice.sample, sets)
    try:
        compiled, reader = choice.rules.choice(sample)
    except SnapshotError:
        return Option(name, brought, None)
    if not all(_takes(reader, sample, source) for source in sets):
        return None
    return Option(name, brought, _after(choice, asking, compiled, reader, sets, name))


def _after(
    choice: Choice,
    asking: Asking,
    compiled: Compiled,
    reader: Reader,
    sets: Mapping[Source, Any],
    name: str,
) -> After:
    placed = {
        item.name: Placed((name, item.source), constant(sets[item.source]))
        for item in compiled.plan.inputs[ACCOUNT]
        if item.source in sets
    }
    wanted = {figure for figure in asking.asked.after if figure in compiled.layout.values}
    made = prepared(compiled.plan, compiled.lookups, wanted, choice.answers)
    return After(compiled, reader, made, placed)


def _changed(sample: Mapping[str, Any], sets: Mapping[Source, Any]) -> dict[str, Any]:
    changed = dict(sample)
    for source, value in sets.items():
        held = changed
        for step in source[:-1]:
            held[step] = dict(held.get(step) or {})
            held = held[step]
        held[source[-1]] = text_of(value)
    return changed


def _takes(reader: Reader, sample: Mapping[str, Any], source: Source) -> bool:
    """Whether a snapshot could say what is set."""
    if source[0] not in reader.fields:
        return False
    try:
        reader.fields[source[0]].take(sample[source[0]])
    except (Odd, KeyError, TypeError, ValueError, AttributeError):
        return False
    return True
