"""Figures and sources as a rule file has them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from policy_engine.numbers import EXACT, plain
from policy_engine.sources.understood import Terms


def percent(rate: Decimal) -> str:
    """A rate in percent, exactly: `11.12%`."""
    return f"{plain(rate.scaleb(2, EXACT))}%"


def grouped(figure: Decimal) -> str:
    """A figure with its thousands apart, exactly: `1,000,000`."""
    return f"{Decimal(plain(figure)):,f}"


def span(figures: Iterable[Decimal], shown: str = "") -> str:
    """The lowest and the highest of some figures: `2% to 7%` where `shown` is `%`."""
    held = sorted(set(figures))
    texts = [percent(figure) if shown == "%" else grouped(figure) for figure in held]
    return f"{texts[0]} to {texts[-1]}" if len(texts) > 1 else "".join(texts)


def source(path: str, terms: Terms) -> dict[str, str]:
    """The entry of a call of the API under `sources`; its day is that of the response."""
    return {
        "title": f"Binance API, answer of GET {path}",
        "updated": terms.fetched_on,
        "url": f"https://api.binance.com{path}",
    }
