"""Random account snapshots that often sit exactly on the figures of the rules."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from generator_provisions import LONG, decimal
from generator_terms import TEXTS

Document = dict[str, Any]
Snapshot = dict[str, Any]
COINS = TEXTS["coin"]
PRICES = ("1", "1", "1", "1.0", "2", "0.5", "10000", "0.1", "27123.456789")
MOMENTS = (
    "2025-02-01T12:00:00Z",
    "2025-02-01T12:59:59.500000Z",
    "2025-02-01T13:00:00Z",
    "2025-01-31T23:59:59Z",
    "2024-06-15T10:00:00Z",
)
AMOUNTS = ("0", "0", "0", "1", "2", "0.00000001", "3.1400", "999999999999999999.5", "7", "120")


def account(rng: Random, documents: list[Document]) -> Snapshot:
    """A snapshot; a few in a hundred are bad in one way each."""
    amounts = [*AMOUNTS, *edges(documents), *edges(documents)]
    made: Snapshot = {"account": f"A-{rng.randint(1, 999)}", "mode": mode(rng, documents)}
    if rng.random() < 0.85:
        made["at"] = rng.choice(MOMENTS)
    made |= facts(rng, amounts)
    held = rng.sample(COINS, rng.choice((0, 1, 2, 2, 3, 3, 4)))
    made["assets"] = [asset(rng, coin, amounts) for coin in held]
    made |= prices(rng, made["assets"])
    made |= orders(rng, made, amounts)
    if rng.random() < 0.7:
        made["loans"] = [loan(rng, amounts) for _ in range(rng.randint(0, 3))]
    return spoilt(rng, made, documents) if rng.random() < 0.05 else made


def edges(documents: list[Document]) -> list[str]:
    """The numbers of the rules that an amount may sit on: edges, thresholds, keys; nearby too."""
    found = dict.fromkeys(decimal(text) for document in documents for text in figures(document))
    numbers = sorted([*found, Decimal(0)])
    small = [number for number in numbers if Decimal(0) <= number < Decimal(10) ** 17]
    near = [small[-1] + Decimal("0.01"), small[-1] * 2, sum(small[:4], Decimal(0))]
    return [format(number, "f") for number in [*small, *near] if places(number) <= 18]


def places(number: Decimal) -> int:
    """How many digits stand after the point."""
    return max(0, -int(number.as_tuple().exponent))


def figures(document: Document) -> Iterator[str]:
    """The edges and the parameter values of a document."""
    for said in document["parameters"].values():
        if "unit" in said and said["value"] not in ("unlimited", "undetermined"):
            yield said["value"]
    for said in document["scales"].values():
        for tiers in said["tiers"].values() if "by" in said else [said["tiers"]]:
            yield from (tier["to"] for tier in tiers)


def mode(rng: Random, documents: list[Document]) -> str:
    """Mostly a mode that the rules know."""
    if any(document["ruleset"] == "generated_classic" for document in documents):
        return rng.choice(("pro", "pro", "classic"))
    return "classic" if rng.random() < 0.03 else "pro"


def facts(rng: Random, amounts: list[str]) -> Snapshot:
    """The optional fields, each often absent."""
    ratio = {"pro": rng.choice(("1.4", "1.50", *amounts)), "classic": "1.3"}
    all_of_them: Snapshot = {
        "leverage": rng.choice((3, 5)),
        "region": rng.choice((*TEXTS["region"], "DE")),
        "vip_level": rng.choice((0, 1, 2, 3, 9)),
        "margin_call_ratio": rng.choice((ratio, ratio, {"classic": "1.2"}, {})),
        "questionnaire_completed": rng.random() < 0.5,
        "terms_accepted": rng.random() < 0.5,
    }
    return {key: value for key, value in all_of_them.items() if rng.random() < 0.85}


def asset(rng: Random, coin: str, amounts: list[str]) -> Snapshot:
    """A line; at times all of it is 0."""
    if rng.random() < 0.2:
        amounts = ["0", "0.00"]
    if rng.random() < 0.03:
        amounts = [LONG, *amounts]
    fields = ("free", "locked", "borrowed", "interest")
    held = {field: rng.choice(amounts if rng.random() < 0.7 else AMOUNTS[:5]) for field in fields}
    return {"asset": coin, **held, "price": rng.choice(PRICES)}


def prices(rng: Random, assets: list[Snapshot]) -> Snapshot:
    """At times prices of coins without a line, and equal prices of coins with one."""
    if rng.random() < 0.5:
        return {}
    there = {line["asset"]: line["price"] for line in assets}
    some = rng.sample(COINS, rng.randint(0, 3))
    told = {coin: same(there[coin]) if coin in there else rng.choice(PRICES) for coin in some}
    return {"prices": told}


def same(text: str) -> str:
    """The same number in another text."""
    return text + "0" if "." in text else text + ".00"


def orders(rng: Random, made: Snapshot, amounts: list[str]) -> Snapshot:
    """Orders of coins that are there; or unknown orders, with or without a supplied loss."""
    coins = sorted({line["asset"] for line in made["assets"]} | set(made.get("prices", ())))
    form = rng.choice(("some", "some", "some", "some", "none", "unknown", "supplied"))
    if form == "supplied":
        unknown = {"orders": None} if rng.random() < 0.5 else {}
        return {"open_order_loss": rng.choice(amounts), **unknown}
    if form == "unknown":
        return {"orders": None}
    if form == "none" or not coins:
        return rng.choice(({}, {"orders": []}))
    return {"orders": [order(rng, coins, amounts) for _ in range(rng.randint(1, 3))]}


def order(rng: Random, coins: list[str], amounts: list[str]) -> Snapshot:
    """An order."""
    return {
        "sell": rng.choice(coins),
        "sell_quantity": rng.choice(amounts),
        "buy": rng.choice(coins),
        "buy_quantity": rng.choice(amounts),
    }


def loan(rng: Random, amounts: list[str]) -> Snapshot:
    """A loan; at times borrowed after the instant of the facts."""
    return {
        "asset": rng.choice(COINS),
        "principal": rng.choice(amounts),
        "hourly_rate": rng.choice(("0.00001", "0", "0.000012500", "0.5")),
        "borrowed_at": rng.choice((*MOMENTS, *MOMENTS[-2:])),
    }


def spoilt(rng: Random, made: Snapshot, documents: list[Document]) -> Snapshot:
    """The snapshot made bad in one way, if it can be."""
    lines = made["assets"]
    way = rng.choice(("two-prices", "duplicate-line", "missing", "unknown-key"))
    if not lines or made["mode"] != "pro":
        return made
    if way == "two-prices":
        return made | {"prices": {lines[0]["asset"]: "123.5"}}
    if way == "duplicate-line":
        return made | {"assets": [*lines, lines[0] | {"free": "3"}]}
    if way == "missing":
        less = {key: value for key, value in lines[-1].items() if key != "price"}
        return made | {"assets": [*lines[:-1], less]}
    return made | unknown_order(documents, made, lines[0]["asset"])


def unknown_order(documents: list[Document], made: Snapshot, coin: str) -> Snapshot:
    """An order of a coin that is nowhere, if every version would see it."""
    mains = [one for one in documents if one["ruleset"] == "generated_main"]
    seen = all("orders" in one["inputs"] for one in mains)
    if not seen or "open_order_loss" in made:
        return {}
    wrong = {"sell": coin, "sell_quantity": "1", "buy": "NOWHERE", "buy_quantity": "1"}
    return {"orders": [wrong]}
