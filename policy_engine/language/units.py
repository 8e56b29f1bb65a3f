"""The units reading: what kind and unit each step has. Dollars and coins cannot be added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from policy_engine.errors import Problem
from policy_engine.language.interpreter import Interpreter, Part, dotted
from policy_engine.language.plan import Figure, Gather, Plan
from policy_engine.language.syntax import Fault
from policy_engine.language.unit import Unit, moved, spelled, times, unit
from policy_engine.model import ACCOUNT, Formula, Input, NotKnown, Parameter
from policy_engine.numbers import UNLIMITED


class UnitFault(Fault):
    """A fault of units alone: figures of one kind, which decide, but mean different things."""


_TRUTH = Unit("truth")
_RATIO = Unit("number")
_ANY = Unit("number", None)


class UnitsReading:
    """Tells the unit of each step. Raises Fault where kinds differ, UnitFault where units do."""

    def __init__(self, plan: Plan, units: Mapping[str, Unit]) -> None:
        self.plan, self.units = plan, units

    def literal(self, value: Decimal | str) -> Unit:
        if isinstance(value, str):
            return Unit("text", symbol=f'"{value}"')
        return _ANY if value == 0 else _RATIO

    def name(self, name: str) -> Unit:
        if name in ("true", "false"):
            return _TRUTH
        return Unit("number", None, True) if name == "unlimited" else self.units[name]

    def arithmetic(self, sign: str, left: Unit, right: Unit) -> Unit:
        _want("number", f"`{sign}`", left, right)
        if left.unlimited or right.unlimited:
            raise UnitFault(
                "unit-mismatch",
                f"`{sign}` is used on a figure that may be unlimited",
                "compare it, take `min` or `max` of it, or choose with `if` before",
            )
        if sign in "*/":
            return Unit("number", times(left, right, 1 if sign == "*" else -1))
        return _same("`+` adds" if sign == "+" else "`-` takes away", left, right)

    def negative(self, operand: Unit) -> Unit:
        return self.arithmetic("-", _ANY, operand)

    def compare(self, sign: str, left: Unit, right: Unit) -> Unit:
        if left.kind != right.kind:
            hint = "figures of one kind can be compared"
            message = f"`{sign}` compares {_a(left.kind)} with {_a(right.kind)}"
            raise Fault("wrong-kind", message, hint)
        if left.kind in ("text", "truth") and sign not in ("==", "!="):
            hint = f"{left.kind}s are equal or not: compare them with `==` or `!=`"
            raise Fault("wrong-kind", f"`{sign}` does not compare {left.kind}s", hint)
        _same(f"`{sign}` compares", left, right)
        return _TRUTH

    def logic(self, word: str, operands: Sequence[Part[Unit]]) -> Unit:
        for part in operands:
            _wanted("truth", f"`{word}`", part)
        return _TRUTH

    def not_(self, operand: Unit) -> Unit:
        _want("truth", "`not`", operand)
        return _TRUTH

    def choose(self, test: Part[Unit], then: Part[Unit], otherwise: Part[Unit]) -> Unit:
        _wanted("truth", "`if`", test)
        a, b = then.read(), otherwise.read()
        if a.kind != b.kind:
            message = f"one branch is {_a(a.kind)}, the other {_a(b.kind)}"
            raise Fault("wrong-kind", message, "both branches of `if … else` are of one kind")
        return _same("the branches of `if … else` are", a, b)

    def call(self, function: str, arguments: Sequence[Part[Unit]]) -> Unit:
        if function in ("slices", "tier", "top"):
            return self._scale(function, arguments)
        if function == "at":
            return self._at(arguments)
        if function == "given":
            return _TRUTH
        if function in self.plan.scope.tables:
            return self._table(function, arguments)
        return _built_in(function, arguments)

    def _table(self, function: str, arguments: Sequence[Part[Unit]]) -> Unit:
        table = self.plan.scope.tables[function]
        pairs = zip(table.by, arguments, strict=True)
        units = [_wanted(kind, f"the key of `{function}`", part) for kind, part in pairs]
        powers = unit(table.unit, table.kind).powers
        key = next((f"coin of {u.symbol}" for u in units if u.symbol), "coin of key")
        values = (row.value for row in (*table.rows, table.otherwise))
        unlimited = any(value == UNLIMITED for value in values if not isinstance(value, NotKnown))
        return Unit(table.kind, moved(powers, "coin of key", key), unlimited)

    def _scale(self, function: str, arguments: Sequence[Part[Unit]]) -> Unit:
        name, _, column = dotted(arguments[0].node).partition(".")
        scale = self.plan.scope.scales[name]
        rest = list(arguments[1:])
        if scale.by:
            _wanted(scale.by, f"the key of `{name}`", rest.pop(0))
        given, rate = unit(scale.unit_in), unit(dict(scale.columns)[column])
        if function == "top":
            return given
        for part, what, its in zip(rest, ("edges", "rates"), (given, rate), strict=False):
            found = _wanted("number", f"`{function}`", part)
            _fits(found, its, f"the {what} of `{name}`", part)
        return Unit("number", times(given, rate, 1)) if function == "slices" else rate

    def _at(self, arguments: Sequence[Part[Unit]]) -> Unit:
        entity, column = dotted(arguments[0].node), dotted(arguments[2].node)
        key_name = self.plan.scope.key(entity) or ""
        own = self.units[f"{entity}.{key_name}"]
        key = _wanted(own.kind, f"the key of `{entity}`", arguments[1])
        there = self.units[column]
        powers = moved(there.powers, f"coin of {key_name}", f"coin of {key.symbol or '?'}")
        symbol = key.symbol if there.symbol == key_name else there.symbol
        return replace(there, powers=powers, symbol=symbol)


def _built_in(function: str, arguments: Sequence[Part[Unit]]) -> Unit:
    kind = "instant" if function == "clock_hours" else "number"
    units = [_wanted(kind, f"`{function}`", part) for part in arguments]
    if function == "clock_hours":
        return unit("hours")
    joined = _same(f"`{function}` takes", *units)
    if function == "min" and not all(one.unlimited for one in units):
        return replace(joined, unlimited=False)
    return joined


def _want(kind: str, what: str, *units: Unit) -> None:
    for one in units:
        if one.kind != kind:
            hint = _MEND.get((kind, one.kind), f"name a figure that is {_a(kind)}")
            raise Fault("wrong-kind", f"{what} takes {_a(kind)}, here is {_a(one.kind)}", hint)


_MEND = {
    ("truth", "number"): "compare it, as in `figure > 0`",
    ("truth", "text"): 'compare it, as in `figure == "text"`',
    ("truth", "instant"): "compare it with another instant",
    ("number", "truth"): "choose with it: `1 if truth else 0`",
}


def _wanted(kind: str, what: str, part: Part[Unit]) -> Unit:
    """The unit of a part that must be of a kind."""
    found = part.read()
    try:
        _want(kind, what, found)
    except Fault as fault:
        raise fault.at(part.node) from None
    return found


def _fits(found: Unit, its: Unit, what: str, part: Part[Unit]) -> None:
    """Raise UnitFault for a part whose unit is not that of what it is measured by."""
    if None not in (found.powers, its.powers) and found.powers != its.powers:
        hint = f"give it a figure in {its}"
        fault = UnitFault("unit-mismatch", f"{what} are in {its}, here is {found}", hint)
        raise fault.at(part.node)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _same(what: str, *units: Unit) -> Unit:
    """The common unit of figures that are added, compared or chosen between."""
    known = [one for one in units if one.powers is not None]
    for other in known[1:]:
        if other.powers != known[0].powers:
            raise UnitFault(
                "unit-mismatch",
                f"{what} different units, {known[0]} and {other}",
                "bring both to one unit, as a price does when it is multiplied by",
            )
    symbols = {one.symbol for one in units}
    joined = known[0] if known else units[0]
    return Unit(
        joined.kind,
        joined.powers,
        any(one.unlimited for one in units),
        symbols.pop() if len(symbols) == 1 else None,
    )


# --- a whole plan ------------------------------------------------------------------------------


def kind_problems(plan: Plan) -> Iterator[Problem]:
    """Where a plan mixes numbers, texts, truths and instants: such rules cannot decide."""
    return (problem for problem in unit_problems(plan) if problem.code == "wrong-kind")


def unit_problems(plan: Plan) -> Iterator[Problem]:
    """Everything wrong with the kinds and units of a plan's figures."""
    units = dict(_declared(plan))
    for figure in plan.figures():
        declared = _declared_figure(figure)
        try:
            found = _read(figure, plan, units)
            if declared is not None:
                _check_declared(found, declared)
        except Fault as fault:
            yield figure.expression.problem(fault.at(figure.expression.tree))
            found = declared or _ANY
        unlimited = found.unlimited
        units[figure.name] = replace(declared, unlimited=unlimited) if declared else found


def _read(figure: Figure, plan: Plan, units: Mapping[str, Unit]) -> Unit:
    interpreter = Interpreter(UnitsReading(plan, units))
    if not isinstance(figure, Gather):
        return interpreter.read(figure.tree)
    try:
        empty = None if figure.empty is None else interpreter.read(figure.empty)
        return _gathered(figure, plan, units[figure.column], empty)
    except Fault as fault:
        raise fault.at(figure.node) from None


def _gathered(gather: Gather, plan: Plan, column: Unit, empty: Unit | None) -> Unit:
    kind = "truth" if gather.function in ("count", "any", "all") else "number"
    _want(kind, f"`{gather.function}`", column)
    if kind == "truth":
        return _RATIO if gather.function == "count" else _TRUTH
    own = {f"coin of {item.name}" for item in plan.inputs[gather.over]}
    if any(base in own for base, _ in column.powers or ()):
        raise UnitFault(
            "unit-mismatch",
            f"`{gather.function}` brings together different units: "
            f"{spelled(column.powers)} is another one in each line",
            "multiply each line by its price first",
        )
    if gather.function == "sum" and column.unlimited:
        hint = "take `min` of each line's figure and a number first"
        raise UnitFault("unit-mismatch", "`sum` is used on figures that may be unlimited", hint)
    return column if empty is None else _same(f"`{gather.function}` takes", column, empty)


def _declared(plan: Plan) -> Iterator[tuple[str, Unit]]:
    for parameter in plan.scope.parameters.values():
        yield parameter.name, _of_parameter(parameter)
    for entity, inputs in plan.inputs.items():
        for item in inputs:
            name = item.name if entity == ACCOUNT else f"{entity}.{item.name}"
            yield name, _of_input(item)


def _of_parameter(parameter: Parameter) -> Unit:
    declared = unit(parameter.unit, parameter.kind)
    value = parameter.value
    unlimited = not isinstance(value, NotKnown) and value == UNLIMITED
    return replace(declared, unlimited=unlimited)


def _of_input(item: Input) -> Unit:
    declared = unit(item.unit, item.kind)
    return replace(declared, symbol=item.name) if item.kind == "text" else declared


def _declared_figure(figure: Figure) -> Unit | None:
    provision = figure.provision
    if provision is None:
        return None
    if isinstance(provision, Formula):
        return unit(provision.unit, provision.kind)
    return _TRUTH


def _check_declared(found: Unit, declared: Unit) -> None:
    if found.kind != declared.kind:
        otherwise = "correct the formula, or what it is said to give"
        hint = _MEND.get((declared.kind, found.kind), otherwise)
        message = f"the formula gives {_a(found.kind)}, not {_a(declared.kind)}"
        raise Fault("wrong-kind", message, hint)
    if None not in (found.powers, declared.powers) and found.powers != declared.powers:
        raise UnitFault(
            "unit-mismatch",
            f"the formula gives {found}, its `unit` says {declared}",
            _other_unit(found),
        )


def _other_unit(found: Unit) -> str:
    """A hint that offers the formula's own unit, if a rule file can write it."""
    if unit(str(found)).powers != found.powers:
        return "correct the formula: that is no unit of anything"
    return f"correct the formula, or write `unit: {found}`"
