"""A price grid of 41 x 41 for one account: whole, and a cell beside a single decision.

python tests/benchmarks/grid.py

Exits 1 above the bounds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from statistics import median
from time import perf_counter
from typing import Any

from policy_engine import Rules
from policy_engine.grids import Axis, Grid, price_grid, steps
from policy_engine.render.heat_map import heat_map
from single import SNAPSHOT, WITHOUT_REGION, rules

POINTS, ROUNDS = 41, 15
SECONDS_BOUND = 0.15
CELL_BOUND = Decimal("0.5")
"""A cell may take at most this share of a decision: it reads nothing and tells two figures."""


def main() -> int:
    """Compare the answers, then the times."""
    engine = rules()
    percents = steps(Decimal(-50), Decimal(50), POINTS)
    assert percents is not None
    axes = [Axis(percents, ("BTC",)), Axis(percents, ("ETH",))]
    print(
        f"{POINTS} x {POINTS} prices, 5 assets, 1 order, {engine.versions['cross_margin_pro'].id}"
    )
    print(f"{'':22}grid   a cell   a decision   ratio   bounds")
    told = {"all known": SNAPSHOT, "no region": WITHOUT_REGION}
    return max([_timed(engine, name, snapshot, axes) for name, snapshot in told.items()])


def _timed(engine: Rules, name: str, snapshot: Mapping[str, Any], axes: list[Axis]) -> int:
    """Whether a bound is broken. Grids and decisions take turns."""
    grid = price_grid(engine, snapshot, axes)
    _compare(engine, snapshot, grid)
    grids, decisions = [], []
    for _ in range(ROUNDS):
        begin = perf_counter()
        price_grid(engine, snapshot, axes)
        grids.append(perf_counter() - begin)
        begin = perf_counter()
        for _ in range(POINTS):
            engine.decide(snapshot)
        decisions.append((perf_counter() - begin) / POINTS)
    whole, single = median(grids), median(decisions)
    cell = whole / POINTS**2
    print(
        f"{name:16}{whole * 1e3:7.1f} ms{cell * 1e6:6.1f} µs{single * 1e6:10.1f} µs"
        f"{cell / single:8.2f}   {SECONDS_BOUND} s, {CELL_BOUND}"
    )
    begin = perf_counter()
    heat_map(grid, engine.decide(snapshot))
    print(f"{'  its picture':16}{(perf_counter() - begin) * 1e3:7.1f} ms")
    return int(whole > SECONDS_BOUND or cell / single > CELL_BOUND)


def _compare(engine: Rules, snapshot: Mapping[str, Any], grid: Grid) -> None:
    """Refuse to time cells that are not what a decision on the changed account gives."""
    for row, column in ((0, 0), (7, 33), (20, 20), (40, 40)):
        moved = {"BTC": grid.axes[0].percents[column], "ETH": grid.axes[1].percents[row]}
        factors = {asset: 1 + percent / 100 for asset, percent in moved.items()}
        lines = [
            {**line, "price": Decimal(line["price"]) * factors.get(line["asset"], Decimal(1))}
            for line in snapshot["assets"]
        ]
        decision = engine.decide({**snapshot, "assets": lines})
        rank = grid.ranks[row][column]
        status = None if rank is None else grid.statuses[rank].name
        if (status, grid.values[row][column]) != (
            decision.status,
            decision.values[grid.figure or ""],
        ):
            sys.exit("a cell and the decision on its account differ")


if __name__ == "__main__":
    sys.exit(main())
