"""`GET /sapi/v1/margin/priceIndex` as a file of prices by asset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from policy_engine.errors import Problem, SnapshotError
from policy_engine.numbers import instant_text, plain
from policy_engine.sources.binance.fields import AGAIN, QUOTE, figure, not_used
from policy_engine.sources.binance.prices import of_bodies, other_quotes
from policy_engine.sources.part import Part
from policy_engine.sources.understood import Imported, Understanding, counted, listed

PATH = "/sapi/v1/margin/priceIndex"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = Decimal(253_402_300_799_000)
"""The last second of the year 9999, in milliseconds since 1970."""


def imported(parts: Sequence[Part]) -> Imported:
    """The prices by asset of responses, each a body or a list of them; symbols in another quote
    are told. Raises SnapshotError."""
    problems: list[Problem] = []
    bodies = [body for part in parts for body in (part.items() or [part])]
    others: list[Part] = []
    held = list(of_bodies(bodies, others, problems))
    times = [_time(body, problems) for _, _, body in held]
    if not held and not problems:
        problems.append(other_quotes(others))
    if problems:
        raise SnapshotError(problems)
    prices = {QUOTE: "1"} | {asset: plain(price) for asset, price, _ in held}
    shown = zip(held, times, strict=True)
    rows = ((asset, plain(price), instant_text(at)) for (asset, price, _), at in shown if at)
    understanding = Understanding(
        f"Prices of {counted(len(prices) - 1, 'asset')} in {QUOTE}",
        (("asset", "price", "at"), *rows),
        tuple(_remarks(bodies, others)),
    )
    return Imported({asset: prices[asset] for asset in sorted(prices)}, understanding)


def _time(body: Part, problems: list[Problem]) -> datetime | None:
    """The instant of a price, which the response gives in milliseconds since 1970."""
    since = figure(body, "calcTime", problems)
    if since is None:
        return None
    if since > _LAST or since != since.to_integral_value():
        message = f"`{plain(since)}` is no instant in milliseconds since 1970"
        problems.append(body.member("calcTime").problem("bad-instant", message, AGAIN))
        return None
    return _EPOCH + timedelta(milliseconds=int(since))


def _remarks(bodies: Sequence[Part], others: Sequence[Part]) -> Iterator[tuple[str, str]]:
    yield "Added", f"{QUOTE} at 1: prices are in {QUOTE}"
    unused = list(not_used(bodies, ("symbol", "price", "calcTime")))
    if others:
        symbols = listed((f"`{symbol.value}`" for symbol in others), 12)
        yield "Not used", f"{symbols}: not a price of a coin in {QUOTE}"
    if unused:
        yield "Not used", listed((f"`{name}`" for name in unused), 12)
