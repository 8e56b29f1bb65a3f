"""The words of a formula and their order: the first thing out of place is found here.

Python would refuse the same formulas, with words and places that differ between its versions.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.language.fault import Fault

DEEPEST_EXPRESSION = 32
"""Levels of the tree: each sign, call, comparison or condition inside another is one."""

_TOKEN = re.compile(
    r"""(?P<space>[ ]+)
      | (?P<number>[0-9][0-9A-Za-z_.]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<text>"[^"\\]*"|'[^'\\]*')
      | (?P<compare><=|>=|==|!=|<|>)
      | (?P<sign>[+*/])
      | (?P<minus>-) | (?P<open>\() | (?P<close>\)) | (?P<comma>,)""",
    re.VERBOSE | re.ASCII,
)
_WORDS = {"and": "logic", "or": "logic", "not": "not", "if": "if", "else": "else"}
_SPELLED = {
    "True": "write `true`", "False": "write `false`", "TRUE": "write `true`",
    "FALSE": "write `false`", "AND": "write `and`", "OR": "write `or`", "NOT": "write `not`",
    "IF": "write `if`", "ELSE": "write `else`", "is": "write `==`",
    "in": "compare with `==`, or look it up in a table",
    "None": "ask whether an optional input is there with `given(input)`",
}  # fmt: skip
_INSTEAD = {
    "=<": "write `<=`",
    "=>": "write `>=`",
    "=": "write `==` to compare",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "×": "write `*`",
    "÷": "write `/`",
    "−": "write a plain `-`",
    "–": "write a plain `-`",
    "“": 'write plain quotes: `"`',
    "‘": "write plain quotes: `'`",
    ".": "one dot joins a scale and its column; a number stands under `parameters`",
    "%": "a percentage is a number of `parameters`: give it a name there",
    "^": "there are no powers: multiply",
}


_THERE_ARE = "there are names, + - * /, comparisons, and or not, if else"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


def _tokens(text: str) -> Iterator[_Token]:
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise _unknown_character(text, offset)
        kind = match.lastgroup or ""
        if kind == "text" and not match.group().isprintable():
            hidden = next(n for n, letter in enumerate(match.group()) if not letter.isprintable())
            raise _unknown_character(text, offset + hidden)
        if kind != "space":
            yield _token(kind, match.group(), offset)
        offset = match.end()


def _token(kind: str, text: str, offset: int) -> _Token:
    if kind == "name":
        return _Token(_WORDS.get(text) or _name_kind(text, offset), text, offset)
    if kind == "number" and text not in ("0", "1"):
        raise Fault(
            "bare-number",
            f"`{text}` stands bare in the formula",
            "give it a name, a unit and a source under `parameters`; only 0 and 1 may stand bare",
            offset,
            len(text),
        )
    return _Token(kind, text, offset)


def _name_kind(text: str, offset: int) -> str:
    parts = text.split(".")
    if text in _SPELLED or len(parts) > 2 or any(map(keyword.iskeyword, parts)):
        hint = _SPELLED.get(text, "such a word cannot be a name: give the figure another one")
        if len(parts) > 2:
            hint = "a name has one dot at most: it is a scale's column, `scale.column`"
        message = f"`{text}` is not a word of the language"
        raise Fault("bad-formula", message, hint, offset, len(text))
    return "name"


def _unknown_character(text: str, offset: int) -> Fault:
    character = text[offset]
    if character in "\"'":
        what, hint = "the quoted text does not end", "close it with the same quote, without `\\`"
    elif not character.isprintable():
        what = f"the formula has an unprintable character (U+{ord(character):04X})"
        hint = "take it out"
    else:
        what = f"`{character}` is not part of the language"
        hint = _INSTEAD.get(text[offset : offset + 2]) or _INSTEAD.get(character, _THERE_ARE)
    return Fault("bad-formula", what, hint, offset)


def check_order(text: str) -> None:
    """Raise Fault at the first word of a formula that the grammar has no place for."""
    _Order(tuple(_tokens(text)), len(text)).check()


# --- their order -------------------------------------------------------------------------------

_ENDS_VALUE = frozenset({"number", "text", "name", "close"})
_STARTS_VALUE = frozenset({"number", "text", "name", "open", "minus", "not"})
_BEFORE_NOT = frozenset({"start", "open", "comma", "logic", "not", "if", "else"})


class _Order:
    """Whether the words of a formula may follow each other; finds the first that may not."""

    def __init__(self, tokens: tuple[_Token, ...], length: int) -> None:
        self.tokens = (*tokens, _Token("end", "", length))
        self.open: list[tuple[bool, bool]] = []  # for each "(": is it a call; does an `if` wait
        self.waiting = False
        self.run = 0

    def check(self) -> None:
        """Raises Fault at the first word out of place."""
        before = _Token("start", "", 0)
        for token in self.tokens:
            self._follow(before, token)
            before = token

    def _follow(self, before: _Token, token: _Token) -> None:
        ended = before.kind in _ENDS_VALUE
        self.run = self.run + 1 if token.kind in ("minus", "not", "open") and not ended else 0
        if token.kind == "open" and before.kind == "name":
            self._enter(call=True, token=token)
        elif token.kind == "close" and before.kind == "open" and self.open[-1][0]:
            self._leave()
        elif ended:
            self._after_value(before, token)
        else:
            self._want_value(before, token)

    def _want_value(self, before: _Token, token: _Token) -> None:
        if token.kind not in _STARTS_VALUE:
            raise _expected("a value", token, _no_value(before, token))
        if token.kind == "not" and before.kind not in _BEFORE_NOT:
            raise _expected("a value", token, "put it in brackets: `(not …)`")
        if self.run > DEEPEST_EXPRESSION:
            raise too_deep(token.offset)
        if token.kind == "open":
            self._enter(call=False, token=token)

    def _after_value(self, before: _Token, token: _Token) -> None:
        if token.kind == "close" and self.open and not self.waiting:
            self._leave()
        elif token.kind == "if" and not self.waiting:
            self.waiting = True
        elif token.kind == "else" and self.waiting:
            self.waiting = False
        elif not self._ends_part(token):
            raise _expected(self._wanted(), token, self._why(before, token))

    def _ends_part(self, token: _Token) -> bool:
        if token.kind == "comma":
            return bool(self.open) and self.open[-1][0] and not self.waiting
        if token.kind == "end":
            return not self.open and not self.waiting
        return token.kind in ("sign", "minus", "compare", "logic")

    def _wanted(self) -> str:
        if self.waiting:
            return "`else` and a value"
        if self.open:
            return "`,` or `)`" if self.open[-1][0] else "`)`"
        return "a sign such as `+` or the end"

    def _why(self, before: _Token, token: _Token) -> str:
        """A hint for a word that cannot follow a value."""
        if token.kind == "if":
            return "put the inner one in brackets: `a if (b if c else d) else e`"
        if self.waiting and token.kind in ("end", "comma", "close"):
            return "an `if` says what holds otherwise too: `a if test else b`"
        if token.kind == "end":
            return "close the bracket with `)`"
        if token.kind in ("close", "else"):
            return f"take the `{token.text}` out, or write the `{_PARTNER[token.kind]}` before it"
        if token.kind == "comma":
            return "only the arguments of a function are parted by commas"
        return f"a sign is missing between `{before.text}` and `{token.text}`"

    def _enter(self, call: bool, token: _Token) -> None:
        self.open.append((call, self.waiting))
        self.waiting = False
        if len(self.open) > DEEPEST_EXPRESSION:
            raise too_deep(token.offset)

    def _leave(self) -> None:
        _, self.waiting = self.open.pop()


_DOUBLED = {
    ("*", "*"): "there are no powers: multiply",
    ("/", "/"): "divide with one `/`, and round with `round_down(figure, step)`",
    ("<", ">"): "write `!=`",
}
_PARTNER = {"close": "(", "else": "if"}


def _no_value(before: _Token, token: _Token) -> str:
    """A hint for what stands where a value should."""
    if before.kind == "start" and token.kind == "end":
        return "write a formula, such as `free + locked`"
    if (before.text, token.text) in _DOUBLED:
        return _DOUBLED[before.text, token.text]
    if token.kind == "if":
        return "write the value before it: `a if test else b`"
    if not before.text:
        return f"nothing stands before the `{token.text}`"
    return f"name a figure after the `{before.text}`"


def _expected(what: str, token: _Token, hint: str) -> Fault:
    found = f"found `{token.text}`" if token.text else "the formula ends"
    return Fault(
        "bad-formula", f"expected {what}, {found}", hint, token.offset, max(1, len(token.text))
    )


def too_deep(offset: int) -> Fault:
    """The fault that parts of a formula stand inside each other too deeply."""
    return Fault(
        "formula-too-deep",
        f"the formula is nested more than {DEEPEST_EXPRESSION} deep",
        "give parts of it names of their own under `formulas`",
        offset,
    )
