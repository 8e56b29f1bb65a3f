"""The quick way to read a plain snapshot: one generated function for a plan's inputs.

It takes what callers send most: a mapping of texts whose fields the schema knows. Whatever else it
meets raises (Odd, or what Python raises on the way), and the careful way takes over. What both
take, they take alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from functools import partial
from operator import itemgetter
from typing import Any

from policy_engine.fields import Field, Odd, take_truth
from policy_engine.lines import PRICES, Lines, are_amounts, not_given
from policy_engine.model import LISTS, Input
from policy_engine.numbers import CALCULATION_DIGITS

_READING = Context(prec=CALCULATION_DIGITS, traps=[])
"""Gives of each text that passes for an amount its number, exactly; of any other, anything."""

_GLOBALS: Mapping[str, Any] = {
    "__builtins__": {},
    "NONE": object(),
    "Odd": Odd,
    "ZERO": Decimal(0),
    "are_amounts": are_amounts,
    "copy": dict.copy,
    "int": int,
    "len": len,
    "list": list,
    "make": tuple.__new__,
    "map": map,
    "number": _READING.create_decimal,
    "set": set,
    "str": str,
    "tuple": tuple,
}


def quick_reader(
    account: Sequence[Input],
    fields: Mapping[str, Field],
    excludes: Mapping[str, Collection[str]],
    lines: Mapping[str, Lines],
    result: type,
    beside: bool = False,
) -> Callable[..., Any]:
    """The function that takes a plain snapshot (and an instant for one without) to a `result`.

    With it comes what `Reader.as_it_was` makes the same snapshot of once more: a copy of the
    account, and for each list the texts of its lines, or None where the copy has them.
    Where a field of `excludes` is given, those it excludes are null or not there. One that reads
    `beside` the lists is given them as they were read.
    """
    writer = _Writer(account, fields, excludes, lines)
    source = "\n".join(writer.lines_of_code(beside)) + "\n"
    writer.objects["Taken"] = result
    exec(compile(source, "<snapshot>", "exec"), writer.objects)
    take: Callable[[Any, Any], Any] = writer.objects["take"]
    return take


class _Writer:
    def __init__(
        self,
        account: Sequence[Input],
        fields: Mapping[str, Field],
        excludes: Mapping[str, Collection[str]],
        lines: Mapping[str, Lines],
    ) -> None:
        self.account, self.lines, self.fields, self.excludes = account, lines, fields, excludes
        self.objects = dict(_GLOBALS)
        self.objects["missing"] = _missing
        self.objects["known"] = frozenset({*self.fields, *LISTS}).issuperset

    def lines_of_code(self, beside: bool) -> Iterator[str]:
        yield f"def take(snapshot, moment{', lists' if beside else ''}):"
        yield " kept = {**snapshot}"
        yield " if not known(kept): raise Odd"
        yield " get, amounts = kept.get, []"
        for field in self.fields.values():
            if field.name not in LISTS:
                yield from self._field(field)
        for name, others in self.excludes.items():
            given = " or ".join(f"get({other!r}) is not None" for other in sorted(others))
            yield f" if f_{name} is not None and ({given}): raise Odd"
        for entity in () if beside else LISTS:
            yield from self._list(entity, self.lines[entity])
        yield " if amounts and not are_amounts(amounts): raise Odd"
        yield " if f_at is not None: moment = f_at"
        for entity in () if beside else LISTS:
            if self.lines[entity].key is not None:
                yield from self._held(entity, self.lines[entity])
        lists = "lists" if beside else f"({', '.join(LISTS)})"
        inputs = "".join(f"{text}, " for text in self._inputs())
        texts = "" if beside else "".join(f"texts_{entity}, " for entity in LISTS)
        yield f" taken = make(Taken, (f_account, moment, ({inputs}), {lists}))"
        yield f" return taken, (kept, {texts})"

    def _field(self, field: Field) -> Iterator[str]:
        """One field of the account, checked whether or not the rules read it."""
        variable = f"f_{field.name}"
        if field.required:
            yield f" {variable} = kept[{field.name!r}]"
            yield from (f" {line}" for line in self._taking(field, variable))
            return
        yield f" {variable} = get({field.name!r})"
        yield f" if {variable} is not None:"
        yield from (f"  {line}" for line in self._taking(field, variable))
        if not field.nullable:
            yield f" elif {field.name!r} in kept: raise Odd"

    def _taking(self, field: Field, variable: str) -> Iterator[str]:
        """How a field that is given is taken."""
        if field.mapping:
            yield f"kept[{field.name!r}] = {{**{variable}}}"
        elif field.numeric:
            yield f"if {variable}.__class__ is int: {variable} = str({variable})"
        if field.amounts is not None:
            self.objects[f"keys_{field.name}"] = field.amounts
            yield f"if not {variable}.keys() <= keys_{field.name}: raise Odd"
            yield f"amounts += {variable}.values()"
        elif field.take is take_truth:
            yield f"if {variable} is not True and {variable} is not False: raise Odd"
        elif field.choices is not None:
            choices = f"choices_{field.name}"
            self.objects[choices] = field.choices
            yield f"if {variable}.__class__ is not str or {variable} not in {choices}: raise Odd"
        else:
            self.objects[f"take_{field.name}"] = field.take
            yield f"{variable} = take_{field.name}({variable})"

    def _list(self, entity: str, lines: Lines) -> Iterator[str]:
        self.objects[f"lines_{entity}"] = lines
        field = self.fields[entity]
        yield (
            f" {entity} = kept[{entity!r}]"
            if field.required
            else (f" {entity} = get({entity!r}, NONE)")
        )
        if not field.nullable:
            yield f" if {entity} is None: raise Odd"
        otherwise = f"() if {entity} is NONE else lines_{entity}.rows({entity})"
        copied = f"if {entity}.__class__ is list: kept[{entity!r}] = [*map(copy, {entity})]"
        if not lines.plain:
            yield f" {copied}"
            yield f" {entity}, full_{entity}, texts_{entity} = {otherwise}, False, None"
            return
        yield f" if {entity}.__class__ is not list or not {entity}:"
        yield f"  {copied}"
        yield f"  {entity}, full_{entity}, texts_{entity} = {otherwise}, not {entity}, None"
        yield " else:"
        yield from (f"  {line}" for line in self._lines(entity, lines))

    def _lines(self, entity: str, lines: Lines) -> Iterator[str]:
        """How a list is taken whose lines have all the fields of the schema, as texts."""
        names, texts = list(lines.fields), f"texts_{entity}"
        self.objects[f"pick_{entity}"] = itemgetter(*names)
        yield f"rows, full_{entity}, {texts} = [], True, [*map(pick_{entity}, {entity})]"
        yield f"for line in {entity}:"
        yield f" if len(line) != {len(names)}: raise Odd"
        yield f"for {', '.join(f'v{at}' for at in range(len(names)))} in {texts}:"
        yield from (f" {line}" for line in self._line(entity, lines))
        yield f"{entity} = tuple(rows)"

    def _line(self, entity: str, lines: Lines) -> Iterator[str]:
        """How a line is taken: `rows` gets its inputs."""
        variables = {name: f"v{at}" for at, name in enumerate(lines.fields)}
        given = [variables[name] for name, field in lines.fields.items() if field.kind == "amount"]
        yield f"amounts += {', '.join(given)},"
        for name, field in lines.fields.items():
            variable = variables[name]
            if field.kind == "amount":
                yield f"{variable} = ZERO if {variable} == '0' else number({variable})"
            else:
                met = f"met_{entity}_{name}"
                self.objects[met] = lines.met(name)
                self.objects[f"meet_{met}"] = partial(lines.meet, name)
                yield f"if {variable} not in {met}: meet_{met}({variable})"
            if field.above_zero:
                yield f"if not {variable}: raise Odd"
        held = " or ".join(variables[lines.inputs[at].name] for at in lines.amounts)
        if held:
            yield f"if not ({held}): full_{entity} = False"
        yield f"rows.append(({''.join(f'{variables[i.name]}, ' for i in lines.inputs)}))"

    def _held(self, entity: str, lines: Lines) -> Iterator[str]:
        """Skip what holds nothing and add what is only priced; else leave all as it is."""
        self.objects[f"key_{entity}"] = lines.pick_key
        yield " named = set()"
        for other, of_other in self.lines.items():
            names = [f"named.add(row[{at}])" for at, _ in of_other.names.get(entity, ())]
            if names:
                yield f" if {other}.__class__ is tuple:"
                yield f"  for row in {other}: {'; '.join(names)}"
        yield f" rows = {entity} if {entity}.__class__ is tuple else ()"
        yield f" keys = set(map(key_{entity}, rows))"
        plain = f"f_{PRICES} is None and len(keys) == len(rows) and named <= keys and full_{entity}"
        yield f" if not ({plain}):"
        yield f"  {entity} = lines_{entity}.held({entity}, f_{PRICES}, named)"
        yield f"  if {entity} is None: raise Odd"

    def _inputs(self) -> Iterator[str]:
        for at, item in enumerate(self.account):
            first, *rest = item.source
            if item.source == ("at",):
                yield "moment"
                continue
            value = f"f_{first}" if first in self.fields else "None"
            for step in rest:
                value = f"(None if {value} is None else {value}.get({step!r}))"
            number = "number(x)" if item.kind == "number" else "x"
            absent = "missing()"
            if item.optional:
                absent = f"absent_{at}"
                self.objects[absent] = not_given(item, self.fields.get(first))
            yield f"({absent} if (x := {value}) is None else {number})"


def _missing() -> None:
    raise Odd
