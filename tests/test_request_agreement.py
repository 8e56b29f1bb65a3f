"""Engine and oracle answer requests the same, and find the same limits.

Of the shipped rules at every instant at which they change and right before it, and of generated
folders. `REQUEST_ACCOUNTS` sets how many accounts there are at an instant, `REQUEST_FOLDERS`
how many folders, and `REQUEST_JUMPS` how many small ones whose figures jump.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from random import Random
from typing import Any

import pytest

from agreement import rulebook
from agreement_generated import compare_folder, compare_jumps
from agreement_requests import Compared
from agreement_shipped import FINE, book, compared_at, documents
from generator_jumps import small_rules
from generator_requests import folder_with_requests
from oracle_values import instant
from policy_engine.checks import findings
from policy_engine.errors import Problem
from policy_engine.numbers import instant_text

ACCOUNTS = int(os.environ.get("REQUEST_ACCOUNTS", "4"))
FOLDERS = int(os.environ.get("REQUEST_FOLDERS", "28"))
JUMPS = int(os.environ.get("REQUEST_JUMPS", "240"))
"""How many small rules there are whose figures jump."""

TURNS = 12
"""How many accounts each folder is asked about."""

MOST = 100
"""At most so many multiples of a step are asked of, to find a limit in a generated folder."""

GROUPS = 6
STARTS = sorted({version.effective_from for version in book(FINE).versions})
MOMENT = timedelta(microseconds=1)
INSTANTS = [instant_text(at) for start in STARTS for at in (start - MOMENT, start)][1:]
"""Every instant at which the rules change, and right before it, from the first on."""

TOLD = sorted({version.announced_at for version in book(FINE).versions if version.announced_at})
KNOWN = [
    (instant_text(told + timedelta(days=1)), instant_text(told - later))
    for told in TOLD
    for later in (MOMENT, -MOMENT)
]
"""Instants after an announcement, as known before and after it was made."""

Running = dict[str, Future[Compared]]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The comparison of every instant and of every folder, as it comes."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield (
            {at: pool.submit(compared_at, at, ACCOUNTS) for at in INSTANTS}
            | {f"{at} {known}": pool.submit(compared_at, at, 1, known) for at, known in KNOWN}
            | {f"jumps {one}": pool.submit(compare_jumps, one) for one in range(JUMPS)}
            | {str(one): pool.submit(compare_folder, one, TURNS, MOST) for one in range(FOLDERS)}
        )
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("at", [*INSTANTS, *(f"{at} {known}" for at, known in KNOWN)])
def test_the_shipped_rules_answer_the_same_at_every_instant(running: Running, at: str) -> None:
    compared = running[at].result()
    assert compared.engine == compared.other, compared.where
    assert compared.reached.total() > 0


@pytest.mark.parametrize("group", range(GROUPS))
def test_generated_rules_answer_the_same(running: Running, group: int) -> None:
    for one in range(group * FOLDERS // GROUPS, (group + 1) * FOLDERS // GROUPS):
        compared = running[str(one)].result()
        assert compared.engine == compared.other, compared.where


@pytest.mark.parametrize("group", range(GROUPS))
def test_limits_stop_before_the_first_jump_into_a_refusal(running: Running, group: int) -> None:
    for one in range(group * JUMPS // GROUPS, (group + 1) * JUMPS // GROUPS):
        compared = running[f"jumps {one}"].result()
        assert compared.engine == compared.other, compared.where


def test_small_rules_permit_refuse_and_permit_again(running: Running) -> None:
    found = sum((running[f"jumps {one}"].result().reached for one in range(JUMPS)), Counter[str]())
    kinds = ("ask limit 0", "ask limit finite", "limit by bound", "limit by refused")
    assert [kind for kind in kinds if found[kind] < JUMPS // 20] == []
    assert found["permitted again above its limit"] > JUMPS // 20


# Coverage

ONLY_UNDETERMINED = {"above_coin_limit", "restricted_in_region"}
"""Rules that nothing is refused by while their figures are not public."""

ALWAYS_TOLD = {"repay", "fill_order", "cancel_order"}
"""Requests that never depend on what is not known."""

ALWAYS_OPEN = {"transfer_in"}
"""Requests that nothing refuses."""


def everywhere() -> set[str]:
    """The requests that every version for accounts has."""
    some = [one["requests"] for one in documents(FINE) if "applies_when" in one]
    return set(some[0]).intersection(*some)


def declared() -> dict[str, set[str]]:
    """The rules that refuse each request, in any shipped version."""
    found: dict[str, set[str]] = {}
    for document in documents(FINE):
        for name, said in document.get("requests", {}).items():
            found.setdefault(name, set()).update(said.get("refuse_when", ()))
            for needed in said.get("requires", ()):
                rules = document.get("permissions", {}).get(needed, {}).get("refuse_when", ())
                found[name].update(rules)
    return found


def reached(running: Running, shipped: bool) -> Counter[str]:
    """What was reached with the shipped rules, or with generated ones."""
    names = (name for name in running if name.isdigit() or (shipped and name[:4].isdigit()))
    some = (running[name] for name in names if name.isdigit() is not shipped)
    return sum((one.result().reached for one in some), Counter())


def wanted_of_shipped() -> Iterator[str]:
    """What the accounts must reach with the shipped rules."""
    for name, rules in declared().items():
        yield from (f"{name} refused by {rule}" for rule in rules - ONLY_UNDETERMINED)
        yield f"{name} permitted"
        yield from [f"{name} refused"] if name not in ALWAYS_OPEN else []
        yield from [f"{name} undetermined"] if name not in ALWAYS_TOLD else []
        yield from [f"{name} refused by not-offered"] if name not in everywhere() else []
    for name in ("repay", "transfer_out", "place_order"):
        yield f"{name} refused by not-enough"
    for name in ("borrow", "repay", "transfer_out", "place_order"):
        yield from (f"{name} limit {kind}" for kind in ("0", "finite"))
    yield from ("borrow limit undetermined", "transfer_out limit undetermined", "limit unlimited")


def test_the_shipped_rules_are_asked_everything(running: Running) -> None:
    found = reached(running, shipped=True)
    assert [what for what in wanted_of_shipped() if not found[what]] == []


GENERATED = (
    *("permitted", "refused", "undetermined", "after", "no account after"),
    *(f"limit by {end}" for end in ("refused", "undetermined", "bound")),
    *(f"told {answer}" for answer in ("permitted", "refused", "undetermined")),
    *("limit unlimited", "permitted again above its limit", "changes cannot be told"),
    *("no rules afterwards", "nothing afterwards"),
    *(f"tier on edge that belongs to {owner}" for owner in ("lower", "upper")),
    *(f"error {code}" for code in ("invalid-value", "missing", "no-rules-apply")),
)


def test_generated_rules_are_asked_everything(running: Running) -> None:
    found = reached(running, shipped=False)
    print(f"{found['permitted']}, {found['refused']}, {found['undetermined']}: {dict(found)}")
    assert [what for what in GENERATED if not found[what]] == []
    kinds = Counter(name.partition(" refused by ")[2] for name in found)
    assert kinds["not-enough"] > 0
    assert kinds["not-offered"] > 0
    assert any(name.startswith("ask_") and name.endswith("limit 0") for name in found)
    assert any(name.startswith("ask_") and name.endswith("limit finite") for name in found)


@pytest.mark.parametrize("number", range(6))
def test_nothing_is_wrong_with_the_requests_that_are_generated(number: int) -> None:
    made = folder_with_requests(Random(f"requests {number}"))
    found = list(_wrong_requests(made))
    assert sum(len(one.get("requests", ())) for one in made) > 1
    assert found == []
    small, _ = small_rules(Random(f"requests {number}"))
    assert list(_wrong_requests(small)) == []


POINTLESS = {"always-refused", "constant-condition", "division-by-zero", "safer-contradicted"}
"""What a generator that draws figures blindly may make: it can be decided all the same."""


def _wrong_requests(made: list[dict[str, Any]]) -> Iterator[Problem]:
    for one in findings(rulebook(made)):
        if "requests." in str(one) and one.code not in POINTLESS:
            yield one


def test_the_instants_are_those_at_which_the_shipped_rules_change() -> None:
    changes = {instant(document["effective_from"]) for document in documents(FINE)}
    assert {instant(at) for at in INSTANTS} >= changes
