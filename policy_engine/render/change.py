"""What one change says, in words: from what to what, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from policy_engine.diff.change import (
    ADDED,
    CHANGED,
    MOVED,
    REMOVED,
    Change,
    Names,
    Tiers,
    Words,
    ordered,
    same,
)
from policy_engine.language.syntax import Expression
from policy_engine.language.text import to_text
from policy_engine.model import (
    Accrual,
    Citation,
    Effect,
    Formula,
    Input,
    Limit,
    NotKnown,
    Parameter,
    Permission,
    Request,
    RequestInput,
    Rule,
    Scale,
    Source,
    Table,
)
from policy_engine.numbers import EXACT, instant_text, plain

NOTHING = "nothing"
PERCENT_STEP = Decimal("0.01")


def body(change: Change) -> str:
    """What a change says, in one line."""
    if change.kind == "row" and same(change.before, change.after):
        listed = "listed" if change.action == ADDED else "no longer listed"
        return f"{listed}, {said(change.after)} as before"
    if change.action in (ADDED, REMOVED) and change.kind != "row":
        if change.kind == "scope":
            return "now used" if change.action == ADDED else "no longer used"
        return whole(change.after if change.action == ADDED else change.before)
    if change.part is not None:
        return f"{_quoted(change.part.before.part)} -> {_quoted(change.part.after.part)}"
    return f"{_lead(change)}{said(change.before)} -> {said(change.after)}{_measured(change)}"


def _lead(change: Change) -> str:
    if change.action == MOVED and isinstance(change.after, Names):
        return "order: "
    moved_or_changed = change.action in (CHANGED, MOVED) or change.kind == "row"
    return "" if moved_or_changed else f"{change.action}: "


def _quoted(formula: str) -> str:
    return f"`{formula}`" if formula else NOTHING


def _measured(change: Change) -> str:
    """The unit of a number, and by how much it moved which way."""
    if not (isinstance(change.before, Decimal) or isinstance(change.after, Decimal)):
        return ""
    unit = _unit(change.unit) if isinstance(change.after, Decimal) else ""
    moved = [
        *(f"{_signed(rise)}" for rise in _some(change.difference)),
        *(percent_text(percent) for percent in _some(change.percent)),
        *_some(change.direction),
    ]
    return f"{unit} ({', '.join(moved)})" if moved else unit


def _unit(unit: str | None) -> str:
    return "" if unit in (None, "ratio") else f" {unit}"


def _some(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _signed(value: Decimal) -> str:
    return f"{'+' if value > 0 else ''}{plain(value)}"


def percent_text(percent: Decimal) -> str:
    """Hundredths with their sign, cut after two decimals; `…` says that something was cut."""
    cut = percent.quantize(PERCENT_STEP, ROUND_DOWN, EXACT)
    sign = "-" if percent < 0 else "+"
    return f"{sign}{plain(cut.copy_abs())}{'' if cut == percent else '…'}%"


def said(value: Any) -> str:
    """What a version says somewhere, in a few words; `nothing` where it says nothing."""
    match value:
        case None:
            return NOTHING
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case NotKnown(because=because):
            return f"undetermined ({because})"
        case Accrual():
            covers = ", ".join(f"{share} covers {whole}" for whole, share in value.covers.items())
            return f"every hour to {value.to} of {value.of}, by {value.by}; {covers}"
        case datetime():
            return instant_text(value)
        case timedelta():
            return _length(value)
        case Words(text=text):
            return '"' + text.replace("\n", " ") + '"'
        case Names(names=names):
            return ", ".join(names)
        case Citation(source=source, quote=quote):
            return source if quote is None else f'{source} "{quote}"{value.where}'
        case Tiers():
            return "; ".join(_tier_texts(value))
        case Scale() | Table():
            return whole(value)
        case Expression():
            return f"`{to_text(value.tree)}`"
    return str(value)


def _length(length: timedelta) -> str:
    """A stretch of time as rule files write it."""
    minutes = int(length.total_seconds()) // 60
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return str(length)


def _tier_texts(stretch: Tiers) -> Iterator[str]:
    for tier in stretch.tiers:
        if not stretch.columns:
            yield f"to {plain(tier.to)}: {plain(tier.rates[0])}"
        else:
            rates = sorted(zip(stretch.columns, tier.rates, strict=True))
            listed = ", ".join(f"{name} {plain(rate)}" for name, rate in rates)
            yield f"to {plain(tier.to)}: {listed}"


# --- what is there on one side only ---------------------------------------------------------------


def whole(item: Any) -> str:
    """What is added or removed, in a few words."""
    match item:
        case Parameter(value=value, unit=unit):
            return f"{said(value)}{_unit(unit) if isinstance(value, Decimal) else ''}"
        case Table():
            count = sum(len(row.keys) for row in item.rows)
            return f"{_counted(count, 'row')}, otherwise {said(item.otherwise.value)}"
        case Scale(by=None):
            return _counted(len(item.tiers.get(None, ())), "tier")
        case Scale():
            return f"tiers for {', '.join(said(key) for key in sorted(item.tiers, key=ordered))}"
        case Formula(expression=expression):
            return said(expression)
        case Rule(when=when):
            return "what remains" if when is None else f"when {said(when)}"
        case Permission() | Request():
            names = sorted(rule.name for rule in item.refuse_when)
            return f"refused when {', '.join(names)}" if names else "never refused"
        case Input() | RequestInput():
            return ", ".join(_input(item))
        case Effect(sets=sets):
            return f"sets {', '.join(sorted(sets))}"
        case Limit(input=name, step=step):
            return f"{name}, step {plain(step)}"
        case Source(title=title):
            return f'"{title}"'
    return said(item)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _input(item: Input | RequestInput) -> Iterator[str]:
    yield item.kind
    yield from _some(item.unit)
    yield from ["optional"] if item.optional else ()
    if isinstance(item, Input):
        yield from ["key"] if item.key else ()
    yield from (f"names a line of {list_}" for list_ in _some(item.key_of))
    if isinstance(item, Input):
        if item.source != (item.name,):
            yield f"from {'.'.join(item.source)}"
        yield from (f"role {role}" for role in _some(item.role))
    else:
        yield from _bounds(item)


def _bounds(item: RequestInput) -> Iterable[str]:
    bounds = {"above": item.above, "at least": item.at_least, "at most": item.at_most}
    yield from (f"{word} {plain(bound)}" for word, bound in bounds.items() if bound is not None)
    if item.one_of:
        yield f"one of {', '.join(said(value) for value in item.one_of)}"
