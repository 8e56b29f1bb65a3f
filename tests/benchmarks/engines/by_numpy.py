"""The policy by hand on numpy's doubles: columns in, columns out, nothing looked up twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engines.flat import ACCOUNTS, LEAST, ORDERS, POSITIONS, STATUSES, Array
from engines.policy import EDGES, HAIRCUTS, INITIAL, MAINTENANCE

COINS = tuple(MAINTENANCE)


def floats(texts: tuple[str, ...]) -> Array:
    return np.array([float(text) for text in texts])


def slices(x: Array, edges: Array, rates: Array, above: float) -> Array:
    """The sum of the slices of `x`: a line through the sums at the edges."""
    lowers = np.append(0.0, edges[:-1])
    corners = np.append(0.0, np.cumsum((edges - lowers) * rates))
    made: Array = np.interp(x, np.append(0.0, edges), corners)
    if above:
        made += np.maximum(x - edges[-1], 0.0) * above
    return made


CUT_EDGES, CUT_RATES = (floats(part) for part in zip(*HAIRCUTS, strict=True))
FLOAT_EDGES, FIRST = floats(EDGES), floats(INITIAL)


def collateral(x: Array) -> Array:
    return slices(x, CUT_EDGES, CUT_RATES, 0.0)


def initial(owed: Array, low: Array) -> Array:
    """The initial margin of debts, of accounts with low leverage and the others."""
    rates = [np.maximum(FIRST, least) for least in LEAST]
    by_leverage = [slices(owed, FLOAT_EDGES, one, one[-1]) for one in rates]
    return np.where(low, *by_leverage)


def maintenance(owed: Array, stable: Array) -> Array:
    kept = [floats(MAINTENANCE[coin]) for coin in ("USDC", "BTC")]
    return np.where(stable, *(slices(owed, FLOAT_EDGES, one, one[-1]) for one in kept))


def run(folder: Path, out: Path) -> None:
    """Decide the book of a folder."""
    accounts = pq.read_table(folder / ACCOUNTS)
    positions = pq.read_table(folder / POSITIONS)
    orders = pq.read_table(folder / ORDERS)
    count = accounts.num_rows
    row, coin = positions["row"].to_numpy(), codes(positions, "asset")
    free, locked, borrowed, interest, price = (
        positions[name].to_numpy() for name in ("free", "locked", "borrowed", "interest", "price")
    )
    low = accounts["low_leverage"].to_numpy()
    held, owed = (free + locked) * price, (borrowed + interest) * price
    counted = collateral(held)
    lines = {
        "total_asset_value": held,
        "total_liability": owed,
        "total_collateral_value": counted,
        "initial_margin": initial(owed, low[row]),
        "maintenance_margin": maintenance(owed, coin == COINS.index("USDC")),
    }
    figures = {name: np.bincount(row, line, count) for name, line in lines.items()}
    figures["open_order_loss"] = losses(orders, count, row, coin, (price, held, counted))
    pq.write_table(decided(accounts, figures), out)


def codes(table: pa.Table, name: str) -> Array:
    """Coins as their places among those that are known."""
    column = table[name].combine_chunks().dictionary_encode()
    listed = pc.index_in(column.dictionary, pa.array(COINS)).fill_null(-1).to_numpy()
    made: Array = listed.astype(np.int64)[column.indices.to_numpy()]
    return made


def losses(
    orders: pa.Table, count: int, row: Array, coin: Array, of_lines: tuple[Array, ...]
) -> Array:
    """What open orders would lose, by account."""
    asked = orders["row"].to_numpy()
    place = np.full(count * len(COINS), -1)
    place[row * len(COINS) + coin] = np.arange(len(row))
    sold, bought = (place[asked * len(COINS) + codes(orders, side)] for side in ("sell", "buy"))
    price, held, counted = of_lines
    less = held[sold] - orders["sell_quantity"].to_numpy() * price[sold]
    more = held[bought] + orders["buy_quantity"].to_numpy() * price[bought]
    given_up = counted[sold] - collateral(less)
    gained = collateral(more) - counted[bought]
    made: Array = np.bincount(asked, np.maximum(0.0, given_up - gained), count)
    return made


def decided(accounts: pa.Table, figures: dict[str, Array]) -> pa.Table:
    """Figures, status and permissions of every account."""
    ratio = accounts["margin_call_ratio"].fill_null(1.5).to_numpy()
    may = accounts["questionnaire_completed"].to_numpy() & accounts["terms_accepted"].to_numpy()
    owed, counted = figures["total_liability"], figures["total_collateral_value"]
    net = counted - owed
    headroom = net - figures["open_order_loss"] - figures["initial_margin"]
    level = over(net - figures["open_order_loss"], figures["maintenance_margin"])
    out_level = over(counted, owed)
    figures |= {
        "net_equity": figures["total_asset_value"] - owed,
        "net_collateral": net,
        "margin_headroom": headroom,
        "available_margin": np.maximum(headroom, 0.0),
        "margin_level": level,
        "collateral_margin_level": out_level,
    }
    status = np.where(level <= 1, 0, np.where(level <= ratio, 1, 2)).astype(np.int8)
    told = {
        "status": pa.DictionaryArray.from_arrays(status, pa.array(STATUSES)),
        "trade": ~(level <= 1),
        "borrow": (headroom > 0) & may,
        "transfer_out": ~(out_level <= 2),
    }
    return pa.table({"row": accounts["row"], **told, **figures})


def over(x: Array, y: Array) -> Array:
    """A quotient, infinite where there is nothing to divide by."""
    made: Array = np.divide(x, y, out=np.full(len(x), np.inf, x.dtype), where=y > 0)
    return made
