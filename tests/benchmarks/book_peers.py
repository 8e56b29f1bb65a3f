"""A book from Parquet to Parquet: the engine against floats and other engines, in one run.

python tests/benchmarks/book_peers.py [ACCOUNTS]

R is random, A has a tenth of its accounts at a threshold or one step from it; five positions each,
every figure given. All engines have the same policy; this one reads nested decimals, the others
flat doubles, which they like best. They take turns, each time in a new process, where the job is
done once before it is timed, so that none has to do with what another has left behind; the median
time counts. Every decision (status and three permissions) of every engine is compared with the one
made here, and that with the exact path on some accounts. What stands with `~` is extrapolated from
these. The goals are meant for 1,000,000 accounts; exits 1 below half of one, or if a decision here
is wrong. Needs the extras `portfolio` and `bench`; an engine that is not installed is left out.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from books import book, rules
from engines import flat
from engines.policy import VALUES
from policy_engine import Rules
from policy_engine.portfolio.files.run import Order, Watch, run
from policy_engine.portfolio.files.sources import Source
from policy_engine.portfolio.rows import snapshots

ACCOUNTS = 100_000
BATCH = 200_000
ROW_GROUP = 65_536
TURNS = 3
SAMPLE = 2_000
"""So many accounts are decided one by one, for the engines whose time is extrapolated."""

FLOATS = ("numpy", "polars", "duckdb", "openfisca")
BOOK = "book.parquet"
BY_LOOP = "decide, one by one, 2 processes"
BY_ZEN = "zen-engine, 2 processes"
HERE = ("this one, 1 process", "this one, 2 processes")
"""The faster of the two is what others are compared with."""


class Goal(NamedTuple):
    """How many times the time of another engine may be taken, or must at least be saved."""

    beside: str
    most: float | None = None
    least: float | None = None


GOALS = {
    "R": (Goal("polars", most=2), Goal("openfisca", least=4), Goal(BY_LOOP, least=10)),
    "A": (Goal("polars", most=4), Goal("openfisca", least=4), Goal(BY_LOOP, least=10)),
}


@dataclass(frozen=True)
class Timed:
    """The seconds of an engine, and how many of so many accounts it decided wrongly."""

    seconds: float
    wrong: int
    accounts: int
    extrapolated: bool = False


def main() -> int:
    """Every engine on both books."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    in_force = rules()
    print(f"{count:,} accounts, 5 positions, {in_force.versions['cross_margin_pro'].id}")
    engines = list(installed())
    return max(
        _on_book(name, count, part, engines, in_force) for name, part in (("R", 0.0), ("A", 0.1))
    )


def installed() -> Iterator[str]:
    """The engines of floats that are there."""
    for name in FLOATS:
        try:
            import_module(f"engines.by_{name}")
            yield name
        except ImportError as error:
            print(f"{name}: left out, {error.name} is not installed")


def _on_book(
    name: str, count: int, at_threshold: float, engines: Sequence[str], in_force: Rules
) -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        whole = write(folder, count, at_threshold)
        jobs: dict[str, Job] = {name: Here(folder, n) for n, name in enumerate(HERE, start=1)}
        jobs |= {one: There(folder, one) for one in engines}
        found = timed(jobs)
    exact = found[HERE[0]][1]
    told = {
        one: Timed(seconds, int((wrong != exact).sum()), count)
        for one, (seconds, wrong) in found.items()
    }
    some = sample(whole)
    told |= _one_by_one(some, count, exact[some.rows], in_force)
    return _report(name, told)


# --- the book ------------------------------------------------------------------------------------


def write(folder: Path, count: int, at_threshold: float) -> pa.RecordBatch:
    """Write a book as this engine reads it and as the others do."""
    made = batches(count, at_threshold)
    table = pa.Table.from_batches(made).unify_dictionaries().combine_chunks()
    (whole,) = table.to_batches()
    assert whole.num_rows == count
    names = pa.array([f"A-{n}" for n in range(count)])
    whole = whole.set_column(whole.schema.get_field_index("account"), "account", names)
    table = pa.Table.from_batches([whole])
    pq.write_table(table, folder / BOOK, row_group_size=ROW_GROUP, store_decimal_as_integer=True)
    flat.write(whole, folder)
    return whole


def batches(count: int, at_threshold: float = 0.0) -> Iterator[pa.RecordBatch]:
    """So many accounts of the new mode, some at a time."""
    for seed, start in enumerate(range(0, count, BATCH)):
        size = min(BATCH, count - start)
        more = book(size * 2 + size // 20 + 200, seed, at_threshold=at_threshold)
        yield given(more).slice(0, size)


def given(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The accounts of the new mode with all that is asked of them: no engine but this one tells
    what cannot be told."""
    batch = batch.filter(pc.equal(batch["mode"], "pro"))
    fill = {"region": "BR", "questionnaire_completed": True, "terms_accepted": True}
    columns = {name: batch[name] for name in batch.schema.names}
    columns |= {name: pc.fill_null(columns[name], value) for name, value in fill.items()}
    counts = pc.list_value_length(columns["orders"]).fill_null(0)
    ends = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
    columns["orders"] = pa.ListArray.from_arrays(ends, columns["orders"].flatten())
    return pa.RecordBatch.from_pydict(columns)


# --- times ---------------------------------------------------------------------------------------

Decisions = flat.Array


@dataclass(frozen=True)
class Here:
    """This engine on a book, its processes started too."""

    folder: Path
    processes: int

    @property
    def out(self) -> Path:
        """Where the answer goes."""
        return self.folder / "here.parquet"

    def job(self) -> Callable[[], object]:
        """What is to be timed."""
        source = Source(str(self.folder / BOOK), "parquet")
        order = Order(source, rules(), self.out, processes=self.processes)
        return lambda: run(order, Watch())

    def decisions(self) -> Decisions:
        """The decisions of the answer in the order of the book."""
        answer = pq.read_table(self.out)
        names = {f"{name}_permitted": name for name in flat.PERMISSIONS}
        return flat.coded(answer["status"], {new: answer[old] for old, new in names.items()})


@dataclass(frozen=True)
class There:
    """Another engine on a book."""

    folder: Path
    engine: str

    @property
    def out(self) -> Path:
        """Where the answer goes."""
        return self.folder / "there.parquet"

    def job(self) -> Callable[[], object]:
        """What is to be timed."""
        return partial(import_module(f"engines.by_{self.engine}").run, self.folder, self.out)

    def decisions(self) -> Decisions:
        """The decisions of the answer in the order of the book."""
        return flat.decisions(self.out)


Job = Here | There


def seconds_of(job: Job) -> float:
    """How long a job takes that has been done before."""
    run_once = job.job()
    run_once()
    job.out.unlink()
    begin = perf_counter()
    run_once()
    return perf_counter() - begin


def timed(jobs: Mapping[str, Job]) -> dict[str, tuple[float, Decisions]]:
    """The median time of each job, taking turns, and its decisions."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    decisions: dict[str, Decisions] = {}
    for _ in range(TURNS):
        for name, job in jobs.items():
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                seconds[name].append(process.submit(seconds_of, job).result())
            decisions[name] = job.decisions()
            job.out.unlink()
    return {name: (median(times), decisions[name]) for name, times in seconds.items()}


# --- one by one ----------------------------------------------------------------------------------


class Sample(NamedTuple):
    """Some accounts of a book as snapshots, and their rows."""

    rows: flat.Array
    snapshots: list[Any]


def sample(whole: pa.RecordBatch) -> Sample:
    rows = np.linspace(0, whole.num_rows - 1, min(SAMPLE, whole.num_rows)).astype(np.int64)
    return Sample(rows, list(snapshots(whole, rows.tolist())))


def _one_by_one(some: Sample, count: int, exact: Decisions, in_force: Rules) -> dict[str, Timed]:
    """Engines that decide account by account; two processes are taken to halve the time."""
    loops: dict[str, Callable[[Any], Any]] = {BY_LOOP: partial(_ruled, in_force)}
    try:
        loops[BY_ZEN] = import_module("engines.by_zen").engine()
    except ImportError as error:
        print(f"zen-engine: left out, {error.name} is not installed")
    made = {}
    for name, decide in loops.items():
        begin = perf_counter()
        answers = [decide(one) for one in some.snapshots]
        taken = (perf_counter() - begin) / len(answers) * count / 2
        codes = np.array([flat.code(*answer[:4]) for answer in answers])
        made[name] = Timed(taken, int((codes != exact).sum()), len(codes), extrapolated=True)
    return made


def _ruled(in_force: Rules, snapshot: Any) -> tuple[Any, ...]:
    decision = in_force.decide(snapshot)
    permitted = (decision.ruling(name).ruling.permitted for name in flat.PERMISSIONS)
    return decision.status, *permitted, [float(decision.figure(name)) for name in VALUES]


# --- what is printed -----------------------------------------------------------------------------


def _report(name: str, told: dict[str, Timed]) -> int:
    """The table of a book; 1 where a decision here is wrong or a goal is far."""
    here = min(told[one].seconds for one in HERE)
    goals = {goal.beside: goal for goal in GOALS[name]}
    print(f"\n{name:34}seconds    its time / ours    goal   wrong decisions")
    for one, timed in told.items():
        mark, goal = "~" if timed.extrapolated else " ", goals.get(one)
        wanted = "" if goal is None else _wanted(goal)
        ratio = timed.seconds / here
        print(
            f"{one:34}{mark}{timed.seconds:6.2f}{ratio:16.2f}{wanted:>10}"
            f"{timed.wrong:12,} of {timed.accounts:,}"
        )
    wrong_here = told[BY_LOOP].wrong + sum(told[one].wrong for one in HERE)
    return int(
        wrong_here > 0
        or any(_far(goals[one], told[one].seconds / here) for one in goals if one in told)
    )


def _wanted(goal: Goal) -> str:
    return f"≥ {goal.least:g}" if goal.least is not None else f"≥ {1 / (goal.most or 1):g}"


def _far(goal: Goal, ratio: float) -> bool:
    """Whether it is below half of a goal."""
    least = goal.least if goal.least is not None else 1 / (goal.most or 1)
    return ratio < least / 2


if __name__ == "__main__":
    sys.exit(main())
