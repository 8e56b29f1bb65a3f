"""Books of random accounts as Arrow batches: R is random, A has accounts at thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from policy_engine import Rulebook, Rules

RULES = Path(__file__).resolve().parents[1] / "rules"
AT = "2025-02-01T00:00:00Z"
COINS = ("BTC", "ETH", "USDC", "BNB", "SOL", "ADA", "XRP")
PRICES = (98123.45, 3312.07, 1.0001, 655.5, 231.4, 0.9512, 2.31)
KNOWN = 5
"""So many of the coins have a rank and brackets here; the others are not known to the rules."""

SCALE = 8
Cents = np.ndarray[Any, Any]


def rules(at: str = AT) -> Rules:
    """The shipped rules in force, with the published tiers of BTC given to five coins."""
    return Rulebook(five_coin_files()).in_force(at)


def five_coin_files() -> Iterator[tuple[str, str]]:
    """Those rules, file by file."""
    for path in sorted(RULES.glob("*/*.yaml")):
        yield path.as_posix(), for_five_coins(path.read_text(encoding="utf-8"))


def for_five_coins(text: str) -> str:
    """A rule file in which ETH, BNB and SOL stand wherever the tables have BTC only."""
    text = text.replace("when: [BTC, USDC]", f"when: [{', '.join(COINS[:KNOWN])}]")
    start = text.find("      BTC:\n")
    if "brackets:" not in text or start < 0:
        return text
    end = text.index("      USDC:\n")
    block = text[start:end]
    copies = "".join(block.replace("BTC:", f"{coin}:", 1) for coin in ("ETH", "BNB", "SOL"))
    return text[:end] + copies + text[end:]


def decimals(wholes: Cents, scale: int = SCALE, precision: int = 18) -> pa.Array:
    """Whole numbers over a power of ten as decimal128."""
    halves = np.empty((len(wholes), 2), dtype=np.int64)
    halves[:, 0], halves[:, 1] = wholes, wholes >> 63
    kind = pa.decimal128(precision, scale)
    return pa.Array.from_buffers(kind, len(wholes), [None, pa.py_buffer(halves)])


def book(
    count: int,
    seed: int = 1,
    positions: int = 5,
    at_threshold: float = 0.0,
    strangers: float = 0.0,
    orders: float = 0.2,
) -> pa.RecordBatch:
    """Accounts of both modes, each with so many positions; a part of them at a threshold, or one
    step from it, and a part with a coin that the rules do not know."""
    rng = np.random.default_rng(seed)
    total = count * positions
    coins = np.argsort(rng.random((count, KNOWN)), axis=1)[:, :positions]
    strange = rng.random(count) < strangers
    coins[strange, 0] = KNOWN + rng.integers(0, len(COINS) - KNOWN, strange.sum())
    prices = np.rint(np.array(PRICES)[coins] * rng.uniform(0.5, 1.5, (count, positions)) * 1e4)
    worth = np.exp(rng.normal(9, 2, (count, positions)))
    owing = rng.random((count, positions)) < 0.4
    debt = worth * rng.uniform(0.1, 0.9, (count, positions)) * owing
    free = np.where(owing & (rng.random((count, positions)) < 0.5), 0.0, worth)
    price = prices / 1e4
    wholes = {
        "free": np.rint(free / price * 1e8),
        "locked": np.rint(free / price * 1e7 * (rng.random((count, positions)) < 0.3)),
        "borrowed": np.rint(debt / price * 1e8),
        "interest": np.rint(debt / price * 1e4),
        "price": prices * 1e4,
    }
    held = {name: one.astype(np.int64) for name, one in wholes.items()}
    modes = rng.integers(0, 2, count)
    if at_threshold:
        put_at_threshold(rng, held, coins, modes, rng.random(count) < at_threshold)
    names = pa.DictionaryArray.from_arrays(pa.array(coins.ravel(), pa.int32()), pa.array(COINS))
    lines = pa.StructArray.from_arrays(
        [names, *(decimals(one.ravel()) for one in held.values())],
        names=["asset", *held],
    )
    offsets = pa.array(np.arange(0, total + 1, positions), pa.int32())
    return pa.RecordBatch.from_pydict(
        {
            "account": pa.array([f"A-{n}" for n in range(count)]),
            "at": pa.array(["2025-02-01T12:00:00Z"] * count),
            "mode": pa.array(np.array(["classic", "pro"])[modes]),
            "leverage": pa.array(np.array([3, 5])[rng.integers(0, 2, count)]),
            **settings(rng, count),
            "assets": pa.ListArray.from_arrays(offsets, lines),
            "orders": some_orders(rng, coins, orders),
        }
    )


def settings(rng: np.random.Generator, count: int) -> dict[str, pa.Array]:
    """Region, questionnaire and terms, each sometimes not given; a ratio, mostly not set."""
    regions = np.array(["FR", "SG", "DE", "PL", "BR", ""])[rng.integers(0, 6, count)]
    ratios = rng.integers(130, 200, count)
    never = rng.random(count) < 0.8
    pro = decimals(ratios, 2, 10)
    ratio = pa.StructArray.from_arrays(
        [pa.array([None if no else one for no, one in zip(never, pro.to_pylist(), strict=True)])],
        names=["pro"],
    )
    return {
        "region": pa.array(regions, mask=regions == ""),
        "vip_level": pa.array(rng.integers(0, 10, count)),
        "margin_call_ratio": ratio,
        "questionnaire_completed": truths(rng, count),
        "terms_accepted": truths(rng, count),
    }


def truths(rng: np.random.Generator, count: int) -> pa.Array:
    """Mostly true."""
    drawn = rng.random(count)
    return pa.array(drawn < 0.9, mask=drawn > 0.98)


def some_orders(rng: np.random.Generator, coins: Cents, part: float) -> pa.Array:
    """One order of a part of the accounts, of coins that they have; some lists are not known."""
    count = len(coins)
    has = rng.random(count) < part
    rows = np.flatnonzero(has)
    names = pa.array(COINS)
    sell, buy = coins[rows, 0], coins[rows, -1]
    made = pa.StructArray.from_arrays(
        [
            names.take(pa.array(sell)),
            decimals(rng.integers(0, 10**8, len(rows))),
            names.take(pa.array(buy)),
            decimals(rng.integers(0, 10**8, len(rows))),
        ],
        names=["sell", "sell_quantity", "buy", "buy_quantity"],
    )
    offsets = np.append(0, np.cumsum(has))
    unknown = ~has & (rng.random(count) < 0.02)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), made, mask=pa.array(unknown))


THRESHOLDS = np.array([100, 110, 116, 125, 130, 150, 200])


def put_at_threshold(
    rng: np.random.Generator, held: dict[str, Cents], coins: Cents, modes: Cents, rows: Cents
) -> None:
    """Give some accounts a level that is a threshold, or the smallest step from it.

    What is owed at price p is q * m, what is held at price q is p * m * level: both are exact as
    decimals, and hardly ever as floats.
    """
    where = np.flatnonzero(rows)
    for name in ("free", "locked", "borrowed", "interest"):
        held[name][where] = 0
    level = THRESHOLDS[rng.integers(0, len(THRESHOLDS), len(where))]
    p, q = rng.integers(1, 10_000, (2, len(where)))
    m = rng.integers(1, 300, len(where)) * 10_000
    held["price"][where, 1], held["price"][where, 0] = p * 10**5, q * 10**5
    held["borrowed"][where, 1] = q * m
    # Pro counts the debt of the first bracket at 2%: (held - owed) / (owed * 0.02).
    times = np.where(modes[where] == 1, 10_000 + 2 * level, 100 * level)
    step = rng.integers(-1, 2, len(where)) * (rng.random(len(where)) < 0.5)
    held["free"][where, 0] = p * (m // 10_000) * times + step
