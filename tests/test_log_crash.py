"""A writer that dies, wherever it dies, loses nothing that it acknowledged; nor do many writers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from log_writer import DEATHS, RULES, clock, hashes, snapshot
from policy_engine import Rulebook
from policy_engine.log import append, records, verify

WRITER = Path(__file__).with_name("log_writer.py")
ROOT = WRITER.parents[1]


def tried(first: int, last: int, folder: Path, *how: str) -> list[dict[str, Any]]:
    """What came of the writers with those seeds."""
    command = [sys.executable, str(WRITER), str(first), str(last), str(folder), *how]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{WRITER.parent}"}
    ran = subprocess.run(command, env=environment, capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def test_two_hundred_deaths_lose_no_acknowledged_record(tmp_path: Path) -> None:
    seeds = 200 // DEATHS + 4
    found = tried(0, seeds, tmp_path)
    assert [one for one in found if one["wrong"]] == []
    died = Counter(name for one in found for name in one["died"])
    assert died.total() >= 200
    assert {"open", "write", "fsync", "rename", "ftruncate"} <= set(died)
    assert sum(one["acknowledged"] for one in found) > 200


def test_writers_that_are_killed_lose_no_acknowledged_record(tmp_path: Path) -> None:
    found = tried(-12, 0, tmp_path)
    assert [one for one in found if one["wrong"]] == []
    assert sum(one["acknowledged"] for one in found) > 0


def test_a_writer_that_acknowledges_too_early_is_found_out(tmp_path: Path) -> None:
    """So the deaths above would tell."""
    found = tried(0, 8, tmp_path, "careless")
    assert any("acknowledged record is lost" in said for one in found for said in one["wrong"])


# --- several writers ------------------------------------------------------------------------------

APPENDS = """
import sys
from log_writer import *
rules = Rulebook.load(RULES).in_force("2025-02-01")
sys.stdin.read()
for n in range(int(sys.argv[2])):
    print(append(Path(sys.argv[1]), rules, snapshot(n), clock).checkpoint.last)
"""


@pytest.mark.parametrize(("writers", "each"), [(2, 20), (6, 8)])
def test_writers_at_one_time_follow_each_other(tmp_path: Path, writers: int, each: int) -> None:
    log = tmp_path / "log.jsonl"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{WRITER.parent}"}
    command = [sys.executable, "-c", APPENDS, str(log), str(each)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        for _ in range(writers)
    ]
    with ThreadPoolExecutor(writers) as pool:  # all begin when all their stdins are closed
        told = list(pool.map(lambda one: one.communicate()[0].split(), running))
    assert [one.returncode for one in running] == [0] * writers
    acknowledged = [last for of_one in told for last in of_one]
    assert sorted(acknowledged) == sorted(hashes(log))
    assert len(acknowledged) == writers * each
    assert verify(log).sound


def test_threads_of_one_process_follow_each_other(tmp_path: Path) -> None:
    log, rules = tmp_path / "log.jsonl", Rulebook.load(RULES).in_force("2025-02-01")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append(log, rules, snapshot(n), clock), range(40)))
    assert verify(log).sound
    accounts = {one.content["decision"]["account"] for one in records(log) if one.content}
    assert accounts == {f"A-{n}" for n in range(40)}
