"""The outcome of cases, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from policy_engine.cases import Case, Difference
from policy_engine.render.layout import Page

Outcome = tuple[Case, Sequence[Difference]]
"""A case and everything in which what came differed from what it expects."""


def render(outcomes: Sequence[Outcome], page: Page) -> str:
    """The differences of each case that failed, and how many there were."""
    failed = [(case, differences) for case, differences in outcomes if differences]
    paragraphs = ["\n".join(_failure(case, differences, page)) for case, differences in failed]
    return "\n\n".join([*paragraphs, _counts(outcomes, len(failed), page)])


def to_json(outcomes: Sequence[Outcome]) -> str:
    """The same as one line of JSON."""
    failed = [_plain(case, differences) for case, differences in outcomes if differences]
    held = {"cases": len(outcomes), "failed": len(failed), "failures": failed}
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _failure(case: Case, differences: Iterable[Difference], page: Page) -> Iterator[str]:
    yield from map(str, differences)
    yield page.dim(f"  because: {' '.join(case.because.split())}")


def _counts(outcomes: Sequence[Outcome], failed: int, page: Page) -> str:
    files = len({case.file for case, _ in outcomes})
    counted = f"{_of(len(outcomes), 'case')} in {_of(files, 'file')}: "
    passed = f"{len(outcomes) - failed} passed"
    return counted + passed + (page.colour(f", {failed} failed", "red") if failed else "")


def _of(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _plain(case: Case, differences: Iterable[Difference]) -> dict[str, Any]:
    return {
        "case": case.name,
        "file": case.file,
        "line": case.place.line,
        "because": case.because,
        "differences": [
            {
                "about": one.about,
                "line": one.place.line,
                "column": one.place.column,
                "expected": one.expected,
                "found": one.found,
            }
            for one in differences
        ],
    }
