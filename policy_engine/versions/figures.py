"""Values, tables and scales of a rule file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from policy_engine.errors import did_you_mean
from policy_engine.model import AboveLast, NotKnown, Row, Scale, Table, Tier
from policy_engine.numbers import Value, text_of
from policy_engine.versions.part import Part, citation, provision


def read_value(part: Part, key: str, kind: str, because: str | None) -> Value | NotKnown:
    """The value under a key; `undetermined` needs a reason in the rules' own words."""
    if part.get(key) != "undetermined":
        return part[key].value(kind)
    if because is None:
        part[key].complain(
            "missing-key",
            f"`{key}: undetermined` gives no reason",
            "say why in `because`: it is shown to whoever asks",
        )
    return NotKnown(because or "")


# --- tables --------------------------------------------------------------------------------------


def read_table(part: Part) -> Table:
    """A table: rows by key, and what holds for every other key."""
    kind = part.get("gives", "number")
    by = part.get("by")
    kinds = (by,) if isinstance(by, str) else tuple(by)
    if kind == "number" and "unit" not in part:
        hint = "write `unit: ratio` for a bare number, or `gives: text` (truth, instant)"
        part.complain("missing-key", f"`{part.name}` has no `unit`", hint, key=True)
    rows = tuple(_row(row, kind, kinds) for row in part["rows"].each())
    _refuse_twice(part, rows)
    otherwise = Row(
        read_value(part, "otherwise", kind, part.get("because")),
        assumes=tuple(part.get("otherwise_assumes", ())),
    )
    return Table(
        **provision(part),
        by=kinds,
        kind=kind,
        unit=part.get("unit"),
        rows=rows,
        otherwise=otherwise,
        safer=part.get("safer"),
    )


def _row(part: Part, kind: str, by: tuple[str, ...]) -> Row:
    return Row(
        read_value(part, "value", kind, part.get("because")),
        tuple(_key(key, by) for key in part["when"].each()),
        tuple(part.get("assumes", ())),
        citation(part),
        part.get("note"),
    )


def _key(part: Part, by: tuple[str, ...]) -> tuple[Value, ...]:
    parts = list(part.each()) if isinstance(part.content, list) else [part]
    if len(parts) != len(by):
        wanted = "one key" if len(by) == 1 else f"a list of {len(by)} keys"
        hint = "write `when: [key, …]`" if len(by) == 1 else "write `when: [[key, key], …]`"
        part.complain("invalid-value", f"each entry of `when` is {wanted}", hint)
        return ()
    return tuple(item.value(kind) for item, kind in zip(parts, by, strict=True))


def _refuse_twice(part: Part, rows: tuple[Row, ...]) -> None:
    """A key in two rows would make the answer a matter of order."""
    seen: dict[tuple[Value, ...], int] = {}
    for index, row in enumerate(rows):
        for position, key in enumerate(row.keys):
            if key in seen:
                shown = ", ".join(str(text_of(item)) for item in key)
                at = part["rows"][index]["when"][position]
                first = part["rows"][seen[key]].place.line
                hint = "one key, one row: take it out of one of them"
                at.complain("duplicate-key", f"`{shown}` has a row already, on line {first}", hint)
            seen.setdefault(key, index)


# --- scales --------------------------------------------------------------------------------------


def read_scale(part: Part) -> Scale:
    """A scale: tiers by edge, one list or one for each key."""
    columns = tuple(part.get("columns", {"rate": part.get("unit", "ratio")}).items())
    tiers = dict(_lists(part, [name for name, _ in columns]))
    identity = part.get("maintenance_amount")
    for name, item in part.items("safer"):
        if name not in dict(columns):
            _no_column(item, name, dict(columns))
    return Scale(
        **provision(part),
        by=part.get("by"),
        unit_in=part.get("in"),
        columns=columns,
        has_columns="columns" in part,
        edge_belongs_to=part.get("edge_belongs_to"),
        rates=part.get("rates"),
        safer=dict(part.get("safer", {})),
        above_last=_above_last(part),
        tiers=tiers,
        maintenance_amount=(identity["rate"], identity["amount"]) if identity else None,
        columns_rise=tuple(part.get("columns_rise", ())),
    )


def _lists(part: Part, columns: list[str]) -> Iterator[tuple[Value | None, tuple[Tier, ...]]]:
    tiers, by = part["tiers"], part.get("by")
    if (by is None) != isinstance(tiers.content, list):
        wanted = "a list of tiers for each key" if by else "one list of tiers, as it has no `by`"
        tiers.complain("invalid-value", f"`{part.name}` takes {wanted}", None, key=True)
    elif by is None:
        yield None, _tiers(tiers, columns)
    else:
        yield from _keyed(part, columns)


def _keyed(part: Part, columns: list[str]) -> Iterator[tuple[Value, tuple[Tier, ...]]]:
    """The lists of a keyed scale; number keys are the same when they are equal as numbers."""
    seen: dict[Value, str] = {}
    for name, item in part.items("tiers"):
        key = name if part.get("by") == "text" else _number_key(item)
        if key in seen:
            message, hint = f"`{name}` is `{seen[key]}` once more", "one key, one list of tiers"
            item.complain("duplicate-key", message, hint, key=True)
        seen.setdefault(key, name)
        yield key, _tiers(item, columns)


def _number_key(part: Part) -> Decimal:
    written = Part(part.document, part.name, part.problems, part.pointer)
    return written.number()


def _tiers(part: Part, columns: list[str]) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    edge = Decimal(0)
    for item in part.each():
        tiers.append(_tier(item, columns, edge))
        edge = tiers[-1].to
    return tuple(tiers)


def _tier(part: Part, columns: list[str], edge: Decimal) -> Tier:
    to = part["to"].number()
    if "from" in part:
        _check_from(part["from"], edge)
    if to <= edge:
        again = "is not above 0" if to == 0 else "is the edge before it once more"
        wrong = again if to == edge else f"is not above {text_of(edge)}"
        part["to"].complain(
            "tier-order",
            f"the edge {text_of(to)} {wrong}",
            "edges rise from tier to tier, the first above 0",
        )
    _check_columns(part, columns)
    return Tier(to, tuple(part[name].number() if name in part else Decimal(0) for name in columns))


def _check_from(part: Part, edge: Decimal) -> None:
    start = part.number()
    if start == edge:
        return
    between = "gap" if start > edge else "overlap"
    low, high = sorted((start, edge))
    part.complain(
        f"tier-{between}",
        f"there is {'a gap' if between == 'gap' else 'an overlap'} "
        f"from {text_of(low)} to {text_of(high)}",
        f"a tier starts where the one before it ends: write `from: {text_of(edge)}` or nothing",
    )


def _check_columns(part: Part, columns: list[str]) -> None:
    given = [name for name in part.content if name not in ("to", "from")]
    for name in columns:
        if name not in part:
            hint = f"add `{name}: …`: each tier fills every column"
            part.complain("missing-key", f"the tier has no `{name}`", hint)
    for name in given:
        if name not in columns:
            _no_column(part[name], name, columns)


def _no_column(part: Part, name: str, columns: Iterable[str]) -> None:
    listed = ", ".join(f"`{column}`" for column in columns)
    hint = did_you_mean(name, columns) or f"it has {listed}"
    part.complain("unknown-key", f"the scale has no column `{name}`", hint, key=True)


def _above_last(part: Part) -> AboveLast:
    last = part["above_last"]
    assumes: tuple[str, ...] = ()
    if isinstance(last.content, dict):
        assumes, last = tuple(last.get("assumes", ())), last["rate"]
    if last.content == "last":
        return AboveLast(None, assumes)
    if last.content == "undetermined":
        holder = Part(part.document, {"above_last": "undetermined"}, part.problems, part.pointer)
        known = read_value(holder, "above_last", "number", part.get("because"))
        return AboveLast(known if isinstance(known, NotKnown) else None, assumes)
    return AboveLast(last.number(), assumes)
