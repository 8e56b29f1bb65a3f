"""Snapshots: from a mapping as callers give it to the figures that a plan reads.

What is written plainly, with numbers as text, is taken quickly; anything else is read carefully,
and what is wrong with it is told with the place of each problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.fields import ABSENT, AMOUNT, SIGNED, Field, Odd, declared, shape
from policy_engine.language.values import Undetermined, is_undetermined
from policy_engine.model import ACCOUNT, LISTS, Input
from policy_engine.snapshot_check import checked

PRICES = "prices"
"""The field that gives the price of what has no line of its own."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot as a plan reads it: the account's inputs, and each list's lines (or unknown)."""

    account: str
    at: datetime
    inputs: Row
    lists: tuple[Any, ...]


class Reader:
    """Reads snapshots for a plan's inputs."""

    def __init__(self, inputs: Mapping[str, Sequence[Input]]) -> None:
        known = shape()
        self.account = tuple(inputs[ACCOUNT])
        own = {i.source[0]: declared(i) for i in self.account if i.source[0] not in known.account}
        self.fields = {**known.account, **own}
        self.extra = {ACCOUNT: frozenset(own)}
        self.required = frozenset(name for name, f in self.fields.items() if f.required)
        self.guarded = known.guarded
        self.lines = {entity: _Lines(entity, inputs[entity]) for entity in LISTS}
        for entity, lines in self.lines.items():
            self.extra[entity] = lines.extra

    def read(self, snapshot: Any, moment: datetime) -> Taken:
        """What the plan reads of a snapshot; `moment` is its instant if it has none of its own.

        Raises SnapshotError with every problem found.
        """
        try:
            if self.guarded.isdisjoint(snapshot) and snapshot.__class__ is dict:
                return self._take(snapshot, moment)
        except (Odd, KeyError, TypeError, AttributeError, InvalidOperation):
            pass
        return self._carefully(snapshot, moment)

    def _carefully(self, snapshot: Any, moment: datetime) -> Taken:
        plain, problems = checked(snapshot, self.extra)
        if problems:
            raise SnapshotError(problems)
        try:
            return self._take(plain, moment)
        except (Odd, KeyError, TypeError, AttributeError, InvalidOperation):
            raise SnapshotError([_not_as_declared(self.extra)]) from None

    def _take(self, snapshot: dict[str, Any], moment: datetime) -> Taken:
        fields = self.fields
        taken = {
            name: value if name in LISTS or value is None else fields[name].take(value)
            for name, value in snapshot.items()
        }
        if not taken.keys() >= self.required:
            raise Odd
        moment = taken.get("at") or moment
        lists = {
            name: self.lines[name].rows(taken[name]) if name in taken else () for name in LISTS
        }
        self._price(lists, taken.get(PRICES) or {})
        taken["at"] = moment
        inputs = tuple(self._input(item, taken) for item in self.account)
        return Taken(taken["account"], moment, inputs, tuple(lists.values()))

    def _input(self, item: Input, taken: Mapping[str, Any]) -> Any:
        value: Any = taken
        for step in item.source:
            value = None if value is None else value.get(step)
        if value is not None:
            return Decimal(value) if item.kind == "number" else value
        if item.optional:
            return _not_given(item, self.fields.get(item.source[0]))
        raise SnapshotError([_missing(".".join(item.source))])

    def _price(self, lists: dict[str, Any], prices: Mapping[str, str]) -> None:
        """Lines for what is priced and named; what is all zero and named by nothing goes."""
        for entity, lines in self.lines.items():
            if lines.key is not None:
                named = self._named(entity, lists)
                lists[entity] = lines.account(lists[entity], prices, named)

    def _named(self, entity: str, lists: Mapping[str, Any]) -> dict[Any, Place]:
        """Every key of a list that another line names, and where."""
        named: dict[Any, Place] = {}
        for other, lines in self.lines.items():
            for position, name in lines.names.get(entity, ()):
                for n, row in enumerate(lists[other] if lists[other].__class__ is tuple else ()):
                    if row[position] not in named:
                        named[row[position]] = Place(pointer=f"{other}[{n}].{name}")
        return named


class _Lines:
    """Reads the lines of one list."""

    def __init__(self, entity: str, inputs: Sequence[Input]) -> None:
        fields = dict(shape().lines[entity])
        self.entity, self.inputs = entity, tuple(inputs)
        own = {i.name: declared(i) for i in inputs if i.name not in fields}
        self.extra = frozenset(own)
        self.fields = {**fields, **own}
        self.all = tuple(self.fields)
        self.pick = itemgetter(*self.all) if len(self.all) > 1 else lambda line: (line[self.all[0]],)
        self.order = tuple(self.all.index(item.name) for item in inputs)
        self.amounts = tuple(
            at for at, item in enumerate(inputs) if item.kind == "number" and item.role is None
        )
        self.optional = any(item.optional for item in inputs)
        self.key = next((at for at, item in enumerate(inputs) if item.key), None)
        self.price = next((at for at, item in enumerate(inputs) if item.role == "price"), None)
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
        if not lines:
            return ()
        columns = list(zip(*map(self._row, lines), strict=True))
        checked = [self._column(self.fields[name], c) for name, c in zip(self.all, columns, strict=True)]
        read = [checked[at] for at in self.order]
        if self.optional:
            read = [_filled(c, i, self.fields[i.name]) for c, i in zip(read, self.inputs, strict=True)]
        return tuple(zip(*read, strict=True)) if read else ()

    def _row(self, line: Any) -> Row:
        if line.__class__ is not dict:
            raise Odd
        if len(line) == len(self.all):
            return self.pick(line)  # type: ignore[no-any-return]
        if not line.keys() <= self.fields.keys():
            raise Odd
        return tuple(
            line[name] if field.required else line.get(name, ABSENT)
            for name, field in self.fields.items()
        )

    def _column(self, field: Field, column: Row) -> Sequence[Any]:
        if ABSENT in column or field.kind not in ("amount", "text"):
            return [value if value is ABSENT else self._taken(field, value) for value in column]
        if field.kind == "text":
            return column if _TEXTS_SEEN.issuperset(column) else _new_texts(field, column)
        if not _AMOUNTS.fullmatch("|".join(column) + "|"):
            raise Odd
        numbers = list(map(Decimal, column))
        if field.above_zero and min(numbers) <= 0:
            raise Odd
        return numbers

    def _taken(self, field: Field, value: Any) -> Any:
        taken = field.take(value)
        return Decimal(taken) if field.kind in ("amount", "number") else taken

    def account(
        self, rows: Any, prices: Mapping[str, str], named: Mapping[Any, Place]
    ) -> Any:
        """The lines that are part of the account. Raises SnapshotError."""
        if rows.__class__ is not tuple:
            return rows
        key = self.key
        assert key is not None
        keys = {row[key]: row for row in rows}
        if len(keys) != len(rows):
            raise SnapshotError(_duplicates(self.entity, self.inputs[key].name, rows, key))
        if prices:
            rows += self._priced(keys, prices, named)
        if named and not keys.keys() >= named.keys():
            self._refuse_unknown({**keys, **dict.fromkeys(prices)}, named)
        amounts = self.amounts
        if not amounts:
            return rows
        if self.optional:
            return tuple(row for row in rows if row[key] in named or _holds(row, amounts))
        return tuple(row for row in rows if row[key] in named or any(row[at] for at in amounts))

    def _priced(
        self, keys: Mapping[Any, Row], prices: Mapping[str, str], named: Mapping[Any, Place]
    ) -> tuple[Row, ...]:
        """Lines of what is priced without being held: that price, and every amount 0."""
        made = []
        for name in sorted(prices):
            price = Decimal(prices[name])
            row = keys.get(name)
            if row is None and name in named:
                made.append(tuple(self._blank(item, name, price) for item in self.inputs))
            elif row is not None and self.price is not None and row[self.price] != price:
                raise SnapshotError([_two_prices(self.entity, name)])
        return tuple(made)

    def _blank(self, item: Input, name: str, price: Decimal) -> Any:
        if item.key:
            return name
        if item.kind != "number":
            return _not_given(item, self.fields.get(item.name))
        return price if item.role == "price" else Decimal(0)

    def _refuse_unknown(self, known: Mapping[Any, Any], named: Mapping[Any, Place]) -> None:
        problems = []
        for name, place in named.items():
            if name not in known:
                example = f'"{PRICES}": {{"{name}": "…"}}'
                message = f"`{name}` has neither a line in `{self.entity}` nor a price"
                hint = did_you_mean(name, known) or f"add a line for it, or {example}"
                problems.append(Problem("unknown-key", message, hint, place))
        if problems:
            raise SnapshotError(problems)


_AMOUNTS = re.compile(f"(?:{AMOUNT}\\|)+", re.ASCII)
_TEXTS_SEEN: set[str] = set()
_MOST_TEXTS = 10_000


def _new_texts(field: Field, column: Row) -> Row:
    """Check texts not met before, and keep them in mind, up to a bound."""
    for value in column:
        field.take(value)
    if len(_TEXTS_SEEN) < _MOST_TEXTS:
        _TEXTS_SEEN.update(column)
    return column


def _filled(column: Sequence[Any], item: Input, field: Field) -> Sequence[Any]:
    """A column with an undetermined figure where a line leaves it out."""
    return [_not_given(item, field) if value is ABSENT else value for value in column]


def _holds(row: Row, amounts: tuple[int, ...]) -> bool:
    """Whether a line has an amount that is not 0, or is not known to be."""
    return any(is_undetermined(row[at]) or row[at] for at in amounts)


# --- words ---------------------------------------------------------------------------------------


def _not_given(item: Input, field: Field | None) -> Undetermined:
    """An optional figure that the snapshot leaves out, and what gives it."""
    path = ".".join(item.source)
    example = field.example if field else None
    if isinstance(example, dict):
        example = example.get(item.source[-1])
    shown = {True: "true", False: "false"}.get(example, example) if example is not None else "…"
    return Undetermined([f"`{path}` is not given; hint: --set {path}={shown}"])


def _not_known(entity: str) -> Undetermined:
    return Undetermined([f"the `{entity}` are not known; hint: --set {entity}=[] if there are none"])


def _not_as_declared(extra: Mapping[str, frozenset[str]]) -> Problem:
    names = ", ".join(f"`{name}`" for part in extra.values() for name in sorted(part))
    message = f"a field that the rules declare is missing or of another kind: {names}"
    return Problem("invalid-value", message, "compare it with the `inputs` of the rules")


def _missing(path: str) -> Problem:
    message = f"`{path}` is missing, and the rules in force need it"
    return Problem("missing-key", message, f"give it: `{path}`", Place(pointer=path))


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


__all__ = ["SIGNED", "Reader", "Taken"]
