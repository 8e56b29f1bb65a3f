"""A YAML text as a tree of entries that keep their comments: what a formatter moves about."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from policy_engine.document.scalars import Node
from policy_engine.document.strict_yaml import root_node
from policy_engine.document.text import Source

_COMMENT = re.compile(r"(?:(?<=[ \t])|(?<![^\n]))#[^\n]*")
_HEADER_END = re.compile(r"[|>][-+0-9]*")
_DASH = re.compile(r"^ *-(?=[ \n])", re.MULTILINE)
_CLOSING = " \t,]}"
BLANK = ""
"""A line of its own that says nothing."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key or scalar: its text as it is written, without the indents of its later lines.

    The later lines of a block keep their indents relative to each other.
    """

    text: str
    style: str
    value: str

    @property
    def is_block(self) -> bool:
        """Whether it is written in lines below a `|` or `>`."""
        return self.style in ("|", ">")


@dataclass(frozen=True, slots=True)
class Group:
    """A mapping or list. `flow`: in brackets, and no comment stands between them. `tail` are
    comments after its last entry, `breaks` the entries in brackets that start a line."""

    mapping: bool
    flow: bool
    entries: tuple[Entry, ...]
    tail: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """A member with the lines above it, comments and blanks, and what stands beside it: a comment
    after the blanks that set it off."""

    key: Leaf | None
    value: Leaf | Group
    lead: tuple[str, ...] = ()
    beside: str = ""


@dataclass(frozen=True, slots=True)
class _Remark:
    """A comment, or a blank line; `own`: nothing else stands on its line."""

    start: int
    line: int
    column: int
    text: str
    own: bool


def entries_of(text: str, path: str) -> Group:
    """The mapping that a YAML text is. Raises RulesError with every problem found."""
    text = text.replace("\r\n", "\n")
    root = root_node(Source(path, text))
    return _Reader(text, root).root()


def comments_of(text: str, path: str) -> list[str]:
    """Every comment of a YAML text, sorted. Raises RulesError with every problem found."""
    return sorted(_comments(entries_of(text, path)))


def _comments(group: Group) -> Iterator[str]:
    yield from filter(None, group.tail)
    for entry in group.entries:
        yield from filter(None, (*entry.lead, entry.beside.lstrip()))
        if isinstance(entry.value, Group):
            yield from _comments(entry.value)


class _Reader:
    """Gives every remark of a text to the entry it belongs to, in the order of the text."""

    def __init__(self, text: str, root: Node) -> None:
        self.text, self.node = text, root
        self.extents = [_extent(text, leaf) for leaf in _leaves(root)]
        self.starts = [start for start, _ in self.extents]
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self.remarks = list(self._remarks())
        self.next = 0

    def root(self) -> Group:
        """The whole text; what is left at its end is the tail."""
        if not isinstance(self.node.value, dict | list):
            return Group(True, False, ())
        made = self._group(self.node, -1)
        rest = [remark.text for remark in self._take(len(self.text))]
        return Group(made.mapping, made.flow, made.entries, (*made.tail, *rest))

    # --- remarks ---------------------------------------------------------------------------------

    def _remarks(self) -> Iterator[_Remark]:
        for number, start in enumerate(self.lines):
            end = self.text.find("\n", start)
            end = len(self.text) if end < 0 else end
            line = self.text[start:end]
            if not line.strip():
                if not self._inside(start) and end < len(self.text):
                    yield _Remark(start, number, 0, BLANK, True)
                continue
            for found in _COMMENT.finditer(self.text, start, end):
                if not self._inside(found.start()):
                    own = not self.text[start : found.start()].strip()
                    column = found.start() - start
                    yield _Remark(found.start(), number, column, found[0].rstrip(), own)
                    break

    def _inside(self, at: int) -> bool:
        """Whether a place is inside a scalar."""
        before = bisect_right(self.starts, at) - 1
        return before >= 0 and at < self.extents[before][1]

    def _line(self, at: int) -> int:
        return bisect_right(self.lines, at) - 1

    def _take(self, end: int) -> Iterator[_Remark]:
        """The remarks not yet taken that stand before a place."""
        while self.next < len(self.remarks) and self.remarks[self.next].start < end:
            self.next += 1
            yield self.remarks[self.next - 1]

    def _before(self, end: int) -> tuple[str, ...]:
        return tuple(remark.text for remark in self._take(end))

    def _beside(self, end: int) -> str:
        """The comment on the line on which something ends, if nothing else stands between."""
        if self.next == len(self.remarks):
            return ""
        remark = self.remarks[self.next]
        if remark.own or remark.start < end or remark.line != self._line(end - 1):
            return ""
        if self.text[end : remark.start].strip(_CLOSING):
            return ""
        self.next += 1
        line = self.text[self.lines[remark.line] : remark.start]
        return f"{line[len(line.rstrip()) :]}{remark.text}"

    def _tail(self, node: Node, column: int) -> tuple[str, ...]:
        """The remarks after the last entry: all before the bracket, or those indented as much."""
        if self._is_flow(node):
            return self._before(node.end)
        after = bisect_right(self.starts, _extent(self.text, _last_leaf(node))[0])
        limit = self.starts[after] if after < len(self.starts) else len(self.text)
        dash = _DASH.search(self.text, self.extents[after - 1][1], limit)
        limit = dash.start() if dash else limit
        ahead = self.next
        for at in range(self.next, len(self.remarks)):
            remark = self.remarks[at]
            if remark.start >= limit or (remark.text and remark.column < column):
                break
            ahead = at + 1 if remark.text else ahead
        taken, self.next = self.remarks[self.next : ahead], ahead
        return tuple(remark.text for remark in taken)

    # --- entries ---------------------------------------------------------------------------------

    def _is_flow(self, node: Node) -> bool:
        return self.text[node.start : node.start + 1] in ("{", "[")

    def _has_remarks(self, node: Node) -> bool:
        at = self.next
        while at < len(self.remarks) and self.remarks[at].start < node.end:
            if self.remarks[at].text and self.remarks[at].start >= node.start:
                return True
            at += 1
        return False

    def _group(self, node: Node, outer: int) -> Group:
        """A mapping or list; `outer` is the column of the one around it."""
        flow = self._is_flow(node)
        column = node.start - self.lines[self._line(node.start)]
        bare = flow and not self._has_remarks(node)
        inner = outer if flow else column
        entries = tuple(self._entry(key, one, inner, bare) for key, one in node.members.values())
        if bare or not entries:
            list(self._take(node.end) if flow else ())
            return Group(node.style == "{", bare, entries, breaks=self._breaks(node))
        return Group(node.style == "{", False, entries, self._tail(node, max(column, outer + 1)))

    def _breaks(self, node: Node) -> frozenset[int]:
        lines = [self._line((key or value).start) for key, value in node.members.values()]
        return frozenset(n for n, (one, two) in enumerate(pairwise(lines), 1) if one < two)

    def _entry(self, key: Node | None, value: Node, column: int, bare: bool) -> Entry:
        """A member; in brackets without comments, none can stand beside it."""
        lead = self._before((key or value).start)
        named = None if key is None else _leaf(self.text, key)
        if not isinstance(value.value, str):
            made = self._of_group(named, key, value, column, bare)
            return replace(made, lead=lead + made.lead)
        start, _ = _extent(self.text, value)
        lead += tuple(text for text in self._before(value.start) if text)
        header = value.style in ("|", ">")
        found = _HEADER_END.match(self.text, value.start) if header else None
        beside = "" if bare else self._beside(found.end() if found else value.end)
        list(self._take(start if header else value.end))
        return Entry(named, _leaf(self.text, value), lead, beside)

    def _of_group(
        self, named: Leaf | None, key: Node | None, value: Node, column: int, bare: bool
    ) -> Entry:
        """A member that is a mapping or list, with the comments between its key and it above."""
        if self._is_flow(value) and not self._has_remarks(value):
            lead = tuple(text for text in self._before(value.start) if text)
            group = self._group(value, column)
            return Entry(named, group, lead, "" if bare else self._beside(value.end))
        beside = ""
        if key is not None:
            bracket = value.start + 1 if self._is_flow(value) else key.end + 1
            beside = self._beside(bracket)
        return Entry(named, self._group(value, column), (), beside)


def _leaves(node: Node) -> Iterator[Node]:
    """The keys and scalars of a node, in the order of the text."""
    if isinstance(node.value, str):
        yield node
        return
    for key, value in node.members.values():
        if key is not None:
            yield key
        yield from _leaves(value)


def _last_leaf(node: Node) -> Node:
    while not isinstance(node.value, str) and node.members:
        node = next(reversed(node.members.values()))[1]
    return node


def _extent(text: str, node: Node) -> tuple[int, int]:
    """Where the text of a scalar starts and ends; of a block, that of its lines."""
    if node.style not in ("|", ">"):
        return node.start, node.end
    start = text.find("\n", node.start, node.end) + 1 or node.end
    return start, max(start, len(text[: node.end].rstrip()))


def _leaf(text: str, node: Node) -> Leaf:
    start, end = _extent(text, node)
    if node.style not in ("|", ">"):
        lines = [line.strip(" \t") for line in text[start:end].split("\n")]
        return Leaf("\n".join(lines), node.style, node.value)
    header = text[node.start : start].partition("#")[0]
    if any(character.isdigit() for character in header):
        return _counted(node)
    lines = [line.rstrip() for line in text[start:end].split("\n")] if node.value else []
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line), default=0)
    text = "\n".join([f"{node.style}-", *(line[indent:] for line in lines)])
    return Leaf(text, node.style, node.value)


def _counted(node: Node) -> Leaf:
    """A block whose indent is given as a number, because its first line is indented more."""
    if node.style == "|":
        header = "|2-" if node.value.startswith((" ", "\n")) else "|-"
        return Leaf("\n".join([header, *node.value.split("\n")]), node.style, node.value)
    return Leaf(json.dumps(node.value, ensure_ascii=False), '"', node.value)
