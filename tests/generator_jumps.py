"""Small rules whose one request is permitted, refused and permitted again as its amount grows."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

Document = dict[str, Any]
POINTS = 400
"""How many multiples of its step the request takes at most."""

HELD = ("free", "borrowed", "free * price")
RATIO = {"type": "number", "unit": "ratio"}
AT = "2025-02-01T12:00:00Z"
FORMS = (
    "tier(jumps, held)",
    "tier(jumps, held)",
    "held * tier(jumps, held)",
    "held - held * tier(jumps, held)",
    "slices(jumps, held)",
    "held - slices(jumps, held)",
    "slices(jumps, held) - held * tier(jumps, held)",
    "held - round_down(held, wave)",
    "held - round_down(held, wave) + tier(jumps, held)",
    "round_half_up(held, wave) - held",
    "abs(held - far)",
    "abs(abs(held - far) - near)",
    "held * (far - held)",
    "held / (held + near) if held + near > 0 else 0",
    "slices(jumps, held) / (held + far) if held + far > 0 else 0",
    "(held - far) / held if held > 0 else 0",
)


def small_rules(rng: Random) -> tuple[list[Document], Document]:
    """The documents of a small rule folder, and an account under it."""
    step = Decimal(rng.choice(("1", "1", "0.5", "3", "0.01")))
    reach = step * POINTS
    made: Document = {
        "ruleset": "small",
        "effective_from": "2025-01-01T00:00:00Z",
        "announced_at": "null",
        "summary": "Generated: nothing is meant by it.",
        "applies_when": 'mode == "pro"',
        "sources": {"generated": {"title": "The generator"}},
        "inputs": {
            "account": {"mode": {"type": "text"}},
            "assets": {
                "asset": {"type": "text", "key": "true"},
                "free": RATIO,
                "borrowed": RATIO,
                "price": RATIO | {"role": "price"},
            },
        },
        "parameters": {
            name: {"title": f"The figure {name}", "value": some(rng, reach), "unit": "ratio"}
            for name in ("near", "far", "wave", "low", "high")
        },
        "tables": {},
        "scales": {"jumps": jumps(rng, reach)},
        "formulas": {"account": figures(rng)},
        "statuses": {"normal": {"title": "Normal"}},
        "requests": {"ask": request(rng, step)},
    }
    return [made], account(rng, reach)


def some(rng: Random, reach: Decimal) -> str:
    """A figure above 0 that the amount may reach."""
    return format(reach * rng.randint(1, 80) / 80, "f")


def jumps(rng: Random, reach: Decimal) -> Document:
    """A scale whose rates rise and fall."""
    edges = sorted(rng.sample(range(1, 101), rng.randint(2, 5)))
    rates = [rng.choice(("0", "10%", "25%", "0.5", "0.9", "1", "2")) for _ in edges]
    return {
        "title": "Jumps",
        "in": "ratio",
        "unit": "ratio",
        "edge_belongs_to": rng.choice(("lower", "upper")),
        "above_last": rng.choice(("0", "last", "0.5")),
        "tiers": [
            {"to": format(reach * edge / 100, "f"), "rate": rate}
            for edge, rate in zip(edges, rates, strict=True)
        ],
    }


def figures(rng: Random) -> Document:
    """What is held, and two figures that follow it."""
    made = {
        "held": f"sum(assets, {rng.choice(HELD)})",
        "first": rng.choice(FORMS),
        "second": rng.choice(FORMS),
    }
    return {
        name: {"title": f"The figure {name}", "unit": "ratio", "expression": text}
        for name, text in made.items()
    }


def request(rng: Random, step: Decimal) -> Document:
    """A request of an amount on the step."""
    sets = rng.choice(
        (
            {"free": "free + amount", "borrowed": "borrowed + amount"},
            {"free": "free + amount", "borrowed": "borrowed + amount"},
            {"free": "free - amount", "borrowed": "max(borrowed - amount, 0)"},
            {"free": "free + tier(jumps, amount)", "borrowed": "borrowed + amount"},
        )
    )
    refusals = {
        f"refusal_{number}": {"title": "A refusal", "when": when(rng)}
        for number in range(rng.choice((1, 1, 2)))
    }
    most = format(step * rng.randint(POINTS // 2, POINTS), "f")
    return {
        "title": "Ask for an amount",
        "inputs": {
            "asset": {"type": "text", "key_of": "assets"},
            "amount": RATIO | lowest(rng, step) | {"at_most": most},
        },
        "effects": [{"line": "asset", "set": sets}],
        "refuse_when": refusals,
        "limit": {"input": "amount", "step": format(step, "f")},
    }


def lowest(rng: Random, step: Decimal) -> Document:
    """The least that may be asked for, at times between two steps."""
    if rng.random() < 0.7:
        return {"above": "0"}
    return {"at_least": format(step * rng.randint(1, 60) / 4, "f")}


def when(rng: Random) -> str:
    """When the request is refused: mostly not at first."""
    name = rng.choice(("first", "second"))
    limits = ("low", "high", name, f"{name} + low", f"{name} + high", f"{name} - low", "1")
    first = f"after({name}) {rng.choice(('<', '<=', '>', '>=', '=='))} {rng.choice(limits)}"
    if rng.random() < 0.6:
        return first
    return f"{first} {rng.choice(('and', 'and', 'or'))} {when(rng)}"


def account(rng: Random, reach: Decimal) -> Document:
    """An account with a line of one or two coins."""
    lines = [
        {
            "asset": coin,
            **{name: some(rng, reach) if rng.random() < 0.7 else "0" for name in AMOUNTS},
            "price": rng.choice(("1", "1", "2", "0.3")),
        }
        for coin in ("BTC", "ETH")[: rng.choice((1, 1, 2))]
    ]
    return {"account": "A-1", "mode": "pro", "assets": lines}


AMOUNTS = ("free", "locked", "borrowed", "interest")
