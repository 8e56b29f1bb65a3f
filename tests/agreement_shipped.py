"""Requests and limits of the shipped rules at an instant, answered by engine and oracle."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import yaml

import oracle
from agreement_requests import Compared, Point, answered, limits_agree
from generator_shipped import AMOUNTS, FOLDER, SCALES, Document, Snapshot, accounts
from oracle_values import instant
from policy_engine import Rulebook

FINE = "0.00000001"
"""The step on which the shipped rules put their limits."""

COARSE = ("0.1", "50", "20000")
"""Steps that are put in its place, so that a limit can be found by asking of every multiple."""

MOST = 60
"""At most so many multiples are asked of."""

RATIOS = ("1.3", "2", "1.29", "2.01", "1.5")
TWICE = ("borrow", "repay", "transfer_out")
"""Requests that are asked of once more, at an edge of what is permitted."""

Said = dict[str, Any]


@functools.cache
def texts(step: str) -> tuple[tuple[str, str], ...]:
    """The shipped rule files with another step of their limits."""
    return tuple(
        (path.relative_to(FOLDER).as_posix(), stepped(path, step))
        for path in sorted(FOLDER.glob("*/*.yaml"))
    )


def stepped(path: Path, step: str) -> str:
    """A rule file with another step."""
    return path.read_text(encoding="utf-8").replace(f"step: {FINE}", f"step: {step}")


@functools.cache
def documents(step: str) -> list[Document]:
    """The same, every scalar as it is written."""
    return [yaml.load(text, yaml.BaseLoader) for _, text in texts(step)]


@functools.cache
def book(step: str) -> Rulebook:
    """The engine's rulebook of them."""
    return Rulebook(texts(step))


def point(snapshot: Snapshot, at: str, known_at: str | None, step: str = FINE) -> Point:
    """An account under the shipped rules, with a step of their limits."""
    return Point(documents(step), book(step), snapshot, at, known_at)


@functools.cache
def compared_at(at: str, count: int, known_at: str | None = None) -> Compared:
    """Every request of random accounts at an instant, up to the first disagreement."""
    compared, rng = Compared(), Random(f"requests {at} {known_at}")
    started = oracle.in_force(documents(FINE), instant(at), None)
    for turn, snapshot in enumerate(islice(accounts(rng, started), count)):
        account = point(widened(rng, snapshot), at, known_at)
        where = f"{at}, as known at {known_at}, account {turn}: {account.snapshot}"
        if not requests_agree(account, rng, compared, where):
            break
    return compared


def widened(rng: Random, snapshot: Snapshot) -> Snapshot:
    """The account with prices of more coins that it may ask for."""
    there = {line["asset"]: line["price"] for line in snapshot["assets"]}
    more = {coin: there.get(coin, "1") for coin in ("USDC", "USDT", "BTC") if rng.random() < 0.5}
    return snapshot | {"prices": snapshot.get("prices", {}) | more}


def requests_agree(account: Point, rng: Random, compared: Compared, where: str) -> bool:
    """Whether both say the same of every request that any version declares, and of a limit."""
    for name, said in declared(account):
        inputs = brought(rng, said, account, where)
        for asked in (inputs, *edge(rng, account, name, said, inputs)):
            outcome = answered(account, name, asked, compared, f"{where}, {name} {asked}")
            compared.reached[f"{name} {outcome}"] += 1
            if not outcome:
                return False
        if "limit" in said and not coarse(rng, account, name, said, inputs, compared, where):
            return False
    return True


def brought(rng: Random, said: Said, account: Point, where: str) -> Said:
    """What a request is asked with: the position of a line that it takes, or values."""
    if "takes" in said:
        return {said["takes"]: str(Random(where).randrange(3))}
    return {one: value(rng, one, it, account) for one, it in said.get("inputs", {}).items()}


def declared(account: Point) -> list[tuple[str, Said]]:
    """Every request by name, as the rules that apply declare it, or else others."""
    found: dict[str, Said] = {}
    for document in [*account.documents, *account.there.started.values()]:
        found |= document.get("requests", {})
    for document in account.there.started.values():
        if document.get("applies_when") == f'mode == "{account.snapshot["mode"]}"':
            found |= document.get("requests", {})
    return sorted(found.items())


def value(rng: Random, name: str, said: Said, account: Point) -> str:
    """A value for an input: a coin of the account, or an amount near those it has."""
    if "one_of" in said:
        return str(rng.choice(said["one_of"]))
    lines = account.snapshot["assets"]
    if "key_of" in said:
        coins = [line["asset"] for line in lines]
        return str(rng.choice([*coins, *account.snapshot["prices"], "BTC"]))
    if name == "ratio":
        return rng.choice(RATIOS)
    held = [line[field] for line in lines for field in ("free", "borrowed", "interest")]
    amount = Decimal(rng.choice([*held, "0"]))
    amount += Decimal(rng.choice((*AMOUNTS, *edges(account))))
    return on_step(rng.choice((amount, amount / 2)), FINE)


def edges(account: Point) -> list[str]:
    """The edges of all tiers in force."""
    return [
        tier["to"]
        for document in account.there.started.values()
        for name in SCALES
        for tiers in document.get("scales", {}).get(name, {}).get("tiers", {}).values()
        for tier in tiers
    ]


def on_step(amount: Decimal, step: str) -> str:
    """The multiple of the step at or below an amount, at least one step."""
    steps = (amount / Decimal(step)).to_integral_value(ROUND_FLOOR)
    return format(max(steps, Decimal(1)) * Decimal(step), "f")


def edge(rng: Random, account: Point, name: str, said: Said, inputs: Said) -> Iterator[Said]:
    """What is asked for at the limit, and a step above it."""
    limit = fine_limit(account, name, said, inputs) if name in TWICE else None
    if limit is not None and limit.is_finite():
        more = Decimal(FINE) if limit == 0 else Decimal(rng.choice(("0", FINE)))
        yield {**inputs, said["limit"]["input"]: format(limit + more, "f")}


def fine_limit(account: Point, name: str, said: Said, inputs: Said) -> Decimal | None:
    """The engine's limit on the step of the rules; None if there is none."""
    rest = {key: one for key, one in inputs.items() if key != said["limit"]["input"]}
    try:
        return account.rules.limit(account.snapshot, name, **rest)
    except Exception:  # it is compared elsewhere, on a coarser step
        return None


def coarse(
    rng: Random,
    account: Point,
    name: str,
    said: Said,
    inputs: Said,
    compared: Compared,
    where: str,
) -> bool:
    """Whether a limit on a coarse step is what asking of all its multiples gives."""
    limit = fine_limit(account, name, said, inputs)
    plain = limit is None or limit == 0 or not limit.is_finite()
    if rng.random() < (0.8 if plain else 0.3):
        return True
    fits = [step for step in COARSE if limit and limit <= Decimal(step) * MOST]
    step = fits[0] if fits else rng.choice(COARSE)
    rest = {key: one for key, one in inputs.items() if key != said["limit"]["input"]}
    other = point(account.snapshot, account.at, account.known_at, step)
    spot = f"{where}, {name} {rest}, limit on {step}"
    return limits_agree(other, name, rest, MOST, compared, spot)
