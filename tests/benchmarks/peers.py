"""One decision: the engine against other engines with the same policy, in one run.

python tests/benchmarks/peers.py [ROUNDS]

The answers on a few hundred accounts are compared first, figures too. Then each engine takes turns
with this one, a few calls each as no program runs two engines, from the same snapshot to a status
and three permissions read, all figures made. Exits 1 below half of a goal, or if an answer differs
that should not. Needs the extra `bench`; what is not installed of it is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from books import book
from engines.policy import VALUES, Answer
from policy_engine import Rulebook, Rules
from policy_engine.portfolio.rows import snapshots
from single import SNAPSHOT, rules

Snapshot = Mapping[str, Any]
Decides = Callable[[Snapshot], Answer]

ROUNDS = 100
CALLS = 20
"""So many calls of one engine before the other one has its turn."""

ACCOUNTS = 1_000
PERMISSIONS = ("trade", "borrow", "transfer_out")
NEAR = Decimal("1e-9")

ONE_COMPARISON = """\
ruleset: loss
effective_from: 2020-01-01T00:00:00Z
announced_at: null
summary: A policy of one comparison.
applies_when: mode == "pro"
sources: {ours: {title: An example of our own}}
inputs:
  account:
    mode: {title: Mode, type: text}
    open_order_loss: {title: Loss, type: number, unit: USDT}
parameters:
  most: {title: The most, value: 1, unit: USDT, citation: {source: ours}}
statuses:
  low: {title: Low, when: open_order_loss <= most, citation: {source: ours}}
  high: {title: High}
"""


@dataclass(frozen=True)
class Peer:
    """An engine to compare with: the module that has the policy, and how fast to be beside it."""

    name: str
    module: str
    goal: int | None
    exact: bool
    tiers_called: bool = False

    def engine(self) -> Decides | None:
        """What decides on a snapshot; None where the engine is not installed."""
        try:
            made: Any = import_module(self.module).engine
        except ImportError as error:
            print(f"{self.name}: left out, {error.name} is not installed")
            return None
        decides: Decides = made(tiers_called=True) if self.tiers_called else made()
        return decides


PEERS = (
    Peer("simpleeval, pre-parsed", "engines.by_simpleeval", 8, True),
    Peer("rule-engine", "engines.by_rule_engine", 15, True),
    Peer("zen-engine", "engines.by_zen", 15, False),
    Peer("simpleeval, tiers in Python", "engines.by_simpleeval", None, True, True),
    Peer("rule-engine, tiers in Python", "engines.by_rule_engine", None, True, True),
)
"""With tiers in Python these engines call functions for what is not a rule any more: no goal."""


def main() -> int:
    """Compare the answers, then the times."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    in_force = rules()
    print(f"5 assets, 1 order, {in_force.versions['cross_margin_pro'].id}, whole calls")
    there = [(peer, made) for peer in PEERS if (made := peer.engine()) is not None]
    accounts = given_in_full(in_force)
    failed = [_compared(peer, made, accounts, in_force) for peer, made in there]
    print(f"\n{'':40}      here       peer   ratio   goal")
    failed += [_timed(peer, made, in_force, rounds) for peer, made in there]
    print("\nnot to our advantage")
    _with_every_permission(there, in_force, rounds)
    _one_comparison(there, rounds)
    return int(any(failed))


def given_in_full(in_force: Rules) -> list[Snapshot]:
    """Accounts of the mode with every figure given, a part of them at a threshold."""
    batch = book(ACCOUNTS, 5, at_threshold=0.3, orders=0.5)
    asked = ("region", "questionnaire_completed", "terms_accepted", "orders")
    rows = snapshots(batch, range(batch.num_rows))
    pro = (row for row in rows if row["mode"] == "pro")
    return [row for row in pro if all(row.get(name) is not None for name in asked)]


def decided(in_force: Rules, snapshot: Snapshot) -> Answer:
    """The decision with what a peer answers read out of it."""
    decision = in_force.decide(snapshot)
    trade, borrow, out = (decision.permissions[name].permitted is True for name in PERMISSIONS)
    values = {name: decision.figure(name) for name in VALUES}
    return Answer(str(decision.status), trade, borrow, out, values)


def ruled(in_force: Rules, snapshot: Snapshot) -> object:
    """The same as a program reads it: the figures are made, and stay in the decision."""
    decision = in_force.decide(snapshot)
    return decision.status, [decision.ruling(name).ruling for name in PERMISSIONS]


# --- answers -------------------------------------------------------------------------------------


def _compared(peer: Peer, made: Decides, accounts: list[Snapshot], in_force: Rules) -> bool:
    """Whether answers differ that should not; a float's may, and are counted."""
    pairs = [(decided(in_force, one), made(one)) for one in accounts]
    decisions = sum(ours[:4] != theirs[:4] for ours, theirs in pairs)
    far = sum(not near(ours, theirs) for ours, theirs in pairs)
    print(f"{peer.name:30}{len(pairs)} accounts, {decisions} decided otherwise, {far} figures off")
    return bool(far or (peer.exact and decisions))


def near(ours: Answer, theirs: Answer) -> bool:
    """Whether all figures agree; a level without debt is 1e9 in an engine without infinity."""
    return all(_alike(ours.values[name], Decimal(theirs.values[name])) for name in VALUES)


def _alike(ours: Decimal, theirs: Decimal) -> bool:
    if not ours.is_finite():
        return not theirs.is_finite() or theirs == 10**9
    return abs(ours - theirs) <= NEAR * max(abs(ours), Decimal(1))


# --- times ---------------------------------------------------------------------------------------


def in_turns(
    here: Callable[[], object], there: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """The median time in microseconds of each, the two taking turns of a few calls."""
    taken: list[list[float]] = [[], []]
    for _ in range(rounds):
        for job, times in zip((here, there), taken, strict=True):
            for _ in range(CALLS):
                begin = perf_counter()
                job()
                times.append(perf_counter() - begin)
    first, second = (median(times) * 1e6 for times in taken)
    return first, second


def _timed(peer: Peer, made: Decides, in_force: Rules, rounds: int) -> bool:
    """Whether the ratio is below half of the goal."""
    here, there = in_turns(lambda: ruled(in_force, SNAPSHOT), lambda: made(SNAPSHOT), rounds)
    _row(peer.name, here, there, peer.goal)
    return peer.goal is not None and there / here < peer.goal / 2


def _with_every_permission(there: list[tuple[Peer, Decides]], in_force: Rules, rounds: int) -> None:
    """All five permissions, of which whole requests tell two that no peer has, and every figure
    rounded as it is shown."""

    def here() -> object:
        decision = in_force.decide(SNAPSHOT)
        return decision.status, decision.permissions, decision.values

    for peer, made in with_goal(there):
        _row(f"{peer.name}, all read", *in_turns(here, partial(made, SNAPSHOT), rounds))


def _one_comparison(there: list[tuple[Peer, Decides]], rounds: int) -> None:
    """A policy so small that what surrounds it counts."""
    trivial = Rulebook([("loss/2020-01-01.yaml", ONE_COMPARISON)]).in_force("2025-01-01")
    account = {"account": "A", "mode": "pro", "open_order_loss": "0.5", "assets": []}
    given = {"level": "0.5"}
    by_name: dict[str, Any] = {"plain Python": lambda: Decimal(given["level"]) <= 1}
    for peer, _ in with_goal(there):
        holds = import_module(peer.module).comparison()
        by_name[peer.name] = partial(holds, given)
    for name, call in by_name.items():
        times = in_turns(lambda: trivial.decide(account).status, call, rounds)
        _row(f"one comparison, {name}", *times)


def with_goal(there: list[tuple[Peer, Decides]]) -> Iterator[tuple[Peer, Decides]]:
    """Each engine once."""
    return ((peer, made) for peer, made in there if peer.goal is not None)


def _row(what: str, here: float, there: float, goal: int | None = None) -> None:
    wanted = f"{goal:>7}" if goal else ""
    print(f"{what:40}{here:7.1f} µs{there:8.1f} µs{there / here:8.1f}{wanted}")


if __name__ == "__main__":
    sys.exit(main())
