"""Texts that were collected to break readers, each with the name it has in its collection."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "corpora"

AT_HAND = FOLDER.is_dir()
"""Whether the collections are here; the project does not hold them."""

Entry = tuple[str, bytes]


def cases(name: str) -> list[dict[str, Any]]:
    """The entries of one of the files in `hostile`, with all that they say of themselves."""
    content = json.loads((FOLDER / "hostile" / f"{name}.json").read_text(encoding="utf-8"))
    held: list[dict[str, Any]] = content["cases"]
    return held


def yaml_cases() -> list[dict[str, Any]]:
    """The cases of the YAML suite, with all that they say of themselves."""
    text = (FOLDER / "yaml-test-suite" / "cases.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def formula(case: Mapping[str, Any]) -> str:
    """The text of a hostile formula; long ones are described by their parts."""
    if "expr" in case:
        return str(case["expr"])
    parts = case["gen"]
    count, mirrored = int(parts["count"]), "body" in parts
    opening = parts.get("prefix_repeat", parts.get("prefix", "") if mirrored else "") * count
    prefix = "" if mirrored and "prefix_repeat" not in parts else parts.get("prefix", "")
    closing = parts.get("suffix", "") * (count if mirrored else 1)
    return str(prefix + opening + parts.get("body", "") + parts.get("repeat", "") * count + closing)


def _expressions() -> Iterator[Entry]:
    for case in cases("expressions"):
        yield case["id"], formula(case).encode("utf-8", "surrogatepass")


def _hostile(name: str) -> Iterator[Entry]:
    for case in cases(name):
        if "bytes_b64" in case:
            yield case["id"], base64.b64decode(case["bytes_b64"])
        elif case["id"] == "big-int":
            yield case["id"], b"9" * 5000  # the entry says this in words
        else:
            yield case["id"], case["text"].encode("utf-8", "surrogatepass")


def _files(folder: str) -> Iterator[Entry]:
    for path in sorted((FOLDER / folder).rglob("*")):
        if path.is_file() and path.name != "LICENSE":
            yield path.relative_to(FOLDER / folder).as_posix(), path.read_bytes()


def _yaml_suite() -> Iterator[Entry]:
    for case in yaml_cases():
        yield case["id"], case["yaml"].encode("utf-8", "surrogatepass")


CORPORA: Mapping[str, Callable[[], Iterator[Entry]]] = {
    "expressions": _expressions,
    "yaml": lambda: _hostile("yaml"),
    "json": lambda: _hostile("json"),
    "json-test-suite": lambda: _files("json-test-suite"),
    "yaml-test-suite": _yaml_suite,
    "pyyaml-legacy": lambda: _files("pyyaml-legacy/data"),
}
"""The entries of each collection."""
