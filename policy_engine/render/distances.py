"""How far prices may move before the status changes, as a person reads it or a program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from policy_engine.decision import Decision
from policy_engine.distances import Distance, Distances
from policy_engine.numbers import EXACT, instant_text, plain, text_of
from policy_engine.render.decision import HINT
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, number_text, padded, table

_LABEL = 14
_HUNDRED = Decimal(100)
_CENTS = re.compile(r"(\.(?!00)\d\d)\d+…?$", re.ASCII)


def render(found: Distances, before: Decision, page: Page) -> str:
    """The prices, or changes of all prices, at which each status begins."""
    parts = (_head(found, before, page), _begins(found), _untold(found, page))
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _head(found: Distances, before: Decision, page: Page) -> Iterator[str]:
    yield page.dim(padded("Account", _LABEL)) + page.bold(before.account)
    yield page.dim(padded("Facts of", _LABEL)) + instant_text(before.at)
    yield page.dim(padded("Rules of", _LABEL)) + instant_text(before.rules_at)
    yield from page.wrapped(_moves(found), _LABEL, "Moves")
    yield page.dim(padded("Status", _LABEL)) + (found.status or CANNOT_BE_TOLD)


def _moves(found: Distances) -> str:
    tick = plain(found.tick)
    if found.line is not None:
        now = number_text(found.present)
        return f"the price of {found.line}, now {now}, by {tick}; all others stay"
    held = f"; held: {', '.join(found.held)}" if found.held else ""
    return f"all prices together, by {tick}%{held}"


def _begins(found: Distances) -> Iterator[str]:
    """For each status where it begins on the way down, and on the way up."""
    if found.status is None:
        return
    rows = [(one.status, *_sides(found, one)) for one in found.statuses]
    yield from table([("begins", "falling to", "rising to"), *rows])


def _sides(found: Distances, one: Distance) -> tuple[str, str]:
    if one.status == found.status:
        return "holds now", "holds now"
    return _at(found, one.below, found.untold_below), _at(found, one.above, found.untold_above)


def _at(found: Distances, value: Decimal | None, untold: Decimal | None) -> str:
    if value is None:
        return "never" if untold is None else CANNOT_BE_TOLD
    if found.line is None:
        return f"{'+' if value > 0 else ''}{number_text(value)}%"
    change = EXACT.subtract(EXACT.divide(value, found.present), Decimal(1))
    percent = _CENTS.sub(r"\1…", number_text(EXACT.multiply(change, _HUNDRED)))
    return f"{number_text(value)} ({'+' if change > 0 else ''}{percent}%)"


def _untold(found: Distances, page: Page) -> Iterator[str]:
    """From where on the status cannot be told, and why."""
    if found.reasons:
        yield page.bold("Cannot be told")
    unit = "%" if found.line is None else ""
    for words, value in (("falling to", found.untold_below), ("rising to", found.untold_above)):
        if value is not None:
            yield f"  {words} {number_text(value)}{unit}, and beyond"
    for reason in found.reasons:
        why, _, hint = reason.partition(HINT)
        yield from page.wrapped(why, 2)
        if hint:
            yield from page.wrapped(hint, 18, "    to settle it:")
    if not found.sure:
        said = "figures that are rounded, or multiplied by one another, decide here: a nearer price"
        yield from page.wrapped(f"{said} may have been passed over", 2)


def to_json(found: Distances) -> str:
    """The same as one line of JSON, numbers as text."""
    said = {
        "line": found.line,
        "held": list(found.held),
        "present": plain(found.present),
        "tick": plain(found.tick),
        "status": found.status,
        "statuses": [
            {"status": one.status, "below": text_of(one.below), "above": text_of(one.above)}
            for one in found.statuses
        ],
        "untold_below": text_of(found.untold_below),
        "untold_above": text_of(found.untold_above),
        "undetermined": list(found.reasons),
        "evaluations": found.evaluations,
        "sure": found.sure,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
