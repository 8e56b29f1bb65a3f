"""What a request and a limit take, next to a decision on the same account, in one run.

python tests/benchmarks/limits.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from policy_engine import Rules
from single import SNAPSHOT, microseconds, rules

BOUND = 250
"""How many decisions no limit should take as long as: those on the way to it, and three answers."""

ROUNDS = 100
COINS = {"asset": "BTC"}, {"asset": "USDC"}
ORDER = {"sell": "BTC", "buy": "USDC", "buy_quantity": "1000"}


def main() -> int:
    """Time every limit, with the full answers that verify it. Ends with 1 above the bound."""
    engine = rules()
    requests = engine.compiled_for(SNAPSHOT).plan.main.requests
    borrow: dict[str, Any] = {**COINS[1], "amount": "1000"}
    print(f"5 assets, 1 order, under {engine.versions['cross_margin_pro'].id}")
    print(f"{'':24}{'µs':>10}{'x decide':>10}{'asked':>8}")
    _row("request borrow", engine, lambda: engine.request(SNAPSHOT, "borrow", **borrow))
    most = max(
        _row(
            f"limit {name} {next(iter(given.values()))}",
            engine,
            _limit(engine, name, given),
            engine.limited(SNAPSHOT, name, **given).evaluations,
        )
        for name, request in requests.items()
        if request.limit is not None
        for given in ([ORDER] if name == "place_order" else COINS)
    )
    evaluations = engine.distances(SNAPSHOT, "BTC").evaluations
    _row("distances of BTC", engine, lambda: engine.distances(SNAPSHOT, "BTC"), evaluations)
    return int(most > BOUND)


def _limit(engine: Rules, name: str, given: Any) -> Callable[[], object]:
    return lambda: engine.limited(SNAPSHOT, name, **given)


def _row(
    what: str, engine: Rules, job: Callable[[], object], evaluations: int | None = None
) -> float:
    """Time a job and a decision by turns; gives how many decisions the job takes as long as."""
    taken, decide = microseconds(job, lambda: engine.decide(SNAPSHOT), rounds=ROUNDS)
    asked = "" if evaluations is None else f"{evaluations:8}"
    print(f"{what:24}{taken:10.0f}{taken / decide:10.1f}{asked}")
    return taken / decide


if __name__ == "__main__":
    sys.exit(main())
