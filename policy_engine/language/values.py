"""Values while formulas are computed: the undetermined, and what tables and scales answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Any, NoReturn

from policy_engine.language.scope import Scope
from policy_engine.model import AboveLast, NotKnown, Row, Scale, Table
from policy_engine.numbers import EXACT, UNLIMITED, Value, text_of

ZERO, ONE = Decimal(0), Decimal(1)


class Undetermined(Exception):
    """A figure that cannot be told, with the reasons. It raises itself whenever it is touched.

    So generated code needs no test in front of any operation: what touches an undetermined
    figure ends there, and the statement's result is undetermined in turn.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(sorted(set(reasons)))
        super().__init__(self.reasons)

    def __reduce__(self) -> tuple[type, tuple[tuple[str, ...]]]:
        return Undetermined, (self.reasons,)

    def _touch(self, *_: object) -> NoReturn:
        raise self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _touch
    __truediv__ = __rtruediv__ = __neg__ = __abs__ = __bool__ = _touch
    __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __getitem__ = _touch
    __eq__ = __ne__ = __hash__ = _touch


def is_undetermined(value: object) -> bool:
    """Whether a value is undetermined; asking any other way would touch it."""
    return value.__class__ is Undetermined


def settled(error: BaseException) -> Undetermined:
    """A caught undetermined, or failed arithmetic, as a value that keeps no frame alive."""
    if isinstance(error, Undetermined):
        error.__traceback__ = error.__context__ = None
        return error
    return Undetermined([ARITHMETIC_REASON])


ARITHMETIC_REASON = "a division by zero, or arithmetic on `unlimited`, has no result"


def together(values: Iterable[object]) -> Undetermined | None:
    """The undetermined ones among some values as one, or None when all are known."""
    unknown = [value for value in values if isinstance(value, Undetermined)]
    if not unknown:
        return None
    first = unknown[0]
    if all(value is first for value in unknown):
        return first
    return Undetermined(reason for value in unknown for reason in value.reasons)


def constant(value: Value | NotKnown) -> Any:
    """A parameter's value, undetermined where the rules do not know it."""
    return Undetermined([value.because]) if isinstance(value, NotKnown) else value


# --- tables ------------------------------------------------------------------------------------


class Rows(dict[Any, Any]):
    """A table's rows by key. A key without a row gets what `otherwise` says."""

    def __init__(self, table: Table, owner: str) -> None:
        self.owner, self.otherwise = owner, table.otherwise
        self.name, self.single = table.name, len(table.by) == 1
        self.assumes: dict[Any, tuple[str, ...]] = {}
        super().__init__()
        for row in table.rows:
            for key in row.keys:
                self._add(key[0] if self.single else key, row)
        self.reach = Reach(self)

    def _add(self, key: Any, row: Row) -> None:
        self[key] = self._answer(row, key)
        if row.assumes:
            self.assumes[key] = row.assumes

    def _answer(self, row: Row, key: Any) -> Any:
        if not isinstance(row.value, NotKnown):
            return row.value
        keys = (key,) if self.single else key
        shown = ", ".join(str(text_of(part)) for part in keys)
        because = row.value.because.replace("{key}", shown)
        return Undetermined([f"{because}; hint: {extend_hint(self.name, self.owner, shown)}"])

    def __missing__(self, key: Any) -> Any:
        return self._answer(self.otherwise, key)


class Reach(dict[Any, tuple[str, ...]]):
    """The assumptions that a table's answer for a key rests on."""

    def __init__(self, rows: Rows) -> None:
        super().__init__((key, rows.assumes.get(key, ())) for key in rows)
        self.otherwise = rows.otherwise.assumes

    def __missing__(self, key: Any) -> tuple[str, ...]:
        return self.otherwise

    @property
    def any(self) -> bool:
        """Whether some answers rest on assumptions of their own."""
        return bool(self.otherwise or any(self.values()))


def extend_hint(name: str, owner: str, key: str) -> str:
    """What makes a figure determined that only a rule could tell."""
    return f"give `{name}` of ruleset `{owner}` an entry for {key}"


# --- scales ------------------------------------------------------------------------------------


class Steps:
    """One column of one list of tiers, ready to be read.

    `tiers` has (upper edge, lower edge, rate, sum of the slices below); `top` is the last edge;
    above it `above` is the rate, or undetermined, resting on `assumes`. `upper` tells that an edge
    belongs to the tier that starts there. `edge` and `rate` are those of the first tier, in which
    generated code computes without a call.
    """

    __slots__ = ("above", "assumes", "edge", "lowest", "rate", "tiers", "top", "total", "upper")

    def __init__(
        self,
        tiers: Iterable[tuple[Decimal, Decimal, Decimal]],
        above: Any,
        assumes: tuple[str, ...],
        upper: bool,
    ) -> None:
        self.tiers: list[tuple[Decimal, Decimal, Decimal, Decimal]] = []
        self.top = self.total = ZERO
        with localcontext(EXACT):
            for edge, lower, rate in tiers:
                self.tiers.append((edge, lower, rate, self.total))
                self.top, self.total = edge, self.total + (edge - lower) * rate
        self.above, self.assumes, self.upper = above, assumes, upper
        self.edge, _, self.rate, _ = self.tiers[0]
        self.lowest = min(rate for _, _, rate, _ in self.tiers)

    def slices(self, x: Decimal, reached: set[str]) -> Decimal:
        """The sum over the tiers of rate times the part of `x` inside."""
        if x <= ZERO:
            return ZERO
        for upper, lower, rate, below in self.tiers:
            if x <= upper:
                return below + (x - lower) * rate
        reached.update(self.assumes)
        return self.total + (x - self.top) * self.above  # type: ignore[no-any-return]

    def slices_at_least(self, x: Decimal, reached: set[str], least: Decimal) -> Decimal:
        """The same with every rate raised to at least `least`."""
        if least <= self.lowest and x <= self.top:
            return self.slices(x, reached)
        total = ZERO
        if x <= total:
            return total
        for upper, lower, rate, _ in self.tiers:
            if rate < least:
                rate = least
            if x <= upper:
                return total + (x - lower) * rate
            total += (upper - lower) * rate
        reached.update(self.assumes)
        above = self.above
        return total + (x - self.top) * (least if above < least else above)

    def tier(self, x: Decimal, reached: set[str]) -> Any:
        """The rate of the tier that holds `x`."""
        for upper, _, rate, _ in self.tiers:
            if x < upper or (x == upper and not self.upper):
                return rate
        reached.update(self.assumes)
        return self.above


class Lists(dict[Any, Steps]):
    """The tiers of one column of a scale by key; the key None where there is one list."""

    def __init__(self, scale: Scale, column: int, owner: str) -> None:
        self.name, self.owner = scale.name, owner
        super().__init__()
        for key, tiers in scale.tiers.items():
            edges = (ZERO, *(tier.to for tier in tiers))
            steps = tuple(
                (tier.to, lower, tier.rates[column])
                for lower, tier in zip(edges, tiers, strict=False)
            )
            self[key] = Steps(
                steps,
                _above(scale.above_last, steps, scale.name, key),
                scale.above_last.assumes,
                scale.edge_belongs_to == "upper",
            )

    def __missing__(self, key: Any) -> NoReturn:
        shown = str(text_of(key))
        hint = extend_hint(self.name, self.owner, shown)
        raise Undetermined([f"`{self.name}` has no tiers for {shown}; hint: {hint}"])


def _above(last: AboveLast, steps: Sequence[tuple[Decimal, ...]], name: str, key: Any) -> Any:
    if last.rate is None:
        return steps[-1][-1]
    if isinstance(last.rate, NotKnown):
        shown = "" if key is None else str(text_of(key))
        return Undetermined([last.rate.because.replace("{key}", shown) or f"above `{name}`"])
    return last.rate


# --- built-ins ---------------------------------------------------------------------------------

_HOUR = timedelta(hours=1)
_EPOCH_HOUR = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _rounded(x: Decimal, step: Decimal, how: str) -> Decimal:
    if step <= ZERO:
        raise Undetermined([f"a step of {text_of(step)} cannot be rounded to: it must be above 0"])
    if abs(x) == UNLIMITED:
        return x
    return (x / step).to_integral_value(rounding=how, context=EXACT) * step


def round_up(x: Decimal, step: Decimal) -> Decimal:
    """The least multiple of `step` that is not below `x`."""
    return _rounded(x, step, ROUND_CEILING)


def round_down(x: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of `step` that is not above `x`."""
    return _rounded(x, step, ROUND_FLOOR)


def round_half_up(x: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step`; a tie goes away from zero."""
    return _rounded(x, step, ROUND_HALF_UP)


def clock_hours(start: datetime, end: datetime) -> Decimal:
    """How many clock hours a stretch of time touches: 13:20 to 14:15 touches two."""
    if end < start:
        raise Undetermined(["the hours cannot be counted: they end before they start"])
    return Decimal((end - _EPOCH_HOUR) // _HOUR - (start - _EPOCH_HOUR) // _HOUR + 1)


def lookups(names: Scope) -> Mapping[str, Rows | Lists]:
    """Every table by its name, and every column of every scale by `scale.column`."""
    return dict(_lookups(names))


def _lookups(names: Scope) -> Iterator[tuple[str, Rows | Lists]]:
    for table in names.tables.values():
        yield table.name, Rows(table, names.owner("tables", table.name))
    for scale in names.scales.values():
        for index, (column, _) in enumerate(scale.columns):
            yield f"{scale.name}.{column}", Lists(scale, index, names.owner("scales", scale.name))


CONSTANT_VALUES: Mapping[str, Value] = {"true": True, "false": False, "unlimited": UNLIMITED}
