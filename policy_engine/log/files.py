"""The file of a log: read up to where it is whole, and written so that what is written stays.

A writer holds an exclusive lock from reading the end to the return of `fsync`, so that two writers
follow each other. A line end is the last byte of a record: what stands after the last line end was
never acknowledged. What of it is no record is kept in a file of its own and cut off.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.log.record import HEADER, START

_BLOCK = 1 << 16
_TORN = ".torn"


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a file is whole lines, in bytes, and what stands after them."""

    whole: int
    torn: bytes


@contextmanager
def reading(path: Path) -> Iterator[tuple[int, Extent]]:
    """The descriptor of a log and its extent at an instant at which nobody writes.

    Raises PolicyError.
    """
    with _opened(path, os.O_RDONLY) as file:
        _must_be_log(file, path)
        fcntl.flock(file, fcntl.LOCK_SH)
        found = extent(file)
        fcntl.flock(file, fcntl.LOCK_UN)
        yield file, found


@contextmanager
def writing(path: Path) -> Iterator[int]:
    """The descriptor of a log that nobody else writes meanwhile; it is made if it is not there.

    Raises PolicyError.
    """
    with _opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(file), os.stat(path)):
            message = "another file was put in the log's place meanwhile"
            raise PolicyError([Problem("log-replaced", message, "try again", Place(str(path)))])
        _must_be_log(file, path)
        yield file


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    try:
        file = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except (OSError, ValueError) as failure:
        raise PolicyError([_cannot(path, failure)]) from None
    try:
        yield file
    except OSError as failure:
        raise PolicyError([_cannot(path, failure)]) from None
    finally:
        os.close(file)


def _must_be_log(file: int, path: Path) -> None:
    """Raise PolicyError for a file that neither begins nor ends as a log does."""
    held = os.fstat(file)
    begins = stat.S_ISREG(held.st_mode) and START.startswith(os.pread(file, len(START), 0))
    if not begins and HEADER not in os.pread(file, _BLOCK, max(0, held.st_size - _BLOCK)):
        message = "this is no decision log: it does not begin with a record"
        hint = "name a file that `policy-engine log append` has made, or a new one"
        raise PolicyError([Problem("not-a-log", message, hint, Place(str(path)))])


# --- reading -------------------------------------------------------------------------------------


def extent(file: int) -> Extent:
    """How far a file is whole lines."""
    size = os.fstat(file).st_size
    end = line_start(file, size)
    return Extent(end, _read(file, end, size))


def line_start(file: int, end: int) -> int:
    """Where the line begins that a position is in: after the last line end before it."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = _read(file, start, end).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def last_line(file: int, whole: int) -> bytes:
    """The last whole line; none of an empty log."""
    return _read(file, line_start(file, whole - 1), whole) if whole else b""


def first_line(file: int, whole: int) -> bytes:
    """The first whole line; none of an empty log."""
    return next(lines(file, whole), b"")


def lines(file: int, end: int, start: int = 0) -> Iterator[bytes]:
    """The lines between two positions, each with its end."""
    rest = b""
    while start < end:
        block = _read(file, start, min(end, start + 16 * _BLOCK))
        start += len(block) or end
        *whole, rest = (rest + block).split(b"\n")
        yield from (line + b"\n" for line in whole)


def _read(file: int, start: int, end: int) -> bytes:
    """The bytes between two positions; fewer where the file ends before."""
    parts = []
    while start < end and (part := os.pread(file, end - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


# --- writing -------------------------------------------------------------------------------------


def write(file: int, content: bytes, path: Path) -> None:
    """Put bytes at the end of a log, and see them onto the disk.

    Raises OSError where that fails; the log is then as it was, as far as that can be done.
    """
    size = os.fstat(file).st_size
    try:
        _write_all(file, content)
        os.fsync(file)
        if size == 0:
            _sync_folder(path)
    except OSError:
        os.ftruncate(file, size)
        raise


def set_aside(file: int, found: Extent, path: Path) -> Path:
    """Keep what a torn line has in a file beside the log, then cut it off; the file's path.

    At every step either the log still ends in it or the file beside is on the disk.
    """
    kept = _free(path)
    part = kept.with_name(f"{kept.name}.part")
    made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        _write_all(made, found.torn)
        os.fsync(made)
    finally:
        os.close(made)
    os.rename(part, kept)
    _sync_folder(kept)
    os.ftruncate(file, found.whole)
    os.fsync(file)
    return kept


def _free(path: Path) -> Path:
    """A name beside the log that no file has."""
    number, kept = 1, path.with_name(path.name + _TORN)
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}{_TORN}-{number}")
    return kept


def _write_all(file: int, content: bytes) -> None:
    """Write bytes; the system may take only some of them at a time."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(path: Path) -> None:
    """See the name of a new file onto the disk: it stands in its folder."""
    folder = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _cannot(path: Path, failure: OSError | ValueError) -> Problem:
    place = Place(str(path))
    if isinstance(failure, FileNotFoundError) and not path.parent.is_dir():
        return Problem("no-such-file", "there is no folder for it", "make its folder first", place)
    if isinstance(failure, FileNotFoundError):
        return Problem("no-such-file", "there is no such file", "check the path", place)
    if isinstance(failure, IsADirectoryError):
        return Problem("not-a-file", "this is a folder", "name a file in it", place)
    if isinstance(failure, PermissionError):
        message, hint = "you may not open this file so", "ask for the right to it"
        return Problem("not-permitted", message, hint, place)
    reason = failure.strerror if isinstance(failure, OSError) else None
    message = f"the log cannot be used: {(reason or 'its name is not one').lower()}"
    hint = "what was recorded before is as it was; see to the disk, then try again"
    return Problem("cannot-use-log", message, hint, place)
