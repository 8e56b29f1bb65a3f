"""The policy as zen-engine has it: one decision model, evaluated as a whole in Rust."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import zen

from engines import formulas
from engines.formulas import C_LIKE
from engines.policy import LOW_LEVERAGE, VALUES, Answer

ZEN = replace(C_LIKE, larger="max([{}, {}])")
SETTINGS = {
    "max_leverage": f"region in {json.dumps(LOW_LEVERAGE)} ? 10 : 20",
    "least": "ceil(10000 / ($.max_leverage - 1)) / 10000",
    **formulas.initial_rates(ZEN, "$.least", "$."),
    "margin_call_ratio": "margin_call_ratio.pro == null ? 1.5 : number(margin_call_ratio.pro)",
}


LINE = f"""(
    asset = line.asset;
    price = number(line.price);
    held = (number(line.free) + number(line.locked)) * price;
    owed = (number(line.borrowed) + number(line.interest)) * price;
    {{
        asset: asset,
        price: price,
        held: held,
        owed: owed,
        counted: {formulas.collateral(ZEN, "", "held")},
        initial: owed > 0 ? {formulas.initial(ZEN, "owed")} : 0,
        maintenance: owed > 0 ? {formulas.maintenance(ZEN, "owed")} : 0
    }}
)"""
ORDER = f"""(
    sold = filter(lines as one, one.asset == order.sell)[0];
    bought = filter(lines as one, one.asset == order.buy)[0];
    less = sold.held - number(order.sell_quantity) * sold.price;
    more = bought.held + number(order.buy_quantity) * bought.price;
    given_up = sold.counted - {formulas.collateral(ZEN, "", "less")};
    gained = {formulas.collateral(ZEN, "", "more")} - bought.counted;
    max([0, given_up - gained])
)"""
LINES = {"lines": f"map(assets as line, {LINE})"}
ORDERS = {"losses": f"map(orders as order, {ORDER})"}
FIGURES = {
    "total_asset_value": "sum(map(lines as line, line.held))",
    "total_liability": "sum(map(lines as line, line.owed))",
    "total_collateral_value": "sum(map(lines as line, line.counted))",
    "net_equity": "$.total_asset_value - $.total_liability",
    "net_collateral": "$.total_collateral_value - $.total_liability",
    "open_order_loss": "len(losses) > 0 ? sum(losses) : 0",
    "initial_margin": "sum(map(lines as line, line.initial))",
    "maintenance_margin": "sum(map(lines as line, line.maintenance))",
    "margin_headroom": "$.net_collateral - $.open_order_loss - $.initial_margin",
    "available_margin": "max([$.margin_headroom, 0])",
    "margin_level": (
        "$.maintenance_margin > 0"
        " ? ($.net_collateral - $.open_order_loss) / $.maintenance_margin : 1000000000"
    ),
    "collateral_margin_level": (
        "$.total_liability > 0 ? $.total_collateral_value / $.total_liability : 1000000000"
    ),
    "status": (
        "$.margin_level <= 1 ? 'liquidation'"
        " : $.margin_level <= margin_call_ratio ? 'margin_call' : 'normal'"
    ),
    "trade": "not ($.margin_level <= 1)",
    "borrow": (
        "not ($.available_margin <= 0 or not questionnaire_completed or not terms_accepted)"
    ),
    "transfer_out": "not ($.collateral_margin_level <= 2)",
}
"""Where there is no debt, a level is a number above all others: this engine has no infinity."""


def model(*stages: Mapping[str, str]) -> str:
    """A decision model of stages of expressions; the last one gives what is answered."""
    nodes: list[dict[str, Any]] = [{"id": "in", "name": "in", "type": "inputNode"}]
    for number, stage in enumerate(stages):
        expressions = [
            {"id": f"{number}.{name}", "key": name, "value": " ".join(text.split())}
            for name, text in stage.items()
        ]
        content = {"expressions": expressions, "passThrough": number < len(stages) - 1}
        name = f"stage {number}"
        nodes.append({"id": name, "name": name, "type": "expressionNode", "content": content})
    nodes.append({"id": "out", "name": "out", "type": "outputNode"})
    edges = [
        {"id": a["id"], "type": "edge", "sourceId": a["id"], "targetId": b["id"]}
        for a, b in pairwise(nodes)
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def engine() -> Callable[[Mapping[str, Any]], Answer]:
    """What decides on a snapshot."""
    decision = zen.ZenEngine().create_decision(model(SETTINGS, LINES, ORDERS, FIGURES))

    def decide(snapshot: Mapping[str, Any]) -> Answer:
        found = decision.evaluate(dict(snapshot))["result"]
        values = {name: found[name] for name in VALUES}
        return Answer(
            found["status"], found["trade"], found["borrow"], found["transfer_out"], values
        )

    return decide


def comparison() -> Callable[[Mapping[str, Any]], bool]:
    """A policy of one comparison."""
    expression = zen.compile_expression("number(level) <= 1")
    return lambda snapshot: bool(expression.evaluate({"level": snapshot["level"]}))
