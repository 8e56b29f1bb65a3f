"""Strict YAML: text -> nodes with their places. Every scalar stays text; clever YAML is refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from policy_engine.document.scalars import Node, escapes
from policy_engine.document.spacing import SpacingSlip, comment_slip, line_slip, scalar_slip
from policy_engine.document.text import (
    HIDDEN,
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_VALUES,
    Pointer,
    Source,
    character_name,
    hidden_characters,
    shortened,
    too_deep,
    too_large,
    too_many_values,
)
from policy_engine.document.wording import UNREADABLE, syntax_problem
from policy_engine.errors import MOST_PROBLEMS, Place, Problem, RulesError

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: the same events, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MOST_SCALAR_CHARACTERS = 20_000

_NO_MEMBERS: dict[str | int, tuple[Node | None, Node]] = {}
_NO_SURPRISE = "rules are read as they stand; write the value out"


def root_node(source: Source) -> Node:
    """The one document of a YAML text. Raises RulesError with every problem found."""
    if len(source.text) > MOST_CHARACTERS:
        raise RulesError([too_large(source)])
    problems = list(hidden_characters(source))
    if problems:
        raise RulesError(problems)
    composer = _Composer(source)
    composer.read()
    if composer.problems:
        raise RulesError(composer.problems)
    assert composer.root is not None
    return composer.root


class _Stop(Exception):
    """Enough was found that reading on would not help."""


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read yet."""

    start: int
    indent: int
    mapping: bool
    flow: bool
    value: Any
    members: dict[str | int, tuple[Node | None, Node]] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    key: Node | None = None

    def step(self) -> str | int:
        """The key or position of the member being read."""
        if not self.mapping:
            return len(self.members)
        return self.key.value if self.key and isinstance(self.key.value, str) else ""

    def node(self, end: int) -> Node:
        return Node(self.start, end, "{" if self.mapping else "[", self.value, self.members)


class _Composer:
    """Builds nodes from the parser's events, in a loop, so that no depth of nesting can hurt."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.documents = 0
        self.values = 0
        self.line = -1
        self.questions = "?" in source.text
        self.slip: SpacingSlip | None = None

    def read(self) -> None:
        """Read to the end, or to the first error that ends reading."""
        try:
            for event in iter(_Loader(self.source.text).get_event, None):
                take = self.TAKES.get(type(event))
                if take:
                    take(self, event)
            self._refuse_empty()
        except yaml.MarkedYAMLError as error:
            self.problems.append(syntax_problem(self.source, error))
        except yaml.YAMLError:
            self.problems.append(self.source.problem("bad-yaml", UNREADABLE, None, 0))
        except _Stop:
            pass

    def _problem(self, code: str, message: str, hint: str, start: int, width: int = 1) -> None:
        self.problems.append(
            Problem(code, message, hint, self.source.place(start, width, self._pointer()))
        )
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stop

    def _pointer(self) -> Pointer:
        return tuple(part for frame in self.open if (part := frame.step()) != "")

    def _document(self, event: Any) -> None:
        start = event.start_mark.index
        self.documents += 1
        if event.version or event.tags or self.source.text[start : start + 1] == "%":
            self._problem("directive", "YAML directives are not taken", "delete this line", start)
        if self.documents > 1:
            message = "a second document starts here"
            self._problem("several-documents", message, "give it a file of its own", start, 3)
            raise _Stop

    def _refuse_slip(self, slip: SpacingSlip | None) -> None:
        """Inside brackets it waits for their end: that they have none is the better message."""
        self.slip = self.slip or slip
        if self.slip and not self._in_brackets():
            self._problem("bad-yaml", self.slip.message, self.slip.hint, self.slip.at)
            raise _Stop

    def _refuse_low_line(self, event: Any) -> None:
        """A line inside brackets that no longer belongs to the key or dash before them."""
        if self._in_brackets() and event.start_mark.line > self.line:
            self._refuse_slip(line_slip(self.source.text, event, self._indent()))
        self.line = event.end_mark.line

    def _in_brackets(self) -> bool:
        return bool(self.open) and self.open[-1].flow

    def _indent(self) -> int:
        """The column of the innermost mapping or list without brackets; -1 outside of all."""
        return self.open[-1].indent if self.open else -1

    def _alias(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        message = f"`*{shortened(event.anchor)}` repeats another value by reference"
        self._problem("alias", message, _NO_SURPRISE, start, end - start)
        self._put(Node(start, end, "*", f"*{event.anchor}", {}))

    def _scalar(self, event: Any) -> None:
        start, end, style = event.start_mark.index, event.end_mark.index, event.style or ""
        if event.anchor or event.tag or self.source.text.startswith("!", start):
            self._refuse_properties(event)
        text = event.value.rstrip() if style in ("|", ">") else event.value
        node = Node(start, end, style or event.tag or "", text, _NO_MEMBERS)
        if style == '"':
            self._refuse_hidden(node)
        if self._in_brackets():
            self._refuse_low_line(event)
        slip = scalar_slip(self.source.text, event, self._indent())
        if slip or self.slip:
            self._refuse_slip(slip)
        if len(text) > MOST_SCALAR_CHARACTERS:
            message = f"this text has more than {MOST_SCALAR_CHARACTERS:,} characters"
            self._problem("too-large", message, "shorten it", start)
        self._put(node)

    def _start(self, event: Any) -> None:
        self._refuse_properties(event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._refuse_low_line(event)
        start, flow = event.start_mark.index, bool(event.flow_style)
        if len(self.open) >= MOST_DEPTH:
            self.problems.append(too_deep(self.source, start))
            raise _Stop
        named = event.anchor or event.tag  # refused already; they stand before the first column
        column = -1 if named else event.start_mark.column
        indent = self._indent() if flow else column
        self.open.append(_Open(start, indent, mapping, flow, {} if mapping else []))

    def _end(self, event: Any) -> None:
        frame, end = self.open.pop(), event.end_mark.index
        if frame.flow:
            self.line = event.end_mark.line
            self._refuse_slip(comment_slip(self.source.text, end))
        self._put(frame.node(end))

    TAKES: ClassVar[dict[type, Callable[[_Composer, Any], None]]] = {
        yaml.DocumentStartEvent: _document,
        yaml.AliasEvent: _alias,
        yaml.ScalarEvent: _scalar,
        yaml.MappingStartEvent: _start,
        yaml.SequenceStartEvent: _start,
        yaml.MappingEndEvent: _end,
        yaml.SequenceEndEvent: _end,
    }

    def _put(self, node: Node) -> None:
        """Give a finished node to the mapping or list around it."""
        self.values += 1
        if self.values > MOST_VALUES:
            self.problems.append(too_many_values(self.source, node.start))
            raise _Stop
        if not self.open:
            self.root = node
        elif not self.open[-1].mapping:
            self._put_item(self.open[-1], node)
        elif self.open[-1].key is None:
            self._put_key(self.open[-1], node)
        else:
            self._put_value(self.open[-1], self.open[-1].key, node)

    def _put_item(self, frame: _Open, node: Node) -> None:
        if _is_nothing(node):
            dash = max(0, self.source.text.rfind("-", 0, node.start + 1))
            self._problem("missing-value", "this item is empty", "write it, or delete it", dash)
        frame.members[len(frame.value)] = (None, node)
        frame.value.append(node.value)

    def _put_key(self, frame: _Open, node: Node) -> None:
        frame.key = node
        if not isinstance(node.value, str):
            self._problem("bad-key", "a key must be plain text", "write `name: value`", node.start)
            return
        width = node.end - node.start
        before = self.source.text[max(0, node.start - 80) : node.start] if self.questions else ""
        if before.rstrip(" ").endswith("?"):
            self._problem("bad-key", "`?` marks a key", "write `name: value`", node.start, width)
        if _is_nothing(node):
            self._problem("bad-key", "this value has no key", "write `name: value`", node.start)
        if node.value == "<<" and not node.style:
            message = "`<<` merges another mapping into this one"
            self._problem("merge-key", message, _NO_SURPRISE, node.start, width)
        self._refuse_duplicate(frame, node)

    def _refuse_duplicate(self, frame: _Open, node: Node) -> None:
        first = frame.keys.setdefault(_spelling(node.value), node)
        if first is node:
            return
        line = self.source.line(first.start)
        same = first.value == node.value
        says = "is given twice" if same else f"looks the same as `{shortened(first.value)}`"
        message = f"`{shortened(node.value)}` {says}; the first is on line {line}"
        hint = "keep one of the two"
        self._problem("duplicate-key", message, hint, node.start, node.end - node.start)

    def _put_value(self, frame: _Open, key: Node, node: Node) -> None:
        if _is_nothing(node):
            self._refuse_missing(frame, key, node)
        elif isinstance(key.value, str) and key.value not in frame.members:
            frame.members[key.value] = (key, node)
            frame.value[key.value] = node.value
        frame.key = None

    def _refuse_missing(self, frame: _Open, key: Node, node: Node) -> None:
        name, width = shortened(str(key.value)), key.end - key.start
        if not frame.flow or node.start > key.end:
            hint = f"write a value after `{name}:`, or delete the key"
            self._problem("missing-value", f"`{name}` has no value", hint, key.start, width)
            return
        message = f"`{name}` stands here as a key without a value"
        self._problem("missing-value", message, self._comma_hint(frame, key), key.start, width)

    def _comma_hint(self, frame: _Open, key: Node) -> str:
        """What to write for a text that a comma inside `{ }` has cut in two."""
        because = "a comma inside `{ }` starts a new key"
        last = next(reversed(frame.members.values()), None)
        if last is None or last[0] is None or last[1].style:
            return f"{because}; write `name: value`, or put quotes around text with braces"
        whole = shortened(self.source.text[last[1].start : key.end])
        written = f'{shortened(last[0].value)}: "{whole}"'
        return f"{because}; quote the text, `{written}`, or give it a line of its own"

    def _refuse_properties(self, event: Any) -> None:
        """Anchors and tags: the two things that YAML lets stand before a value."""
        start = event.start_mark.index
        if event.anchor:
            message = f"`&{shortened(event.anchor)}` names a value to repeat it elsewhere"
            self._problem("anchor", message, _NO_SURPRISE, start, len(event.anchor) + 1)
        if self.source.text[start : start + 1] == "!" or event.tag:
            tag = self.source.text[start:].split(maxsplit=1)[0]
            message = f"`{shortened(tag)}` sets the kind of a value"
            hint = "leave it out, or put quotes around text that starts with `!`"
            self._problem("tag", message, hint, start, len(tag))

    def _refuse_hidden(self, node: Node) -> None:
        if not HIDDEN.search(node.value):
            return
        # Whatever is hidden was escaped: hidden characters as such have been refused before.
        units = escapes(self.source.text, node)
        start, end, character = next(unit for unit in units if HIDDEN.match(unit.character))
        message = f"this escape makes a hidden character: {character_name(character)}"
        self._problem("control-character", message, "take it out", start, end - start)

    def _refuse_empty(self) -> None:
        if not self.problems and (self.root is None or _is_nothing(self.root)):
            hint = "write the document, or delete the file"
            place = Place(path=self.source.path, line=1, column=1)
            self.problems.append(Problem("empty-document", "the file says nothing", hint, place))


def _is_nothing(node: Node) -> bool:
    return node.value == "" and not node.style


def _spelling(key: str) -> str:
    """Keys with one spelling look the same, however their accents are composed."""
    return key if key.isascii() else unicodedata.normalize("NFC", key)
