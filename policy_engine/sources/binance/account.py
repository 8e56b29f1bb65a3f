"""Binance's own account JSON, `GET /sapi/v1/margin/account`, as a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.errors import Problem, SnapshotError, did_you_mean
from policy_engine.numbers import EXACT, plain
from policy_engine.sources.binance.fields import QUOTE, asset_name, is_refusal, refusal
from policy_engine.sources.binance.prices import known_prices
from policy_engine.sources.part import Part

ENDPOINT = "GET /sapi/v1/margin/account"
MODES: Mapping[str, str] = {"MARGIN_1": "classic", "MARGIN_2": "pro"}
"""Our mode by Binance's `accountType`."""

_HELD_AND_OWED = ("free", "locked", "borrowed", "interest")
_LAST_PLACE = Decimal("0.00000001")


def snapshot(account: Part, prices: Part | None, name: str) -> dict[str, Any]:
    """The snapshot of an account response, with prices in USDT.

    The account is the response's body as it is, or an object whose only key without a leading
    `_` is `response`, as saved samples of the documentation are. Fields that no rule reads are
    not looked at: the format grows. Prices are an object `{"BTC": "10000"}` or a list of
    `GET /sapi/v1/margin/priceIndex` bodies. A line of zeros without a price is left out. The open
    orders are not in the response: `orders` is null, and `open_order_loss` is the response's
    total where it has one. Raises SnapshotError with every problem of both files.
    """
    body = _body(account)
    if is_refusal(body):
        raise SnapshotError([refusal(body, "account", f"`{ENDPOINT}`")])
    problems: list[Problem] = []
    made = {"account": name, "mode": _mode(body, problems), **_open_orders(body, problems)}
    lines = list(_lines(body, problems))
    known, slips = known_prices(None if prices is None else _body(prices))
    made |= _priced(lines, known)
    problems += slips or _missing_prices(account, prices, lines, known)
    if problems:
        raise SnapshotError(problems)
    return made


def is_account(part: Part) -> bool:
    """Whether a JSON value looks like an account response rather than a snapshot."""
    return _body(part).member("userAssets").given


def _body(part: Part) -> Part:
    """The response inside a saved sample, or the response itself."""
    keys = (
        [key for key in part.value if not key.startswith("_")]
        if isinstance(part.value, dict)
        else []
    )
    return part.member("response") if keys == ["response"] else part


# --- the account ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    asset: str
    amounts: Mapping[str, Decimal]


def _mode(body: Part, problems: list[Problem]) -> str | None:
    kind = _either_spelling(body, "accountType", problems)
    if isinstance(kind.value, str) and kind.value in MODES:
        return MODES[kind.value]
    known = " or ".join(f'"{name}" ({mode})' for name, mode in MODES.items())
    if kind.given:
        message = f"`accountType` is `{kind.value}`, which is no account type we know"
        hint = did_you_mean(str(kind.value), MODES) or f"write {known}"
        problems.append(kind.problem("unknown-account-type", message, hint))
    else:
        problems.append(kind.problem("missing-key", "`accountType` is missing", f"add it: {known}"))
    return None


def _open_orders(body: Part, problems: list[Problem]) -> dict[str, str | None]:
    """The open orders, which the response does not list, and their total loss where it has one."""
    loss = _either_spelling(body, "totalOpenOrderLossInUSDT", problems)
    amount = loss.amount(problems) if loss.given else None
    return {"orders": None, **({} if amount is None else {"open_order_loss": plain(amount)})}


def _lines(body: Part, problems: list[Problem]) -> Iterator[_Line]:
    assets = _either_spelling(body, "userAssets", problems)
    if not isinstance(assets.value, list):
        hint = f"the file should be the body that `{ENDPOINT}` answers"
        message = "`userAssets`, the list of what is held and owed, is missing"
        problems.append(assets.problem("missing-key", message, hint))
    first: dict[str, int] = {}
    for n, part in enumerate(assets.items()):
        line = _line(part, problems)
        if line is None:
            continue
        if first.setdefault(line.asset, n) != n:
            message = f"`{line.asset}` has a line already, at userAssets[{first[line.asset]}]"
            problem = part.problem("duplicate-line", message, "keep one of the two lines")
            problems.append(problem)
        yield line


def _line(part: Part, problems: list[Problem]) -> _Line | None:
    """A line, if nothing is wrong with it."""
    asset = asset_name(part.member("asset"), problems)
    amounts = {name: part.member(name).amount(problems) for name in _HELD_AND_OWED}
    known = {name: amount for name, amount in amounts.items() if amount is not None}
    if asset is None or len(known) < len(amounts):
        return None
    _check_net(part.member("netAsset"), asset, known, problems)
    return _Line(asset, known)


def _check_net(
    net: Part, asset: str, amounts: Mapping[str, Decimal], problems: list[Problem]
) -> None:
    """A net amount that the line's own amounts do not give: the file was cut or edited."""
    stated = net.amount(problems, signed=True) if net.given else None
    if stated is None:
        return
    with localcontext(EXACT):
        owed = amounts["borrowed"] + amounts["interest"]
        worked_out = amounts["free"] + amounts["locked"] - owed
        # The response shows eight places, and may have cut or rounded what has more.
        differs = abs(stated - worked_out) >= _LAST_PLACE
    if differs:
        message = (
            f"`netAsset` of {asset} is {plain(stated)}, but"
            f" free + locked - borrowed - interest is {plain(worked_out)}"
        )
        hint = "fetch the account again; in a file made by hand, leave `netAsset` out"
        problems.append(net.problem("net-asset", message, hint))


def _either_spelling(body: Part, name: str, problems: list[Problem]) -> Part:
    """A field that some versions of the API write with a capital first letter."""
    lower, upper = body.member(name), body.member(name[0].upper() + name[1:])
    if lower.given and upper.given and lower.value != upper.value:
        message = f"`{lower.at[-1]}` and `{upper.at[-1]}` are both there and differ"
        problems.append(upper.problem("two-values", message, "keep the one that holds"))
    return upper if upper.given and not lower.given else lower


# --- prices --------------------------------------------------------------------------------------


def _priced(lines: list[_Line], known: Mapping[str, Decimal]) -> dict[str, Any]:
    """The snapshot's lines, each with its price, and the prices of what has no line."""
    held = {line.asset for line in lines}
    return {
        "assets": [
            {
                "asset": line.asset,
                **{name: plain(amount) for name, amount in line.amounts.items()},
                "price": plain(known[line.asset]),
            }
            for line in lines
            if line.asset in known
        ],
        "prices": {asset: plain(known[asset]) for asset in known if asset not in held},
    }


def _missing_prices(
    account: Part, prices: Part | None, lines: list[_Line], known: Mapping[str, Decimal]
) -> list[Problem]:
    """One problem for all lines with an amount and without a price."""
    assets = [
        line.asset for line in lines if line.asset not in known and any(line.amounts.values())
    ]
    if not assets:
        return []
    named = ", ".join(f"`{asset}`" for asset in assets)
    message = f"no price for {named}, of which something is held or owed"
    if prices is None:
        hint = f"write {{{_examples(assets)}}} to a file, with the prices in {QUOTE}: --prices FILE"
        return [account.problem("missing-price", message, hint)]
    listed = isinstance(_body(prices).value, list)
    hint = f"add {_examples(assets, listed)}, with the price in {QUOTE}"
    return [prices.problem("missing-price", message, hint)]


def _examples(assets: list[str], listed: bool = False) -> str:
    """Entries of a price file, as an object or as a list of bodies has them."""
    form = '{{"symbol": "{0}{1}", "price": "{2}"}}' if listed else '"{0}": "{2}"'
    shown = (form.format(asset, QUOTE, "1" if asset == QUOTE else "…") for asset in assets)
    return ", ".join(shown)
