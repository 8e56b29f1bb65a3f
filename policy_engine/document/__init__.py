"""Files as people write them: strict YAML with a place for every key and value, strict JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from policy_engine.document.scalars import Node, extent
from policy_engine.document.strict_json import read_json
from policy_engine.document.strict_yaml import root_node
from policy_engine.document.text import Pointer, Source, pointer_text, read_text
from policy_engine.errors import Place

__all__ = ["Document", "Pointer", "pointer_text", "read_json", "read_text", "read_yaml"]


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: its data as dicts, lists and text, and where each part of it stands.

    Every scalar is the text that was written: `NO`, `13:20`, `1.10`, `null`. The text of a block
    scalar (`|` or `>`) has no blanks at its end.
    """

    path: str
    text: str
    data: Any
    _root: Node = field(repr=False, compare=False)

    def place(self, pointer: Pointer = (), key: bool = False) -> Place:
        """The place of a value, or of its key; of the nearest value around it if it is absent."""
        name, node, found = self._find(pointer)
        shown = name if key and name else node
        return Source(self.path, self.text).place(shown.start, self._width(shown), found)

    def inside(self, pointer: Pointer, offset: int, width: int = 1) -> Place:
        """The place of `width` characters from `offset` of a scalar's value."""
        _, node, found = self._find(pointer)
        if not isinstance(node.value, str):
            return self.place(pointer)
        start, end = extent(self.text, node, offset, width)
        return Source(self.path, self.text).place(start, end - start, found)

    def plain(self, pointer: Pointer) -> bool:
        """Whether the value is a scalar without quotes and not in a block."""
        return self._find(pointer)[1].style == ""

    def _find(self, pointer: Pointer) -> tuple[Node | None, Node, Pointer]:
        """Key and value at a pointer, or at the longest part of it that the document has."""
        name, node = None, self._root
        for at, part in enumerate(pointer):
            if part not in node.members:
                return name, node, pointer[:at]
            name, node = node.members[part]
        return name, node, pointer

    def _width(self, node: Node) -> int:
        return node.end - node.start if isinstance(node.value, str) else 1


def read_yaml(text: str, path: str) -> Document:
    """The document that a strict YAML text spells.

    Raises RulesError with every problem found: duplicate keys, anchors, aliases, merge keys,
    tags, directives, several documents, keys without a value, hidden characters, too much of
    anything. A slip in the syntax ends the reading.
    """
    text = text.replace("\r\n", "\n")
    root = root_node(Source(path, text))
    return Document(path, text, root.value, root)
