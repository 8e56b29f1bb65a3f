"""A generated book of accounts: the same for every seed, with many accounts near a threshold.

`python tests/book_of_accounts.py 10000 > book.jsonl` writes one as JSON Lines, and
`python tests/book_of_accounts.py 10000 book.parquet` as Parquet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

SEED = 20250121
AT = "2025-01-21T10:00:00Z"
PRICES = {"BTC": Decimal("102345.67"), "USDC": Decimal("1.0001")}
"""The assets whose tiers and brackets the sources print."""
UNRANKED = {"ETH": Decimal("3295.40"), "SOL": Decimal("243.15")}
"""Assets whose collateral rank is not public: what rests on it cannot be told."""
REGIONS = ("FR", "DE", "SG", "AE", "BR", "GB", "JP", "NO")
COLUMNS = ("asset", "free", "locked", "borrowed", "interest", "price")
LEVELS = ("1.01", "1.05", "1.09", "1.15", "1.25", "1.3", "1.5", "1.7", "2", "2.5", "4", "8", "20")
"""How much is held for what is owed, roughly: thresholds of Classic lie between them."""
MARGINS = ("0.9", "1.05", "1.3", "1.5", "1.6", "2", "3", "5", "8", "12", "20", "35")
"""The same for Pro, as the level that the old mode gives."""
WEIGHTS = (1, 2, 2, 3, 3, 4, 6, 8, 9, 9, 9, 9, 9)


def accounts(count: int, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """So many snapshots."""
    rng = Random(seed)
    width = len(str(count))
    for number in range(1, count + 1):
        yield account(rng, f"A-{number:0{width}}")


def account(rng: Random, name: str) -> dict[str, Any]:
    """A snapshot: Pro or Classic, in debt or not, seldom with an asset without a public rank."""
    pro = rng.random() < 0.6
    made: dict[str, Any] = {"account": name, "at": AT, "mode": "pro" if pro else "classic"}
    made |= settings(rng, pro)
    made["assets"] = lines(rng, pro)
    if pro and rng.random() < 0.5:
        made["orders"] = orders(rng, made["assets"])
    return made


def settings(rng: Random, pro: bool) -> dict[str, Any]:
    """What the account is set to; a few are not known."""
    made: dict[str, Any] = {}
    if not pro:
        made["leverage"] = rng.choice((3, 5))
    if rng.random() < 0.98:
        made["region"] = rng.choice(REGIONS)
    if rng.random() < 0.15:
        made["margin_call_ratio"] = {"pro" if pro else "classic": rng.choice(("1.3", "1.4", "1.5"))}
    made["questionnaire_completed"] = rng.random() < 0.9
    made["terms_accepted"] = rng.random() < 0.95
    return made


def lines(rng: Random, pro: bool) -> list[dict[str, str]]:
    """What is held and owed: coins against dollars or the other way, near a level drawn by lot."""
    if pro and rng.random() < 0.01:
        return on_the_ratio(rng)
    worth = Decimal(round(10 ** rng.uniform(3, 6.7), 2)).quantize(Decimal("0.01"))
    held, owed = rng.choice((("BTC", "USDC"), ("BTC", "USDC"), ("USDC", "BTC")))
    debt = worth / at_least_one(rng, pro) if rng.random() < 0.88 else Decimal(0)
    made = [line(rng, held, worth, Decimal(0)), line(rng, owed, Decimal(0), debt)]
    if rng.random() < 0.02:
        made.append(line(rng, rng.choice(tuple(UNRANKED)), worth / 10, Decimal(0)))
    return made


def at_least_one(rng: Random, pro: bool) -> Decimal:
    """What is held for each dollar owed."""
    near = 1 + Decimal(rng.randint(-40, 40)) / 1000
    if pro:
        margin = Decimal(rng.choices(MARGINS, WEIGHTS[: len(MARGINS)])[0])
        return 1 + margin * near * Decimal("0.03")
    return Decimal(rng.choices(LEVELS, WEIGHTS)[0]) * near


def on_the_ratio(rng: Random) -> list[dict[str, str]]:
    """What stands exactly on the margin call ratio that Pro has where none is set."""
    size = Decimal(rng.randint(1, 9))
    held = PRICES["USDC"] * Decimal("1.045") * size
    owed = PRICES["BTC"] * size
    figures = {"BTC": (held, "0"), "USDC": ("0", owed)}
    return [
        dict(zip(COLUMNS, (name, str(free), "0", str(debt), "0", str(PRICES[name])), strict=True))
        for name, (free, debt) in figures.items()
    ]


def line(rng: Random, asset: str, held: Decimal, owed: Decimal) -> dict[str, str]:
    """A line of so much held and owed, in dollars."""
    price = {**PRICES, **UNRANKED}[asset]
    coins, debt = coins_of(held, price), coins_of(owed, price)
    locked = (coins * rng.randint(0, 30) / 100).quantize(Decimal("0.00000001"))
    interest = (debt * rng.randint(0, 9) / 100_000).quantize(Decimal("0.00000001"))
    figures = (coins - locked, locked, debt - interest, interest, price)
    return dict(zip(COLUMNS, (asset, *(format(figure, "f") for figure in figures)), strict=True))


def coins_of(worth: Decimal, price: Decimal) -> Decimal:
    """How many coins a worth in dollars is."""
    return (worth / price).quantize(Decimal("0.00000001"))


def orders(rng: Random, held: list[dict[str, str]]) -> list[dict[str, str]]:
    """One or two orders that sell some of what is locked."""
    sold = held[0]
    if Decimal(sold["locked"]) == 0:
        return []
    other = "USDC" if sold["asset"] == "BTC" else "BTC"
    count = rng.choice((1, 1, 2))
    quantity = (Decimal(sold["locked"]) / count).quantize(Decimal("0.00000001"))
    bought = coins_of(quantity * Decimal(sold["price"]), PRICES[other])
    row = ("sell", "sell_quantity", "buy", "buy_quantity")
    texts = (sold["asset"], format(quantity, "f"), other, format(bought, "f"))
    return [dict(zip(row, texts, strict=True))] * count


def json_lines(count: int, seed: int = SEED) -> Iterator[str]:
    """The book, line by line."""
    for snapshot in accounts(count, seed):
        yield json.dumps(snapshot, separators=(",", ":")) + "\n"


def write_parquet(count: int, path: str) -> None:
    """The book as Parquet, its figures as texts."""
    import pyarrow as pa  # for this alone
    import pyarrow.parquet as pq

    from portfolios import batch_of

    pq.write_table(pa.Table.from_batches([batch_of(accounts(count))]), path)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        write_parquet(int(sys.argv[1]), sys.argv[2])
    else:
        sys.stdout.writelines(json_lines(int(sys.argv[1])))
