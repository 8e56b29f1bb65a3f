"""Snapshots and instants that cannot be used: a code, a place and a hint each, and no decision."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from policy_engine import PolicyError, Rulebook, RulesError, SnapshotError

BOOK = Rulebook.load()
RULES = BOOK.in_force("2025-02-01")
LINE = {
    "asset": "BTC",
    "free": "1",
    "locked": "0",
    "borrowed": "0",
    "interest": "0",
    "price": "10000",
}
ACCOUNT: dict[str, Any] = {"account": "A-1", "mode": "pro", "assets": [LINE]}
ORDER = {"sell": "BTC", "sell_quantity": "1", "buy": "ETH", "buy_quantity": "1"}


def line(**changed: Any) -> dict[str, Any]:
    """The account with its line changed."""
    return {**ACCOUNT, "assets": [{**LINE, **changed}]}


def without(name: str, of: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in of.items() if key != name}


REFUSED: dict[str, tuple[Any, str, str]] = {
    "a float": (line(free=0.1), "float", "assets[0].free"),
    "not a number": (line(free=float("nan")), "bad-number", "assets[0].free"),
    "a Decimal that is no number": (line(price=Decimal("NaN")), "bad-number", "assets[0].price"),
    "an endless Decimal": (line(free=Decimal("Infinity")), "bad-number", "assets[0].free"),
    "a truth": (line(free=True), "wrong-type", "assets[0].free"),
    "no price": ({**ACCOUNT, "assets": [without("price", LINE)]}, "missing-key", "assets[0].price"),
    "a price of 0": (line(price="0"), "invalid-value", "assets[0].price"),
    "a price of 0.00": (line(price="0.00"), "invalid-value", "assets[0].price"),
    "less than nothing": (line(borrowed="-1"), "invalid-value", "assets[0].borrowed"),
    "an exponent": (line(free="1e5"), "bad-number", "assets[0].free"),
    "leading zeros": (line(free="010"), "bad-number", "assets[0].free"),
    "digits of another script": (line(free="١"), "bad-number", "assets[0].free"),
    "a bar": (line(free="1|2"), "bad-number", "assets[0].free"),
    "too many digits": (line(free="0.1234567890123456789"), "bad-number", "assets[0].free"),
    "a space in a name": (line(asset="B TC"), "invalid-value", "assets[0].asset"),
    "a second line": ({**ACCOUNT, "assets": [LINE, LINE]}, "duplicate-line", "assets[1].asset"),
    "UK": ({**ACCOUNT, "region": "UK"}, "invalid-value", "region"),
    "EL": ({**ACCOUNT, "region": "EL"}, "invalid-value", "region"),
    "a lower-case region": ({**ACCOUNT, "region": "fr"}, "invalid-value", "region"),
    "an unknown mode": ({**ACCOUNT, "mode": "isolated"}, "invalid-value", "mode"),
    "no mode": (without("mode", ACCOUNT), "missing-key", "mode"),
    "no account": (without("account", ACCOUNT), "missing-key", "account"),
    "no assets": (without("assets", ACCOUNT), "missing-key", "assets"),
    "assets that are null": ({**ACCOUNT, "assets": None}, "wrong-type", "assets"),
    "loans that are null": ({**ACCOUNT, "loans": None}, "wrong-type", "loans"),
    "a misspelt field": ({**ACCOUNT, "reigon": "FR"}, "unknown-key", "reigon"),
    "a misspelt field of a line": (line(fre="1"), "unknown-key", "assets[0].fre"),
    "an order for what has no price": (
        {**ACCOUNT, "orders": [ORDER]},
        "unknown-key",
        "orders[0].buy",
    ),
    "two prices": ({**ACCOUNT, "prices": {"BTC": "9"}}, "two-prices", "prices.BTC"),
    "orders and their loss": (
        {**ACCOUNT, "orders": [], "open_order_loss": "1"},
        "invalid-value",
        "orders",
    ),
    "an instant without a zone": ({**ACCOUNT, "at": "2025-02-01T00:00:00"}, "bad-instant", "at"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_snapshot_is_refused_with_its_place_and_a_hint(name: str) -> None:
    snapshot, code, pointer = REFUSED[name]
    with pytest.raises(SnapshotError) as caught:
        RULES.decide(snapshot)
    found = [(problem.code, problem.place.pointer) for problem in caught.value.problems]
    assert found == [(code, pointer)]
    assert all(problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize("snapshot", [[], "text", 1, None, {}])
def test_what_is_no_snapshot_is_refused(snapshot: Any) -> None:
    with pytest.raises(SnapshotError):
        RULES.decide(snapshot)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2018-01-01", "no-rules-apply"),
        ("2025-02-30", "bad-instant"),
        ("13:20", "bad-instant"),
        ("2025-02-01T00:00:00", "bad-instant"),
    ],
)
def test_an_instant_without_rules_is_refused(at: str, code: str) -> None:
    with pytest.raises(RulesError) as caught:
        BOOK.in_force(at)
    assert (caught.value.code, bool(caught.value.problems[0].hint)) == (code, True)


def test_before_a_mode_there_are_no_rules_for_it() -> None:
    with pytest.raises(PolicyError) as caught:
        BOOK.in_force("2023-07-24").decide(ACCOUNT)
    assert caught.value.code == "no-rules-apply"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(SnapshotError) as caught:
        RULES.decide({**line(free=0.1, price="-1"), "region": "UK", "reigon": "FR"})
    assert [problem.code for problem in caught.value.problems].count("invalid-value") == 2
    assert len(caught.value.problems) == 4
