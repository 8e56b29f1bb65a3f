"""The record of rule files found sound together: what need not be checked, or read, again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from policy_engine.__about__ import ENGINE
from policy_engine.document import read_text
from policy_engine.errors import PolicyError
from policy_engine.model import Version
from policy_engine.numbers import instant, instant_text

STAMPS = "digests.json"
"""The file beside the rulesets that holds the record."""

_SEAL, _VERSIONS, _CASES, _CASES_SEAL = "seal", "versions", "cases", "cases_seal"

_NO_RECORD = (PolicyError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a file raises that is none of our records."""


class Stamp(NamedTuple):
    """What is on record of one version: when it holds, its digest, and the hash of its text."""

    id: str
    effective_from: datetime
    announced_at: datetime | None
    offers: tuple[str, ...]
    digest: str
    text: str

    @property
    def ruleset(self) -> str:
        """The ruleset it is a version of."""
        return self.id.partition("@")[0]

    def digest_of(self, version: Version) -> str:
        """The digest on record, as the digest of the version it is the record of."""
        return self.digest


Stamps = Mapping[str, Stamp]
"""The record of a folder, by version."""


def version_id(path: str) -> str:
    """The id of the version in a file, as the names of folder and file tell it."""
    named = PurePath(path)
    return f"{named.parent.name}@{named.stem}"


def text_digest(text: str) -> str:
    """The hash of a file's text as it is written."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def read_stamps(folder: Path) -> Stamps:
    """The record of a folder; empty without one.

    A record that this version of the engine has not written so is none: the files are checked then.
    """
    try:
        record = _record(folder)
        return _stamps(record) if record[_SEAL] == _seal(record[_VERSIONS]) else {}
    except _NO_RECORD:
        return {}


def read_digests(folder: Path) -> Stamps:
    """What is on record of each version, whichever version of the engine has written it.

    It tells what the versions meant, and not that they were found sound.
    """
    try:
        return _stamps(_record(folder))
    except _NO_RECORD:
        return {}


def read_sound_cases(folder: Path) -> frozenset[str]:
    """The hashes of the texts of case files found sound; none without a record of this engine."""
    try:
        record = _record(folder)
        sealed = record[_CASES_SEAL] == _seal(record[_CASES])
        return frozenset(record[_CASES]) if sealed else frozenset()
    except _NO_RECORD:
        return frozenset()


def _record(folder: Path) -> Any:
    path = folder / STAMPS
    return json.loads(read_text(path)) if path.is_file() else {}


def _stamps(record: Any) -> Stamps:
    return {name: _stamp(name, entry) for name, entry in record[_VERSIONS].items()}


def record_text(versions: Iterable[Version], texts: Mapping[str, str]) -> str:
    """The record of versions found sound, as the file has it; `texts` are theirs by path."""
    entries = {version.id: _entry(version, texts[version.path]) for version in versions}
    return _written({_SEAL: _seal(entries), _VERSIONS: entries})


def with_cases(record: str, texts: Iterable[str]) -> str:
    """A record of versions, and with it one of the texts of case files found sound."""
    hashes = sorted(map(text_digest, texts))
    return _written({**json.loads(record), _CASES: hashes, _CASES_SEAL: _seal(hashes)})


def _written(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def _seal(entries: Any) -> str:
    """The hash of a record and of the engine's version: neither another engine's checks nor an
    edit or a merge of the record passes for what was checked."""
    return text_digest(json.dumps([ENGINE, entries], sort_keys=True))


def _entry(version: Version, text: str) -> dict[str, Any]:
    announced = version.announced_at
    return {
        "announced_at": announced and instant_text(announced),
        "digest": version.digest,
        "effective_from": instant_text(version.effective_from),
        "offers": sorted(version.offers),
        "text": text_digest(text),
    }


def _stamp(name: str, entry: Mapping[str, Any]) -> Stamp:
    announced = entry["announced_at"]
    return Stamp(
        name,
        instant(entry["effective_from"]),
        announced and instant(announced),
        tuple(entry["offers"]),
        entry["digest"],
        entry["text"],
    )
