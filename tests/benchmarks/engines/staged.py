"""Evaluators of single expressions: a program walks the account and asks for one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from typing import Any

from engines import formulas
from engines.formulas import Syntax
from engines.policy import (
    EDGES,
    HAIRCUTS,
    INITIAL,
    LOW_LEVERAGE,
    MAINTENANCE,
    PARAMETERS,
    VALUES,
    Answer,
)

Names = dict[str, Any]
Evaluated = tuple[tuple[str, Callable[[Names], Any]], ...]
Tiers = tuple[tuple[Decimal, Decimal, Decimal], ...]

EXACT = Context(prec=200)
ZERO, ONE = Decimal(0), Decimal(1)
STEP = Decimal("0.0001")
AMOUNTS = ("free", "locked", "borrowed", "interest", "price")


def stages(syntax: Syntax, parsed: Callable[[str], Callable[[Names], Any]]) -> Stages:
    """The policy with each formula parsed once."""

    def stage(texts: formulas.Formulas) -> Evaluated:
        return tuple((name, parsed(text)) for name, text in texts.items())

    return Stages(
        stage(formulas.settings(syntax)),
        stage(formulas.asset(syntax)),
        stage(formulas.order(syntax)),
        stage(formulas.account(syntax)),
        parsed(formulas.LIQUIDATION),
        parsed(formulas.MARGIN_CALL),
    )


@dataclass(frozen=True)
class Stages:
    """Formulas in the order in which they are asked for."""

    settings: Evaluated
    asset: Evaluated
    order: Evaluated
    account: Evaluated
    liquidation: Callable[[Names], Any]
    margin_call: Callable[[Names], Any]

    def decide(self, snapshot: Mapping[str, Any]) -> Answer:
        """The decision on an account given as texts."""
        with localcontext(EXACT):
            account = settings(snapshot)
            evaluate(self.settings, account)
            lines = {line["asset"]: self._asset(account, line) for line in snapshot["assets"]}
            orders = [self._order(lines, order) for order in snapshot["orders"]]
            account |= columns(list(lines.values()), orders)
            evaluate(self.account, account)
            return self._answer(account)

    def _asset(self, account: Names, line: Mapping[str, Any]) -> Names:
        names = {**account, "asset": line["asset"]}
        for name in AMOUNTS:
            names[name] = Decimal(line[name])
        return evaluate(self.asset, names)

    def _order(self, lines: Mapping[str, Names], order: Mapping[str, Any]) -> Names:
        names = {**CONSTANTS, "sell": order["sell"], "buy": order["buy"]}
        for side in ("sell", "buy"):
            line = lines[order[side]]
            names[f"{side}_quantity"] = Decimal(order[f"{side}_quantity"])
            for name in ("price", "asset_value", "collateral_value"):
                names[f"{side}_{name}"] = line[name]
        return evaluate(self.order, names)

    def _answer(self, account: Names) -> Answer:
        status = "normal"
        if self.liquidation(account):
            status = "liquidation"
        elif self.margin_call(account):
            status = "margin_call"
        values = {name: account[name] for name in VALUES}
        trade, borrow, out = (bool(account[name]) for name in ("trade", "borrow", "transfer_out"))
        return Answer(status, trade, borrow, out, values)


def evaluate(formulas: Evaluated, names: Names) -> Names:
    """The names with what each formula makes of those before it."""
    for name, formula in formulas:
        names[name] = formula(names)
    return names


CONSTANTS: Names = {name: Decimal(text) for name, text in PARAMETERS.items()}
CONSTANTS |= {
    "unlimited": Decimal("Infinity"),
    "low_leverage": LOW_LEVERAGE,
    **{f"cut_{n}": Decimal(rate) for n, (_, rate) in enumerate(HAIRCUTS)},
    **{f"first_{n}": Decimal(rate) for n, rate in enumerate(INITIAL)},
    **{
        f"kept_{coin}_{n}": Decimal(rate)
        for coin, rates in MAINTENANCE.items()
        for n, rate in enumerate(rates)
    },
}


def settings(snapshot: Mapping[str, Any]) -> Names:
    """What is known of the account before its lines are read."""
    ratio = (snapshot.get("margin_call_ratio") or {}).get("pro")
    return {
        **CONSTANTS,
        "region": snapshot["region"],
        "margin_call_ratio": CONSTANTS["default_margin_call_ratio"]
        if ratio is None
        else Decimal(ratio),
        "questionnaire_completed": snapshot["questionnaire_completed"],
        "terms_accepted": snapshot["terms_accepted"],
    }


def columns(lines: list[Names], orders: list[Names]) -> Names:
    """The figures of the lines, side by side for sums."""
    summed = ("asset_value", "liability_value", "collateral_value", "initial", "maintenance")
    return {f"{name}_lines": [line[name] for line in lines] for name in summed} | {
        "loss_lines": [order["loss"] for order in orders]
    }


# --- functions that every evaluator is given -----------------------------------------------------


def tiers(edges: tuple[str, ...], rates: tuple[str, ...]) -> Tiers:
    """Upper edge, lower edge and rate of each slice."""
    uppers = [Decimal(edge) for edge in edges]
    return tuple(zip(uppers, [ZERO, *uppers], map(Decimal, rates), strict=False))


CUT = tiers(*zip(*HAIRCUTS, strict=True))
FIRST = tiers(EDGES, INITIAL)
KEPT = {coin: tiers(EDGES, rates) for coin, rates in MAINTENANCE.items()}


def slices(x: Decimal, steps: Tiers, above: Decimal, least: Decimal = ZERO) -> Decimal:
    """The sum of the slices of `x`, each at its rate or at the least one."""
    total = lower = ZERO
    for upper, lower, rate in steps:
        counted = max(rate, least)
        if x <= upper:
            return total + (x - lower) * counted
        total += (upper - lower) * counted
    return total + (x - upper) * max(above, least)


def collateral(asset: str, value: Decimal) -> Decimal:
    """What a holding counts as collateral."""
    return slices(value, CUT, ZERO) if value > 0 and asset in KEPT else ZERO


def initial(asset: str, debt: Decimal, least: Decimal) -> Decimal:
    """The initial margin of a debt."""
    return slices(debt, FIRST, FIRST[-1][2], least)


def maintenance(asset: str, debt: Decimal) -> Decimal:
    """The maintenance margin of a debt."""
    steps = KEPT[asset]
    return slices(debt, steps, steps[-1][2])


def least_rate(leverage: Decimal) -> Decimal:
    """The lowest initial margin rate that a leverage allows, rounded up to 0.01%."""
    return (ONE / (leverage - 1)).quantize(STEP, ROUND_CEILING)
