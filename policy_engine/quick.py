"""The quick way to read a plain snapshot: one generated function for a plan's inputs.

It takes what callers send most: a mapping of texts whose fields the schema knows. Whatever else it
meets raises (Odd, or what Python raises on the way), and the careful way takes over. What both
take, they take alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Any

from policy_engine.fields import Field, Odd, take_truth
from policy_engine.lines import PRICES, Lines, are_amounts, not_given
from policy_engine.model import LISTS, Input

_GLOBALS: Mapping[str, Any] = {
    "__builtins__": {},
    "Decimal": Decimal,
    "NONE": object(),
    "Odd": Odd,
    "all": all,
    "any": any,
    "are_amounts": are_amounts,
    "gather": chain.from_iterable,
    "int": int,
    "len": len,
    "list": list,
    "map": map,
    "set": set,
    "str": str,
    "sum": sum,
    "tuple": tuple,
    "zip": zip,
}


def quick_reader(
    account: Sequence[Input],
    fields: Mapping[str, Field],
    excludes: Mapping[str, Collection[str]],
    lines: Mapping[str, Lines],
    result: type,
) -> Callable[[Any, Any], Any]:
    """The function that takes a plain snapshot (and an instant for one without) to a `result`.

    Where a field of `excludes` is given, those it excludes are null or not there.
    """
    writer = _Writer(account, fields, excludes, lines)
    source = "\n".join(writer.lines_of_code()) + "\n"
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
        self.objects["known"] = frozenset({*self.fields, *LISTS})

    def lines_of_code(self) -> Iterator[str]:
        yield "def take(snapshot, moment):"
        yield " if not snapshot.keys() <= known: raise Odd"
        yield " get, amounts = snapshot.get, []"
        for field in self.fields.values():
            if field.name not in LISTS:
                yield from self._field(field)
        for name, others in self.excludes.items():
            given = " or ".join(f"get({other!r}) is not None" for other in sorted(others))
            yield f" if f_{name} is not None and ({given}): raise Odd"
        for entity in LISTS:
            yield from self._list(entity, self.lines[entity])
        yield " if amounts and not are_amounts(amounts): raise Odd"
        yield " if f_at is not None: moment = f_at"
        for entity in LISTS:
            if self.lines[entity].key is not None:
                yield from self._held(entity, self.lines[entity])
        inputs = "".join(f"{text}, " for text in self._inputs())
        yield f" return Taken(f_account, moment, ({inputs}), ({', '.join(LISTS)}))"

    def _field(self, field: Field) -> Iterator[str]:
        """One field of the account, checked whether or not the rules read it."""
        variable, take = f"f_{field.name}", f"take_{field.name}"
        if field.required:
            yield f" {variable} = snapshot[{field.name!r}]"
        else:
            yield f" {variable} = get({field.name!r})"
            if not field.nullable:
                yield f" if {variable} is None and {field.name!r} in snapshot: raise Odd"
        before = " " if field.required else f" if {variable} is not None: "
        if field.numeric:
            yield f" if {variable}.__class__ is int: {variable} = str({variable})"
        if field.amounts is not None:
            self.objects[f"keys_{field.name}"] = field.amounts
            yield f" if {variable} is not None:"
            yield f"  if not {variable}.keys() <= keys_{field.name}: raise Odd"
            yield f"  amounts += {variable}.values()"
            return
        if field.take is take_truth:
            given = "" if field.required else f"{variable} is not None and "
            yield f" if {given}{variable} is not True and {variable} is not False: raise Odd"
            return
        if field.choices is not None:
            self.objects[f"choices_{field.name}"] = field.choices
            wrong = f"{variable}.__class__ is not str or {variable} not in choices_{field.name}"
            given = "" if field.required else f"{variable} is not None and ({wrong})"
            yield f" if {given or wrong}: raise Odd"
        else:
            self.objects[take] = field.take
            yield f"{before}{variable} = {take}({variable})"

    def _list(self, entity: str, lines: Lines) -> Iterator[str]:
        self.objects[f"lines_{entity}"] = lines
        field = self.fields[entity]
        yield (
            f" {entity} = snapshot[{entity!r}]"
            if field.required
            else (f" {entity} = get({entity!r}, NONE)")
        )
        if not field.nullable:
            yield f" if {entity} is None: raise Odd"
        otherwise = f"() if {entity} is NONE else lines_{entity}.rows({entity})"
        if not lines.plain:
            yield f" {entity} = {otherwise}"
            return
        yield f" if {entity}.__class__ is not list or not {entity}: {entity} = {otherwise}"
        yield " else:"
        yield f"  if sum(map(len, {entity})) != {lines.width} * len({entity}): raise Odd"
        self.objects[f"amounts_of_{entity}"] = lines.amounts_of
        yield f"  texts = [*gather(map(amounts_of_{entity}, {entity}))]"
        yield "  amounts += texts"
        yield "  numbers = map(Decimal, texts)"
        columns = ["numbers"] * lines.count
        for name, getter, at in lines.texts:
            self.objects[f"get_{entity}_{name}"] = getter
            column = f"[*map(get_{entity}_{name}, {entity})]"
            yield f"  t_{name} = lines_{entity}.met({name!r}, {column})"
            if at is not None:
                columns[at] = f"t_{name}"
        yield f"  {entity} = tuple(zip({', '.join(columns)}))"
        for n, of_row in enumerate(lines.above_zero):
            self.objects[f"above_{entity}_{n}"] = of_row
            yield f"  if not all(map(above_{entity}_{n}, {entity})): raise Odd"

    def _held(self, entity: str, lines: Lines) -> Iterator[str]:
        """Skip what holds nothing and add what is only priced; else leave all as it is."""
        self.objects[f"key_{entity}"] = lines.pick_key
        yield " named = set()"
        for other, of_other in self.lines.items():
            for at, _ in of_other.names.get(entity, ()):
                self.objects[f"name_{other}_{at}"] = itemgetter(at)
                yield f" if {other}.__class__ is tuple and {other}:"
                yield f"  named.update(map(name_{other}_{at}, {other}))"
        yield f" rows = {entity} if {entity}.__class__ is tuple else ()"
        yield f" keys = set(map(key_{entity}, rows))"
        plain = f"f_{PRICES} is None and len(keys) == len(rows) and named <= keys"
        if lines.optional:
            plain = "False"
        elif lines.pick_amounts is not None:
            self.objects[f"holds_{entity}"] = lines.pick_amounts
            plain += f" and all(map(any, map(holds_{entity}, rows)))"
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
            number = "Decimal(x)" if item.kind == "number" else "x"
            absent = "missing()"
            if item.optional:
                absent = f"absent_{at}"
                self.objects[absent] = not_given(item, self.fields.get(first))
            yield f"({absent} if (x := {value}) is None else {number})"


def _missing() -> None:
    raise Odd
