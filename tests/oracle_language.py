"""A second meaning of the formula language: Python's tree, walked over fractions."""

import ast
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, cast

from oracle_figures import Rules, World, look_up, parameter, slices, tier, tiers_of
from oracle_values import UNLIMITED, Unknown, Value, exact, kind_of, lost

CONSTANTS: dict[str, Value] = {"true": True, "false": False, "unlimited": UNLIMITED}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the account, or one line of a list."""

    world: World
    entity: str = "account"
    index: int = 0

    def own(self, name: str) -> Value | None:
        """The value of one of this place's own inputs or formulas; None if it has no such name."""
        rules = self.world.rules
        if name in rules.inputs.get(self.entity, {}):
            return self.input(name)
        if name in rules.formulas.get(self.entity, {}):
            return self.formula(name)
        return None

    def input(self, name: str) -> Value:
        """The input of the line, unknown if it is not given."""
        lines = self.world.lines[self.entity] or []
        if name in lines[self.index]:
            return lines[self.index][name]
        return self.world.unknown("input not given", f"{name} is not given")

    def formula(self, name: str) -> Value:
        """The formula's value on this line, worked out once; it sees what an account holds only."""
        spot = (self.entity, self.index, name)
        if spot not in self.world.memo:
            text = self.world.rules.formulas[self.entity][name]["expression"]
            place = Place(self.world, self.entity, self.index)
            self.world.memo[spot] = evaluate(parsed(text), place)
        return self.world.memo[spot]

    def at(self, entity: str, index: int = 0) -> "Place":
        """The place of a line, or of the account, as seen from here."""
        return replace(self, entity=entity, index=index)

    def read(self, name: str) -> Value:
        """What a bare name means here: the line's own names come before the account's."""
        if name in CONSTANTS:
            return CONSTANTS[name]
        own = self.own(name) if self.entity != "account" else None
        for value in (own, self.asked(name)):
            if value is not None:
                return value
        value = Place(self.world).own(name)
        return parameter(self.world, name) if value is None else value

    def asked(self, _name: str) -> Value | None:
        """What is asked for by that name; nothing is asked of an account as it stands."""
        return None

    def has(self, name: str) -> bool:
        """Whether an optional input is there."""
        here = name in self.world.rules.inputs.get(self.entity, {})
        lines = self.world.lines[self.entity if here else "account"] or []
        return name in lines[self.index if here else 0]

    def afterwards(self, name: str) -> Value:
        """What an account figure would be after what is asked for."""
        raise TypeError(f"nothing is asked for, so {name} has no afterwards")


@cache
def parsed(text: str) -> ast.expr:
    """The tree of a formula."""
    return ast.parse(f"({text.strip()}\n)", mode="eval").body


def evaluate(node: ast.expr, place: Place) -> Value:
    """The value of the expression at the place."""
    return MEANINGS[type(node)](node, place)


def constant(node: ast.Constant, _place: Place) -> Value:
    return node.value if isinstance(node.value, str) else Fraction(str(node.value))


def name(node: ast.Name, place: Place) -> Value:
    return place.read(node.id)


def arithmetic(node: ast.BinOp, place: Place) -> Value:
    sides = [evaluate(node.left, place), evaluate(node.right, place)]
    missing = lost(sides)
    if missing is not None:
        return missing
    left, right = map(exact, sides)
    if isinstance(node.op, ast.Div):
        return left / right if right else place.world.unknown("division by zero", "division by 0")
    return ARITHMETIC[type(node.op)](left, right)


def unary(node: ast.UnaryOp, place: Place) -> Value:
    value = evaluate(node.operand, place)
    if isinstance(value, Unknown):
        return value
    return not value if isinstance(node.op, ast.Not) else -exact(value)


def compare(node: ast.Compare, place: Place) -> Value:
    sides = [evaluate(node.left, place), evaluate(node.comparators[0], place)]
    missing = lost(sides)
    if missing is not None:
        return missing
    kinds = {kind_of(side) for side in sides}
    if len(kinds) > 1 or len(node.ops) > 1:
        raise TypeError(f"no comparison of {kinds}: {ast.unparse(node)}")
    place.world.watch(f"compare {kinds.pop()}")
    return bool(COMPARISONS[type(node.ops[0])](*sides))


def junction(node: ast.BoolOp, place: Place) -> Value:
    deciding = isinstance(node.op, ast.Or)
    met: list[Value] = []
    for operand in node.values:
        met.append(evaluate(operand, place))
        if met[-1] is deciding:
            return deciding
    missing = lost(met)
    return not deciding if missing is None else missing


def choose(node: ast.IfExp, place: Place) -> Value:
    test = evaluate(node.test, place)
    if isinstance(test, Unknown):
        return test
    return evaluate(node.body if test is True else node.orelse, place)


def call(node: ast.Call, place: Place) -> Value:
    function = cast(ast.Name, node.func).id
    if function in FORMS:
        return FORMS[function](function, node.args, place)
    values = [evaluate(argument, place) for argument in node.args]
    missing = lost(values)
    if missing is not None:
        return missing
    if function in BUILT_IN:
        return BUILT_IN[function](place.world, *values)
    return look_up(place.world, function, values)


def given(_form: str, arguments: list[ast.expr], place: Place) -> Value:
    return place.has(cast(ast.Name, arguments[0]).id)


def after(_form: str, arguments: list[ast.expr], place: Place) -> Value:
    return place.afterwards(cast(ast.Name, arguments[0]).id)


def at(_form: str, arguments: list[ast.expr], place: Place) -> Value:
    entity = cast(ast.Name, arguments[0]).id
    key = evaluate(arguments[1], place)
    lines = place.world.lines[entity]
    if isinstance(key, Unknown):
        return key
    if lines is None:
        return place.world.unknown("list unknown", f"the {entity} are not known")
    field = key_field(place.world.rules, entity)
    for index, line in enumerate(lines):
        if line[field] == key:
            return evaluate(arguments[2], place.at(entity, index))
    return place.world.unknown("no such line", f"no line {key} among the {entity}")


def key_field(rules: Rules, entity: str) -> str:
    """The input that is the key of the entity's lines; empty if they have none."""
    inputs = rules.inputs.get(entity, {})
    return next((name for name, said in inputs.items() if said.get("key") == "true"), "")


def aggregate(form: str, arguments: list[ast.expr], place: Place) -> Value:
    entity = cast(ast.Name, arguments[0]).id
    lines = place.world.lines[entity]
    if lines is None:
        return place.world.unknown("list unknown", f"the {entity} are not known")
    places = [place.at(entity, index) for index in range(len(lines))]
    values = [evaluate(arguments[1], line) for line in places]
    missing = lost(values)
    if form in ("any", "all"):
        return kleene(values, missing, form == "any")
    if missing is not None:
        return missing
    if not values and form in ("largest", "smallest"):
        return evaluate(arguments[2], place.at("account"))
    return AGGREGATES[form](values)


def kleene(values: Sequence[Value], missing: Unknown | None, deciding: bool) -> Value:
    """The deciding truth if a value is it; else unknown if one is; else its opposite."""
    if any(value is deciding for value in values):
        return deciding
    return not deciding if missing is None else missing


def scale_call(form: str, arguments: list[ast.expr], place: Place) -> Value:
    scale, column = scale_name(arguments[0])
    values = [evaluate(argument, place) for argument in arguments[1:]]
    missing = lost(values)
    if missing is not None:
        return missing
    keyed = 1 if "by" in place.world.rules.scales[scale] else 0
    tiers = tiers_of(place.world, scale, "to" if form == "top" else column, values[:keyed])
    if isinstance(tiers, Unknown):
        return tiers
    if form == "top":
        return tiers.edges[-1]
    return (slices if form == "slices" else tier)(place.world, tiers, *values[keyed:])


def scale_name(node: ast.expr) -> tuple[str, str]:
    """The scale and the column that the first argument names."""
    if isinstance(node, ast.Attribute):
        return cast(ast.Name, node.value).id, node.attr
    return cast(ast.Name, node).id, "rate"


def stepped(whole: Callable[[Fraction], int]) -> Callable[[World, Value, Value], Value]:
    """A rounding function, given how it picks a whole number."""

    def rounding(world: World, x: Value, step: Value) -> Value:
        if exact(step) <= 0:
            return world.unknown("step not above 0", "the step is not above 0")
        return whole(exact(x) / exact(step)) * exact(step)

    return rounding


def half_away(x: Fraction) -> int:
    """The nearest whole number; a tie goes away from zero."""
    nearest = math.floor(abs(x) + Fraction(1, 2))
    return nearest if x >= 0 else -nearest


def clock_hours(world: World, start: datetime, end: datetime) -> Value:
    if end < start:
        return world.unknown("clock order", "the end is before the start")
    hour = timedelta(hours=1)
    return Fraction((end - EPOCH) // hour - (start - EPOCH) // hour + 1)


MEANINGS: dict[type[ast.expr], Callable[[Any, Place], Value]] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.BinOp: arithmetic,
    ast.UnaryOp: unary,
    ast.Compare: compare,
    ast.BoolOp: junction,
    ast.IfExp: choose,
    ast.Call: call,
}
ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
AGGREGATES: dict[str, Callable[[Any], Value]] = {
    "sum": lambda values: sum(map(exact, values), Fraction(0)),
    "count": lambda values: Fraction(sum(values)),
    "any": any,
    "all": all,
    "largest": max,
    "smallest": min,
}
FORMS: dict[str, Callable[[str, list[ast.expr], Place], Value]] = {
    "given": given,
    "after": after,
    "at": at,
    **dict.fromkeys(AGGREGATES, aggregate),
    **dict.fromkeys(("slices", "tier", "top"), scale_call),
}
BUILT_IN: dict[str, Callable[..., Value]] = {
    "min": lambda _world, *values: min(values),
    "max": lambda _world, *values: max(values),
    "abs": lambda _world, x: abs(exact(x)),
    "round_up": stepped(math.ceil),
    "round_down": stepped(math.floor),
    "round_half_up": stepped(half_away),
    "clock_hours": clock_hours,
}
