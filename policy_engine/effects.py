"""What a request changes: the account as it would be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from policy_engine.asking import Asking
from policy_engine.deciding import Deciding
from policy_engine.decision import Decision
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.fields import shape
from policy_engine.language.asked import effect_entity
from policy_engine.language.values import Undetermined, is_undetermined, together
from policy_engine.lines import not_given
from policy_engine.model import ACCOUNT, LISTS, Effect, Input, Request
from policy_engine.numbers import exactly, text_of
from policy_engine.policy import Compiled
from policy_engine.snapshot import Reader, Taken


@dataclass(frozen=True)
class LineChange:
    """Figures of a line that change; a line without a key is added."""

    entity: str
    key: Any
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Effects:
    """All that a request changes in an account, worked out before anything is changed.

    `taken` is the account as it is, with a line for everything that the request names; `settings`
    are the account's figures that change, by input. `short` names each amount that would fall
    below 0; `unknown` is what cannot be told of the changes; `gone` is the list and position of
    the line that it takes.
    """

    snapshot: Mapping[str, Any]
    given: Mapping[str, Any]
    taken: Taken
    settings: tuple[tuple[Input, Any], ...] = ()
    lines: tuple[LineChange, ...] = ()
    short: tuple[tuple[str, str], ...] = ()
    unknown: tuple[Undetermined, ...] = ()
    gone: tuple[str, int] | None = None
    reached: frozenset[str] = field(default=frozenset())


def effects_of(
    rules: Deciding,
    asking: Asking,
    snapshot: Mapping[str, Any],
    given: Mapping[str, Any],
    taken: Taken | None = None,
    gone: int | None = None,
) -> Effects:
    """What a request changes. Raises SnapshotError where it names a line that is not there, or one
    line twice and sets a figure of it twice.

    `taken` is the account where it has been read already, with those lines or without them;
    `gone` is the position of the line that the request takes.
    """
    compiled, reader = rules.choice(snapshot)
    named = [
        (item.key_of, given[name], name)
        for name, item in asking.request.inputs.items()
        if item.key_of is not None and not is_undetermined(given[name])
    ]
    taken = with_lines(reader, taken or reader.read(snapshot, rules.at), snapshot, named)
    _check_once(asking.request, given)
    values, reached = exactly(asking.set_values, taken.inputs, taken.lists, given)
    settings: list[tuple[Input, Any]] = []
    lines: list[LineChange] = []
    for effect, figures in zip(asking.request.effects, asking.asked.sets, strict=True):
        entity = effect.add or effect_entity(asking.request, effect)
        if effect.line is None and effect.add is None:
            own = compiled.plan.scope.inputs[ACCOUNT]
            settings += [(own[name], values[figure]) for name, figure in figures.items()]
        else:
            lines.append(_line_change(effect, entity, figures, values, given, taken, reader))
    sets = [value for _, value in settings] + [v for line in lines for v in line.values.values()]
    unknown = tuple(value for value in sets if is_undetermined(value))
    short = tuple(_short(lines, compiled.plan.scope.inputs))
    takes = asking.request.takes
    left = None if takes is None or gone is None else (takes, gone)
    changes = tuple(settings), tuple(lines), short, unknown, left
    return Effects(snapshot, given, taken, *changes, reached=frozenset(reached))


def _check_once(request: Request, given: Mapping[str, Any]) -> None:
    """All effects come at once: two inputs that name one line may not set the same figure of it."""
    met: dict[tuple[str, Any, str], str] = {}
    for effect in request.effects:
        for name in effect.sets if effect.line else ():
            line = str(effect.line)
            key = given[line]
            first = met.setdefault((str(request.inputs[line].key_of), key, name), line)
            if first != line and not is_undetermined(key):
                message = f"`{first}` and `{line}` both name {text_of(key)}, and both set `{name}`"
                place = Place(pointer=line)
                raise SnapshotError([Problem("same-line", message, "name two lines", place)])


def _line_change(
    effect: Effect,
    entity: str,
    figures: Mapping[str, str],
    values: Mapping[str, Any],
    given: Mapping[str, Any],
    taken: Taken,
    reader: Reader,
) -> LineChange:
    if effect.add is not None:
        return LineChange(entity, None, {name: values[full] for name, full in figures.items()})
    key = given[str(effect.line)]
    at = _position(taken, reader, entity, key)
    return LineChange(entity, key, {name: values[full][at] for name, full in figures.items()})


def _position(taken: Taken, reader: Reader, entity: str, key: Any) -> int:
    column = reader.lines[entity].key
    rows = taken.lists[LISTS.index(entity)]
    return next(n for n, row in enumerate(rows) if row[column] == key)


def _short(
    lines: Iterable[LineChange], inputs: Mapping[str, Mapping[str, Input]]
) -> Iterator[tuple[str, str]]:
    """Each amount of a line that would fall below 0, with the line's key."""
    for line in lines:
        for name, value in line.values.items():
            amount = inputs[line.entity][name].role is None and isinstance(value, Decimal)
            if amount and value < 0:
                yield name, str(text_of(line.key) or line.entity)


# --- the account as it would be -------------------------------------------------------------------


def changed(rules: Deciding, effects: Effects) -> Decision | Undetermined:
    """The decision on the changed account, under the rules that then apply to it.

    Undetermined where it is no account, a setting that changes is not known, or no rules apply.
    """
    unknown = together(value for _, value in effects.settings)
    if unknown is not None:
        return unknown
    if effects.short:
        return Undetermined(["the account would hold less than nothing"])
    try:
        compiled, reader, taken = changed_account(rules, effects)
    except SnapshotError as error:
        return Undetermined(problem.message for problem in error.problems)
    made = rules.requested(compiled, lambda: changed_snapshot(rules, effects))
    return rules.decided(compiled, reader.held(taken), made)


def changed_account(rules: Deciding, effects: Effects) -> tuple[Compiled, Reader, Taken]:
    """The changed account, all its lines kept, with what decides on it and what reads it."""
    snapshot, taken = _settled(effects), effects.taken
    compiled, reader = rules.choice(snapshot)
    if snapshot is not effects.snapshot:
        by = rules.choice(effects.snapshot)[1]
        taken = reader.read_again(snapshot, rules.at, effects.snapshot, by, taken.lists)
    for line in effects.lines:
        taken = _with_line(reader, taken, snapshot, line)
    if effects.gone is not None:
        entity, at = effects.gone
        taken = _replaced(taken, entity, _without(taken.lists[LISTS.index(entity)], at))
    return compiled, reader, taken


def _without(rows: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return (*rows[:at], *rows[at + 1 :])


def changed_snapshot(rules: Deciding, effects: Effects) -> Mapping[str, Any]:
    """The snapshot of the changed account, as one would write it."""
    snapshot = dict(_settled(effects))
    reader = rules.choice(snapshot)[1]
    for line in effects.lines:
        held = snapshot.get(line.entity)
        if held is None and line.entity in snapshot:
            continue  # a list that is not known stays so
        texts = {name: text_of(value) for name, value in line.values.items()}
        snapshot[line.entity] = _with_texts(reader, effects.snapshot, line, held or [], texts)
    if effects.gone is not None:
        entity, at = effects.gone
        snapshot[entity] = [*_without(tuple(snapshot[entity]), at)]
    return snapshot


def _with_texts(
    reader: Reader,
    snapshot: Mapping[str, Any],
    line: LineChange,
    held: list[Mapping[str, Any]],
    texts: Mapping[str, Any],
) -> list[Mapping[str, Any]]:
    lines = reader.lines[line.entity]
    if line.key is None or lines.key is None:
        return [*held, texts]
    name = lines.inputs[lines.key].name
    if any(one[name] == line.key for one in held):
        return [{**one, **texts} if one[name] == line.key else one for one in held]
    row = reader.line(snapshot, line.entity, line.key, name)
    known = zip((item.name for item in lines.inputs), row, strict=True)
    blank = {field.name: "0" for field in lines.fields.values() if field.required}
    own = {name: text_of(value) for name, value in known if not is_undetermined(value)}
    return [*held, {**blank, **own, **texts}]


def _settled(effects: Effects) -> Mapping[str, Any]:
    """The snapshot but for the lines that change; the same one if nothing else does.

    A total given in place of a list says nothing any more once the list gets a line: then neither
    is known.
    """
    snapshot = effects.snapshot
    added = {line.entity for line in effects.lines if line.key is None}
    if added:
        given = {name for name, value in snapshot.items() if value is not None}
        totals = {name: lists & added for name, lists in shape().excludes.items() if name in given}
        unknown = {name for total, lists in totals.items() if lists for name in (total, *lists)}
        snapshot = {**snapshot, **dict.fromkeys(unknown)} if unknown else snapshot
    return _with_settings(snapshot, effects.settings) if effects.settings else snapshot


def _with_settings(
    snapshot: Mapping[str, Any], settings: Iterable[tuple[Input, Any]]
) -> Mapping[str, Any]:
    changed: dict[str, Any] = dict(snapshot)
    for item, value in settings:
        held = changed
        for step in item.source[:-1]:
            held[step] = dict(held.get(step) or {})
            held = held[step]
        held[item.source[-1]] = text_of(value)
    return changed


def _with_line(
    reader: Reader, taken: Taken, snapshot: Mapping[str, Any], line: LineChange
) -> Taken:
    inputs = reader.lines[line.entity].inputs
    rows = taken.lists[LISTS.index(line.entity)]
    if is_undetermined(rows):
        return taken
    if line.key is None:
        added = tuple(line.values.get(item.name, not_given(item, None)) for item in inputs)
        named = [(i.key_of, v, i.name) for i, v in zip(inputs, added, strict=True) if i.key_of]
        taken = with_lines(reader, taken, snapshot, named)
        return _replaced(taken, line.entity, (*rows, added))
    taken = with_lines(reader, taken, snapshot, [(line.entity, line.key, line.entity)])
    at = _position(taken, reader, line.entity, line.key)
    rows = list(taken.lists[LISTS.index(line.entity)])
    pairs = zip(inputs, rows[at], strict=True)
    rows[at] = tuple(line.values.get(item.name, value) for item, value in pairs)
    return _replaced(taken, line.entity, tuple(rows))


def _replaced(taken: Taken, entity: str, rows: tuple[Any, ...]) -> Taken:
    lists = dict(zip(LISTS, taken.lists, strict=True))
    return taken._replace(lists=tuple({**lists, entity: rows}.values()))


def with_lines(
    reader: Reader, taken: Taken, snapshot: Mapping[str, Any], named: Iterable[tuple[str, Any, str]]
) -> Taken:
    """An account with a line for each key named; what it has only a price of is held and owed 0.

    `named` are lists, keys, and the input that names each. Raises SnapshotError for a key that has
    neither a line nor a price.
    """
    for entity, key, asked in named:
        rows = taken.lists[LISTS.index(entity)]
        column = reader.lines[entity].key
        if not is_undetermined(rows) and all(row[column] != key for row in rows):
            made = reader.line(snapshot, entity, key, asked)
            taken = _replaced(taken, entity, (*rows, made))
    return taken
