"""Prices for an account: by asset, or as `GET /sapi/v1/margin/priceIndex` answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from policy_engine.errors import Problem
from policy_engine.sources.binance.fields import QUOTE
from policy_engine.sources.part import Part


def known_prices(prices: Part | None) -> tuple[dict[str, Decimal], list[Problem]]:
    """The price of each asset in USDT, and what is wrong with them."""
    problems: list[Problem] = []
    known = {} if prices is None else dict(_prices(prices, problems))
    return known, problems


def _prices(part: Part, problems: list[Problem]) -> Iterator[tuple[str, Decimal]]:
    """Each asset and its price in USDT."""
    if isinstance(part.value, dict):
        one = part.member("symbol").given and part.member("price").given
        yield from _in_usdt([part], problems) if one else _of_object(part, problems)
    elif isinstance(part.value, list):
        yield from _in_usdt(part.items(), problems)
    else:
        hint = 'write {"BTC": "10000"}, or a list of priceIndex bodies'
        problems.append(part.problem("wrong-type", "these are no prices", hint))


def _of_object(part: Part, problems: list[Problem]) -> Iterator[tuple[str, Decimal]]:
    for name in part.value:
        price = _price(part.member(name), problems)
        if price is not None:
            yield name, price


def _in_usdt(bodies: list[Part], problems: list[Problem]) -> Iterator[tuple[str, Decimal]]:
    """The prices of bodies, all of which should be in USDT."""
    others: list[Part] = []
    yield from ((asset, price) for asset, price, _ in of_bodies(bodies, others, problems))
    if others:
        problems.append(other_quotes(others))


def of_bodies(
    bodies: Sequence[Part], others: list[Part], problems: list[Problem]
) -> Iterator[tuple[str, Decimal, Part]]:
    """Asset, price in USDT and body of each; symbols in another quote go to `others`."""
    seen: dict[str, Decimal] = {}
    for body in bodies:
        symbol = body.member("symbol")
        if not isinstance(symbol.value, str):
            hint = 'write {"symbol": "BTCUSDT", "price": "10000"}'
            problems.append(symbol.problem("missing-key", "`symbol` is missing", hint))
        elif symbol.value == QUOTE or not symbol.value.endswith(QUOTE):
            others.append(symbol)
        elif (price := _price(body.member("price"), problems)) is not None:
            asset = symbol.value.removesuffix(QUOTE)
            if seen.setdefault(asset, price) != price:
                message = f"`{symbol.value}` has two prices"
                problems.append(symbol.problem("two-prices", message, "keep one of the two"))
            yield asset, price, body


def _price(part: Part, problems: list[Problem]) -> Decimal | None:
    price = part.amount(problems)
    if price is not None and price == 0:
        hint = "leave out an asset whose price is not known"
        problems.append(part.problem("invalid-value", "a price should be greater than 0", hint))
    return price


def other_quotes(symbols: Sequence[Part]) -> Problem:
    """The problem that these symbols are no prices in USDT."""
    shown = ", ".join(f"`{symbol.value}`" for symbol in symbols[:3])
    more = f" and {len(symbols) - 3} more" if len(symbols) > 3 else ""
    message = f"{shown}{more}: not a price of a coin in {QUOTE}"
    hint = f"ask for the symbols that end in {QUOTE}, such as `BTC{QUOTE}`, and keep only those"
    return symbols[0].problem("not-in-usdt", message, hint)
