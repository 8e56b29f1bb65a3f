"""What the cases cover, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policy_engine.coverage import GROUPS, Coverage, Covered
from policy_engine.render.layout import Page, table

TITLES = {
    "rule": "rules, firing and not",
    "edge": "edges of rules",
    "formula": "formulas, worked out",
    "branch": "branches of formulas",
    "operand": "operands of `and` and `or`",
    "tier": "tiers",
    "tier edge": "edges of tiers",
    "row": "rows of tables",
}

_SHOWN = 5
"""How many cases that cover nothing new are named, unless all are asked for."""


def percent(covered: int, of: int) -> int:
    """The share in a hundred, rounded down; 100 of nothing."""
    return covered * 100 // of if of else 100


def lowest(found: Coverage) -> int:
    """The lowest percentage of any group."""
    return min(percent(*_counts(found.of(group))) for group in GROUPS)


def render(found: Coverage, page: Page, listed: bool = False) -> str:
    """The percentages, what is not covered, and what cannot be; with `listed`, also what is."""
    paragraphs = [[*table(_rows(found))], [*_missing(found, page)], [*_barred(found, page)]]
    if listed:
        paragraphs.append([*_covered(found, page)])
    paragraphs.append([*_idle(found, page, listed)])
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def _counts(items: list[Covered]) -> tuple[int, int]:
    return sum(bool(one.by) for one in items), len(items)


def _rows(found: Coverage) -> Iterator[tuple[str, str, str]]:
    for group in GROUPS:
        covered, of = _counts(found.of(group))
        yield TITLES[group], f"{covered} of {of}", f"{percent(covered, of)}%"


def _missing(found: Coverage, page: Page) -> Iterator[str]:
    missing = [one for group in GROUPS for one in found.of(group) if not one.by]
    if missing:
        yield page.bold("no case covers")
        yield from (_line(one) for one in missing)


def _barred(found: Coverage, page: Page) -> Iterator[str]:
    barred = [one for one in found.found if not one.possible]
    if barred:
        yield page.bold(f"no account can, by the figures there are: {len(barred)}, not counted")
        yield from (_line(one) for one in barred)


def _covered(found: Coverage, page: Page) -> Iterator[str]:
    yield page.bold("covered, each by the first case that does")
    for one in found.found:
        if one.by:
            case = found.cases[one.by[0]]
            more = f" and {len(one.by) - 1} more" if len(one.by) > 1 else ""
            yield _line(one)
            yield page.dim(f'    {case.place}: "{case.name}"{more}')


def _idle(found: Coverage, page: Page, listed: bool) -> Iterator[str]:
    if not found.idle:
        yield f"cases that cover nothing new: none of {len(found.cases):,}"
        return
    count = f"{len(found.idle):,} of {len(found.cases):,}"
    yield page.bold(f"cases that cover nothing new: {count}")
    shown = found.idle if listed else found.idle[:_SHOWN]
    for case in (found.cases[at] for at in shown):
        yield f'  {case.place}: "{case.name}"'
    if left := len(found.idle) - len(shown):
        yield page.dim(f"  and {left:,} more: `--listed`")
    yield page.dim("they may still notice mistakes: `policy-engine test --mutate`")


def _line(one: Covered) -> str:
    item = one.item
    versions = f" and {len(one.versions) - 1} more" if len(one.versions) > 1 else ""
    where = f"{item.version}{versions}"
    return f"  {item.place}: {'.'.join(item.path)}: {item.title}  ({where})"


def to_json(found: Coverage) -> str:
    """The same as one line of JSON, with every case of everything covered."""
    groups = {group: _counts(found.of(group)) for group in GROUPS}
    held = {
        "coverage": {
            group: {"covered": covered, "of": of, "percent": percent(covered, of)}
            for group, (covered, of) in groups.items()
        },
        "items": [_plain(one, found) for one in found.found],
        "cases": len(found.cases),
        "adding_nothing": [_case(found, at) for at in found.idle],
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _plain(one: Covered, found: Coverage) -> dict[str, Any]:
    item = one.item
    return {
        "group": item.group,
        "part": ".".join(item.path),
        "what": item.title,
        "place": str(item.place),
        "versions": list(one.versions),
        "covered_under": list(one.under),
        "possible": one.possible,
        "cases": [_case(found, at) for at in one.by],
    }


def _case(found: Coverage, at: int) -> dict[str, str]:
    case = found.cases[at]
    return {"case": case.name, "place": str(case.place)}
