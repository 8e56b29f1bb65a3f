"""The records of a log, as they are in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_engine.log.files import lines, reading
from policy_engine.log.record import Line, read_line


@dataclass(frozen=True, slots=True)
class Record:
    """A record and the line it stands on; `intact` is whether it has the hashes that it says.

    `content` holds `input`, `rules` and `decision`; `hash` is that of the record as a leaf of the
    tree of all. A line that cannot be read as a record has None for all.
    """

    line: int
    intact: bool
    sequence: int | None = None
    recorded_at: str | None = None
    hash: str | None = None
    content: Mapping[str, Any] | None = None


def records(path: str | Path) -> Iterator[Record]:
    """Each line of a log, read and not verified: `verify` does that. Raises PolicyError."""
    with reading(Path(path)) as (file, extent):
        for number, raw in enumerate(lines(file, extent.whole), 1):
            yield _record(number, read_line(raw))


def _record(number: int, line: Line | None) -> Record:
    if line is None:
        return Record(number, False)
    header = line.header
    try:
        content = line.read()
    except (ValueError, RecursionError):
        return Record(number, False, header.sequence, header.recorded_at, line.hash)
    whole = line.intact and isinstance(content, dict)
    return Record(number, whole, header.sequence, header.recorded_at, line.hash, content)
