"""Exact reading, code reading and oracle give the same decisions on generated rules and accounts.

The folders are compared on every processor; each is told by its number, which repeats it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from agreement import FOLDERS, SEED, Comparison, compare
from generator import Coverage

GROUPS = 10
Running = list[Future[Comparison]]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The comparison of every folder, as it comes."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield [pool.submit(compare, number) for number in range(FOLDERS)]
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_three_agree(running: Running, group: int) -> None:
    for one in running[group * FOLDERS // GROUPS : (group + 1) * FOLDERS // GROUPS]:
        comparison = one.result()
        assert comparison.engine == comparison.other, comparison.where


def test_the_generated_rules_and_accounts_reach_everything(running: Running) -> None:
    """Every construct, kind of undetermined and place in a scale occurred in the runs above."""
    coverage, outcomes = Coverage(), Counter[str]()
    for one in running:
        coverage.update(one.result().coverage)
        outcomes.update(one.result().outcomes)
    print(f"seed {SEED}: {outcomes.total()} accounts, {dict(outcomes)}")
    assert outcomes["decided"] > outcomes.total() / 2
    assert coverage.missing() == []
