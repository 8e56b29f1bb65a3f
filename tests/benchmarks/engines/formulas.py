"""The policy as formulas for evaluators of single expressions, in the syntax of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from engines.policy import EDGES, HAIRCUTS, INITIAL, LOW_LEVERAGE, MAINTENANCE


@dataclass(frozen=True)
class Syntax:
    """How an engine writes a choice, the larger of two figures, the call of a function, a rate.

    With `tiers_called` the slices are no formulas but functions of plain Python that the engine is
    given: faster, and not rules that a reader of the formulas sees.
    """

    choice: str
    larger: str
    call: str
    literal: bool
    tiers_called: bool = False

    def choose(self, condition: str, yes: str, no: str) -> str:
        """One of two figures."""
        return self.choice.format(condition=condition, yes=yes, no=no)

    def rate(self, name: str, number: str) -> str:
        """A rate as it stands, or by name where the engine would read a number as a float."""
        return number if self.literal else name


PYTHON = Syntax("({yes} if {condition} else {no})", "max({}, {})", "{}({})", literal=False)
C_LIKE = Syntax("({condition} ? {yes} : {no})", "$max([{}, {}])", "${}({})", literal=True)


def slices(
    syntax: Syntax, x: str, edges: Sequence[str], rates: Sequence[str], sums: Sequence[str]
) -> str:
    """The sum of the slices of `x`: the slice reached at its rate, and the sum of those below.

    There is one rate and one sum more than there are edges: those above the last.
    """
    lowers = ("0", *edges)
    reached = [
        f"{full} + ({x} - {lower}) * {rate}" if lower != "0" else f"{x} * {rate}"
        for full, lower, rate in zip(sums, lowers, rates, strict=True)
    ]
    text = reached[-1]
    for edge, part in reversed(list(zip(edges, reached, strict=False))):
        text = syntax.choose(f"{x} <= {edge}", part, text)
    return text


def full_slices(edges: Sequence[str], rates: Sequence[str]) -> list[str]:
    """The sums of all slices below each, as numbers, from that of none on."""
    lowers = ("0", *edges)
    widths = (int(edge) - int(lower) for edge, lower in zip(edges, lowers, strict=False))
    worth = (width * Decimal(rate) for width, rate in zip(widths, rates, strict=False))
    return [f"{total.normalize():f}" for total in accumulate(worth, initial=Decimal(0))]


def collateral(syntax: Syntax, coin: str, x: str) -> str:
    """What a value counts as collateral."""
    if syntax.tiers_called:
        return syntax.call.format("collateral", f"{coin}, {x}")
    edges, numbers = zip(*HAIRCUTS, strict=True)
    rates = [syntax.rate(f"cut_{n}", rate) for n, rate in enumerate(numbers)]
    text = slices(syntax, x, edges, [*rates, "0"], full_slices(edges, numbers))
    return syntax.choose(f"{x} > 0", text, "0")


def initial(syntax: Syntax, x: str) -> str:
    """The initial margin of a debt, every rate at least the least one."""
    if syntax.tiers_called:
        return syntax.call.format("initial", f"asset, {x}, least")
    rates = [f"initial_{n}" for n in range(len(INITIAL))]
    sums = [f"full_{n}" for n in range(len(rates))]
    return slices(syntax, x, EDGES, [*rates, rates[-1]], ["0", *sums])


def maintenance(syntax: Syntax, x: str) -> str:
    """The maintenance margin of a debt, by coin."""
    if syntax.tiers_called:
        return syntax.call.format("maintenance", f"asset, {x}")
    texts = []
    for coin in ("USDC", "BTC"):
        named = enumerate(MAINTENANCE[coin])
        rates = [syntax.rate(f"kept_{coin}_{n}", rate) for n, rate in named]
        sums = full_slices(EDGES, MAINTENANCE[coin])
        texts.append(slices(syntax, x, EDGES, [*rates, rates[-1]], sums))
    return syntax.choose("asset == 'USDC'", *texts)


Formulas = dict[str, str]


def settings(syntax: Syntax) -> Formulas:
    """What is worked out before the lines are read."""
    regions = f"[{', '.join(map(repr, LOW_LEVERAGE))}]"
    listed = regions if syntax.literal else "low_leverage"
    made = {
        "max_leverage": syntax.choose(f"region in {listed}", "10", "20"),
        "least": syntax.call.format("least_rate", "max_leverage"),
    }
    return made if syntax.tiers_called else made | initial_rates(syntax, "least")


def initial_rates(syntax: Syntax, least: str, before: str = "") -> Formulas:
    """The initial margin rate of each slice and the sum of it and those below, for a least rate.

    `before` stands before a name that is worked out in the same stage.
    """
    made: Formulas = {}
    for n, (rate, edge) in enumerate(zip(INITIAL, EDGES, strict=True)):
        width = int(edge) - (int(EDGES[n - 1]) if n else 0)
        below = f"{before}full_{n - 1} + " if n else ""
        made[f"initial_{n}"] = syntax.larger.format(syntax.rate(f"first_{n}", rate), least)
        made[f"full_{n}"] = f"{below}{width} * {before}initial_{n}"
    return made


def asset(syntax: Syntax) -> Formulas:
    """The figures of an asset line."""
    some, owed = "asset_value > 0", "liability_value > 0"
    return {
        "asset_value": "(free + locked) * price",
        "liability_value": "(borrowed + interest) * price",
        "collateral_value": syntax.choose(some, collateral(syntax, "asset", "asset_value"), "0"),
        "initial": syntax.choose(owed, initial(syntax, "liability_value"), "0"),
        "maintenance": syntax.choose(owed, maintenance(syntax, "liability_value"), "0"),
    }


def order(syntax: Syntax) -> Formulas:
    """The figures of an open order."""
    return {
        "less": "sell_asset_value - sell_quantity * sell_price",
        "more": "buy_asset_value + buy_quantity * buy_price",
        "given_up": f"sell_collateral_value - {collateral(syntax, 'sell', 'less')}",
        "gained": f"{collateral(syntax, 'buy', 'more')} - buy_collateral_value",
        "loss": syntax.larger.format("0", "given_up - gained"),
    }


def account(syntax: Syntax) -> Formulas:
    """The figures of the account, and what it may do."""
    level = syntax.choose(
        "maintenance_margin > 0",
        "(net_collateral - open_order_loss) / maintenance_margin",
        "unlimited",
    )
    collateral_level = syntax.choose(
        "total_liability > 0", "total_collateral_value / total_liability", "unlimited"
    )
    refused = "available_margin <= 0 or not questionnaire_completed or not terms_accepted"
    return {
        "total_asset_value": syntax.call.format("sum", "asset_value_lines"),
        "total_liability": syntax.call.format("sum", "liability_value_lines"),
        "total_collateral_value": syntax.call.format("sum", "collateral_value_lines"),
        "net_equity": "total_asset_value - total_liability",
        "net_collateral": "total_collateral_value - total_liability",
        "open_order_loss": syntax.call.format("sum", "loss_lines"),
        "initial_margin": syntax.call.format("sum", "initial_lines"),
        "maintenance_margin": syntax.call.format("sum", "maintenance_lines"),
        "margin_headroom": "net_collateral - open_order_loss - initial_margin",
        "available_margin": syntax.larger.format("margin_headroom", "0"),
        "margin_level": level,
        "collateral_margin_level": collateral_level,
        "trade": "not (margin_level <= liquidation_margin_level)",
        "borrow": f"not ({refused})",
        "transfer_out": "not (collateral_margin_level <= transfer_out_threshold)",
    }


LIQUIDATION = "margin_level <= liquidation_margin_level"
MARGIN_CALL = "margin_level <= margin_call_ratio"
