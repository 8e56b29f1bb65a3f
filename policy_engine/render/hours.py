"""How many hours remain until the status changes by what accrues, for a person or a program."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policy_engine.accruals import HORIZON, Accruing, Hours, Wait
from policy_engine.decision import Decision
from policy_engine.numbers import instant_text, text_of
from policy_engine.render.decision import HINT
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, number_text, padded, table

_LABEL = 14
_DAY = 24


def render(found: Hours, before: Decision, page: Page) -> str:
    """After how many hours, and when, each status begins."""
    parts = (_head(found, before, page), _begins(found), _untold(found, page))
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _head(found: Hours, before: Decision, page: Page) -> Iterator[str]:
    yield page.dim(padded("Account", _LABEL)) + page.bold(before.account)
    yield page.dim(padded("Facts of", _LABEL)) + instant_text(found.at)
    yield page.dim(padded("Rules of", _LABEL)) + instant_text(before.rules_at)
    known = found.untold != 0 or found.accruing
    grows = "; ".join(map(_grows, found.accruing)) or ("nothing" if known else "not known")
    yield from page.wrapped(f"{grows}; all else stays", _LABEL, "Accrues")
    yield page.dim(padded("Status", _LABEL)) + (found.status or CANNOT_BE_TOLD)


def _grows(one: Accruing) -> str:
    return f"{one.name} of {one.key} by {number_text(one.each)} an hour"


def _begins(found: Hours) -> Iterator[str]:
    if found.status is not None and found.untold != 0:
        rows = [(one.status, *_when(found, one)) for one in found.statuses]
        yield from table([("begins", "after", "at"), *rows])


def _when(found: Hours, one: Wait) -> tuple[str, str]:
    if one.status == found.status:
        return "holds now", ""
    if one.hours is None or one.at is None:
        never = f"not within {HORIZON // 8766} years"
        return (never if found.untold is None else CANNOT_BE_TOLD), ""
    return _lasting(one.hours), instant_text(one.at)


def _lasting(hours: int) -> str:
    days, rest = divmod(hours, _DAY)
    counted = f"{hours:,} hour{'' if hours == 1 else 's'}"
    return counted if not days else f"{counted} ({days:,} d {rest} h)"


def _untold(found: Hours, page: Page) -> Iterator[str]:
    if found.reasons:
        yield page.bold("Cannot be told")
    if found.untold:
        yield f"  after {_lasting(found.untold)}, and later"
    for reason in found.reasons:
        why, _, hint = reason.partition(HINT)
        yield from page.wrapped(why, 2)
        if hint:
            yield from page.wrapped(hint, 18, "    to settle it:")


def to_json(found: Hours) -> str:
    """The same as one line of JSON, numbers as text."""
    said = {
        "at": instant_text(found.at),
        "accruing": [
            {"list": one.entity, "line": one.key, "input": one.name, "each": text_of(one.each)}
            for one in found.accruing
        ],
        "status": found.status,
        "statuses": [
            {
                "status": one.status,
                "hours": one.hours,
                "at": None if one.at is None else instant_text(one.at),
            }
            for one in found.statuses
        ],
        "untold": found.untold,
        "undetermined": list(found.reasons),
        "evaluations": found.evaluations,
        "sure": found.sure,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
