"""A YAML text that has been read before and had no problems, read without looking for any."""

from __future__ import annotations

import re
from typing import Any

import yaml

from policy_engine.document.scalars import Node
from policy_engine.document.text import MOST_DEPTH

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: the same nodes, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


class _Untagged(_Loader):
    """Composes nodes without asking what kind of value each text would be to YAML."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return "text"

    def descend_resolver(self, parent: Any, index: Any) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


_NO_MEMBERS: dict[str | int, tuple[Node | None, Node]] = {}


_NO_BRACKETS = re.compile(r"[^\[\]{}]+")
_DEEP_BLOCK = re.compile(r"^ {200}|(?:[-?:][ \t]+){33}", re.MULTILINE)
_STRAY_BRACKETS = 64


def is_shallow(text: str) -> bool:
    """Whether a text is surely not nested so deeply that composing it could end the process.

    A record can be forged; what it calls sound is composed by code that calls itself.
    """
    brackets = _NO_BRACKETS.sub("", text)
    for _ in range(MOST_DEPTH):
        brackets = brackets.replace("[]", "").replace("{}", "")
    return len(brackets) <= _STRAY_BRACKETS and _DEEP_BLOCK.search(text) is None


def sound_node(text: str) -> Node:
    """The root of a sound text: the node that the strict reading gives, in half the time."""
    return _node(yaml.compose(text, Loader=_Untagged))


def _node(part: Any) -> Node:
    """Sound texts are not nested deeply, so this may call itself."""
    start, end, value = part.start_mark.index, part.end_mark.index, part.value
    if isinstance(part, yaml.ScalarNode):
        style = part.style or ""
        text = value.rstrip() if style in ("|", ">") else value
        return Node(start, end, style, text, _NO_MEMBERS)
    members: dict[str | int, tuple[Node | None, Node]]
    if isinstance(part, yaml.SequenceNode):
        members = {at: (None, _node(item)) for at, item in enumerate(value)}
        return Node(start, end, "[", [node.value for _, node in members.values()], members)
    members = {key.value: (_node(key), _node(item)) for key, item in value}
    return Node(start, end, "{", {key: node.value for key, (_, node) in members.items()}, members)
