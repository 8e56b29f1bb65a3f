"""The units reading: what kind and unit each step has. Dollars and coins cannot be added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from policy_engine.errors import Problem
from policy_engine.language.interpreter import Interpreter, Part, dotted
from policy_engine.language.plan import Figure, Gather, Plan
from policy_engine.language.syntax import Fault
from policy_engine.model import ACCOUNT, Formula, Input, NotKnown, Parameter
from policy_engine.numbers import UNLIMITED

Powers = tuple[tuple[str, int], ...]
"""A unit as its bases and their powers, sorted: `USDT / coin of BTC` is coin -1, USDT 1."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The kind of a figure (number, text, truth, instant) and, of a number, its unit.

    `powers` None is a number of any unit: 0, `unlimited`. `unlimited` tells that the figure may be
    it; `symbol` is the text that a figure stands for when it names a coin.
    """

    kind: str
    powers: Powers | None = ()
    unlimited: bool = False
    symbol: str | None = None

    def __str__(self) -> str:
        return _spelled(self.powers) if self.kind == "number" else self.kind


class UnitFault(Fault):
    """A fault of units alone: the figures are of one kind, and decide, but mean different things."""


def unit(text: str | None, kind: str = "number") -> Unit:
    """The unit that a rule file writes, such as `USDT / coin of asset` or `per hour`."""
    if kind != "number":
        return Unit(kind)
    powers: dict[str, int] = {}
    over = 1
    for part in (text or "ratio").replace("per ", "/ ").split("/"):
        base = part.strip()
        if base and base != "ratio":
            base = "hour" if base == "hours" else base
            powers[base] = powers.get(base, 0) + over
        over = -1
    return Unit("number", _powers(powers))


def _powers(powers: Mapping[str, int]) -> Powers:
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def _spelled(powers: Powers | None) -> str:
    if powers is None:
        return "any unit"
    above = [base for base, power in powers for _ in range(power)]
    below = [base for base, power in powers for _ in range(-power)]
    text = " x ".join(above)
    if below:
        text = f"{text} / {' / '.join(below)}" if text else f"per {' / '.join(below)}"
    return text or "ratio"


def _times(left: Unit, right: Unit, sign: int) -> Powers | None:
    if left.powers is None or right.powers is None:
        return None
    powers = dict(left.powers)
    for base, power in right.powers:
        powers[base] = powers.get(base, 0) + sign * power
    return _powers(powers)


def _moved(powers: Powers | None, old: str, new: str) -> Powers | None:
    """A unit seen from another line: the coin of its key is the coin of the key asked for."""
    if powers is None:
        return None
    moved: dict[str, int] = {}
    for base, power in powers:
        base = new if base == old else base
        moved[base] = moved.get(base, 0) + power
    return _powers(moved)


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
            return Unit("number", _times(left, right, 1 if sign == "*" else -1))
        return _same(f"`{sign}`", left, right)

    def negative(self, operand: Unit) -> Unit:
        return self.arithmetic("-", _ANY, operand)

    def compare(self, sign: str, left: Unit, right: Unit) -> Unit:
        if left.kind != right.kind:
            raise Fault("wrong-kind", f"`{sign}` compares {left.kind} with {right.kind}")
        if left.kind in ("text", "truth") and sign not in ("==", "!="):
            hint = "only `==` and `!=` compare them"
            raise Fault("wrong-kind", f"`{sign}` is not for {left.kind}", hint)
        _same(f"`{sign}`", left, right)
        return _TRUTH

    def logic(self, word: str, operands: Sequence[Part[Unit]]) -> Unit:
        _want("truth", f"`{word}`", *(part.read() for part in operands))
        return _TRUTH

    def not_(self, operand: Unit) -> Unit:
        _want("truth", "`not`", operand)
        return _TRUTH

    def choose(self, test: Part[Unit], then: Part[Unit], otherwise: Part[Unit]) -> Unit:
        _want("truth", "`if`", test.read())
        a, b = then.read(), otherwise.read()
        if a.kind != b.kind:
            raise Fault("wrong-kind", f"the branches are {a.kind} and {b.kind}")
        return _same("`if … else`", a, b)

    def call(self, function: str, arguments: Sequence[Part[Unit]]) -> Unit:
        if function in ("slices", "tier", "top"):
            return self._scale(function, arguments)
        if function == "at":
            return self._at(arguments)
        if function == "given":
            return _TRUTH
        units = [part.read() for part in arguments]
        if function in self.plan.scope.tables:
            return self._table(function, units)
        return _built_in(function, units)

    def _table(self, function: str, units: list[Unit]) -> Unit:
        table = self.plan.scope.tables[function]
        for kind, given in zip(table.by, units, strict=True):
            _want(kind, f"the key of `{function}`", given)
        powers = unit(table.unit, table.kind).powers
        key = next((f"coin of {u.symbol}" for u in units if u.symbol), "coin of key")
        values = (row.value for row in (*table.rows, table.otherwise))
        unlimited = any(value == UNLIMITED for value in values if not isinstance(value, NotKnown))
        return Unit(table.kind, _moved(powers, "coin of key", key), unlimited)

    def _scale(self, function: str, arguments: Sequence[Part[Unit]]) -> Unit:
        name, _, column = dotted(arguments[0].node).partition(".")
        scale = self.plan.scope.scales[name]
        units = [part.read() for part in arguments[1:]]
        if scale.by:
            _want(scale.by, f"the key of `{name}`", units.pop(0))
        _want("number", f"`{function}`", *units)
        given, rate = unit(scale.unit_in), unit(dict(scale.columns)[column])
        if function == "top":
            return given
        _same(f"`{name}` of a figure", given, units[0])
        _same(f"`{name}` with a least rate", rate, *units[1:])
        return Unit("number", _times(given, rate, 1)) if function == "slices" else rate

    def _at(self, arguments: Sequence[Part[Unit]]) -> Unit:
        entity, column = dotted(arguments[0].node), dotted(arguments[2].node)
        key_name = self.plan.scope.key(entity) or ""
        key = arguments[1].read()
        own = self.units[f"{entity}.{key_name}"]
        if key.kind != own.kind:
            raise Fault("wrong-kind", f"the lines of `{entity}` are found by {own.kind}")
        there = self.units[column]
        powers = _moved(there.powers, f"coin of {key_name}", f"coin of {key.symbol or '?'}")
        symbol = key.symbol if there.symbol == key_name else there.symbol
        return replace(there, powers=powers, symbol=symbol)


def _built_in(function: str, units: list[Unit]) -> Unit:
    if function == "clock_hours":
        _want("instant", "`clock_hours`", *units)
        return unit("hours")
    _want("number", f"`{function}`", *units)
    joined = _same(f"`{function}`", *units)
    if function == "min" and not all(one.unlimited for one in units):
        return replace(joined, unlimited=False)
    return joined


def _want(kind: str, what: str, *units: Unit) -> None:
    for one in units:
        if one.kind != kind:
            raise Fault("wrong-kind", f"{what} wants a {kind}, here is {_a(one.kind)}")


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _same(what: str, *units: Unit) -> Unit:
    """The common unit of figures that are added, compared or chosen between."""
    known = [one for one in units if one.powers is not None]
    for other in known[1:]:
        if other.powers != known[0].powers:
            raise UnitFault(
                "unit-mismatch",
                f"{what} joins {known[0]} and {other}",
                "multiply by a price, or divide by it, to come to one unit",
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
            yield figure.expression.problem(fault)
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
            f"`{gather.function}` joins {_spelled(column.powers)} of different lines",
            "multiply by each line's price first",
        )
    if gather.function == "sum" and column.unlimited:
        raise UnitFault("unit-mismatch", "`sum` is used on figures that may be unlimited")
    return column if empty is None else _same(f"`{gather.function}`", column, empty)


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
        raise Fault("wrong-kind", f"the formula gives {_a(found.kind)}, not a {declared.kind}")
    if None not in (found.powers, declared.powers) and found.powers != declared.powers:
        raise UnitFault(
            "unit-mismatch",
            f"the formula gives {found}, its `unit` says {declared}",
            "one of the two is not what was meant",
        )
