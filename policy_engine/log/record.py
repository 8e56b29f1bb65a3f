"""One line of a log: what was decided, and the header that ties it to all records before it.

A line is canonical JSON (RFC 8785) and a line end:

    {"content": …, "hash": "sha256:…", "header": {"content": "sha256:…", "format": 1,
     "peaks": […], "previous": "sha256:…", "recorded_at": "…", "sequence": 1}}

The header's `content` is the SHA-256 of the content's bytes. `hash` is the header's as a leaf of
the Merkle tree (RFC 6962) of all headers. `previous` is the hash of the record before, and `peaks`
is the frontier of the tree of all records before: with it the tree grows without being read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from policy_engine.decision import Decision
from policy_engine.json_values import json_value
from policy_engine.layout import InForce
from policy_engine.log.canonical import as_recorded, canonical
from policy_engine.log.merkle import Frontier, leaf_hash
from policy_engine.numbers import instant, instant_text
from policy_engine.rules import Rules

FORMAT = 1
START = b'{"content":'
"""How every line begins."""

HEADER = b'","header":{"content":"sha256:'
"""Where the header begins in every line."""

_HASH, _HEADER = b',"hash":"', b'","header":'
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def shown(digest: bytes) -> str:
    """A hash as logs write it."""
    return f"sha256:{digest.hex()}"


def digest_of(text: str) -> bytes:
    """The hash that a text spells."""
    return bytes.fromhex(text.removeprefix("sha256:"))


def is_digest(value: Any) -> bool:
    """Whether a value is a hash as logs write it."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Header:
    """What a record is hashed by."""

    content: str
    peaks: tuple[str, ...]
    previous: str | None
    recorded_at: str
    sequence: int

    def to_bytes(self) -> bytes:
        """The canonical bytes that are hashed. No part of a header needs an escape."""
        peaks = ",".join(f'"{peak}"' for peak in self.peaks)
        previous = "null" if self.previous is None else f'"{self.previous}"'
        return (
            f'{{"content":"{self.content}","format":{FORMAT},"peaks":[{peaks}],'
            f'"previous":{previous},"recorded_at":"{self.recorded_at}","sequence":{self.sequence}}}'
        ).encode()

    @property
    def moment(self) -> datetime:
        """The time of recording."""
        return instant(self.recorded_at)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log, read but not believed: `hash` is what it says its hash is."""

    content: bytes
    hash: str
    header: Header
    leaf: bytes

    @property
    def holds(self) -> bool:
        """Whether its content has the hash in its header."""
        return shown(sha256(self.content).digest()) == self.header.content

    @property
    def intact(self) -> bool:
        """Whether content and header have the hashes that the line says."""
        return self.holds and shown(self.leaf) == self.hash

    def read(self) -> dict[str, Any]:
        """The content as plain JSON values. Raises ValueError where it is not JSON."""
        found: dict[str, Any] = json.loads(self.content)
        return found


def content_of(rules: Rules, snapshot: Mapping[str, Any], decision: Decision) -> bytes:
    """What is recorded of a decision: its input, every version then in force, and the decision.

    Also versions that `decision.rulesets` does not name can bear on it, through requests that lead
    into the rules of another ruleset. Raises SnapshotError for a text that is not Unicode.
    """
    versions = sorted(rules.versions.items())
    return canonical(
        {
            "decision": decision.to_dict(),
            "input": {
                "known_at": rules.known_at and instant_text(rules.known_at),
                "rules_at": instant_text(rules.at),
                "snapshot": as_recorded(snapshot),
            },
            "rules": [
                json_value(InForce(name, version.id.partition("@")[2], version.digest))
                for name, version in versions
            ],
        }
    )


def line_of(content: bytes, before: Frontier, previous: str | None, moment: datetime) -> bytes:
    """The line that records a content after those in a tree."""
    header = Header(
        shown(sha256(content).digest()),
        tuple(map(shown, before.peaks)),
        previous,
        instant_text(moment),
        before.size + 1,
    ).to_bytes()
    digest = shown(leaf_hash(header)).encode()
    return START + content + _HASH + digest + _HEADER + header + b"}\n"


def read_line(raw: bytes) -> Line | None:
    """A line, with or without its end; None for what is none."""
    raw = raw.removesuffix(b"\n")
    at = raw.rfind(_HASH)
    middle = raw.find(_HEADER, at)
    if not raw.startswith(START) or at < 0 or middle < 0 or not raw.endswith(b"}"):
        return None
    digest = raw[at + len(_HASH) : middle].decode("latin-1")
    written = raw[middle + len(_HEADER) : -1]
    header = _header(written)
    if header is None or not is_digest(digest):
        return None
    return Line(raw[len(START) : at], digest, header, leaf_hash(written))


def _header(written: bytes) -> Header | None:
    try:
        found = json.loads(written)
        named = {name: found[name] for name in Header.__slots__}
        header = Header(**{**named, "peaks": tuple(found["peaks"])})
        return header if _is_sound(header) and header.to_bytes() == written else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _is_sound(header: Header) -> bool:
    """Whether each part is of its kind, and the tree before it is of the size it should be."""
    first, number = header.sequence == 1, header.sequence
    return (
        type(number) is int
        and number >= 1
        and is_digest(header.content)
        and (header.previous is None if first else is_digest(header.previous))
        and len(header.peaks) == (number - 1).bit_count()
        and all(map(is_digest, header.peaks))
        and instant_text(header.moment) == header.recorded_at
    )
