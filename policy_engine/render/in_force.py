"""The rules in force at an instant, as a person or a program reads them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from policy_engine.__about__ import ENGINE
from policy_engine.fields import shape
from policy_engine.history import timeline
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.layout import Page, table
from policy_engine.rules import Rules


def render(rules: Rules, page: Page) -> str:
    """A line for each ruleset, and three commands to try."""
    parts = (_versions(rules, page), _commands(rules, page))
    return "\n\n".join("\n".join(lines) for lines in parts)


def to_json(rules: Rules) -> str:
    """The same as one line of JSON."""
    held = {
        "at": instant_text(rules.at),
        "known_at": instant_text(rules.known_at) if rules.known_at else None,
        "rulesets": [_plain(rules, version) for version in rules.versions.values()],
        "engine": ENGINE,
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def following(rules: Rules, version: Version) -> Version | None:
    """The next version of a ruleset, as far as it has been announced."""
    versions = rules.book.rulesets[version.ruleset]
    return timeline(versions, rules.at, rules.known_at or rules.at).coming


def _versions(rules: Rules, page: Page) -> Iterator[str]:
    known = f", as announced by {instant_text(rules.known_at)}" if rules.known_at else ""
    yield page.bold("Rules in force") + f" at {instant_text(rules.at)}{known}"
    after = {name: following(rules, version) for name, version in rules.versions.items()}
    rows = (
        (version.id, f"since {instant_text(version.effective_from)}", _next(after[name]))
        for name, version in rules.versions.items()
    )
    for version, line in zip(rules.versions.values(), table(rows), strict=True):
        yield line
        yield from map(page.dim, page.wrapped(version.summary, 4))
    if not any(after.values()):
        yield "  no later version has been announced"


def _next(version: Version | None) -> str:
    return "" if version is None else f"next {instant_text(version.effective_from)}"


def _commands(rules: Rules, page: Page) -> Iterator[str]:
    """Commands that work as printed, wherever the package is."""
    account = json.dumps(example(), ensure_ascii=False)
    lines = textwrap.wrap(account, page.width - 12, break_on_hyphens=False)
    yield page.bold("Try")
    yield "  policy-engine check"
    yield f"  policy-engine --at {_before_the_last_change(rules)}"
    yield f"  echo '{lines[0]}"
    yield from (f"    {line}" for line in lines[1:-1])
    yield f"    {lines[-1]}' | policy-engine decide -"


def _before_the_last_change(rules: Rules) -> str:
    """A day, or an instant, when rules were in force, before the newest of these began."""
    first = min(version.effective_from for version in rules.book.versions)
    last = max(version.effective_from for version in rules.versions.values())
    day = (last - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return instant_text(max(day, first)).removesuffix("T00:00:00Z")


def example() -> dict[str, Any]:
    """The smallest snapshot that the snapshot schema shows by its examples."""
    account = shape().account
    return {name: part.example for name, part in account.items() if part.required}


def _plain(rules: Rules, version: Version) -> dict[str, Any]:
    after = following(rules, version)
    return {
        "ruleset": version.ruleset,
        "version": version.id.partition("@")[2],
        "effective_from": instant_text(version.effective_from),
        "summary": version.summary,
        "digest": version.digest,
        "next": None if after is None else _coming(after),
    }


def _coming(version: Version) -> dict[str, str | None]:
    announced = version.announced_at
    return {
        "version": version.id.partition("@")[2],
        "effective_from": instant_text(version.effective_from),
        "announced_at": instant_text(announced) if announced else None,
        "summary": version.summary,
    }
