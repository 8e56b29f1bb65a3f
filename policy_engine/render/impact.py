"""The impact of a change on a book of accounts, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policy_engine.diff import Changes, Significance
from policy_engine.document.text import visible
from policy_engine.impact.model import Impact
from policy_engine.render import diff
from policy_engine.render.impact_parts import Name, Part
from policy_engine.render.impact_words import heading, parts, states
from policy_engine.render.layout import Page, columns_of, on_the_point, padded

LONGEST_NAME = 40
_PLAIN = re.compile(r"[A-Za-z0-9][\w ./:@-]*")


def render(impact: Impact, command: str, page: Page, most: int) -> str:
    """The report in its fixed order: what comes of the accounts, then the changes themselves, then
    the `command` that gives it again."""
    blocks = [[page.bold(shown(heading(impact))), *states(impact)]]
    blocks += [list(_block(part, page)) for part in parts(impact, most)]
    blocks.append([page.bold("The changes"), *raw(impact.changes)])
    blocks.append([page.bold("To have this again"), f"  {shown(command)}"])
    return "\n\n".join("\n".join(block) for block in blocks)


def raw(changes: Changes) -> Iterator[str]:
    """The diff; what is only worded otherwise is counted."""
    deep = changes.at_least(Significance.VALUE)
    yield diff.render(deep)
    wording = len(changes.changes) - len(deep.changes)
    if wording:
        yield f"and {wording} of wording, which `policy-engine diff` shows"


def _block(part: Part, page: Page) -> Iterator[str]:
    yield page.bold(part.title)
    if part.rows:
        yield from _table(part, page)
    if part.left:
        yield f"  … and {part.left:,} more; `--most` shows more of them, `--format json` all"
    for note in part.notes:
        yield from page.wrapped(shown(note), 2)


def _table(part: Part, page: Page) -> Iterator[str]:
    """The rows under their heads: numbers at the right, the last column as long as it is."""
    columns = [_column(cells) for cells in zip(part.head, *part.rows, strict=True)]
    for at, cells in enumerate(zip(*columns, strict=True)):
        line = ("  " + "  ".join(cells)).rstrip()
        yield page.dim(line) if at == 0 else line


def _column(cells: Sequence[str]) -> list[str]:
    head, *texts = (_cell(cell) for cell in cells)
    if all(_is_number(text) for text in texts):
        aligned = on_the_point(texts)
        width = max(columns_of(head), len(aligned[0]))
        return [head.rjust(width), *(text.rjust(width) for text in aligned)]
    width = max(map(columns_of, (head, *texts)))
    return [padded(text, width) for text in (head, *texts)]


def _is_number(text: str) -> bool:
    return text.strip("-…,.%0123456789") in ("", "unlimited")


def _cell(text: str) -> str:
    return name_text(text) if isinstance(text, Name) else shown(text)


def name_text(name: str) -> str:
    """A name as somebody wrote it, in quotes where it is not plain, cut where it is long."""
    said = visible(name.replace("\\", "\\\\") if "\\" in name else name)
    cut = said if len(said) <= LONGEST_NAME else f"{said[: LONGEST_NAME - 1]}…"
    if _PLAIN.fullmatch(name) or name == "-":
        return cut
    return f'"{shown(cut)}"'


def shown(text: str) -> str:
    """Text on one line, each character that cannot be seen written as an escape."""
    line = visible(text.replace("\n", " ").replace("\t", " "))
    return line if line.isprintable() else "".join(map(_character, line))


def _character(character: str) -> str:
    return character if character.isprintable() else f"\\u{{{ord(character):X}}}"
