"""What was understood of an imported response, as a person reads it before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.layout import Page, table
from policy_engine.render.problems import render as render_problems
from policy_engine.sources.understood import Understanding

_WORD_COLUMNS = 13


def render(understood: Understanding, page: Page, in_force: str | None = None) -> str:
    """The heading, the table, the remarks, and at the end what keeps it from being written.

    `in_force` tells when the new version is in force, if it is one.
    """
    lines = [page.bold(understood.heading)]
    head, *rows = table(understood.table)
    lines += [page.dim(head), *rows, ""]
    remarks = understood.remarks
    if in_force is not None:
        remarks = (("In force", in_force), *remarks)
    for word, text in remarks:
        lines += page.wrapped(text, _WORD_COLUMNS, word)
    if understood.findings:
        lines += ["", render_problems(understood.findings)]
    return "\n".join(lines)


def in_force_text(start: datetime, before: Version, after: Version | None) -> str:
    """From when to when a new version is in force, and what it follows."""
    until = f", until {instant_text(after.effective_from)} ({after.id})" if after else ""
    return f"from {instant_text(start)}, after {before.id}{until}"


def next_steps(path: str, before: Version, new: str, rules: str) -> Iterator[str]:
    """What to do with the file; `rules` are the options that name its folder."""
    yield f"rules are read from {path}; with the file there, go on with"
    yield f"  policy-engine check --record{rules}"
    yield f"  policy-engine diff {before.id} {new}{rules}"
