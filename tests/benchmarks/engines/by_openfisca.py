"""The policy as OpenFisca-Core has it: variables of positions and accounts, vectorised.

A position is what a person is elsewhere, an account what a household is. Its numbers are floats of
32 bits: that is what a variable holds there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from openfisca_core.entities import Entity, GroupEntity
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import Simulation, SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.taxscales import MarginalRateTaxScale
from openfisca_core.variables import Variable

from engines.by_numpy import COINS, codes, over
from engines.flat import ACCOUNTS, LEAST, ORDERS, PERMISSIONS, POSITIONS, STATUSES
from engines.policy import EDGES, HAIRCUTS, INITIAL, MAINTENANCE, VALUES

PERIOD = "2025-02"
POSITION = Entity("position", "positions", "A position in a coin", "")
ACCOUNT = GroupEntity("account", "accounts", "An account", "", [{"key": "line", "plural": "lines"}])


def scale(edges: tuple[str, ...], rates: tuple[float, ...], above: float) -> MarginalRateTaxScale:
    made = MarginalRateTaxScale()
    for edge, rate in zip(("0", *edges), (*rates, above), strict=True):
        made.add_bracket(float(edge), rate)
    return made


def of_debt(rates: tuple[float, ...]) -> MarginalRateTaxScale:
    return scale(EDGES, rates, rates[-1])


_EDGES, _RATIOS = zip(*HAIRCUTS, strict=True)
CUT = scale(_EDGES, tuple(map(float, _RATIOS)), 0.0)
FIRST = [of_debt(tuple(max(float(rate), least) for rate in INITIAL)) for least in LEAST]
KEPT = [of_debt(tuple(map(float, MAINTENANCE[coin]))) for coin in ("USDC", "BTC")]

# --- variables -----------------------------------------------------------------------------------

Formula = Callable[[Any, Any], Any]


def variable(entity: Any, name: str, formula: Formula | None = None, kind: type = float) -> Any:
    """A variable: an input, or one with a formula."""
    told: dict[str, Any] = {
        "value_type": kind,
        "entity": entity,
        "definition_period": DateUnit.MONTH,
        "label": name,
    }
    if formula is not None:
        told["formula"] = formula
    return type(name, (Variable,), told)


def total(name: str) -> Formula:
    return lambda account, period: account.sum(account.members(name, period))


def initial(position: Any, period: Any) -> Any:
    low = position.account("low_leverage", period)
    return np.where(low, *(one.calc(position("owed", period)) for one in FIRST))


def maintenance(position: Any, period: Any) -> Any:
    stable = position("coin", period) == COINS.index("USDC")
    return np.where(stable, *(one.calc(position("owed", period)) for one in KEPT))


def of_coin(side: str, name: str) -> Formula:
    """A figure of the position in the coin that the open order sells, or buys."""

    def formula(account: Any, period: Any) -> Any:
        asked = account.project(account(side, period)) == account.members("coin", period)
        return account.sum(account.members(name, period) * asked)

    return formula


def loss(account: Any, period: Any) -> Any:
    def of(name: str) -> Any:
        return account(name, period)

    less = of("sell_held") - of("sell_quantity") * of("sell_price")
    more = of("buy_held") + of("buy_quantity") * of("buy_price")
    given_up = of("sell_counted") - CUT.calc(np.maximum(less, 0))
    gained = CUT.calc(more) - of("buy_counted")
    return np.maximum(given_up - gained, 0) * (of("sell") >= 0)


def figure(formula: Callable[..., Any], *names: str) -> Formula:
    """A figure of the account made of others of it."""
    return lambda account, period: formula(*(account(name, period) for name in names))


OF_POSITIONS: dict[str, Formula] = {
    "held": lambda p, t: (p("free", t) + p("locked", t)) * p("price", t),
    "owed": lambda p, t: (p("borrowed", t) + p("interest", t)) * p("price", t),
    "counted": lambda p, t: CUT.calc(p("held", t)),
    "initial": initial,
    "maintenance": maintenance,
}
OF_ACCOUNTS: dict[str, Formula] = {
    **{
        f"{side}_{name}": of_coin(side, name)
        for side in ("sell", "buy")
        for name in ("price", "held", "counted")
    },
    "total_asset_value": total("held"),
    "total_liability": total("owed"),
    "total_collateral_value": total("counted"),
    "initial_margin": total("initial"),
    "maintenance_margin": total("maintenance"),
    "open_order_loss": loss,
    "net_equity": figure(np.subtract, "total_asset_value", "total_liability"),
    "net_collateral": figure(np.subtract, "total_collateral_value", "total_liability"),
    "margin_headroom": figure(
        lambda net, lost, first: net - lost - first,
        *("net_collateral", "open_order_loss", "initial_margin"),
    ),
    "available_margin": figure(lambda headroom: np.maximum(headroom, 0), "margin_headroom"),
    "margin_level": figure(
        lambda net, lost, kept: over(net - lost, kept),
        *("net_collateral", "open_order_loss", "maintenance_margin"),
    ),
    "collateral_margin_level": figure(over, "total_collateral_value", "total_liability"),
}
CONDITIONS: dict[str, Formula] = {
    "liquidation": figure(lambda level: level <= 1, "margin_level"),
    "margin_call": figure(lambda level, ratio: level <= ratio, "margin_level", "margin_call_ratio"),
    "trade": figure(np.logical_not, "liquidation"),
    "borrow": figure(
        lambda available, answered, accepted: (available > 0) & answered & accepted,
        *("available_margin", "questionnaire_completed", "terms_accepted"),
    ),
    "transfer_out": figure(lambda level: level > 2, "collateral_margin_level"),
}
AMOUNTS = ("free", "locked", "borrowed", "interest", "price")
TRUTHS = ("low_leverage", "questionnaire_completed", "terms_accepted")


def system() -> TaxBenefitSystem:
    """The policy."""
    made = TaxBenefitSystem([POSITION, ACCOUNT])
    given = [
        *(variable(POSITION, name) for name in AMOUNTS),
        variable(POSITION, "coin", kind=int),
        *(variable(ACCOUNT, name) for name in ("sell_quantity", "buy_quantity")),
        variable(ACCOUNT, "margin_call_ratio"),
        *(variable(ACCOUNT, name, kind=int) for name in ("sell", "buy")),
        *(variable(ACCOUNT, name, kind=bool) for name in TRUTHS),
    ]
    worked_out = [
        *(variable(POSITION, name, formula) for name, formula in OF_POSITIONS.items()),
        *(variable(ACCOUNT, name, formula) for name, formula in OF_ACCOUNTS.items()),
        *(variable(ACCOUNT, name, formula, bool) for name, formula in CONDITIONS.items()),
    ]
    made.add_variables(*given, *worked_out)
    return made


SYSTEM = system()

# --- a book --------------------------------------------------------------------------------------


def run(folder: Path, out: Path) -> None:
    """Decide the book of a folder."""
    accounts = pq.read_table(folder / ACCOUNTS)
    simulation = filled(accounts, pq.read_table(folder / POSITIONS))
    order(simulation, pq.read_table(folder / ORDERS), accounts.num_rows)
    told = {name: simulation.calculate(name, PERIOD) for name in (*VALUES, *CONDITIONS)}
    called = np.where(told.pop("margin_call"), 1, 2)
    status = np.where(told.pop("liquidation"), 0, called).astype(np.int8)
    names = pa.DictionaryArray.from_arrays(status, pa.array(STATUSES))
    assert told.keys() >= set(PERMISSIONS)
    pq.write_table(pa.table({"row": accounts["row"], "status": names, **told}), out)


def filled(accounts: pa.Table, positions: pa.Table) -> Simulation:
    """A simulation with what is known of accounts and positions."""
    builder = SimulationBuilder()
    builder.create_entities(SYSTEM)
    builder.declare_person_entity("position", np.arange(positions.num_rows))
    group = builder.declare_entity("account", np.arange(accounts.num_rows))
    row = positions["row"].to_numpy()
    builder.join_with_persons(group, row, np.zeros(len(row), dtype=np.int64))
    simulation = builder.build(SYSTEM)
    for name in AMOUNTS:
        simulation.set_input(name, PERIOD, positions[name].to_numpy())
    simulation.set_input("coin", PERIOD, codes(positions, "asset"))
    for name in TRUTHS:
        simulation.set_input(name, PERIOD, accounts[name].to_numpy())
    ratio = accounts["margin_call_ratio"].fill_null(1.5).to_numpy()
    simulation.set_input("margin_call_ratio", PERIOD, ratio)
    return simulation


def order(simulation: Simulation, orders: pa.Table, count: int) -> None:
    """Give each account its open order; here each has one at most."""
    asked = orders["row"].to_numpy()
    assert len(np.unique(asked)) == len(asked)
    for side in ("sell", "buy"):
        quantity, coin = np.zeros(count), np.full(count, -1)
        quantity[asked] = orders[f"{side}_quantity"].to_numpy()
        coin[asked] = codes(orders, side)
        simulation.set_input(f"{side}_quantity", PERIOD, quantity)
        simulation.set_input(side, PERIOD, coin)
