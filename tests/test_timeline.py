"""The shipped rules at every instant at which they change, and right before it.

Exact reading, code reading and oracle decide random accounts the same; nothing changes between two
such instants, and at each one all that changes does. `TIMELINE_ACCOUNTS` sets how many accounts.
"""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

import oracle
from agreement import Comparison, all_agree
from generator_shipped import FOLDER, SCALES, Document, accounts, coins_of, documents
from oracle_values import instant
from policy_engine import Decision, Rulebook
from policy_engine.cli import run
from policy_engine.numbers import instant_text

ACCOUNTS = int(os.environ.get("TIMELINE_ACCOUNTS", "80"))
HERE = Path(__file__).parent / "accounts"
BOOK = Rulebook.load(FOLDER)
DOCUMENTS = documents()
STARTS = sorted({version.effective_from for version in BOOK.versions})
CUT = [document for document in DOCUMENTS if document.get("scales")]
MOMENT = timedelta(microseconds=1)
LATER = STARTS[-1] + timedelta(days=1)
MOMENTS = [instant_text(at) for start in STARTS for at in (start - MOMENT, start)]
MOMENTS.append(instant_text(LATER))
TOLD = sorted({v.announced_at for v in BOOK.versions if v.announced_at})


def started(at: str) -> dict[str, Document]:
    """The documents in force at an instant, as the oracle tells."""
    return oracle.in_force(DOCUMENTS, instant(at), None)


# Agreement


class Seen(Comparison):
    """What came of one instant, and what the accounts that were decided reached."""

    reached: Counter[str]


@functools.cache
def compared(at: str) -> Seen:
    """Random accounts at an instant, up to the first disagreement."""
    seen = Seen()
    seen.reached = Counter()
    rng = Random(f"timeline {at}")
    made = accounts(rng, started(at))
    for turn in range(ACCOUNTS):
        snapshot, known_at = next(made), known(rng)
        where = f"{at}, as known at {known_at}, account {turn}: {json.dumps(snapshot)}"
        said = all_agree(seen, DOCUMENTS, BOOK, snapshot, at, known_at, where)
        if said is None:
            break
        seen.reached.update(reached(said, snapshot, at) if isinstance(said, Decision) else [said])
    return seen


def known(rng: Random) -> str | None:
    """Mostly nothing; else the instant of an announcement, or the last one before it."""
    told = rng.choice(TOLD)
    return rng.choice((*[None] * 6, instant_text(told), instant_text(told - MOMENT)))


def reached(decision: Decision, snapshot: dict[str, Any], at: str) -> set[str]:
    """The modes, statuses and unknown figures of a decision, and the edges that it is beside."""
    mode = snapshot["mode"]
    found = {mode, f"{mode} {decision.status}"}
    if decision.undetermined:
        found.add(f"{mode} undetermined")
    for name, ruling in decision.permissions.items():
        found.add(f"{mode} {name} {ruling.permitted}")
    for line in decision.assets or ():
        found |= sides(line, at)
    return found


def sides(line: Any, at: str) -> set[str]:
    """On which side of each edge of each scale the values of a line are."""
    return {
        f"{scale} {key} {edge} {side(line[figure], edge)}"
        for scale, figure in SCALES.items()
        for key, edge in edges(at).get((scale, line["asset"]), ())
    }


def side(value: Decimal, edge: Decimal) -> str:
    """Whether a value is well away from an edge, or right below, on or above it."""
    away = value - edge
    if abs(away) > 1:
        return "away"
    return "on" if away == 0 else "below" if away < 0 else "above"


@functools.cache
def edges(at: str) -> dict[tuple[str, str], list[tuple[str, Decimal]]]:
    """The edges at an instant that a value of a coin meets in a scale, with their key."""
    found: dict[tuple[str, str], list[tuple[str, Decimal]]] = {}
    there = started(at)
    for name, key, tiers in scales(at):
        for coin in coins_of(there, name, key):
            found[name, coin] = [(key, Decimal(tier["to"])) for tier in tiers]
    return found


def scales(at: str) -> list[tuple[str, str, list[Document]]]:
    """The tiers of each key of each scale in force at an instant."""
    return [one for document in started(at).values() for one in scales_of(document)]


def scales_of(document: Document) -> list[tuple[str, str, list[Document]]]:
    """The tiers of each key of each scale of a version."""
    return [
        (name, key, tiers)
        for name, scale in document.get("scales", {}).items()
        for key, tiers in scale["tiers"].items()
    ]


def in_all(moments: Iterable[str]) -> Counter[str]:
    """What the accounts of some instants reached together."""
    return sum((compared(at).reached for at in moments), Counter())


@pytest.mark.parametrize("at", MOMENTS)
def test_the_three_agree_at_every_instant_of_the_timeline(at: str) -> None:
    seen = compared(at)
    assert seen.engine == seen.other, seen.where
    assert seen.outcomes.total() == ACCOUNTS


def test_the_accounts_reach_both_modes_every_status_and_what_is_unknown() -> None:
    total = in_all(MOMENTS)
    wanted = [
        f"{mode} {what}"
        for mode in ("classic", "pro")
        for what in (*("normal", "margin_call", "liquidation", "None", "undetermined"), *RULINGS)
        if (mode, what) != ("classic", "trade None")  # its margin level can always be told
    ]
    assert [what for what in wanted if total[what] < 5] == []
    assert total["no-rules-apply"] >= 5


RULINGS = [
    f"{permission} {permitted}"
    for permission in ("trade", "borrow", "transfer_out")
    for permitted in (True, False, None)
]


@pytest.mark.parametrize(
    "document", CUT, ids=lambda one: f"{one['ruleset']}@{one['effective_from']}"
)
def test_the_accounts_reach_both_sides_of_every_tier_edge(document: Document) -> None:
    """Of every version with a scale, at its first instant, its last one, or one between."""
    total = in_all(at for at in MOMENTS if document in started(at).values())
    missed = [
        f"{name} {key} {tier['to']} {where}"
        for name, key, tiers in scales_of(document)
        for tier in tiers
        for where in ("below", "on", "above")
        if not total[f"{name} {key} {tier['to']} {where}"]
    ]
    assert missed == []


def test_every_scale_is_aimed_at() -> None:
    assert {name for document in CUT for name, _, _ in scales_of(document)} == SCALES.keys()


# Boundaries, for account files

FILES = {
    "classic": ["classic.json", "prices.json", "leverage=5"],
    "pro": ["pro.json", "prices.json", "region=SG"],
}
Decided = Callable[[str, str], Any]
NOT_STARTED = {"classic": "2019-07-05T00:00:00Z", "pro": "2023-11-12T00:00:00Z"}


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """What the command says of an account file at an instant, or how it ends."""
    out = tmp_path_factory.mktemp("decided") / "decision.json"

    @functools.cache
    def said(mode: str, at: str) -> Any:
        account, price, setting = FILES[mode]
        source = ["--from", "binance", "--prices", str(HERE / price), "--set", setting]
        answer = ["--at", at, "--format", "json", "-o", str(out)]
        status = run(["decide", str(HERE / account), *source, *answer])
        return status or json.loads(out.read_text(encoding="utf-8"))

    return said


def versions(said: Any) -> dict[str, str]:
    """The versions that a decision names, by ruleset."""
    return {one["ruleset"]: one["version"] for one in said["rulesets"]}


def lasting(said: Any) -> Any:
    """A decision without the instant that was asked, and what depends on a change under way."""
    assumed = [one for one in said["assumptions"] if not one["name"].startswith("completes_")]
    return said | {"at": "", "rules_at": "", "assumptions": assumed}


@pytest.mark.parametrize("mode", FILES)
def test_a_ruleset_begins_with_its_first_version(mode: str, decided: Decided) -> None:
    first = instant(NOT_STARTED[mode])
    assert decided(mode, instant_text(first - MOMENT)) == 2
    assert versions(decided(mode, instant_text(first)))[f"cross_margin_{mode}"] == f"{first:%F}"


@pytest.mark.parametrize("mode", FILES)
def test_every_boundary_is_exact(mode: str, decided: Decided) -> None:
    """What changes changes at its instant, and nothing else does, then or in between."""
    starts = [start for start in STARTS if start >= instant(NOT_STARTED[mode])]
    changes = 0
    for begin, end in pairwise([*starts, LATER]):
        first, last, after = (decided(mode, instant_text(at)) for at in (begin, end - MOMENT, end))
        assert lasting(first) == lasting(last)
        for at, said in ((end - MOMENT, last), (end, after)):
            held = started(instant_text(at))
            assert versions(said) == {
                name: held[name]["effective_from"][:10] for name in versions(said)
            }
        assert (lasting(after) == lasting(last)) == (versions(after) == versions(last))
        changes += versions(after) != versions(last)
    assert changes >= 9


@pytest.mark.parametrize("mode", FILES)
def test_a_change_under_way_is_told_until_it_is_complete(mode: str, decided: Decided) -> None:
    version = BOOK.version(f"cross_margin_{mode}@2026-01-21")
    assert version.completes_within is not None
    ends = version.effective_from + version.completes_within
    for at, told in ((version.effective_from, True), (ends - MOMENT, True), (ends, False)):
        names = [one["name"] for one in decided(mode, instant_text(at))["assumptions"]]
        assert (f"completes_within.cross_margin_{mode}" in names) is told
