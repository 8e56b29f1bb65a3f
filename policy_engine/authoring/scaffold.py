"""The text of a new version, from that of the version it follows: comments and layout are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from policy_engine.authoring.formatting import laid_out
from policy_engine.document.scalars import Node
from policy_engine.document.strict_yaml import root_node
from policy_engine.document.text import Source
from policy_engine.numbers import instant_text
from policy_engine.render.yaml import member_lines

_OF_ITS_OWN = ("completes_within", "corrects")
"""What a version says of itself alone; the next one says it anew."""


@dataclass(frozen=True)
class Heading:
    """What a new version says of itself. Without a summary, one has to be written.

    `corrects` is what was wrong with the version that it corrects.
    """

    effective_from: datetime
    announced_at: datetime | None
    summary: str = ""
    corrects: str | None = None

    def lines(self) -> Iterator[tuple[str, list[str]]]:
        """The lines of each key."""
        announced = self.announced_at
        yield "effective_from", [f"effective_from: {instant_text(self.effective_from)}"]
        yield "announced_at", [f"announced_at: {instant_text(announced) if announced else 'null'}"]
        if self.corrects is not None:
            yield "corrects", member_lines("corrects", {"reason": self.corrects}, 0)
        yield "summary", member_lines("summary", self.summary, 0)


def scaffold(text: str, heading: Heading) -> str:
    """The text of a version with another heading; all else is as it was, comments too."""
    text = text.replace("\r\n", "\n")
    made = dict(heading.lines())
    spans = dict(_spans(text))
    dropped = [spans[name] for name in _OF_ITS_OWN if name in spans]
    edits = [_Edit(*span.whole, "") for span in dropped]
    for name in ("effective_from", "announced_at", "summary"):
        lines = made[name]
        if name == "summary":
            lines = [*made.get("corrects", ()), *lines]
        edits.append(_Edit(spans[name].start, spans[name].end, "\n".join(lines)))
    return edited(text, edits)


def with_member(text: str, path: tuple[str, ...], value: object) -> str:
    """The text with another value for a key, in lines as a reviewer would write them.

    A text in which the key has no line of its own is laid out first.
    """
    text = text.replace("\r\n", "\n")
    key, node = _member(text, path)
    if text[text.rfind("\n", 0, key.start) + 1 : key.start].strip():
        text = laid_out(text, "")
        key, node = _member(text, path)
    start = text.rfind("\n", 0, key.start) + 1
    end = _value_end(text, node)
    lines = member_lines(path[-1], value, key.start - start)
    return edited(text, [_Edit(start, end, "\n".join(lines))])


def _member(text: str, path: tuple[str, ...]) -> tuple[Node, Node]:
    """The key and the value at a path of a text."""
    key, node = None, root_node(Source("", text))
    for name in path:
        key, node = node.members[name]
    assert key is not None
    return key, node


class _Edit(NamedTuple):
    """A stretch of a text and what takes its place."""

    start: int
    end: int
    text: str


class _Span(NamedTuple):
    """A top-level key with its value: from the key to the value's end, and its whole lines."""

    start: int
    end: int
    whole: tuple[int, int]


def edited(text: str, edits: list[_Edit]) -> str:
    """The text after all edits."""
    for edit in sorted(edits, reverse=True):
        text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return text


def _spans(text: str) -> Iterator[tuple[str, _Span]]:
    members: Mapping[str | int, tuple[Node | None, Node]] = root_node(Source("", text)).members
    for name, (key, value) in members.items():
        assert key is not None
        end = _value_end(text, value)
        line_end = text.find("\n", end)
        yield str(name), _Span(key.start, end, (key.start, line_end + 1 or len(text)))


def _value_end(text: str, node: Node) -> int:
    """Where the text of a value ends; a mapping or list in lines ends with its last member."""
    while not isinstance(node.value, str) and node.members and text[node.start] not in "{[":
        node = next(reversed(node.members.values()))[1]
    return len(text[: node.end].rstrip()) if node.style in ("|", ">") else node.end
