"""How far prices may move: at the price told the status begins, and a tick nearer it does not."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policy_engine import Rulebook, Rules, SnapshotError
from policy_engine.distances import Distance, Distances
from policy_engine.numbers import EXACT, plain

RULES = {at: Rulebook.load().in_force(at) for at in ("2025-02-01", "2026-03-01")}
NOTHING = {"locked": "0", "interest": "0"}
OWN = {"account": "A", "region": "SG", "leverage": "5", "orders": []}


def account(mode: str, *lines: tuple[str, str, str, str]) -> dict[str, Any]:
    """A snapshot with lines of (asset, free, borrowed, price)."""
    names = ("asset", "free", "borrowed", "price")
    assets = [{**dict(zip(names, line, strict=True)), **NOTHING} for line in lines]
    return {**OWN, "mode": mode, "assets": assets}


SHORT = account("pro", ("USDC", "300000", "0", "1"), ("BTC", "0", "1", "100000"))
LONG = account("pro", ("USDC", "0", "100000", "1"), ("BTC", "3", "0", "100000"))
BOTH = account("classic", ("USDC", "0", "100000", "1"), ("BTC", "1.5", "0", "100000"))


def at_price(snapshot: Any, line: str, price: Decimal) -> Any:
    lines = [
        {**one, "price": plain(price)} if one["asset"] == line else one
        for one in snapshot["assets"]
    ]
    return {**snapshot, "assets": lines}


def at_shock(snapshot: Any, percent: Decimal, hold: tuple[str, ...] = ()) -> Any:
    with localcontext(EXACT):
        factor = 1 + percent / 100
        lines = [
            one if one["asset"] in hold else {**one, "price": plain(Decimal(one["price"]) * factor)}
            for one in snapshot["assets"]
        ]
    return {**snapshot, "assets": lines}


def of(found: Distances, status: str) -> Distance:
    return next(one for one in found.statuses if one.status == status)


# --- worked by hand -------------------------------------------------------------------------------


def test_a_long_account() -> None:
    # 0.975 of what is above 1,000,000 does not come into it: 3p - 100,000 is the net, and the
    # maintenance margin of 100,000 USDC is 3,000: 1 at p = 34,333.33, but that falls to 34,333.33…
    found = RULES["2025-02-01"].distances(LONG, "BTC")
    assert found.status == "normal"
    assert of(found, "liquidation").below == Decimal("34333.33")
    assert of(found, "margin_call").below == Decimal("34833.33")
    assert {one.above for one in found.statuses} == {None}
    assert (found.present, found.tick, found.sure) == (Decimal(100000), Decimal("0.01"), True)


def test_a_short_account() -> None:
    found = RULES["2025-02-01"].distances(SHORT, "BTC", tick="1")
    # 300,000 - p over 2% of p is 1 at 294,117.6, and 1.5 at 291,262.1.
    assert of(found, "liquidation").above == Decimal(294118)
    assert of(found, "margin_call").above == Decimal(291263)
    assert {one.below for one in found.statuses} == {None}


def test_all_prices_but_those_held() -> None:
    found = RULES["2025-02-01"].distances(LONG, hold=["USDC"])
    assert of(found, "liquidation").below == Decimal("-65.67")
    assert (found.line, found.held) == (None, ("USDC",))
    assert found.present == 0
    # Where all move together the ratio stays, as long as all are counted in full.
    classic = RULES["2025-02-01"].distances(BOTH)
    assert {(one.below, one.above) for one in classic.statuses} == {(None, None)}


def test_an_account_that_is_called_can_recover_or_fall() -> None:
    called = at_price(LONG, "BTC", Decimal("34500"))
    found = RULES["2025-02-01"].distances(called, "BTC")
    assert found.status == "margin_call"
    assert of(found, "liquidation").below == Decimal("34333.33")
    assert of(found, "normal").above == Decimal("34833.34")
    assert of(found, "margin_call") == Distance("margin_call", "Margin call", None, None)


def test_a_price_between_two_ticks() -> None:
    found = RULES["2025-02-01"].distances(
        at_price(LONG, "BTC", Decimal("34833.337")), "BTC", tick="0.5"
    )
    assert found.status == "normal"
    assert of(found, "margin_call").below == Decimal("34833")


def test_what_is_not_held_moves_nothing() -> None:
    found = RULES["2025-02-01"].distances({**LONG, "prices": {"DOGE": "0.1"}}, "DOGE", "0.001")
    assert {(one.below, one.above) for one in found.statuses} == {(None, None)}


def test_what_is_held_at_0_can_be_held_too() -> None:
    empty = {**LONG, "assets": [*LONG["assets"], {**LONG["assets"][0], "asset": "USDT",
                                                "borrowed": "0"}]}  # fmt: skip
    found = RULES["2025-02-01"].distances(empty, hold=["USDC", "USDT"])
    assert of(found, "liquidation").below == Decimal("-65.67")


def test_where_it_cannot_be_told() -> None:
    other = account("pro", ("BNB", "3", "0", "1000"), ("USDC", "0", "100", "1"))
    found = RULES["2025-02-01"].distances(other, "BNB")
    assert found.status is None
    assert any("BNB" in reason for reason in found.reasons)
    assert {(one.below, one.above) for one in found.statuses} == {(None, None)}


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"line": "BTCC"}, "unknown-key", "did you mean `BTC`?"),
        ({"line": "BTC", "tick": "0"}, "bad-number", "give one above 0"),
        ({"line": "BTC", "tick": "1e-2"}, "bad-number", "without an exponent"),
        ({"line": "USDC", "tick": "2"}, "bad-number", "give a smaller one"),
        ({"hold": ["USDD"]}, "unknown-key", "did you mean `USDC`?"),
    ],
)
def test_what_cannot_be_asked(asked: Any, code: str, said: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        RULES["2025-02-01"].distances(LONG, **asked)
    assert caught.value.code == code
    assert said in str(caught.value)


# --- laws -----------------------------------------------------------------------------------------

amounts = st.decimals(0, 60, places=3).map(plain)
prices = st.decimals("0.5", 150000, places=2).map(plain)
accounts = st.builds(
    account,
    st.sampled_from(["pro", "classic"]),
    st.tuples(st.just("BTC"), amounts, amounts, prices),
    st.tuples(
        st.just("USDC"),
        st.integers(0, 4_000_000).map(str),
        st.integers(0, 4_000_000).map(str),
        st.just("1"),
    ),
)


def keeps_the_law(rules: Rules, found: Distances, moved: Any) -> None:
    """At each end the status that begins; a tick nearer not yet; and nothing else in between."""

    def status(value: Decimal) -> str | None:
        return rules.decide(moved(value)).status

    for one in found.statuses:
        for end in (one.below, one.above):
            if end is not None:
                assert status(end) == one.status
                nearer = end + found.tick if end < found.present else end - found.tick
                assert status(nearer) != one.status
    for ends, way in (
        ([one.below for one in found.statuses], -1),
        ([one.above for one in found.statuses], 1),
    ):
        met = [end for end in ends if end is not None]
        if not met:
            continue
        nearest = min(met, key=lambda end: abs(end - found.present))
        steps = int(abs(nearest - found.present) / found.tick)
        for part in range(1, 12):
            ticks = Decimal(way * (steps * part // 12)) * found.tick
            value = found.present + ticks
            assert status(value) == found.status


@settings(max_examples=60, deadline=None)
@given(snapshot=accounts, at=st.sampled_from(sorted(RULES)), line=st.sampled_from(["BTC", "USDC"]))
def test_the_law_of_one_price(snapshot: Any, at: str, line: str) -> None:
    found = RULES[at].distances(snapshot, line)
    assume(found.status is not None)
    assert found.sure
    keeps_the_law(RULES[at], found, lambda price: at_price(snapshot, line, price))


@settings(max_examples=60, deadline=None)
@given(
    snapshot=accounts,
    at=st.sampled_from(sorted(RULES)),
    hold=st.sampled_from([(), ("USDC",), ("BTC",)]),
)
def test_the_law_of_all_prices(snapshot: Any, at: str, hold: tuple[str, ...]) -> None:
    found = RULES[at].distances(snapshot, hold=hold)
    assume(found.status is not None)
    keeps_the_law(RULES[at], found, lambda percent: at_shock(snapshot, percent, hold))
