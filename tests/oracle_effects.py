"""The account that a request leads to: a copy of its snapshot in which figures are changed."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from fractions import Fraction
from typing import Any, NamedTuple, cast

from oracle_figures import Provision
from oracle_language import Place, evaluate, key_field, parsed
from oracle_values import Unknown, Value


class Nowhere(NamedTuple):
    """Why a request leads to no account: these amounts would be below 0."""

    reasons: tuple[str, ...]


Effects = Mapping[str, Any] | Nowhere | Unknown
STANDS_FOR_ORDERS = "open_order_loss"
"""A total that the exchange tells instead of the orders; it does not hold of one more of them."""


REQUIRED = ("free", "locked", "borrowed", "interest")
"""The amounts that every line of an asset has, whether or not the rules that apply read them."""


class Change(NamedTuple):
    """What is set: on the account, on the line of a list with a key, or on a new line of it."""

    values: dict[str, Value]
    entity: str = "account"
    key: Value | None = None


def changed(
    snapshot: Mapping[str, Any],
    effects: Iterable[Provision],
    place: Place,
    named: Mapping[str, str],
) -> Effects:
    """The snapshot after all effects at once; or why there is none, or that it cannot be told.

    `named` are the inputs of the request that name a line, with its list.
    """
    changes = [change for effect in effects for change in worked_out(effect, place, named)]
    if short := [name for change in changes for name in below_zero(change, place)]:
        return Nowhere(tuple(short))
    unknown = [value for change in changes for value in change.values.values()]
    reasons = [value.reasons for value in unknown if isinstance(value, Unknown)]
    if reasons:
        return Unknown(frozenset[str]().union(*reasons))
    after: dict[str, Any] = deepcopy(dict(snapshot))
    for change in changes:
        apply(after, change, place)
    return after


def worked_out(effect: Provision, place: Place, named: Mapping[str, str]) -> Iterator[Change]:
    """The changes of an effect: on the account, on a list or on a line."""
    if "account" in effect:
        yield Change(values(effect["account"], place))
    if "add" in effect:
        yield Change(values(effect["set"], place), effect["add"])
    if "line" in effect:
        entity, key = named[effect["line"]], place.read(effect["line"])
        field = key_field(place.world.rules, entity)
        lines = place.world.lines[entity] or []
        index = [line[field] for line in lines].index(key)
        yield Change(values(effect["set"], place.at(entity, index)), entity, key)


def values(formulas: Mapping[str, str], place: Place) -> dict[str, Value]:
    """The value of each formula."""
    return {name: evaluate(parsed(text), place) for name, text in formulas.items()}


def below_zero(change: Change, place: Place) -> list[str]:
    """The amounts of a line that would be below 0; prices and rates are none."""
    inputs = place.world.rules.inputs[change.entity]
    return [
        name
        for name, value in change.values.items()
        if change.entity != "account"
        and isinstance(value, Fraction)
        and "role" not in inputs[name]
        and value < 0
    ]


def apply(after: dict[str, Any], change: Change, place: Place) -> None:
    """Make the change in the snapshot."""
    if change.entity == "account":
        for name, value in change.values.items():
            path = place.world.rules.inputs["account"][name].get("from", name)
            put(after, path.split("."), value)
    elif change.key is None:
        add(after, change)
    else:
        line_of(after, change, place).update(change.values)


def put(facts: dict[str, Any], path: list[str], value: Value) -> None:
    """Set the fact at the path, making what leads there."""
    *way, last = path
    for step in way:
        facts[step] = dict(facts.get(step) or {})
        facts = facts[step]
    facts[last] = value


def add(after: dict[str, Any], change: Change) -> None:
    """Add a line to a list; to one that is not known it changes nothing."""
    entity = change.entity
    if entity == "orders" and after.pop(STANDS_FOR_ORDERS, None) is not None:
        after[entity] = None
    if after.get(entity, []) is not None:
        after[entity] = [*after.get(entity, ()), dict(change.values)]


def line_of(after: dict[str, Any], change: Change, place: Place) -> dict[str, Any]:
    """The line with the key; a new one, with 0 of everything, where there is only a price."""
    field = key_field(place.world.rules, change.entity)
    lines = cast(list[dict[str, Any]], after.setdefault(change.entity, []))
    for line in lines:
        if line[field] == change.key:
            return line
    inputs = place.world.rules.inputs[change.entity].items()
    amounts = [*REQUIRED, *(name for name, said in inputs if said["type"] == "number")]
    new: dict[str, Any] = dict.fromkeys(amounts, Fraction(0))
    new |= {n: after["prices"][change.key] for n, said in inputs if said.get("role") == "price"}
    lines.append(new | {field: change.key})
    return lines[-1]
