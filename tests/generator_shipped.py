"""Random accounts for the shipped rules, on both sides of their tier edges and thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from generator_accounts import MOMENTS, facts, loan, orders, prices

Document = dict[str, Any]
Snapshot = dict[str, Any]
FOLDER = Path(__file__).parent.parent / "rules"
SCALES = {"collateral_ratio": "asset_value", "brackets": "liability_value"}
"""Every scale of the shipped rules, and the figure of a line that goes into it."""

LEVELS = tuple(map(Decimal, ("1", "1.1", "1.16", "1.25", "1.3", "1.5", "2")))
RATIOS = ("1.3", "2", "1.29", "2.01", "1.16")
AMOUNTS = ("0", "0", "1", "2", "0.00000001", "3.1400", "7", "120", "40000")
PRICES = ("1", "2", "0.5", "10000", "0.1", "8")
UNRANKED = ("USDT", "XYZ")
MOST_LINES = 6
CENT = Decimal("0.01")


def documents() -> list[Document]:
    """The shipped rule files, every scalar as it is written."""
    paths = sorted(FOLDER.glob("*/*.yaml"))
    return [yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) for path in paths]


class Aim(NamedTuple):
    """An edge of a scale, the coins whose values it cuts, and how far from it to go."""

    scale: str
    key: str
    edge: Decimal
    coins: Sequence[str]
    off: Decimal

    def suits(self, mode: str) -> bool:
        """Whether the scale says anything of accounts in a mode; brackets are of Pro alone."""
        return self.scale != "brackets" or mode == "pro"


def aims(started: Mapping[str, Document]) -> list[Aim]:
    """Below, on and above every edge of every scale of the versions in force."""
    return [
        Aim(name, key, Decimal(tier["to"]), coins_of(started, name, key), off)
        for document in started.values()
        for name, scale in document.get("scales", {}).items()
        for key, tiers in scale["tiers"].items()
        for tier in tiers
        for off in (-CENT, Decimal(0), CENT)
    ]


def coins_of(started: Mapping[str, Document], scale: str, key: str) -> list[str]:
    """The coins that a key of a scale is for: a rank's, or the coin itself."""
    if scale == "brackets":
        return [key]
    rows = started["collateral"]["tables"]["collateral_rank"]["rows"]
    return [coin for row in rows if row["value"] == key for coin in row["when"]]


def accounts(rng: Random, started: Mapping[str, Document]) -> Iterator[Snapshot]:
    """Accounts without end, of both modes in turn, that take every aim in turn."""
    to_take: list[Aim] = []
    for number in count(1):
        mode = "pro" if number % 2 else "classic"
        if len([aim for aim in to_take if aim.suits(mode)]) < MOST_LINES:
            to_take = rng.sample(found := aims(started), len(found)) + to_take
        made: Snapshot = {"account": f"A-{number}", "mode": mode}
        if rng.random() < 0.7:
            made["at"] = rng.choice(MOMENTS)
        made |= facts(rng, list(RATIOS))
        made |= {
            "assets": levelled(rng, mode) if rng.random() < 0.25 else aimed(rng, mode, to_take)
        }
        made |= prices(rng, made["assets"])
        made |= orders(rng, made, list(AMOUNTS))
        if rng.random() < 0.3:
            made["loans"] = [loan(rng, list(AMOUNTS)) for _ in range(rng.randint(1, 2))]
        yield made


def aimed(rng: Random, mode: str, to_take: list[Aim]) -> list[Snapshot]:
    """Lines whose values are where the next aims say; at times one that no rules know."""
    lines: dict[str, Snapshot] = {}
    next_ones = [aim for aim in reversed(to_take) if aim.suits(mode)]
    for aim in next_ones[: rng.randint(0, MOST_LINES)]:
        to_take.remove(aim)
        untouched = [coin for coin in aim.coins if coin not in lines]
        coin = rng.choice(untouched or list(aim.coins))
        line = lines.setdefault(coin, blank(rng, coin))
        put(rng, line, aim.edge + aim.off, *(_OWED if aim.scale == "brackets" else _HELD))
    if rng.random() < (0.15 if lines else 0.7):
        coin = rng.choice(UNRANKED)
        amounts = {"free": rng.choice(AMOUNTS), "borrowed": rng.choice(AMOUNTS)}
        lines[coin] = blank(rng, coin) | amounts
    return list(lines.values())


_HELD, _OWED = ("free", "locked"), ("borrowed", "interest")


def levelled(rng: Random, mode: str) -> list[Snapshot]:
    """A debt and what is held against it, at a threshold of the margin level or right beside it."""
    debt = Decimal(rng.randint(1, 900)) * 1000
    level = rng.choice(LEVELS) + rng.choice((Decimal(0), Decimal(0), -CENT, CENT))
    rate = Decimal("0.02")  # the maintenance margin rate of the first bracket of BTC
    value = debt * level if mode == "classic" else debt * (1 + rate * level)
    held, owed = blank(rng, "USDC"), blank(rng, "BTC")
    put(rng, held, value, *_HELD)
    put(rng, owed, debt, *_OWED)
    return rng.sample([held, owed], 2)


def blank(rng: Random, coin: str) -> Snapshot:
    """A line with a price and nothing else."""
    nothing = dict.fromkeys(("free", "locked", "borrowed", "interest"), "0")
    return {"asset": coin, **nothing, "price": rng.choice(PRICES)}


def put(rng: Random, line: Snapshot, value: Decimal, most: str, rest: str) -> None:
    """Make two amounts of a line worth exactly so much together."""
    total = value / Decimal(line["price"])
    part = min(total, Decimal(rng.choice(("0", "0", "1", "0.5"))))
    line[most], line[rest] = format(total - part, "f"), format(part, "f")
