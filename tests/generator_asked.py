"""Random inputs for requests, often on the edges of the rules and of the account."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from generator_accounts import AMOUNTS, edges
from generator_provisions import Provision

Document = dict[str, Any]
FINEST = Decimal("0.000000000000000001")
"""What an input may differ by at the least."""

APART = ("asset", "price")
"""What a line of an asset says besides its amounts."""


def facts(rng: Random, said: Provision, snapshot: Document, documents: list[Document]) -> Document:
    """Values for the inputs of a request, often on the edges of the rules and of the account."""
    known = [*AMOUNTS, *edges(documents)]
    known += [v for line in snapshot["assets"] for name, v in line.items() if name not in APART]
    made = {
        name: fact(rng, one, snapshot, known)
        for name, one in said.get("inputs", {}).items()
        if one.get("optional") != "true" or rng.random() < 0.5
    }
    limit = said.get("limit", {"input": ""})
    if limit["input"] in made and rng.random() < 0.98:
        made |= {limit["input"]: stepped(Decimal(made[limit["input"]]), said, limit)}
    return made


def fact(rng: Random, said: Provision, snapshot: Document, known: list[str]) -> Any:
    """A value for one input."""
    if "one_of" in said:
        return rng.choice(said["one_of"])
    if "key_of" in said:
        coins = [line["asset"] for line in snapshot["assets"]] + list(snapshot.get("prices", ()))
        return rng.choice(coins) if coins and rng.random() < 0.95 else "NOWHERE"
    if said.get("unit") == "per hour":
        return rng.choice(("0", "0.00001"))
    return amount(rng, said, known)


def amount(rng: Random, said: Provision, known: list[str]) -> str:
    """An amount: one of those known, what lacks to it, or one within the bounds."""
    first, second = Decimal(rng.choice(known)), Decimal(rng.choice(known))
    near = Decimal(rng.choice(("0", "0", "0.01", "-0.01")))
    value = rng.choice((first, abs(first - second), first + near))
    value = value.quantize(FINEST) if value.adjusted() < 17 else first
    if not within(said, value) and rng.random() < 0.97:
        low = Decimal(str(said.get("above", said.get("at_least", "0"))))
        high = Decimal(str(said.get("at_most", low + 100)))
        value = rng.choice((high, low + (high - low) * rng.randint(1, 16) / 16))
    return format(value, "f")


def stepped(value: Decimal, said: Provision, limit: Provision) -> str:
    """The multiple of the step at or below the value that the bounds take, or above it."""
    step = Decimal(limit["step"])
    below = value // step * step
    keeps = within(said["inputs"][limit["input"]], below)
    return format(below if keeps else below + step, "f")


def within(said: Provision, value: Decimal) -> bool:
    """Whether the bounds of an input take the value."""
    return (
        value > Decimal(said.get("above", "-1"))
        and value >= Decimal(said.get("at_least", "0"))
        and value <= Decimal(said.get("at_most", "999999999999999999"))
    )
