"""The policy by hand in DuckDB's SQL, in doubles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb

from engines.flat import ACCOUNTS, LEAST, ORDERS, POSITIONS
from engines.policy import EDGES, HAIRCUTS, INITIAL, MAINTENANCE


def slices(x: str, edges: tuple[str, ...], rates: tuple[str, ...], above: str) -> str:
    """The sum of the slices of `x`."""
    steps = zip(pairwise(("0", *edges)), rates, strict=True)
    parts = [
        f"(least(greatest({x}, {low}e0), {high}e0) - {low}e0) * {rate}e0"
        for (low, high), rate in steps
    ]
    return " + ".join((*parts, f"greatest({x} - {edges[-1]}e0, 0e0) * {above}e0"))


def collateral(x: str) -> str:
    edges, rates = zip(*HAIRCUTS, strict=True)
    return slices(x, edges, rates, "0")


def initial(least: float) -> str:
    rates = tuple(str(max(float(rate), least)) for rate in INITIAL)
    return slices("owed", EDGES, rates, rates[-1])


def maintenance() -> str:
    stable, others = (
        slices("owed", EDGES, MAINTENANCE[coin], MAINTENANCE[coin][-1]) for coin in ("USDC", "BTC")
    )
    return f"CASE WHEN asset = 'USDC' THEN {stable} ELSE {others} END"


QUERY = f"""
COPY (
    WITH valued AS (
        SELECT row, asset, price,
            (free + locked) * price AS held, (borrowed + interest) * price AS owed
        FROM '{{folder}}/{POSITIONS}'
    ), lines AS (
        SELECT *, {collateral("held")} AS counted FROM valued
    ), totals AS (
        SELECT row,
            sum(held) AS total_asset_value,
            sum(owed) AS total_liability,
            sum(counted) AS total_collateral_value,
            sum({initial(LEAST[0])}) AS initial_low,
            sum({initial(LEAST[1])}) AS initial_high,
            sum({maintenance()}) AS maintenance_margin
        FROM lines GROUP BY row
    ), named AS (
        SELECT asked.row, sold.counted AS sold_counted, bought.counted AS bought_counted,
            sold.held - sell_quantity * sold.price AS less,
            bought.held + buy_quantity * bought.price AS more
        FROM '{{folder}}/{ORDERS}' AS asked
        JOIN lines AS sold ON sold.row = asked.row AND sold.asset = asked.sell
        JOIN lines AS bought ON bought.row = asked.row AND bought.asset = asked.buy
    ), losses AS (
        SELECT row, sum(greatest(
            0e0, sold_counted - ({collateral("less")}) - (({collateral("more")}) - bought_counted)
        )) AS open_order_loss
        FROM named GROUP BY row
    ), netted AS (
        SELECT row, total_asset_value, total_liability, total_collateral_value, maintenance_margin,
            questionnaire_completed AND terms_accepted AS may,
            coalesce(margin_call_ratio, 1.5e0) AS margin_call_ratio,
            CASE WHEN low_leverage THEN initial_low ELSE initial_high END AS initial_margin,
            coalesce(open_order_loss, 0e0) AS open_order_loss,
            total_asset_value - total_liability AS net_equity,
            total_collateral_value - total_liability AS net_collateral
        FROM '{{folder}}/{ACCOUNTS}' JOIN totals USING (row) LEFT JOIN losses USING (row)
    ), figures AS (
        SELECT *,
            net_collateral - open_order_loss - initial_margin AS margin_headroom,
            CASE WHEN maintenance_margin > 0
                THEN (net_collateral - open_order_loss) / maintenance_margin
                ELSE 'infinity'::DOUBLE END AS margin_level,
            CASE WHEN total_liability > 0 THEN total_collateral_value / total_liability
                ELSE 'infinity'::DOUBLE END AS collateral_margin_level
        FROM netted
    )
    SELECT * EXCLUDE (may),
        CASE WHEN margin_level <= 1e0 THEN 'liquidation'
            WHEN margin_level <= margin_call_ratio THEN 'margin_call'
            ELSE 'normal' END AS status,
        greatest(margin_headroom, 0e0) AS available_margin,
        margin_level > 1e0 AS trade,
        margin_headroom > 0e0 AND may AS borrow,
        collateral_margin_level > 2e0 AS transfer_out
    FROM figures
) TO '{{out}}' (FORMAT parquet)
"""


def run(folder: Path, out: Path) -> None:
    """Decide the book of a folder."""
    with duckdb.connect() as connection:
        connection.execute(QUERY.format(folder=folder, out=out))
