"""The record of rule files found sound: their digests, so that they need not be checked again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from policy_engine.document import read_json, read_text
from policy_engine.errors import PolicyError
from policy_engine.model import Version

STAMPS = "digests.json"
"""The file beside the rulesets that holds the record."""


def text_digest(text: str) -> str:
    """The hash of a file's text as it is written."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def stamped_texts(folder: Path) -> frozenset[str]:
    """The hashes of the texts that the record of a folder calls sound; none without a record.

    A record that cannot be read is no record: the files are checked then.
    """
    path = folder / STAMPS
    if not path.is_file():
        return frozenset()
    try:
        record = read_json(read_text(path), path.as_posix())
    except PolicyError:
        return frozenset()
    entries = record.values() if isinstance(record, dict) else ()
    return frozenset(e["text"] for e in entries if isinstance(e, dict) and "text" in e)


def record_text(versions: Iterable[Version], texts: Mapping[str, str]) -> str:
    """The record of versions found sound, as the file has it; `texts` are theirs by path."""
    record = {
        version.id: {"digest": version.digest, "text": text_digest(texts[version.path])}
        for version in versions
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"
