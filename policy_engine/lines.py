"""The lines of a snapshot's list: read as columns, and as the account holds them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import itemgetter
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.fields import ABSENT, AMOUNT, Field, Odd, Take, declared, shape
from policy_engine.language.values import Undetermined, is_undetermined
from policy_engine.model import Input
from policy_engine.snapshot_check import as_texts

PRICES = "prices"
"""The field that gives the price of what has no line of its own."""

Row = tuple[Any, ...]
_AMOUNTS = re.compile(f"(?:{AMOUNT}\\|)++", re.ASCII)
_NUMBERS = frozenset({"amount", "number"})
_MOST_TEXTS = 10_000
_met: dict[Take, set[str]] = {}
"""Texts of lines that have been checked, as most snapshots repeat them; by what checked them."""


def are_amounts(texts: Sequence[str]) -> bool:
    """Whether each text is an amount in plain notation. Raises TypeError for what is no text."""
    joined = "|".join(texts) + "|"
    return joined.count("|") == len(texts) and _AMOUNTS.fullmatch(joined) is not None


def known_rows(rows: Any) -> tuple[Row, ...]:
    """The rows of a list; none of one that is not known."""
    return () if is_undetermined(rows) else rows


class Lines:
    """Reads the lines of one list."""

    def __init__(self, entity: str, inputs: Sequence[Input], beyond: Sequence[Input] = ()) -> None:
        """`beyond` are inputs of other rules that a line may carry, though unread here."""
        fields = dict(shape().lines[entity])
        self.entity, self.inputs = entity, tuple(inputs)
        others = (replace(item, optional=True) for item in beyond)
        own = {i.name: declared(i) for i in (*others, *inputs) if i.name not in fields}
        self.extra = frozenset(own)
        self.fields = {**fields, **own}
        kinds = {field.kind for field in self.fields.values()}
        self.plain = {"amount", "text"} >= kinds and "amount" in kinds
        self._positions(inputs)

    def _positions(self, inputs: Sequence[Input]) -> None:
        """Where in a row stand the key, the price, the amounts, and the keys of other lists."""
        self.key = next((at for at, item in enumerate(inputs) if item.key), None)
        self.pick_key = itemgetter(self.key or 0)
        self.price = next((at for at, item in enumerate(inputs) if item.role == "price"), None)
        self.amounts = tuple(
            at for at, item in enumerate(inputs) if item.kind == "number" and item.role is None
        )
        # One amount twice, so that `itemgetter` gives a tuple whatever their number.
        self.pick_amounts = itemgetter(*self.amounts, *self.amounts[:1]) if self.amounts else None
        self.names: dict[str, list[tuple[int, str]]] = {}
        for at, item in enumerate(inputs):
            if item.key_of:
                self.names.setdefault(item.key_of, []).append((at, item.name))

    def rows(self, lines: Any) -> Any:
        """Each line's inputs as a tuple, in the plan's order; undetermined when unknown."""
        if lines is None:
            return _not_known(self.entity) if self.inputs else ()
        if lines.__class__ is not list:
            raise Odd
        return self._one_by_one(lines)

    def met(self, name: str) -> set[str]:
        """The texts that a field is known to take."""
        return _met.setdefault(self.fields[name].take, set())

    def meet(self, name: str, value: Any) -> None:
        """Check a text that is met for the first time; it is remembered, up to a bound of texts."""
        self.fields[name].take(value)
        met = self.met(name)
        if len(met) < _MOST_TEXTS:
            met.add(value)

    def _one_by_one(self, lines: list[Any]) -> tuple[Row, ...]:
        taken = [self._fields_of(line) for line in lines]
        return tuple(tuple(self._input(item, line) for item in self.inputs) for line in taken)

    def _fields_of(self, line: Any) -> dict[str, Any]:
        if line.__class__ is not dict or not line.keys() <= self.fields.keys():
            raise Odd
        return {
            name: ABSENT if name not in line and not field.required else _take(field, line[name])
            for name, field in self.fields.items()
        }

    def _input(self, item: Input, line: Mapping[str, Any]) -> Any:
        value = line[item.name]
        return not_given(item, self.fields[item.name]) if value is ABSENT else value

    def held(
        self, rows: Any, prices: Mapping[str, str] | None, named: set[Any]
    ) -> tuple[Row, ...] | Undetermined | None:
        """The lines that are part of the account: those that are named or hold something.

        None if a name has neither a line nor a price. Raises SnapshotError for two lines of one
        key, and for two prices of it.
        """
        if is_undetermined(rows):
            return rows  # type: ignore[no-any-return]
        key = self.key
        assert key is not None
        keys = set(map(self.pick_key, rows))
        if len(keys) != len(rows):
            raise SnapshotError(_duplicates(self.entity, self.inputs[key].name, rows, key))
        if prices:
            self._check_prices(rows, prices)
        if not named <= keys:
            if prices is None or self.price is None or not named <= keys | prices.keys():
                return None
            rows += tuple(self.priced(name, prices[name]) for name in sorted(named - keys))
        return rows if self.all_hold(rows) else self.kept(rows, named)

    def all_hold(self, rows: Any) -> bool:
        """Whether each line surely has an amount that is not 0, as far as the lines are known."""
        if is_undetermined(rows) or self.pick_amounts is None:
            return True
        try:
            return all(map(any, map(self.pick_amounts, rows)))
        except Undetermined:
            return False

    def kept(self, rows: Sequence[Row], named: set[Any]) -> tuple[Row, ...]:
        """The lines that are named or hold something, be it not known what."""
        assert self.key is not None
        return tuple([row for row in rows if self._holds(row) or row[self.key] in named])

    def _holds(self, row: Row) -> bool:
        """Whether a line has an amount that is not 0, or is not known to be."""
        return any(is_undetermined(row[at]) or row[at] for at in self.amounts)

    def priced(self, name: str, price: str | int | Decimal) -> Row:
        """The line of what is priced without being held: that price, and every amount 0."""
        return tuple(self._blank(item, name, Decimal(price)) for item in self.inputs)

    def row(self, line: Mapping[str, Any]) -> Row:
        """One line of a snapshot that has been read before, as the account would hold it."""
        return self._one_by_one([as_texts(line)])[0]

    def _blank(self, item: Input, name: str, price: Decimal) -> Any:
        if item.key:
            return name
        if item.kind != "number":
            return not_given(item, self.fields.get(item.name))
        return price if item.role == "price" else Decimal(0)

    def _check_prices(self, rows: tuple[Row, ...], prices: Mapping[str, str]) -> None:
        if self.price is None or self.key is None:
            return
        for row in rows:
            name = row[self.key]
            if name in prices and row[self.price] != Decimal(prices[name]):
                raise SnapshotError([_two_prices(self.entity, name)])


def _take(field: Field, value: Any) -> Any:
    taken = field.take(value)
    if field.kind not in _NUMBERS:
        return taken
    number = Decimal(taken)
    if field.above_zero and number <= 0:
        raise Odd
    return number


def not_given(item: Input, field: Field | None) -> Undetermined:
    """An optional figure that the snapshot leaves out, and what gives it."""
    path = ".".join(item.source)
    example = field.example if field else None
    if isinstance(example, dict):
        example = example.get(item.source[-1])
    if isinstance(example, bool):
        example = str(example).lower()
    shown = "…" if example is None else example
    return Undetermined([f"`{path}` is not given; hint: --set {path}={shown}"])


def _not_known(entity: str) -> Undetermined:
    return Undetermined(
        [f"the `{entity}` are not known; hint: --set {entity}=[] if there are none"]
    )


def _duplicates(entity: str, name: str, rows: tuple[Row, ...], key: int) -> list[Problem]:
    seen: dict[Any, int] = {}
    problems = []
    for n, row in enumerate(rows):
        if row[key] in seen:
            message = f"`{row[key]}` has a line already, at {entity}[{seen[row[key]]}]"
            place = Place(pointer=f"{entity}[{n}].{name}")
            problems.append(Problem("duplicate-line", message, "add the two lines up", place))
        seen.setdefault(row[key], n)
    return problems


def _two_prices(entity: str, name: str) -> Problem:
    message = f"`{name}` has one price in its line of `{entity}` and another in `{PRICES}`"
    hint = f"leave it out of `{PRICES}`, which is for what has no line"
    return Problem("two-prices", message, hint, Place(pointer=f"{PRICES}.{name}"))
