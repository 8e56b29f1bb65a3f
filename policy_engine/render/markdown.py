"""Text inside Markdown: shown as it is, whatever signs and letters it has."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = re.compile(r"([\\`*_\[\]<>|~&])")
_CODE = re.compile(r"`([^`]+)`")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of what steers a terminal or a text's direction instead of being read."""


def escaped(text: str) -> str:
    """The text as Markdown shows it letter by letter, on one line."""
    signs = _SIGNS.sub(r"\\\1", visible(text)).replace("\\<", "&lt;").replace("\\&", "&amp;")
    return re.sub(r"^(\s*)(?=[#+\-=]|\d+[.)])", r"\1\\", signs)


def prose(text: str) -> str:
    """Text whose parts between backticks are code, everything else as it is."""
    parts = _CODE.split(text)
    shown = (code(part) if at % 2 else inline(part) for at, part in enumerate(parts))
    return "".join(shown)


def inline(text: str) -> str:
    """Text inside a line, as Markdown shows it letter by letter."""
    return escaped(f"x{text}")[1:]


def code(text: str) -> str:
    """The text as code, also in the cell of a table."""
    shown = visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{blank}{shown}{blank}{fence}".replace("|", "\\|")


def visible(text: str) -> str:
    """The text on one line, each character that is not for reading shown by its number."""
    return "".join(_shown(character) for character in text.replace("\n", " "))


def _shown(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN:
        return f"\N{REPLACEMENT CHARACTER}U+{ord(character):04X}"
    return character
