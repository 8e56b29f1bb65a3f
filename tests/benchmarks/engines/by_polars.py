"""The policy by hand on Polars' doubles, streamed from file to file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl

from engines.flat import ACCOUNTS, LEAST, ORDERS, POSITIONS
from engines.policy import EDGES, HAIRCUTS, INITIAL, MAINTENANCE


def slices(x: pl.Expr, edges: list[float], rates: list[float], above: float) -> pl.Expr:
    """The sum of the slices of `x`."""
    steps = zip(pairwise([0.0, *edges]), rates, strict=True)
    parts = [(x.clip(low, high) - low) * rate for (low, high), rate in steps]
    if above:
        parts.append((x - edges[-1]).clip(lower_bound=0.0) * above)
    return sum(parts[1:], parts[0])


def collateral(x: pl.Expr) -> pl.Expr:
    edges, rates = ([float(text) for text in part] for part in zip(*HAIRCUTS, strict=True))
    return slices(x, edges, rates, 0.0)


def debt(rates: list[float]) -> pl.Expr:
    return slices(pl.col("owed"), [float(edge) for edge in EDGES], rates, rates[-1])


def initial(least: float) -> pl.Expr:
    return debt([max(float(rate), least) for rate in INITIAL])


def maintenance() -> pl.Expr:
    stable, others = (debt([float(one) for one in MAINTENANCE[coin]]) for coin in ("USDC", "BTC"))
    return pl.when(pl.col("asset") == "USDC").then(stable).otherwise(others)


def run(folder: Path, out: Path) -> None:
    """Decide the book of a folder."""
    lines = pl.scan_parquet(folder / POSITIONS).with_columns(
        held=(pl.col("free") + pl.col("locked")) * pl.col("price"),
        owed=(pl.col("borrowed") + pl.col("interest")) * pl.col("price"),
    )
    lines = lines.with_columns(counted=collateral(pl.col("held")))
    low, high = (initial(least).sum() for least in LEAST)
    totals = lines.group_by("row").agg(
        total_asset_value=pl.col("held").sum(),
        total_liability=pl.col("owed").sum(),
        total_collateral_value=pl.col("counted").sum(),
        initial_low=low,
        initial_high=high,
        maintenance_margin=maintenance().sum(),
    )
    accounts = pl.scan_parquet(folder / ACCOUNTS)
    losses = lost(pl.scan_parquet(folder / ORDERS), lines)
    book = accounts.join(totals, on="row").join(losses, on="row", how="left")
    decided(book).sink_parquet(out)


def lost(orders: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """What open orders would lose, by account."""
    for side in ("sell", "buy"):
        named = lines.select(
            "row",
            pl.col("asset").alias(side),
            *(pl.col(name).alias(f"{side}_{name}") for name in ("price", "held", "counted")),
        )
        orders = orders.join(named, on=["row", side])
    less = pl.col("sell_held") - pl.col("sell_quantity") * pl.col("sell_price")
    more = pl.col("buy_held") + pl.col("buy_quantity") * pl.col("buy_price")
    given_up = pl.col("sell_counted") - collateral(less)
    gained = collateral(more) - pl.col("buy_counted")
    loss = (given_up - gained).clip(lower_bound=0.0)
    return orders.group_by("row").agg(open_order_loss=loss.sum())


def decided(book: pl.LazyFrame) -> pl.LazyFrame:
    """Figures, status and permissions of every account."""
    owed, counted = pl.col("total_liability"), pl.col("total_collateral_value")
    lost, level = pl.col("open_order_loss"), pl.col("margin_level")
    may = pl.col("questionnaire_completed") & pl.col("terms_accepted")
    first = pl.when("low_leverage").then("initial_low").otherwise("initial_high")
    book = book.with_columns(
        lost.fill_null(0.0),
        pl.col("margin_call_ratio").fill_null(1.5),
        initial_margin=first,
        net_equity=pl.col("total_asset_value") - owed,
        net_collateral=counted - owed,
        collateral_margin_level=over(counted, owed),
    ).drop("initial_low", "initial_high")
    book = book.with_columns(
        margin_headroom=pl.col("net_collateral") - lost - pl.col("initial_margin"),
        margin_level=over(pl.col("net_collateral") - lost, pl.col("maintenance_margin")),
    )
    status = pl.when(level <= 1).then(pl.lit("liquidation"))
    return book.with_columns(
        status=status.when(level <= pl.col("margin_call_ratio"))
        .then(pl.lit("margin_call"))
        .otherwise(pl.lit("normal")),
        available_margin=pl.col("margin_headroom").clip(lower_bound=0.0),
        trade=level > 1,
        borrow=(pl.col("margin_headroom") > 0) & may,
        transfer_out=pl.col("collateral_margin_level") > 2,
    )


def over(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """A quotient, infinite where there is nothing to divide by."""
    return pl.when(y > 0).then(x / y).otherwise(float("inf"))
