"""Tasks of a book done here, or by processes that each read and decide for themselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context, parent_process
from threading import Thread

import pyarrow as pa

from policy_engine.errors import PolicyError, Problem
from policy_engine.portfolio.batches import Portfolio
from policy_engine.portfolio.files.parts import Done, Parts
from policy_engine.portfolio.files.sources import Source, Task
from policy_engine.portfolio.files.tables import Rows, open_rows
from policy_engine.portfolio.files.tally import Counted
from policy_engine.portfolio.files.texts import decided_rows
from policy_engine.portfolio.frames import without_views
from policy_engine.rules import Rules

_AHEAD = 2
"""Tasks that wait for each process."""


@dataclass(frozen=True)
class Job:
    """What is the same for all the tasks of a book."""

    rules: Rules
    source: Source
    parts: Parts
    exactly: bool
    threads: bool = True

    @cached_property
    def portfolio(self) -> Portfolio:
        """What decides."""
        return Portfolio(self.rules)

    @cached_property
    def _counted(self) -> Counted:
        return Counted(self.portfolio)

    @cached_property
    def _rows(self) -> Rows:
        return open_rows(self.source.path, self.source.format, self.threads)

    def do(self, task: Task) -> Done:
        """Decide the accounts of a task and keep the answer as a part. Raises SnapshotError."""
        answer = self._decided(task)
        check = self.parts.write(task.number, answer)
        return Done(task.number, check, self._counted.of(answer, task.start))

    def _decided(self, task: Task) -> pa.RecordBatch:
        rows = self._rows.take(task.start, task.count) if task.rows is None else task.rows
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
    if processes == 1:
        yield from map(job.do, tasks)
        return
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), _begin, (job.rules, job.source, job.parts, job.exactly)
    )
    try:
        yield from _by_pool(pool, iter(tasks), processes * _AHEAD)
    except BrokenProcessPool:
        message = "a process that was deciding was ended from outside, or ran out of memory"
        hint = "run this again: what is done is kept; with little memory, use --processes 1"
        raise PolicyError([Problem("process-died", message, hint)]) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_pool(pool: ProcessPoolExecutor, tasks: Iterator[Task], most: int) -> Iterator[Done]:
    waiting: set[Future[Done]] = set()
    for task in tasks:
        waiting.add(pool.submit(_do, task))
        if len(waiting) >= most:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in ready)
    while waiting:
        ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (one.result() for one in ready)


# --- in a process of the pool --------------------------------------------------------------------

_JOBS: list[Job] = []


def _begin(rules: Rules, source: Source, parts: Parts, exactly: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(1)
    _JOBS.append(Job(rules, source, parts, exactly, threads=False))


def _end_with_parent() -> None:
    """A pool's processes wait for ever if who started them was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: Task) -> Done:
    return _JOBS[0].do(task)
