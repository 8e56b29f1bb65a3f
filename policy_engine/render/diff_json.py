"""What changed between two states of the rules, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from policy_engine.diff import Change, Changes, Compared, Significance
from policy_engine.diff.change import Names, Tiers, Words
from policy_engine.diff.formulas import Difference
from policy_engine.json_values import cited
from policy_engine.language.syntax import Expression
from policy_engine.language.text import to_text
from policy_engine.model import NotKnown, Version
from policy_engine.numbers import instant_text, plain, text_of
from policy_engine.render.witnesses import to_mapping
from policy_engine.versions.digest import meant
from policy_engine.witnesses import Boundary

NONE = "none"


def to_json(changes: Changes, boundaries: Sequence[Boundary] | None = None) -> str:
    """The changes as one line of JSON; figures are text, what is not there is null.

    `boundaries`: with the witnesses of the changes.
    """
    said: dict[str, Any] = {
        "significance": grade_word(changes.significance),
        "rulesets": [_ruleset(pair, changes) for pair in changes.rulesets],
        "changes": [change_mapping(change) for change in changes.changes],
    }
    if boundaries is not None:
        said["boundaries"] = to_mapping(boundaries)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def grade_word(grade: Significance | None) -> str:
    """A significance as text; `none` where nothing changed."""
    return NONE if grade is None else grade.word


def _ruleset(pair: Compared, changes: Changes) -> dict[str, Any]:
    said = pair.after
    grades = [change.significance for change in changes.of(pair.ruleset)]
    return {
        "ruleset": pair.ruleset,
        "before": _id(pair.before),
        "after": _id(pair.after),
        "effective_from": None if said is None else instant_text(said.effective_from),
        "announced_at": _moment(said.announced_at if said else None),
        "summary": None if said is None else said.summary,
        "significance": max(grades).word,
    }


def _id(version: Version | None) -> str | None:
    return None if version is None else version.id


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else instant_text(moment)


def change_mapping(change: Change) -> dict[str, Any]:
    """A change as plain JSON."""
    return {
        "id": change.id,
        "kind": change.kind,
        "name": change.name,
        "ruleset": change.ruleset,
        "action": change.action,
        "significance": change.significance.word,
        "before": _said(change.before),
        "after": _said(change.after),
        "unit": change.unit,
        "difference": text_of(change.difference),
        "percent": text_of(change.percent),
        "direction": change.direction,
        "part": _part(change.part),
        "citation": _citation(change),
        "since": instant_text(change.since),
    }


def _part(part: Difference | None) -> dict[str, str | None] | None:
    if part is None:
        return None
    return {"before": part.before.part or None, "after": part.after.part or None}


def _citation(change: Change) -> dict[str, str | None] | None:
    if change.citation is None:
        return None
    source = change.source
    title, updated = (source.title, source.updated) if source else (None, None)
    return {**cited(change.citation), "title": title, "updated": updated}


def _said(value: Any) -> Any:
    """What a version says somewhere, as plain JSON."""
    match value:
        case Decimal() | datetime():
            return text_of(value)
        case Words(text=text):
            return text
        case Names(names=names):
            return list(names)
        case NotKnown(because=because):
            return {"undetermined": because}
        case Expression(tree=tree):
            return to_text(tree)
        case Tiers():
            return [_tier(value.columns or ("rate",), tier) for tier in value.tiers]
        case timedelta():
            return {"seconds": int(value.total_seconds())}
    return meant(value)


def _tier(columns: tuple[str, ...], tier: Any) -> dict[str, str]:
    rates = zip(columns, map(plain, tier.rates), strict=True)
    return {"to": plain(tier.to), **dict(rates)}
