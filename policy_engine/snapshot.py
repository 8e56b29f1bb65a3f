"""Snapshots: from a mapping as callers give it to the figures that a plan reads.

What is written plainly, with numbers as text, is taken quickly; anything else is read carefully,
and what is wrong with it is told with the place of each problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from policy_engine.errors import MOST_PROBLEMS, Place, Problem, SnapshotError, did_you_mean
from policy_engine.fields import Odd, declared, shape
from policy_engine.lines import PRICES, Lines, Row, known_rows, not_given
from policy_engine.model import ACCOUNT, LISTS, Input, Version
from policy_engine.quick import quick_reader
from policy_engine.snapshot_check import checked, figures_as_texts

_ODD = (Odd, KeyError, TypeError, ValueError, AttributeError, InvalidOperation)
"""What reading raises where a snapshot is not written plainly."""

_LISTED = (*LISTS, PRICES)
"""What the lists of an account are read from."""


class Taken(NamedTuple):
    """A snapshot as a plan reads it: the account's inputs, and each list's lines (or unknown)."""

    account: str
    at: datetime
    inputs: Row
    lists: tuple[Any, ...]


Kept = tuple[Any, ...]
"""A copy of a snapshot, and for each list the texts of its lines where the copy lacks them."""


class Reader:
    """Reads snapshots for a plan's inputs."""

    def __init__(self, inputs: Mapping[str, Sequence[Input]], beyond: Sequence[Input] = ()) -> None:
        """`beyond` are inputs of other rules that a snapshot may carry, though unread here."""
        known = shape()
        self.account = tuple(inputs[ACCOUNT])
        others = (replace(item, optional=True) for item in beyond if item.entity == ACCOUNT)
        own = {
            item.source[0]: declared(item)
            for item in (*others, *self.account)
            if item.source[0] not in known.account
        }
        self.fields = {**known.account, **own}
        self.lines = {
            entity: Lines(entity, inputs[entity], [i for i in beyond if i.entity == entity])
            for entity in LISTS
        }
        self._alike: dict[Reader, bool] = {}
        self.extra = {ACCOUNT: frozenset(own)}
        self.extra |= {entity: lines.extra for entity, lines in self.lines.items()}
        numeric = {entity: lines.fields for entity, lines in self.lines.items()}
        self._numeric = {
            entity: frozenset(name for name, field in fields.items() if field.numeric)
            for entity, fields in ({ACCOUNT: self.fields} | numeric).items()
        }
        self._quickly = quick_reader(self.account, self.fields, known.excludes, self.lines, Taken)

    def read(self, snapshot: Any, moment: datetime) -> Taken:
        """What the plan reads of a snapshot; `moment` is its instant if it has none of its own.

        Raises SnapshotError with every problem found.
        """
        try:
            return self._quickly(snapshot, moment)[0]  # type: ignore[no-any-return]
        except _ODD:
            return self._otherwise(snapshot, moment)

    def read_and_keep(self, snapshot: Any, moment: datetime) -> tuple[Taken, Kept]:
        """The same, with what `as_it_was` gives the snapshot from, whatever becomes of it."""
        try:
            return self._quickly(snapshot, moment)  # type: ignore[no-any-return]
        except _ODD:
            return self._otherwise(snapshot, moment), (copied(snapshot), *(None for _ in LISTS))

    def _otherwise(self, snapshot: Any, moment: datetime) -> Taken:
        try:
            return self._quickly(self._with_texts(snapshot), moment)[0]  # type: ignore[no-any-return]
        except _ODD:
            return self._carefully(snapshot, moment)

    def as_it_was(self, kept: Kept) -> Mapping[str, Any]:
        """A snapshot as it was when it was read."""
        account, *lists = kept
        for entity, texts in zip(LISTS, lists, strict=True):
            if texts is not None:
                names = self.lines[entity].fields
                account = account | {entity: [dict(zip(names, row, strict=True)) for row in texts]}
        return account  # type: ignore[no-any-return]

    def read_again(
        self, snapshot: Any, moment: datetime, other: Any, by: Reader, lists: tuple[Any, ...]
    ) -> Taken:
        """What the plan reads of a snapshot made of another one, which was read by a reader.

        Where both have the same lists, and both readers take the same of them, `lists` is what
        that reader took; they are not read anew. Raises SnapshotError.
        """
        if by not in self._alike:
            self._alike[by] = all(
                by.lines[name].inputs == self.lines[name].inputs for name in LISTS
            )
        same = all(snapshot.get(name, name) is other.get(name, name) for name in _LISTED)
        if same and self._alike[by]:
            try:
                return self._beside(snapshot, moment, lists)[0]  # type: ignore[no-any-return]
            except _ODD:
                pass
        return self.read(snapshot, moment)

    @cached_property
    def _beside(self) -> Callable[..., Any]:
        """Reads an account beside its lists, which are given as read."""
        known = shape()
        return quick_reader(self.account, self.fields, known.excludes, self.lines, Taken, True)

    def _with_texts(self, snapshot: Any) -> Any:
        """The snapshot with all its figures as text, which is read most quickly."""
        return figures_as_texts(snapshot, self._numeric)

    def _carefully(self, snapshot: Any, moment: datetime) -> Taken:
        plain, problems = checked(snapshot, self.extra)
        if problems:
            raise SnapshotError(problems)
        given = {name: v for name, v in plain.items() if v is not None or name in LISTS}
        try:
            return self._take(given, moment)
        except _ODD:
            raise SnapshotError([_not_as_declared(self.extra)]) from None

    def _take(self, snapshot: dict[str, Any], moment: datetime) -> Taken:
        taken = {name: self._field(name, value) for name, value in snapshot.items()}
        taken["at"] = moment = taken.get("at", moment)
        for entity, lines in self.lines.items():
            if lines.key is not None:
                rows, prices = taken.get(entity, ()), taken.get(PRICES)
                held = lines.held(rows, prices, set(self._named(entity, taken)))
                if held is None:
                    raise SnapshotError(self._unknown_keys(entity, taken))
                taken[entity] = held
        inputs = tuple(self._input(item, taken) for item in self.account)
        lists = tuple(taken.get(entity, ()) for entity in LISTS)
        return Taken(taken["account"], moment, inputs, lists)

    def _field(self, name: str, value: Any) -> Any:
        return self.lines[name].rows(value) if name in LISTS else self.fields[name].take(value)

    def _input(self, item: Input, taken: Mapping[str, Any]) -> Any:
        value: Any = taken
        for step in item.source:
            value = None if value is None else value.get(step)
        if value is not None:
            return Decimal(value) if item.kind == "number" else value
        if item.optional:
            return not_given(item, self.fields.get(item.source[0]))
        raise SnapshotError([_missing(".".join(item.source))])

    def line(self, snapshot: Mapping[str, Any], entity: str, key: str, asked: str) -> Row:
        """The line of a key in a snapshot that has been read, or what is priced without being held.

        `asked` is the input that names it. Raises SnapshotError where there is neither.
        """
        lines = self.lines[entity]
        assert lines.key is not None
        name = lines.inputs[lines.key].name
        held = {line[name]: line for line in snapshot.get(entity) or ()}
        if key in held:
            return lines.row(held[key])
        prices = (snapshot.get(PRICES) or {}) if lines.price is not None else {}
        if key in prices:
            return lines.priced(key, prices[key])
        raise SnapshotError([_unknown_key(entity, key, {*held, *prices}, Place(pointer=asked))])

    @cached_property
    def priced(self) -> Mapping[str, tuple[str, str]]:
        """The lists whose lines have a key and a price, with the names of the two."""
        return {
            entity: (lines.inputs[lines.key].name, lines.inputs[lines.price].name)
            for entity, lines in self.lines.items()
            if lines.key is not None and lines.price is not None
        }

    def priced_keys(self, snapshot: Mapping[str, Any], entity: str | None = None) -> set[str]:
        """The keys of all that a snapshot prices, or that may be a line of one of the lists."""
        named = {name: key for name, (key, _) in self.priced.items() if entity in (None, name)}
        held = {line[key] for name, key in named.items() for line in snapshot.get(name) or ()}
        return held | {*(snapshot.get(PRICES) or ())} if named else held

    def held(self, taken: Taken) -> Taken:
        """An account without the lines that hold nothing and that nothing names."""
        named = dict(zip(LISTS, taken.lists, strict=True))
        lists = [
            rows
            if self.lines[entity].key is None or self.lines[entity].all_hold(rows)
            else self.lines[entity].kept(rows, set(self._named(entity, named)))
            for entity, rows in named.items()
        ]
        return taken._replace(lists=tuple(lists))

    def _named(self, entity: str, taken: Mapping[str, Any]) -> Iterator[Any]:
        """Every key of a list that lines of others name."""
        for other, at in self._namers(entity):
            yield from (row[at] for row in known_rows(taken.get(other, ())))

    def _namers(self, entity: str) -> Iterator[tuple[str, int]]:
        """The lists, and the positions in their rows, that name lines of a list by its key."""
        for other, lines in self.lines.items():
            yield from ((other, at) for at, _ in lines.names.get(entity, ()))

    def _unknown_keys(self, entity: str, taken: Mapping[str, Any]) -> list[Problem]:
        """A problem for each key that is named but has neither a line nor a price."""
        lines = self.lines[entity]
        known = {row[lines.key] for row in taken.get(entity, ())}
        known |= {*(taken.get(PRICES) or ())} if lines.price is not None else set()
        unknown = (
            _unknown_key(entity, row[position], known, Place(pointer=f"{other}[{n}].{name}"))
            for other, of_other in self.lines.items()
            for position, name in of_other.names.get(entity, ())
            for n, row in enumerate(known_rows(taken.get(other, ())))
            if row[position] not in known
        )
        return list(islice(unknown, MOST_PROBLEMS))


class Readers:
    """The readers of some inputs, by what else snapshots may carry; made when first asked for."""

    def __init__(self, inputs: Mapping[str, Sequence[Input]]) -> None:
        self.inputs = inputs
        self.made: dict[tuple[Input, ...], Reader] = {}

    def beyond(self, others: tuple[Input, ...]) -> Reader:
        """The reader for snapshots that may carry those other inputs too."""
        if others not in self.made:
            self.made[others] = Reader(self.inputs, others)
        return self.made[others]


def beyond_schema(versions: Iterable[Version]) -> tuple[Input, ...]:
    """The inputs of some versions that the snapshot schema does not know."""
    known = shape()
    items = (item for v in versions for part in v.inputs.values() for item in part.values())
    fields = {ACCOUNT: known.account, **known.lines}
    return tuple(item for item in items if item.source[0] not in fields[item.entity])


def copied(snapshot: Mapping[str, Any]) -> Mapping[str, Any]:
    """A snapshot that stays as it is, whatever its owner does with it."""
    kept = dict(snapshot)
    for name, value in kept.items():
        if value.__class__ is list:
            try:
                kept[name] = [*map(dict.copy, value)]
            except TypeError:  # lines that are other mappings, which take longer
                kept[name] = [*map(dict, value)]
        elif value.__class__ is dict:
            kept[name] = value.copy()
    return kept


def _unknown_key(entity: str, name: str, known: set[Any], place: Place) -> Problem:
    message = f"`{name}` has neither a line in `{entity}` nor a price"
    example = f'add a line for it, or its price: "{PRICES}": {{"{name}": "…"}}'
    return Problem("unknown-key", message, did_you_mean(name, known) or example, place)


def _not_as_declared(extra: Mapping[str, frozenset[str]]) -> Problem:
    names = ", ".join(f"`{name}`" for part in extra.values() for name in sorted(part))
    message = f"a field that the rules declare is missing or of another kind: {names}"
    return Problem("invalid-value", message, "compare it with the `inputs` of the rules")


def _missing(path: str) -> Problem:
    message = f"`{path}` is missing, and the rules in force need it"
    return Problem("missing-key", message, f"give it: `{path}`", Place(pointer=path))
