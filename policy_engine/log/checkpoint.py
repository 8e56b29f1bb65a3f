"""Where a log stood at an instant: a few lines to keep where the log's keeper cannot write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from policy_engine.document import read_json, read_text
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.log.record import FORMAT, is_digest
from policy_engine.numbers import instant, instant_text

BESIDE = ".checkpoint"
"""A checkpoint in a file of the log's name with this at its end is always compared."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How many records a log had at an instant, the root of their tree, and the hashes of the first
    and the last of them (None where there were none)."""

    size: int
    root: str
    first: str | None
    last: str | None
    at: datetime

    def to_dict(self) -> dict[str, Any]:
        """The checkpoint as plain JSON values."""
        return {"format": FORMAT, **asdict(self), "at": instant_text(self.at)}

    def to_json(self) -> str:
        """The checkpoint as one line of JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"))


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file. Raises PolicyError."""
    found = read_json(read_text(path, PolicyError), str(path), PolicyError)
    made = _checkpoint(found) if isinstance(found, Mapping) else None
    if made is None:
        message, hint = "this is no checkpoint of a log", "policy-engine log checkpoint makes one"
        raise PolicyError([Problem("not-a-checkpoint", message, hint, Place(str(path)))])
    return made


def _checkpoint(found: Mapping[str, Any]) -> Checkpoint | None:
    """What the values spell; None where they are not exactly those of a checkpoint."""
    try:
        made = Checkpoint(
            int(found["size"]), found["root"], found["first"], found["last"], instant(found["at"])
        )
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return None
    ends = (made.first, made.last)
    told = all(map(is_digest, ends)) if made.size else ends == (None, None)
    return made if told and made.size >= 0 and dict(found) == made.to_dict() else None
