"""The impact of a change on a book of accounts, as JSON for programs.

`schemas/impact.schema.json` describes every key; `schema` changes when the meaning of one does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from policy_engine.__about__ import ENGINE
from policy_engine.document.text import HIDDEN
from policy_engine.errors import Problem
from policy_engine.impact.model import (
    Cause,
    Failure,
    Flip,
    Group,
    Impact,
    Side,
    Standing,
)
from policy_engine.numbers import instant_text, text_of
from policy_engine.render import diff_json

SCHEMA = "policy-engine/impact/1"


def to_json(impact: Impact, command: str) -> str:
    """The whole impact as one line of JSON: figures are exact text, changes are pointed at."""
    text = json.dumps(_report(impact, command), ensure_ascii=False, separators=(",", ":"))
    return HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1].replace("\x7f", "\\u007f"), text)


def _report(impact: Impact, command: str) -> dict[str, Any]:
    statuses = impact.statuses
    pointers = {one.id: f"/diff/changes/{at}" for at, one in enumerate(impact.changes.changes)}
    return {
        "schema": SCHEMA,
        "engine": ENGINE,
        "book": impact.book,
        "old": _side(impact.old),
        "new": _side(impact.new),
        "known_at": None if impact.known_at is None else instant_text(impact.known_at),
        "accounts": impact.counts.accounts,
        "counts": {one.name: getattr(impact.counts, one.name) for one in fields(impact.counts)},
        "figures_compared": impact.compared,
        "undetermined": {"before": impact.undetermined_before, "after": impact.undetermined_after},
        "statuses": {
            "flipped": statuses.flipped,
            "order": list(statuses.names),
            "titles": dict(zip(statuses.names, statuses.titles, strict=True)),
            "matrix": statuses.matrix,
        },
        "permissions": {one.name: _plain(one, leave=("name",)) for one in impact.permissions},
        "causes": [_group(group, pointers) for group in impact.groups],
        "not_apart": impact.not_apart,
        "flips": [_flip(flip) for flip in impact.flips],
        "distributions": [_plain(one) for one in impact.distributions],
        "totals": [_plain(one) for one in impact.totals],
        "assumptions": [_plain(one) for one in impact.assumptions],
        "errors": {
            "accounts": impact.counts.errors,
            "rows": [_failure(one) for one in impact.failures],
        },
        "repeated": {
            "names": impact.repeats,
            "accounts": [_plain(one) for one in impact.repeated],
        },
        "diff": json.loads(diff_json.to_json(impact.changes)),
        "command": command,
    }


def _plain(item: Any, leave: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a frozen value, numbers that are not counts as text."""
    names = (field.name for field in fields(item) if field.name not in leave)
    return {name: _value(getattr(item, name)) for name in names}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return text_of(value)
    return list(value) if isinstance(value, tuple) else value


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "at": instant_text(side.at), "versions": list(side.versions)}


def _group(group: Group, pointers: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_plain(group, leave=("changes", "needs")),
        "changes": [pointers[name] for name in group.changes],
        "needs": [pointers[name] for name in group.needs],
    }


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "account": flip.account,
        "line": flip.line,
        "kind": flip.kind,
        "status": {"before": flip.before, "after": flip.after},
        "permissions": {
            "lost": list(flip.lost),
            "gained": list(flip.gained),
            "no_longer_told": list(flip.lost_sight),
            "now_told": list(flip.found_out),
        },
        "before": _standing(flip.stood),
        "after": _standing(flip.stands),
        "causes": [_cause(cause) for cause in flip.causes],
    }


def _standing(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {**_plain(standing), "distance": text_of(standing.distance)}


def _cause(cause: Cause) -> dict[str, Any]:
    return {**_plain(cause), "enough": [list(made) for made in cause.enough]}


def _failure(failure: Failure) -> dict[str, Any]:
    problems = [_problem(problem) for problem in failure.problems]
    return {**_plain(failure, leave=("problems",)), "problems": problems}


def _problem(problem: Problem) -> dict[str, Any]:
    at = problem.place.pointer or None
    return {"code": problem.code, "message": problem.message, "hint": problem.hint, "at": at}
