"""Problems as a person reads them: where, what, the line with a caret under it, what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from policy_engine.errors import Place, Problem

WINDOW = 100
"""Characters shown of a line that is longer; the place stands in their middle."""

_INDENT = "    "


def render(problems: Iterable[Problem]) -> str:
    """The problems in their order, with an empty line between two. No newline at the end."""
    return "\n\n".join("\n".join(_lines(problem)) for problem in problems)


def _lines(problem: Problem) -> list[str]:
    lines = [_shown(str(problem))]
    if problem.place.line and problem.place.source.strip():
        lines += [(_INDENT + line).rstrip() for line in _marked(problem.place)]
    if problem.hint:
        lines.append(f"  hint: {_shown(problem.hint)}")
    return lines


def _marked(place: Place) -> tuple[str, str]:
    """The source line, cut to a window, and the carets under the place."""
    at = place.column - 1
    start = max(0, at - WINDOW // 2) if len(place.source) > WINDOW else 0
    end = start + WINDOW
    before = ("…" if start else "") + _shown(place.source[start:at])
    marked = _shown(place.source[at : min(end, at + place.width)])
    after = _shown(place.source[at + place.width : end])
    rest = "…" if end < len(place.source) else ""
    carets = " " * _columns(before) + "^" * max(1, _columns(marked))
    return before + marked + after + rest, carets


def _shown(text: str) -> str:
    """The text with a tab as one space, and what a screen would hide or obey as an escape."""
    return text if text.isprintable() else "".join(map(_character, text))


def _character(character: str) -> str:
    if character == "\t":
        return " "
    return character if character.isprintable() else f"\\u{{{ord(character):X}}}"


def _columns(text: str) -> int:
    """How many columns of a screen the text takes: wide characters two, combining ones none."""
    return sum(_column(character) for character in text)


def _column(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
