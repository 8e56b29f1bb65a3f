"""From the text of a formula to its tree, or to the fault that a person can mend.

    expression  = test "if" test "else" expression | test
    test        = test ("and" | "or") test | "not" test | sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum         = sum ("+" | "-") product | product
    product     = product ("*" | "/") factor | factor
    factor      = "-" factor | "(" expression ")" | name ["(" arguments ")"] | "0" | "1" | text
    name        = letters, digits and "_" from a letter on; a scale's column is `scale.column`
    text        = characters without a quote or a backslash, in double or single quotes

The tree is Python's own, cut down to these kinds of node. What the grammar does not spell cannot
be written: there is nothing to forbid afterwards.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simpleeval import SimpleEval

from policy_engine.errors import Place, Problem

LONGEST_EXPRESSION = 1_000
DEEPEST_EXPRESSION = 32
"""Levels of the tree: each sign, call, comparison or condition inside another is one."""


class Fault(Exception):
    """What is wrong with a formula, `width` characters from `offset` of its text on."""

    def __init__(
        self, code: str, message: str, hint: str | None = None, offset: int = -1, width: int = 1
    ) -> None:
        self.code, self.message, self.hint = code, message, hint
        self.offset, self.width = offset, width
        super().__init__(message)

    def at(self, node: ast.AST) -> Fault:
        """This fault, at the place of a node unless it has one already."""
        if self.offset < 0 and isinstance(node, ast.expr):
            self.offset = node.col_offset
            self.width = max(1, (node.end_col_offset or 0) - node.col_offset)
        return self


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula as written and as a tree; `place` tells where a stretch of its text stands."""

    text: str
    tree: ast.expr = field(compare=False, repr=False)
    place: Callable[[int, int], Place] = field(compare=False, repr=False)

    def problem(self, fault: Fault) -> Problem:
        """The fault as a problem with its place in the file."""
        return Problem(
            fault.code, fault.message, fault.hint, self.place(max(fault.offset, 0), fault.width)
        )


def parse(text: str) -> ast.expr:
    """The tree of a formula. Raises Fault at the first thing that is not in the language."""
    flat = re.sub(r"[\n\t]", " ", text)
    if len(flat) > LONGEST_EXPRESSION:
        raise Fault(
            "formula-too-long",
            f"the formula has {len(flat)} characters; at most {LONGEST_EXPRESSION} are read",
            "give parts of it names of their own under `formulas`",
            LONGEST_EXPRESSION,
        )
    _Order(tuple(_tokens(flat)), len(flat)).check()
    tree = _python_tree(flat)
    _check_tree(tree)
    return tree


def _python_tree(text: str) -> ast.expr:
    indent = len(text) - len(text.lstrip())
    try:
        statement = SimpleEval.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Fault("bad-formula", "the formula cannot be read", None, 0) from None
    assert isinstance(statement, ast.Expr)
    for node in ast.walk(statement.value):
        if isinstance(node, ast.expr):
            node.col_offset += indent
            node.end_col_offset = (node.end_col_offset or 0) + indent
    return statement.value


# --- words -------------------------------------------------------------------------------------

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
_SPELLED = {"True": "true", "False": "false", "None": None, "AND": "and", "OR": "or", "NOT": "not"}
_INSTEAD = {
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
    "%": "a percentage is a number of `parameters`: give it a name there",
    "^": "there are no powers: multiply",
}


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
        instead = _SPELLED.get(text)
        hint = f"write `{instead}`" if instead else None
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
        hint = _INSTEAD.get(character, "a formula has names, + - * /, comparisons, and or not, if else")
    return Fault("bad-formula", what, hint, offset)


# --- their order -------------------------------------------------------------------------------

_ENDS_VALUE = frozenset({"number", "text", "name", "close"})
_STARTS_VALUE = frozenset({"number", "text", "name", "open", "minus", "not"})
_BEFORE_NOT = frozenset({"start", "open", "comma", "logic", "not", "if", "else"})


class _Order:
    """Whether the words of a formula may follow each other; finds the first that may not.

    Python would refuse the same formulas, with words and places that differ between its versions.
    """

    def __init__(self, tokens: tuple[_Token, ...], length: int) -> None:
        self.tokens = (*tokens, _Token("end", "", length))
        self.open: list[tuple[bool, int]] = []  # for each "(": is it a call; how many `if` wait
        self.waiting = 0
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
            self._after_value(token)
        else:
            self._want_value(before, token)

    def _want_value(self, before: _Token, token: _Token) -> None:
        if token.kind not in _STARTS_VALUE or (
            token.kind == "not" and before.kind not in _BEFORE_NOT
        ):
            raise _expected("a value", token)
        if self.run > DEEPEST_EXPRESSION:
            raise _too_deep(token.offset)
        if token.kind == "open":
            self._enter(call=False, token=token)

    def _after_value(self, token: _Token) -> None:
        if token.kind == "close" and self.open and not self.waiting:
            self._leave()
        elif token.kind == "if":
            self.waiting += 1
        elif token.kind == "else" and self.waiting:
            self.waiting -= 1
        elif not self._ends_part(token):
            raise _expected(self._wanted(), token)

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

    def _enter(self, call: bool, token: _Token) -> None:
        self.open.append((call, self.waiting))
        self.waiting = 0
        if len(self.open) > DEEPEST_EXPRESSION:
            raise _too_deep(token.offset)

    def _leave(self) -> None:
        _, self.waiting = self.open.pop()


def _expected(what: str, token: _Token) -> Fault:
    found = f"found `{token.text}`" if token.text else "the formula ends"
    return Fault(
        "bad-formula", f"expected {what}, {found}", None, token.offset, max(1, len(token.text))
    )


def _too_deep(offset: int) -> Fault:
    return Fault(
        "formula-too-deep",
        f"the formula is nested more than {DEEPEST_EXPRESSION} deep",
        "give parts of it names of their own under `formulas`",
        offset,
    )


# --- the tree ----------------------------------------------------------------------------------


def _check_tree(tree: ast.expr) -> None:
    waiting: list[tuple[ast.expr, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST_EXPRESSION:
            raise _too_deep(node.col_offset)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise Fault(
                "bad-formula",
                "two comparisons stand in one",
                "write `a < b and b < c`",
            ).at(node.comparators[1])
        waiting += [(part, depth + 1) for part in ast.iter_child_nodes(node) if _is_part(part)]  # type: ignore[misc]


def _is_part(node: ast.AST) -> bool:
    return isinstance(node, ast.expr)
