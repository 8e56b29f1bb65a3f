"""Requests that are made with a line of a list, which is then gone."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from policy_engine import Rulebook, Rules, SnapshotError

AT = "2025-02-01T00:00:00Z"
ACCOUNT: dict[str, Any] = {
    "account": "A-1",
    "at": AT,
    "mode": "pro",
    "region": "SG",
    "assets": [
        {"asset": "USDC", "free": "1", "locked": "30", "borrowed": "0", "interest": "0"}
        | {"price": "1"},
        {"asset": "BTC", "free": "0", "locked": "0", "borrowed": "0.001", "interest": "0"}
        | {"price": "10000"},
    ],
    "orders": [
        {"sell": "USDC", "sell_quantity": "10", "buy": "BTC", "buy_quantity": "0.001"},
        {"sell": "USDC", "sell_quantity": "20", "buy": "BTC", "buy_quantity": "0.003"},
    ],
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rulebook.load().in_force(AT)


def test_the_line_brings_the_figures_and_is_gone(rules: Rules) -> None:
    kept = deepcopy(ACCOUNT)
    answer = rules.request(ACCOUNT, "fill_order", orders="1")
    assert answer.permitted is True
    assert {name: str(value) for name, value in answer.inputs.items()} == {
        "sell": "USDC",
        "sell_quantity": "20",
        "buy": "BTC",
        "buy_quantity": "0.003",
    }
    assert answer.after is not None
    assert len(answer.after.orders or ()) == 1
    assert kept == ACCOUNT
    by_hand = deepcopy(ACCOUNT)
    by_hand["assets"][0]["locked"], by_hand["assets"][1]["free"] = "10", "0.003"
    del by_hand["orders"][1]
    assert answer.after == rules.decide(by_hand)


def test_a_position_may_be_a_whole_number(rules: Rules) -> None:
    told = rules.request(ACCOUNT, "cancel_order", orders=0)
    assert told.to_json() == rules.request(ACCOUNT, "cancel_order", orders="0").to_json()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ("missing-key", "`cancel_order` is made with a line of `orders`", "orders")),
        ({"orders": "2"}, ("unknown-line", "`orders` has no line 2", "orders")),
        ({"orders": "-1"}, ("unknown-line", "`orders` has no line -1", "orders")),
        ({"orders": "first"}, ("unknown-line", "`orders` has no line first", "orders")),
        ({"orders": "²"}, ("unknown-line", "`orders` has no line ²", "orders")),
        ({"orders": "0", "sell": "BTC"}, ("given-twice", "`sell` is that of the line", "sell")),
        ({"orders": "0", "fee": "1"}, ("unknown-key", "`cancel_order` takes no `fee`", "fee")),
    ],
)
def test_what_names_no_line_is_refused(
    rules: Rules, given: dict[str, str], problem: tuple[str, str, str]
) -> None:
    with pytest.raises(SnapshotError) as raised:
        rules.request(ACCOUNT, "cancel_order", **given)
    (found,) = raised.value.problems
    assert (found.code, found.message, found.place.pointer) == problem
    assert found.hint


def test_the_hint_tells_what_lines_there_are(rules: Rules) -> None:
    hints = []
    lists: tuple[Any, ...] = (ACCOUNT["orders"], [], None)
    for orders in lists:
        with pytest.raises(SnapshotError) as raised:
            rules.request({**ACCOUNT, "orders": orders}, "cancel_order", orders="7")
        hints.append(raised.value.problems[0].hint)
    assert hints == [
        "count from 0 to 1",
        "the account has no `orders`",
        "the account's `orders` are not known: give them",
    ]
