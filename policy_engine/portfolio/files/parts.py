"""The parts of an answer that are done, kept beside where it will stand until all are there.

Each part is a file of its own, whole under its name or not there; the journal has its check sum.
What a run that was ended has done is taken over if everything that it rests on is the same.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pyarrow as pa

from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.portfolio.files.tally import Tally

_ENDS = 1 << 20
_RUN, _JOURNAL, _LOCK = "run.json", "journal.jsonl", "lock"


@dataclass(frozen=True)
class Done:
    """A part that is done: its number, the check sum of its file, and its counts.

    Without a check sum it has no file, and `answer` is all there is of it.
    """

    number: int
    check: int | None
    tally: Tally
    answer: pa.RecordBatch | None = None


@dataclass(frozen=True)
class Parts:
    """A folder of parts of one answer."""

    folder: Path

    def part(self, number: int) -> Path:
        """The file of a part."""
        return self.folder / f"part-{number:06}.arrow"

    def write(self, number: int, answer: pa.RecordBatch) -> int:
        """Keep a part whole, and return its check sum."""
        begun = self.folder / f"{self.part(number).name}.{os.getpid()}"
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, answer.schema) as writer:
            writer.write_batch(answer)
        content = sink.getvalue()
        begun.write_bytes(content)
        begun.replace(self.part(number))
        return zlib.crc32(content)

    def read(self, done: Done) -> pa.RecordBatch:
        """The answer of a part."""
        if done.answer is not None:
            return done.answer
        with pa.memory_map(self.part(done.number).as_posix()) as source:
            return pa.ipc.open_file(source).get_batch(0)

    def note(self, done: Done) -> None:
        """Write into the journal that a part is done, if it has a file."""
        if done.check is None:
            return
        line = {"number": done.number, "check": done.check, "tally": done.tally.to_dict()}
        with (self.folder / _JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")

    def done(self) -> dict[int, Done]:
        """The parts that are there as the journal has them."""
        found = {}
        for line in _lines(self.folder / _JOURNAL):
            try:
                held = json.loads(line)
                one = Done(held["number"], held["check"], Tally.of_dict(held["tally"]))
            except ValueError:  # the run ended while it wrote this line
                continue
            if self._is_sound(one):
                found[one.number] = one
        return found

    def _is_sound(self, done: Done) -> bool:
        try:
            return _check_sum(self.part(done.number)) == done.check
        except (OSError, ValueError):  # not there, or empty
            return False

    def begin(self, key: Mapping[str, Any]) -> str | None:
        """Make ready for a run. Returns what has changed if another had been begun here."""
        before = _json(self.folder / _RUN)
        if before == dict(key):
            return None
        changed = None if before is None else _changed(before, key)
        for path in self.folder.iterdir():
            if path.name != _LOCK:
                path.unlink()
        begun = self.folder / f"{_RUN}.begun"
        begun.write_text(json.dumps(key, indent=1), encoding="utf-8")
        begun.replace(self.folder / _RUN)
        return changed


def _check_sum(path: Path) -> int:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return zlib.crc32(content)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _changed(before: Any, key: Mapping[str, Any]) -> str:
    held = before if isinstance(before, dict) else {}
    names = [name for name, value in key.items() if held.get(name) != value]
    return ", ".join(names) or "what it rests on"


def begun(output: Path) -> Any:
    """What a run rests on that was begun and not finished; None where there is none."""
    return _json(_beside(output) / _RUN)


def kept(output: Path) -> bool:
    """Whether an ended run has left anything to go on from."""
    return bool(_lines(_beside(output) / _JOURNAL))


def _beside(output: Path) -> Path:
    return output.with_name(f"{output.name}.unfinished")


@contextmanager
def parts_beside(output: Path) -> Iterator[Parts]:
    """The folder of the parts of a file, which nobody else uses meanwhile; it stays if the run
    ends early. Raises PolicyError."""
    folder = _beside(output)
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as failure:
        raise not_written(output, failure) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            hint = "wait for it, or choose another file"
            problem = Problem("in-use", "another run is writing this", hint, Place(str(output)))
            raise PolicyError([problem]) from None
        yield Parts(folder)


def cleared(parts: Parts) -> None:
    """Take the folder away, the parts last noted first: what is left is never taken for more."""
    (parts.folder / _RUN).unlink(missing_ok=True)
    shutil.rmtree(parts.folder, ignore_errors=True)


def not_written(output: Path, failure: OSError) -> PolicyError:
    """What keeps a file from being written."""
    reason = (failure.strerror or "it cannot be written").lower()
    hint = "choose another file, or make its folder"
    return PolicyError(
        [Problem("cannot-write", f"not written: {reason}", hint, Place(str(output)))]
    )


def fingerprint(path: Path) -> dict[str, Any]:
    """What tells a file from one that was changed: its size, when it was written last, and the
    digest of its first and last mebibyte."""
    held = path.stat()
    with path.open("rb") as file:
        digest = sha256(file.read(_ENDS))
        file.seek(max(0, held.st_size - _ENDS))
        digest.update(file.read(_ENDS))
    return {"size": held.st_size, "written": held.st_mtime_ns, "digest": digest.hexdigest()}
