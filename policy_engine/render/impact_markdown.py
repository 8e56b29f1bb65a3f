"""The impact of a change on a book of accounts, as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.diff import Changes, Significance
from policy_engine.impact.model import Impact
from policy_engine.render import diff_markdown
from policy_engine.render.diff_markdown import MOST_BYTES
from policy_engine.render.impact_parts import Id, Name, Part
from policy_engine.render.impact_words import heading, parts, states
from policy_engine.render.markdown import code, escaped, inline, visible

_ROWS = (None, 50, 20, 5, 1)
"""How many rows of each table are kept, tried in this order until the page fits."""
_LONGEST = 300


def render(impact: Impact, command: str, most: int) -> str:
    """The report in its fixed order, long parts folded, the raw diff and the `command` at the end;
    under 60 kB, whatever is left out is counted."""
    raws = [_raw(changes) for changes in (impact.changes, impact.changes.at_least(_DEEP))]
    tried = [(raws[0], None), (raws[0], 50), *((raws[1], rows) for rows in _ROWS), (_TOO_LONG, 1)]
    pages = (_page(impact, command, raw, most, rows) for raw, rows in tried)
    return next((page for page in pages if _fits(page)), "")


_DEEP = Significance.VALUE
_TOO_LONG = "The diff is too long for this page: `policy-engine diff` shows it."


def _fits(page: str) -> bool:
    return len(page.encode()) < MOST_BYTES


def _page(impact: Impact, command: str, raw: str, most: int, rows: int | None) -> str:
    shown = most if rows is None else min(most, rows)
    blocks = [f"# {escaped(heading(impact))}", *map(escaped, states(impact))]
    for part in parts(impact, shown):
        blocks += _block(part, rows)
    blocks += ["## The changes", raw, "## To have this again", _fenced(command)]
    return "\n\n".join(blocks) + "\n"


def _fenced(command: str) -> str:
    return f"````sh\n{visible(command)}\n````"


def _raw(changes: Changes) -> str:
    """The page of the diff, folded, its titles two levels down."""
    page = diff_markdown.render(changes).rstrip("\n")
    lines = (f"##{line}" if line.startswith("#") else line for line in page.split("\n"))
    count = len(changes.changes)
    return "\n".join((f"<details><summary>{count} changes</summary>\n", *lines, "\n</details>"))


def _block(part: Part, rows: int | None) -> Iterator[str]:
    yield f"## {escaped(part.title)}"
    kept = part.rows[:rows]
    left = part.left + len(part.rows) - len(kept)
    if part.folded:
        yield f"<details><summary>{len(part.rows)} of them</summary>"
    if kept:
        yield "\n".join(_table(part, kept))
    if left:
        yield f"… and {left:,} more; `--format json` has all."
    yield from (escaped(_cut(note)) for note in part.notes)
    if part.folded:
        yield "</details>"


def _table(part: Part, rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    yield f"| {' | '.join(map(escaped, part.head))} |"
    yield f"|{'|'.join(_rule(column) for column in zip(*rows, strict=True))}|"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _rule(column: tuple[str, ...]) -> str:
    return "--:" if all(cell.strip("-…,.%0123456789") == "" for cell in column) else "---"


def _cell(text: str) -> str:
    return code(_cut(text)) if isinstance(text, Name | Id) else inline(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
