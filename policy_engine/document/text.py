"""The text of a file: reading it, and naming places in it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from policy_engine.errors import MOST_PROBLEMS, Place, PolicyError, Problem, RulesError

MOST_CHARACTERS = 2_000_000
"""Of a file, YAML or JSON."""

MOST_DEPTH = 32
"""Levels of mappings and lists inside one another."""

MOST_VALUES = 200_000
"""Of a file: its texts and numbers, its mappings and lists."""

Pointer = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("assets", 0, "free")`."""

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Characters that a reader cannot see, or that change the order in which text is shown."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_BARE_KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text under the name it is shown by."""

    path: str
    text: str

    def place(self, start: int, width: int = 1, pointer: Pointer = ()) -> Place:
        """The place of `width` characters from `start`, cut at the end of the line."""
        first = self.text.rfind("\n", 0, start) + 1
        line = _line(self.text, first)
        return Place(
            path=self.path,
            line=self.line(start),
            column=start - first + 1,
            width=max(1, min(width, first + len(line) - start)),
            source=line,
            pointer=pointer_text(pointer),
        )

    def line(self, start: int) -> int:
        """The number of the line that a character stands on, from 1."""
        return self.text.count("\n", 0, start) + 1

    def problem(
        self, code: str, message: str, hint: str | None, start: int, width: int = 1
    ) -> Problem:
        """A problem with `width` characters from `start`."""
        return Problem(code, message, hint, self.place(start, width))


@lru_cache(maxsize=1)
def _line(text: str, first: int) -> str:
    """The line that starts there. Problems on one line share it: it may be a whole file."""
    end = text.find("\n", first)
    return text[first : len(text) if end < 0 else end].rstrip("\r")


def read_text(path: Path, error: type[PolicyError] = RulesError) -> str:
    """The text of a UTF-8 file.

    Raises `error` for a file that is missing, is a folder, is too large or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(4 * MOST_CHARACTERS + 1)
    except (OSError, ValueError) as failure:
        raise error([_unreadable(str(path), failure)]) from None
    if len(content) > 4 * MOST_CHARACTERS:
        raise error([too_large(Source(str(path), ""))])
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise error([_not_utf8(str(path), content, failure.start)]) from None
    if len(text) > MOST_CHARACTERS:
        raise error([too_large(Source(str(path), ""))])
    return text


def too_large(source: Source) -> Problem:
    """The problem that a file has more text than is read."""
    message = f"the file has more than {MOST_CHARACTERS:,} characters"
    return source.problem("too-large", message, "split it into smaller files", 0)


def too_many_values(source: Source, start: int) -> Problem:
    """The problem that a file has more values than are read."""
    message = f"the file has more than {MOST_VALUES:,} values"
    return source.problem("too-large", message, "split it into smaller files", start)


def too_deep(source: Source, start: int) -> Problem:
    """The problem that values are nested in one another more than is read."""
    message = f"values are nested more than {MOST_DEPTH} deep here"
    return source.problem("too-deep", message, "write it flatter", start)


def hidden_characters(source: Source) -> Iterator[Problem]:
    """A problem for each character of the text that a reader could not see, up to the most."""
    for found in islice(HIDDEN.finditer(source.text), MOST_PROBLEMS):
        yield _hidden(source, found.start())


def unreadable_characters(source: Source) -> Iterator[Problem]:
    """A problem for a byte order mark, and for each half of a surrogate pair, up to the most."""
    if source.text.startswith("\ufeff"):
        yield _hidden(source, 0)
    for found in islice(_SURROGATE.finditer(source.text), MOST_PROBLEMS):
        yield _hidden(source, found.start())


def character_name(character: str) -> str:
    """A character by number and name, for one that cannot be shown: `U+202E right-to-left …`."""
    name = unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X} {name}".rstrip()


def pointer_text(pointer: Pointer) -> str:
    """A pointer as people write it: `assets[0].free`."""
    text = "".join(_step(part) for part in pointer)
    return text.removeprefix(".")


def shortened(text: str, most: int = 60) -> str:
    """The text on one line, hidden characters spelled out, cut where it is too long to show."""
    line = visible(" ".join(text[: 4 * most].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def visible(text: str) -> str:
    """The text with each character that cannot be seen written as an escape."""
    return HIDDEN.sub(lambda found: f"\\u{{{ord(found[0]):X}}}", text)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _BARE_KEY.fullmatch(part) else f"[{json.dumps(part, ensure_ascii=False)}]"


def _hidden(source: Source, at: int) -> Problem:
    character = source.text[at]
    if _SURROGATE.match(character):
        message, hint = f"{character_name(character)} is half a character", "type it anew"
        return source.problem("not-utf8", message, hint, at)
    if at == 0 and character == "\ufeff":
        message = "the file starts with a byte order mark"
        return source.problem("byte-order-mark", message, "save it as UTF-8 without one", at)
    message = f"the text holds a character that cannot be seen: {character_name(character)}"
    return source.problem("control-character", message, "take it out", at)


def _unreadable(path: str, failure: OSError | ValueError) -> Problem:
    place = Place(path=path)
    if isinstance(failure, FileNotFoundError):
        return Problem("no-such-file", "there is no such file", "check the path", place)
    if isinstance(failure, IsADirectoryError):
        return Problem("not-a-file", "this is a folder", "name a file in it", place)
    if isinstance(failure, PermissionError):
        hint = "ask for the right to read it"
        return Problem("unreadable-file", "the file may not be read", hint, place)
    reason = failure.strerror if isinstance(failure, OSError) else None
    message = f"the file cannot be read: {(reason or 'its name is not one').lower()}"
    return Problem("unreadable-file", message, "check the path", place)


def _not_utf8(path: str, content: bytes, at: int) -> Problem:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "the file is UTF-16, not UTF-8"
        return Source(path, "").problem("not-utf8", message, "save it as UTF-8", 0)
    source = Source(path, content.decode("utf-8", "replace"))
    start = len(content[:at].decode("utf-8"))
    message = f"the byte {content[at]:02X} is not part of UTF-8 text"
    return source.problem("not-utf8", message, "save the file as UTF-8", start)
