"""Tasks of a book done by threads here, or by processes that each read and decide for themselves.

Columns are decided by threads: most of what they do is arithmetic of arrays, and reading, which
run beside one another. Rows of text, and exact values, are Python's work, which only processes do
at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from multiprocessing import get_context, parent_process
from threading import Thread
from time import monotonic

import pyarrow as pa

from policy_engine.errors import PolicyError, Problem
from policy_engine.portfolio.batches import Portfolio
from policy_engine.portfolio.files.memory import keep_freed
from policy_engine.portfolio.files.parts import Done, Parts
from policy_engine.portfolio.files.sources import Source, Task
from policy_engine.portfolio.files.tables import Rows, open_rows
from policy_engine.portfolio.files.tally import Counted
from policy_engine.portfolio.files.texts import decided_rows
from policy_engine.portfolio.frames import without_views
from policy_engine.rules import Rules

_AHEAD = 2
"""Tasks that wait for each thread or process."""

_THREADS = 2
"""More would wait for one another: what is not arithmetic is done by one at a time."""

_SWITCH = 0.0005
"""Seconds after which a thread lets another go on; by default it is ten times as long, in which
a thread that has read or computed could do most of a figure."""


@dataclass(frozen=True)
class Job:
    """What is the same for all the tasks of a book.

    What is done is kept as a file once the job has lasted so many seconds.
    """

    rules: Rules
    source: Source
    parts: Parts
    exactly: bool
    keep_after: float = 0.0
    begun: float = field(default_factory=monotonic)

    @cached_property
    def portfolio(self) -> Portfolio:
        """What decides."""
        return Portfolio(self.rules)

    @cached_property
    def _counted(self) -> Counted:
        return Counted(self.portfolio)

    @cached_property
    def _rows(self) -> Rows:
        return open_rows(self.source.path, self.source.format)

    @property
    def is_columns(self) -> bool:
        """Whether what is decided are columns, by their arithmetic."""
        return self.source.is_table() and not self.exactly

    def read(self, task: Task) -> Task:
        """The task with its rows. Raises SnapshotError where they are damaged."""
        if task.rows is not None:
            return task
        return replace(task, rows=self._rows.take(task.start, task.count))

    def do(self, task: Task) -> Done:
        """Decide the accounts of a task. Raises SnapshotError."""
        answer = self._decided(task)
        keeps = monotonic() - self.begun >= self.keep_after
        check = self.parts.write(task.number, answer) if keeps else None
        return Done(task.number, check, self._counted.of(answer, task.start), answer)

    def _decided(self, task: Task) -> pa.RecordBatch:
        rows = self.read(task).rows
        assert rows is not None
        if not isinstance(rows, pa.RecordBatch):
            return decided_rows(rows, self.portfolio, self.exactly)
        rows = without_views(rows)
        if self.exactly:
            return self.portfolio.one_by_one(rows, exactly=True)
        return self.portfolio.decide(rows)


def done(job: Job, tasks: Iterable[Task], processes: int) -> Iterator[Done]:
    """The tasks as they get done, in any order.

    Raises SnapshotError as `Job.do` does, and PolicyError if a process dies.
    """
    if processes > 1:
        yield from _by_processes(job, tasks, processes)
    elif job.is_columns:
        yield from _by_threads(job, tasks)
    else:
        yield from map(job.do, tasks)


def _by_threads(job: Job, tasks: Iterable[Task]) -> Iterator[Done]:
    """What is read next is read meanwhile, in the order of the file."""
    keep_freed()
    with _switching(), _ended(ThreadPoolExecutor(_THREADS)) as pool:
        yield from _by_pool(pool, job.do, map(job.read, tasks), _THREADS * _AHEAD)


@contextmanager
def _switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _ended(pool: Executor) -> Iterator[Executor]:
    """A pool that takes up nothing more once it is left, for whatever reason."""
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_processes(job: Job, tasks: Iterable[Task], processes: int) -> Iterator[Done]:
    begun = (job.rules, job.source, job.parts, job.exactly)
    made = ProcessPoolExecutor(processes, get_context("spawn"), _begin, begun)
    try:
        with _ended(made) as pool:
            yield from _by_pool(pool, _do, tasks, processes * _AHEAD)
    except BrokenProcessPool:
        message = "a process that was deciding was ended from outside, or ran out of memory"
        hint = "run this again: what is done is kept; with little memory, use --processes 1"
        raise PolicyError([Problem("process-died", message, hint)]) from None


def _by_pool(
    pool: Executor, do: Callable[[Task], Done], tasks: Iterable[Task], most: int
) -> Iterator[Done]:
    waiting: set[Future[Done]] = set()
    for task in tasks:
        waiting.add(pool.submit(do, task))
        if len(waiting) >= most:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from _results(ready, waiting)
    while waiting:
        ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from _results(ready, waiting)


def _results(ready: set[Future[Done]], waiting: set[Future[Done]]) -> Iterator[Done]:
    """What was done; where one has failed, what waits is done too before that is told."""
    if any(one.exception() for one in ready):
        ready = ready | wait(waiting).done
    yield from (one.result() for one in ready if one.exception() is None)
    for one in ready:
        one.result()


# --- in a process of the pool --------------------------------------------------------------------

_JOBS: list[Job] = []


def _begin(rules: Rules, source: Source, parts: Parts, exactly: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(1)
    keep_freed()
    _JOBS.append(Job(rules, source, parts, exactly))


def _end_with_parent() -> None:
    """A pool's processes wait for ever if who started them was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: Task) -> Done:
    return replace(_JOBS[0].do(task), answer=None)  # its file is quicker than a pipe
