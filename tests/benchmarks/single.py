"""One decision: the engine against the hand-written twin, in one run. Exits 1 above the bounds.

python tests/benchmarks/single.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import twin
from policy_engine import Rulebook, Rules
from policy_engine.numbers import EXACT

FIGURES_BOUND = Decimal("1.4")
DECIDE_BOUND = Decimal(3)
COINS = ("BTC", "ETH", "USDC", "BNB", "SOL")
RULES = Path(__file__).resolve().parents[2] / "rules"
AT = "2025-02-01T00:00:00Z"


def rules() -> Rules:
    """The shipped rules in force, with the published tiers of BTC given to five coins."""
    documents = [(path.as_posix(), path.read_text()) for path in sorted(RULES.glob("*/*.yaml"))]
    return Rulebook((path, for_five_coins(text)) for path, text in documents).in_force(AT)


def for_five_coins(text: str) -> str:
    """A rule file in which ETH, BNB and SOL stand wherever the tables have BTC only."""
    text = text.replace("when: [BTC, USDC]", f"when: [{', '.join(COINS)}]")
    start = text.find("      BTC:\n")
    if "brackets:" not in text or start < 0:
        return text
    end = text.index("      USDC:\n")
    block = text[start:end]
    copies = "".join(block.replace("BTC:", f"{coin}:", 1) for coin in ("ETH", "BNB", "SOL"))
    return text[:end] + copies + text[end:]


SNAPSHOT: dict[str, Any] = {
    "account": "A-1",
    "at": "2025-02-01T12:00:00Z",
    "mode": "pro",
    "region": "FR",
    "margin_call_ratio": {"pro": "1.4"},
    "questionnaire_completed": True,
    "terms_accepted": True,
    "assets": [
        dict(zip(("asset", "free", "locked", "borrowed", "interest", "price"), line, strict=True))
        for line in (
            ("BTC", "12.51234567", "1.5", "0", "0", "98123.45"),
            ("ETH", "0.5", "0", "40.25", "0.00123456", "3312.07"),
            ("USDC", "250000.12", "1000", "0", "0", "1.0001"),
            ("BNB", "100.75", "0", "10.1", "0.0001", "655.5"),
            ("SOL", "0", "0", "500", "0.01", "231.4"),
        )
    ],
    "orders": [{"sell": "BTC", "sell_quantity": "1.5", "buy": "USDC", "buy_quantity": "150000"}],
}

WITHOUT_REGION = {name: value for name, value in SNAPSHOT.items() if name != "region"}
"""An account whose initial margin, and all that rests on it, cannot be told."""


def microseconds(*jobs: Callable[[], object], rounds: int = 20_000) -> list[float]:
    """The median time of each job. They take turns call by call, as calls do in a program:

    each begins after other code has run, and what slows the machine down slows down all of them.
    """
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for job, times in zip(jobs, taken, strict=True):
            begin = perf_counter()
            job()
            times.append(perf_counter() - begin)
    return [median(times) * 1e6 for times in taken]


def main() -> int:
    """Compare the answers, then the times."""
    engine = rules()
    compiled = engine.compiled_for(SNAPSHOT)
    taken = engine.read(SNAPSHOT)
    run, (assets, orders, _) = compiled.program.run, taken.lists
    cap, custom = Decimal(10), Decimal("1.4")
    haircuts, brackets = _tiers(compiled.lookups)

    def by_twin() -> twin.Figures:
        with localcontext(EXACT):
            return twin.decide(cap, custom, assets, orders, haircuts, brackets)

    def by_engine() -> object:
        with localcontext(EXACT):
            return run(taken.inputs, *taken.lists)

    _compare(engine, by_twin())
    figures, hand = microseconds(by_engine, by_twin)
    decide, again = microseconds(lambda: engine.decide(SNAPSHOT), by_twin)
    unknown, once_more = microseconds(lambda: engine.decide(WITHOUT_REGION), by_twin)
    ratios = (figures / hand, decide / again)
    print(f"5 assets, 1 order, all formulas of {engine.versions['cross_margin_pro'].id}")
    print(f"{'':24}here   twin beside it   ratio   bound")
    _row("figures", figures, hand, FIGURES_BOUND)
    _row("decide, from strings", decide, again, DECIDE_BOUND)
    _row("the same, no region", unknown, once_more)
    return int(ratios[0] > FIGURES_BOUND or ratios[1] > DECIDE_BOUND)


def _row(what: str, here: float, beside: float, bound: Decimal | None = None) -> None:
    limit = f"{bound:>8}" if bound is not None else ""
    print(f"{what:20}{here:8.1f} µs{beside:14.1f} µs{here / beside:8.2f}{limit}")


def _tiers(lookups: Any) -> tuple[dict[str, twin.Tiers], dict[str, Any]]:
    """The tiers as the twin wants them."""

    def plain(steps: Any) -> twin.Tiers:
        return tuple((upper, upper - lower, rate) for upper, lower, rate, _ in steps.tiers)

    ranks, ratio = lookups["collateral_rank"], lookups["collateral_ratio.rate"]
    first, kept = lookups["brackets.initial"], lookups["brackets.maintenance"]
    haircuts = {coin: plain(ratio[ranks[coin]]) for coin in COINS}
    brackets = {
        coin: (plain(first[coin]), first[coin].above, plain(kept[coin]), kept[coin].above)
        for coin in COINS
    }
    return haircuts, brackets


def _compare(engine: Rules, by_hand: twin.Figures) -> None:
    """Refuse to time two programs that do not give the same answers."""
    decision = engine.decide(SNAPSHOT)
    names = (
        *("max_leverage", "least_initial_margin_rate", "margin_call_ratio", "total_asset_value"),
        *("total_liability", "total_collateral_value", "net_equity", "net_collateral"),
        *("open_order_loss", "initial_margin", "maintenance_margin", "margin_headroom"),
        *("available_margin", "margin_level", "collateral_margin_level"),
    )
    mine = [decision.values[name] for name in names]
    theirs = [value for value in by_hand.account if not isinstance(value, bool)]
    if mine != theirs:
        sys.exit("the twin and the engine differ")


if __name__ == "__main__":
    sys.exit(main())
