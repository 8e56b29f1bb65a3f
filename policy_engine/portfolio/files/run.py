"""A whole book decided, from a file to a file that is there whole or not at all."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from policy_engine.__about__ import ENGINE
from policy_engine.books.formats import PARQUET
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.numbers import instant_text
from policy_engine.portfolio.files.parts import (
    Done,
    Parts,
    begun,
    cleared,
    fingerprint,
    not_written,
    parts_beside,
)
from policy_engine.portfolio.files.sources import STDIN, Opened, Source, Task, opened
from policy_engine.portfolio.files.sql import Found, ask, check_query
from policy_engine.portfolio.files.tally import Tally
from policy_engine.portfolio.files.work import Job, done
from policy_engine.portfolio.files.writing import Writer, writer
from policy_engine.portfolio.frames import plain_schema
from policy_engine.rules import Rules

_ANSWER = "answer"

_KEEP_AFTER = 10.0
"""Seconds: what took no longer is as soon done again as it is kept and read."""


@dataclass(frozen=True)
class Order:
    """What is to be decided, and where the answer goes (None: it is only counted).

    Once a run has lasted `keep_after` seconds, what it has done is kept until it is finished; one
    that goes on with an earlier run keeps everything.
    """

    source: Source
    rules: Rules
    output: Path | None = None
    format: str = PARQUET
    exactly: bool = False
    processes: int = 1
    query: str | None = None
    keep_after: float = _KEEP_AFTER


@dataclass(frozen=True)
class Watch:
    """Who is told how it goes: the rows done of all (None: not known), and what to know."""

    progress: Callable[[int, int | None], None] = lambda rows, of: None
    say: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Finished:
    """What was counted, how many rows an earlier run had done, and what the query found."""

    tally: Tally
    taken_over: int = 0
    found: Found | None = None


def can_go_on(order: Order) -> bool:
    """Whether an earlier run of the same was ended before it was finished."""
    before = None if order.output is None else begun(order.output)
    return before is not None and before == _key(order)


def run(order: Order, watch: Watch) -> Finished:
    """Decide a book. Raises SnapshotError for a book that cannot be read as a whole, PolicyError
    where the answer cannot be written, and for a query that cannot be asked."""
    with opened(order.source) as book, _parts(order) as parts:
        job = Job(order.rules, order.source, parts, order.exactly, _keep_after(order))
        schema = _schema(job)
        if book.schema is not None:
            job.portfolio.check(_nothing(plain_schema(book.schema)))
        if order.query is not None:
            check_query(order.query, schema)
        key = _key(order)
        changed = parts.begin(key)
        if changed is not None:
            watch.say(f"a run begun before is dropped, this one starts anew: changed: {changed}")
        state = _State(order, parts, schema, watch, book.count, parts.done())
        try:
            with state.writing():
                state.decide(job, book)
        except OSError as failure:
            raise not_written(order.output or parts.folder, failure) from None
        _check_unchanged(order, key)
        found = ask(order.query, state.files(), schema) if order.query is not None else None
        if order.output is not None:
            _put(parts, order.output)
        return Finished(state.tally, state.taken_over, found)


def _keep_after(order: Order) -> float:
    """Seconds after which files of what is done are written; a query asks the files of all."""
    if order.query is not None or can_go_on(order):
        return 0.0
    return math.inf if order.output is None else order.keep_after


def _schema(job: Job) -> pa.Schema:
    answered = job.portfolio.answered
    return answered.exact_schema if job.exactly else answered.schema


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array([], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


@contextmanager
def _parts(order: Order) -> Iterator[Parts]:
    if order.output is not None:
        with parts_beside(order.output) as parts:
            yield parts
        return
    with tempfile.TemporaryDirectory(prefix="policy-engine-") as folder:
        yield Parts(Path(folder))


def _key(order: Order) -> dict[str, Any]:
    """All that the bytes of the answer rest on."""
    rules = order.rules
    stdin = order.source.name == STDIN
    return {
        "the accounts": [os.getpid()] if stdin else fingerprint(order.source.path),
        "the rules": {version.id: version.digest for version in rules.versions.values()},
        "--at": instant_text(rules.at),
        "--known-at": instant_text(rules.known_at) if rules.known_at else None,
        "the formats": [order.source.format, order.format],
        "--exact": order.exactly,
        "the engine": [ENGINE, pa.__version__],
    }


def _check_unchanged(order: Order, key: dict[str, Any]) -> None:
    if order.source.name != STDIN and fingerprint(order.source.path) != key["the accounts"]:
        place = Place(order.source.called)
        message = "it was changed while it was read, so there is no answer"
        raise PolicyError([Problem("changed", message, "run this again", place)])


@dataclass
class _State:
    """How far a run is. Parts are done in any order, and written in theirs."""

    order: Order
    parts: Parts
    schema: pa.Schema
    watch: Watch
    count: int | None
    done: dict[int, Done]
    tally: Tally = field(default_factory=Tally)
    taken_over: int = 0
    written: int = 0
    writer: Writer | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write the answer while inside."""
        if self.order.output is None:
            yield
            return
        with writer(self.parts.folder / _ANSWER, self.order.format, self.schema) as self.writer:
            yield

    def decide(self, job: Job, book: Opened) -> None:
        """Do what is not done of a book."""
        before = dict(self.done)
        for one in before.values():
            self._count(one)
        self.taken_over = self.tally.accounts
        if before:
            self.watch.say(f"going on: {self.taken_over:,} accounts had been decided before")
        for one in done(job, self._left(book), self.order.processes):
            self.parts.note(one)
            self.done[one.number] = one
            self._count(one)
            self._write()
        self._write()

    def _left(self, book: Opened) -> Iterator[Task]:
        return (task for task in book.tasks if task.number not in self.done)

    def _count(self, one: Done) -> None:
        self.tally.add(one.tally)
        self.watch.progress(self.tally.accounts, self.count)

    def _write(self) -> None:
        """Write the parts that come next."""
        while self.written in self.done:
            one = self.done[self.written]
            if self.writer is not None:
                self.writer.write_batch(self.parts.read(one))
            self.done[self.written] = replace(one, answer=None)
            self.written += 1

    def files(self) -> list[Path]:
        """The files of all parts in their order."""
        return [self.parts.part(number) for number in range(self.written)]


def _put(parts: Parts, output: Path) -> None:
    """Give the answer its name, when all of it is on the disk."""
    made = parts.folder / _ANSWER
    try:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(output)
    except OSError as failure:
        raise not_written(output, failure) from None
    cleared(parts)
