"""Rule documents as YAML text that says the same to a strict reader and to `yaml.BaseLoader`."""

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

PLAIN = re.compile(
    r"-?(0|[1-9][0-9]*)(\.[0-9]+)?%?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"
    r"|[a-z][a-z_]*( [a-z]+)?"
)
NAME = re.compile(r"[a-z][a-z0-9_]*")
WIDTH = 100


def to_yaml(document: dict[str, Any]) -> str:
    """The document as YAML; texts are quoted, long formulas are blocks, small mappings flow."""
    return "\n".join(block(document, 0)) + "\n"


def block(mapping: dict[str, Any], depth: int) -> Iterator[str]:
    """The lines of a block mapping."""
    for key, value in mapping.items():
        yield from entry("  " * depth + name(key) + ":", value, depth)


def entry(head: str, value: Any, depth: int) -> Iterator[str]:
    """The lines of one key and its value."""
    if isinstance(value, str) and len(value) > WIDTH:
        yield f"{head} >-"
        yield from folded(value, depth + 1)
    elif isinstance(value, dict) and value and len(head + flow(value)) > WIDTH:
        yield head
        yield from block(value, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield head
        yield from ("  " * (depth + 1) + "- " + flow(item) for item in value)
    else:
        yield f"{head} {flow(value)}"


def folded(text: str, depth: int) -> list[str]:
    """The text as the lines of a folded block."""
    wrapped = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return ["  " * depth + line for line in wrapped]


def flow(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(text: str) -> str:
    """The text as a YAML scalar."""
    if PLAIN.fullmatch(text):
        return text
    return json.dumps(text) if "'" in text else f"'{text}'"


def name(key: str) -> str:
    """A key as a YAML scalar."""
    return key if NAME.fullmatch(key) else json.dumps(key)
