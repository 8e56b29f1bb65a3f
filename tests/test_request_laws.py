"""Laws of requests, limits, what-if and distances, on generated accounts of the shipped rules.

The accounts are like real ones: both modes at several instants, holdings across the edges of their
tiers, several debts with interest, open orders. Each law is also shown a fault that breaks it.
`REQUEST_LAWS` sets how many times as many accounts there are.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal, localcontext
from random import Random
from typing import Any

import pytest

from policy_engine import Decision, Rulebook, Rules
from policy_engine import distances as distances_module
from policy_engine import limits as limits_module
from policy_engine.distances import Distance, Distances
from policy_engine.errors import Undetermined
from policy_engine.grids import Axis, price_grid
from policy_engine.numbers import EXACT, LARGEST, plain
from policy_engine.scenario import Scenario, Shift, shift
from policy_engine.scenarios import changed_by, what_if
from policy_engine.shipped import rules_folder
from policy_engine.walk import Grid

Snapshot = dict[str, Any]
BOOK = Rulebook.load()
STEP = Decimal("0.00000001")
HUNDRED = Decimal(100)
TIMES = int(os.environ.get("REQUEST_LAWS", "1"))

# --- accounts -------------------------------------------------------------------------------------

PRICES = {"BTC": "97123.45", "USDC": "1", "ENA": "0.5137", "ATOM": "11.5", "APE": "0.0137"}
"""BTC and USDC have tiers from 2023-01-12 on; the others, of ranks 7, 9 and 10, by 2025-12-20."""
MOMENTS = [
    ("2019-08-01", "classic", 3, 2),
    ("2023-02-01", "classic", 3, 2),
    ("2023-08-01", "classic", 5, 2),
    ("2024-01-01", "pro", 5, 2),
    ("2024-12-20", "pro", 5, 2),
    ("2025-02-01", "classic", 3, 2),
    ("2025-02-01", "pro", 5, 2),
    ("2025-12-20", "pro", 5, 5),
    ("2026-03-01", "classic", 5, 5),
    ("2026-03-01", "pro", 5, 5),
]
"""Instant, mode, leverage, and how many of the coins have public tiers then."""
EDGES = [Decimal(1000 * n) for n in (100, 150, 200, 400, 600, 800, 1000, 2000, 3000, 4000, 5000)]
"""Where tiers of collateral and brackets of debt end; 6,000,000 and more is beyond all."""
OFF_EDGE = ("-1", "-0.01", "0", "0.01", "1")
SHARES = (0, 40, 60, 75, 85, 87, 88, 90, 93, 94, 95, 96, 97, 99)
"""What is owed in percent of what is held: from no debt to liquidation."""


@dataclass(frozen=True)
class Case:
    """An account, and the instant whose shipped rules decide on it."""

    at: str
    snapshot: Snapshot

    @property
    def rules(self) -> Rules:
        """The rules in force then."""
        return BOOK.in_force(self.at)

    @property
    def coins(self) -> list[str]:
        """The coins that the account has lines of."""
        return [line["asset"] for line in self.snapshot["assets"]]

    def line(self, coin: str) -> dict[str, str]:
        """The line of a coin."""
        return next(line for line in self.snapshot["assets"] if line["asset"] == coin)


def coins_of(value: Decimal, coin: str) -> Decimal:
    """How many coins a value buys, in whole steps."""
    return EXACT.divide(value, Decimal(PRICES[coin])).quantize(STEP, ROUND_FLOOR, EXACT)


def value(rng: Random) -> Decimal:
    """Something that is worth up to 6,500,000: at an edge, right beside one, or anywhere."""
    if rng.random() < 0.4:
        return rng.choice(EDGES) + Decimal(rng.choice(OFF_EDGE))
    return Decimal(rng.choice((rng.randint(1, 300_000), rng.randint(1, 6_500_000))))


def made(rng: Random) -> Case:
    """An account of which everything is known."""
    at, mode, leverage, known = rng.choice(MOMENTS)
    coins = rng.sample(list(PRICES)[:known], rng.randint(2, min(known, 3)))
    held = {coin: value(rng) for coin in coins[: rng.randint(1, len(coins))]}
    may_owe = ["BTC", "USDC"] if mode == "pro" else list(PRICES)[:known]
    owing = rng.sample(may_owe, rng.randint(1, 2))
    debt = sum(held.values()) * rng.choice(SHARES) / (HUNDRED * len(owing))
    lines = [
        line(rng, coin, held.get(coin, Decimal(0)), debt if coin in owing else Decimal(0))
        for coin in dict.fromkeys([*coins, *owing])
    ]
    there = [one["asset"] for one in lines]
    return Case(at, {
        "account": "A", "mode": mode, "leverage": leverage, "assets": lines,
        "region": rng.choice(["SG", "FR"]),
        "questionnaire_completed": True, "terms_accepted": True,
        "orders": [order(rng, lines) for _ in range(rng.choice([0, 0, 1, 2]))],
        "prices": {coin: PRICES[coin] for coin in list(PRICES)[:known] if coin not in there},
    })  # fmt: skip


def line(rng: Random, coin: str, held: Decimal, owed: Decimal) -> dict[str, str]:
    """A line worth so much, a part of it locked and a part of what is owed interest."""
    amount, debt = coins_of(held, coin), coins_of(owed, coin)
    locked = rng.choice([Decimal(0), coins_of(held / 4, coin)])
    interest = rng.choice([Decimal(0), coins_of(owed / 1000, coin)])
    figures = {"free": amount - locked, "locked": locked, "borrowed": debt, "interest": interest}
    return {"asset": coin, **{n: plain(v) for n, v in figures.items()}, "price": PRICES[coin]}


def order(rng: Random, lines: list[dict[str, str]]) -> dict[str, str]:
    """An order that sells up to a fifth of a line for about as much of another coin."""
    sell, buy = rng.sample(lines, 2)
    held = Decimal(sell["free"]) + Decimal(sell["locked"])
    sold = max((held * rng.randint(1, 2) / 10).quantize(STEP), STEP)
    skew = Decimal(rng.choice(["0.97", "1", "1.02"]))
    bought = max(coins_of(sold * Decimal(sell["price"]) * skew, buy["asset"]), STEP)
    amounts = {"sell_quantity": plain(sold), "buy_quantity": plain(bought)}
    return {"sell": sell["asset"], "buy": buy["asset"], **amounts}


def some_coin(rng: Random, case: Case) -> tuple[str, Decimal]:
    """One of an account's coins, and an amount of it worth up to 6,500,000."""
    coin = rng.choice(case.coins)
    return coin, max(coins_of(value(rng), coin), STEP)


def with_line(snapshot: Snapshot, coin: str, **amounts: Decimal) -> Snapshot:
    """The snapshot with so much more in fields of a line."""
    lines = [
        {**line, **{name: plain(Decimal(line[name]) + more) for name, more in amounts.items()}}
        if line["asset"] == coin else line
        for line in snapshot["assets"]
    ]  # fmt: skip
    return {**snapshot, "assets": lines}


# --- limits ---------------------------------------------------------------------------------------


def a_limit_is_what_its_definition_says(rng: Random, case: Case) -> None:
    """Permitted at the limit, refused a step above it, permitted at whatever is smaller."""
    name = rng.choice(["borrow", "borrow", "repay", "transfer_out", "transfer_in", "place_order"])
    coin, amount = some_coin(rng, case)
    given: dict[str, Any] = {"asset": coin}
    if name == "place_order":
        given = {"sell": coin, "buy": "USDC", "buy_quantity": amount}
    holds_at_all(rng, case, name, coin, given)


def holds_at_all(rng: Random, case: Case, name: str, coin: str, given: dict[str, Any]) -> None:
    """The same of a request that is given but for what the limit is of."""
    sought = "sell_quantity" if name == "place_order" else "amount"

    def permitted(value: Decimal) -> bool | None:
        return case.rules.request(case.snapshot, name, **{sought: value}, **given).permitted

    try:
        found = case.rules.limited(case.snapshot, name, **given)
    except Undetermined:
        assert permitted(STEP) is None
        return
    assert found.sure
    limit = found.value
    top = limit if limit.is_finite() else LARGEST
    assert top % STEP == 0
    assert top == 0 or permitted(top) is True
    assert not limit.is_finite() or permitted(limit + STEP) is False
    turning = {near for edge in turns(case, coin) for near in (edge - STEP, edge, edge + STEP)}
    parts = [rng.randint(1, 999) for _ in range(12)]
    sampled = {(top * part / 1000).quantize(STEP, ROUND_FLOOR, EXACT) for part in parts}
    wrong = [v for v in sorted(turning | sampled) if 0 < v < top and permitted(v) is not True]
    assert wrong == []


def turns(case: Case, coin: str) -> Iterator[Decimal]:
    """Amounts at which a coin's holding or debt, before or after an order, is at an edge, and
    those at which its interest or its debt is paid."""
    line = case.line(coin)
    free, locked, borrowed, interest = (Decimal(line[n]) for n in list(line)[1:5])
    yield from (interest, borrowed + interest, free)
    sold = [Decimal(o["sell_quantity"]) for o in case.snapshot["orders"] if o["sell"] == coin]
    bought = [Decimal(o["buy_quantity"]) for o in case.snapshot["orders"] if o["buy"] == coin]
    held = free + locked
    figures = [held, borrowed + interest, *(held - n for n in sold), *(held + n for n in bought)]
    for edge in EDGES:
        yield from (abs(coins_of(edge, coin) - figure) for figure in figures)


def hole() -> Case:
    """An account that may borrow a little, then not, then again: two orders sell the coin, and what
    is held reaches above its last tier.

    Held 49 BTC of 100,000, that is 4,900,000 counting 4,590,000; above 5,000,000 more counts 0.
    Each order sells 10 BTC for 1 USDC: it gives up 4,590,000 - 3,735,000 = 855,000 now.
    """
    names = ("asset", "free", "locked", "borrowed", "interest", "price")
    rows = [("BTC", "49", "0", "0", "0", "100000"), ("USDC", "0", "0", "2492800", "0", "1")]
    order = {"sell": "BTC", "sell_quantity": "10", "buy": "USDC", "buy_quantity": "1"}
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    own = {"account": "A", "mode": "pro", "leverage": 5, "region": "SG", "orders": [order, order]}
    known = {"questionnaire_completed": True, "terms_accepted": True}
    return Case("2025-02-01", {**own, **known, "assets": lines})


def test_a_limit_stops_before_a_refused_stretch_of_the_shipped_rules() -> None:
    # The headroom is 9,902, and each BTC borrowed takes 16,120 of it, up to half a BTC above the
    # edge; then both orders lose less with each. Permitted to 0.61426799, and again from 1.11 on.
    case = hole()
    assert case.rules.limit(case.snapshot, "borrow", asset="BTC") == Decimal("0.61426799")
    asked = ("0.614268", "1", "1.1", "1.11", "5")
    answers = [case.rules.request(case.snapshot, "borrow", asset="BTC", amount=n) for n in asked]
    assert [answer.permitted for answer in answers] == [False, False, False, True, True]


# --- there and back -------------------------------------------------------------------------------


def repaying_at_once_restores_the_account(rng: Random, case: Case) -> None:
    """Where no interest is owed of the coin: not a byte of the decision differs."""
    coin, amount = some_coin(rng, case)
    line = case.line(coin)
    snapshot = with_line(case.snapshot, coin, interest=-Decimal(line["interest"]))
    inputs = {"asset": coin, "amount": amount}
    steps = (("borrow", inputs), ("repay", inputs))
    changed, (_, back) = changed_by(case.rules, snapshot, Scenario("there", requests=steps))
    before = case.rules.decide(snapshot).to_json()
    assert changed is not None
    assert back.permitted is True
    assert case.rules.decide(changed).to_json() == before
    assert back.after is not None
    assert back.after.to_json() == before


def cancelling_a_placed_order_restores_the_account(rng: Random, case: Case) -> None:
    """Not a byte of the decision differs, whatever other orders there are."""
    coin, amount = some_coin(rng, case)
    order = {"sell": coin, "sell_quantity": amount, "buy": "USDC", "buy_quantity": Decimal(1)}
    place = ("place_order", order)
    placed, answers = changed_by(case.rules, case.snapshot, Scenario("place", requests=(place,)))
    if placed is None:
        assert amount > Decimal(case.line(coin)["free"])
        assert "not-enough" in [reason.rule for reason in answers[0].reasons]
        return
    assert len(placed["orders"]) == len(case.snapshot["orders"]) + 1
    cancel = ("cancel_order", {"orders": len(case.snapshot["orders"])})
    changed, _ = changed_by(case.rules, case.snapshot, Scenario("both", requests=(place, cancel)))
    assert changed is not None
    assert case.rules.decide(changed).to_json() == case.rules.decide(case.snapshot).to_json()


def filling_a_placed_order_is_the_swap(rng: Random, case: Case) -> None:
    """What it sells is gone and what it buys is free: not a byte differs from that by hand."""
    coin, amount = some_coin(rng, case)
    buy, bought = some_coin(rng, case)
    order = {"sell": coin, "sell_quantity": amount, "buy": buy, "buy_quantity": bought}
    fill = ("fill_order", {"orders": len(case.snapshot["orders"])})
    swap = Scenario("swap", requests=(("place_order", order), fill))
    changed, _ = changed_by(case.rules, case.snapshot, swap)
    assert (changed is None) is (amount > Decimal(case.line(coin)["free"]))
    if changed is not None:
        by_hand = with_line(with_line(case.snapshot, coin, free=-amount), buy, free=bought)
        assert case.rules.decide(changed).to_json() == case.rules.decide(by_hand).to_json()


def a_zero_shock_changes_nothing(rng: Random, case: Case) -> None:
    """Not a byte of the decision, not the status of a grid, not where a distance starts from; nor
    does one of 25% and then one of -20%, which undoes it."""
    before = case.rules.decide(case.snapshot)
    still = Scenario("still", prices={"USDC": shift("0%")}, all_prices=shift("-0.00%"))
    (outcome,) = what_if(case.rules, case.snapshot, [still])
    assert outcome.after is not None
    assert outcome.after.to_json() == before.to_json()
    up, down = (Scenario(one, all_prices=shift(one)) for one in ("25%", "-20%"))
    there, _ = changed_by(case.rules, case.snapshot, up)
    back, _ = changed_by(case.rules, there or {}, down)
    assert case.rules.decide(back or {}).to_json() == before.to_json()
    found = case.rules.distances(case.snapshot)
    assert (found.present, found.status) == (Decimal(0), before.status)
    grid = price_grid(case.rules, case.snapshot, [Axis((Decimal(0),))])
    assert grid.statuses[grid.ranks[0][0] or 0].name == before.status


# --- more of something ----------------------------------------------------------------------------

LEVELS = [
    *("margin_level", "collateral_margin_level", "borrow_margin_level"),
    *("transfer_out_margin_level", "total_collateral_value", "margin_headroom", "available_margin"),
]
STATUSES = ["liquidation", "margin_call", "normal"]


def levels(decision: Decision) -> dict[str, Decimal]:
    """The levels that the rules in force have, with the status as one: a better one is larger."""
    values = {name: decision.values.get(name) for name in LEVELS}
    known = {name: value for name, value in values.items() if isinstance(value, Decimal)}
    return known | {"status": Decimal(STATUSES.index(decision.status or ""))}


def fallen(lower: Decision, higher: Decision) -> list[str]:
    """The levels of which the account that should stand higher has less."""
    low, high = levels(lower), levels(higher)
    assert low.keys() == high.keys()
    return [name for name in low if high[name] < low[name]]


def orders_of(case: Case, side: str, coin: str) -> int:
    """How many open orders sell or buy a coin."""
    return sum(order[side] == coin for order in case.snapshot["orders"])


def more_collateral_never_lowers_a_level(rng: Random, case: Case) -> None:
    """With at most one order that buys the coin: what each gains is reckoned alone."""
    coin, amount = some_coin(rng, case)
    if orders_of(case, "buy", coin) < 2:
        more = with_line(case.snapshot, coin, free=amount)
        before, after = case.rules.decide(case.snapshot), case.rules.decide(more)
        assert fallen(before, after) == []


def more_debt_never_raises_a_level(rng: Random, case: Case) -> None:
    """While net collateral, less what open orders lose, is not negative; for a level that counts
    collateral by another ratio, while what it counts is not less than the debt.

    Of debt that brings no coins, and of borrowing, which does; with at most one order that sells
    the coin: what each gives up is reckoned alone.
    """
    coin, amount = some_coin(rng, case)
    way = rng.choice(["interest", "debt", "borrow"])
    before = case.rules.decide(case.snapshot)
    own = {name: known(before, name) for name in ("total_collateral_value", "total_liability")}
    loss = known(before, "open_order_loss") if "open_order_loss" in before.values else 0
    owes = case.snapshot["mode"] == "classic" or coin in ("BTC", "USDC")
    if own["total_collateral_value"] - own["total_liability"] < loss or not owes:
        return
    amounts = {"interest": amount} if way == "interest" else {"borrowed": amount}
    if way == "borrow":
        amounts["free"] = amount
    if way != "borrow" or orders_of(case, "sell", coin) < 2:
        after = case.rules.decide(with_line(case.snapshot, coin, **amounts))
        free = {name for name, value in levels(before).items() if "level" in name and value < 1}
        free -= {"margin_level"}
        free |= {"total_collateral_value"} if way == "borrow" else set()
        assert {*fallen(after, before)} <= free


def test_two_orders_of_one_coin_turn_these_laws_round() -> None:
    # Why the laws say "at most one". Held above their last tier, 5,000,000, BTC count 0. Two orders
    # that buy them each lose what the other leaves; two that sell them each save what both save.
    case = hole()
    owing = with_line(case.snapshot, "BTC", free=Decimal(1), borrowed=Decimal(1))
    owing_more = with_line(case.snapshot, "BTC", free=Decimal(5), borrowed=Decimal(5))
    assert "margin_level" in fallen(case.rules.decide(owing_more), case.rules.decide(owing))
    order = {"sell": "USDC", "sell_quantity": "500000", "buy": "BTC", "buy_quantity": "5"}
    holding = with_line(case.snapshot, "USDC", free=Decimal(1_500_000)) | {"orders": [order, order]}
    holding_more = with_line(holding, "BTC", free=Decimal("0.5"))
    assert "margin_level" in fallen(case.rules.decide(holding), case.rules.decide(holding_more))
    alone = [one | {"orders": [order]} for one in (holding, holding_more)]
    assert fallen(case.rules.decide(alone[0]), case.rules.decide(alone[1])) == []


def known(decision: Decision, name: str) -> Decimal:
    """A figure that is a number."""
    value = decision.values[name]
    assert isinstance(value, Decimal)
    return value


# --- distances ------------------------------------------------------------------------------------


def at_price(case: Case, coin: str, price: Decimal) -> str | None:
    """The status with another price of a coin."""
    more = {"price": price - Decimal(case.line(coin)["price"])}
    return case.rules.decide(with_line(case.snapshot, coin, **more)).status


def at_shock(case: Case, percent: Decimal, hold: tuple[str, ...]) -> str | None:
    """The status after all prices but those on hold have moved."""
    with localcontext(EXACT):
        factor = 1 + percent / HUNDRED
        lines = [
            line if line["asset"] in hold
            else {**line, "price": plain(Decimal(line["price"]) * factor)}
            for line in case.snapshot["assets"]
        ]  # fmt: skip
    return case.rules.decide({**case.snapshot, "assets": lines}).status


Status = Callable[[Decimal], str | None]


def a_status_begins_at_the_price_told(rng: Random, case: Case) -> None:
    """There the status holds, a tick safer it does not; and a scan of prices meets no others."""
    coin, _ = some_coin(rng, case)
    tick = Decimal("0.01") if coin != "APE" else Decimal("0.00001")
    found = case.rules.distances(case.snapshot, coin, tick)
    begins_there(found, lambda price: at_price(case, coin, price))
    tells_all(found, lambda price: at_price(case, coin, price), tick, scanned(found))


def a_status_begins_at_the_percent_told(rng: Random, case: Case) -> None:
    """The same of a shock that is uniform but for some coins."""
    hold = tuple(one for one in rng.choice(["", "USDC", "BTC"]).split() if one in case.coins)
    found = case.rules.distances(case.snapshot, hold=hold)
    begins_there(found, lambda percent: at_shock(case, percent, hold))
    shocks = [Decimal(n) for n in (*range(-99, 100, 6), 150, 300, 999, 9999, 99999)]
    tells_all(found, lambda percent: at_shock(case, percent, hold), Decimal(-100), shocks)


def begins_there(found: Distances, status: Status) -> None:
    """Each status begins at its price."""
    assert found.sure
    for one in found.statuses:
        for end in (one.below, one.above):
            if end is not None:
                assert status(end) == one.status
                nearer = end + found.tick if end < found.present else end - found.tick
                assert status(nearer) != one.status


def scanned(found: Distances) -> Iterator[Decimal]:
    """Prices on the tick: from near 0 to the present one, and far above it."""
    ticks = int(EXACT.divide_int(found.present, found.tick))
    below = {max(ticks * part // 32, 1) for part in range(32)}
    above = {ticks * part // 8 + 1 for part in (8, 9, 10, 11, 12, 14, 17, 22, 30, 90, 900, 9000)}
    return (EXACT.multiply(Decimal(n), found.tick) for n in sorted(below | above))


def tells_all(found: Distances, status: Status, least: Decimal, prices: Any) -> None:
    """Every status that a scan meets is told, and told to begin no further away than it is met;
    all that is told to be met is met."""
    for price in prices:
        came = status(price)
        below = price < found.present
        end = found.untold_below if below else found.untold_above
        if price < least or came == found.status or beyond(price, end, found.present):
            continue
        assert came is not None
        one = next(one for one in found.statuses if one.status == came)
        begins = one.below if below else one.above
        assert begins is not None, f"{came} at {price} is not told of"
        assert not beyond(begins, price, found.present), f"{came} begins before {begins}"


def beyond(price: Decimal, end: Decimal | None, present: Decimal) -> bool:
    """Whether a price is further from the present one than an end is."""
    return end is not None and abs(price - present) > abs(end - present)


# --- the laws on generated accounts ---------------------------------------------------------------

LAWS: dict[str, tuple[Callable[[Random, Case], None], int]] = {
    law.__name__: (law, accounts)
    for law, accounts in (
        (a_limit_is_what_its_definition_says, 45),
        (repaying_at_once_restores_the_account, 100),
        (cancelling_a_placed_order_restores_the_account, 100),
        (filling_a_placed_order_is_the_swap, 120),
        (a_zero_shock_changes_nothing, 50),
        (more_collateral_never_lowers_a_level, 300),
        (more_debt_never_raises_a_level, 300),
        (a_status_begins_at_the_price_told, 45),
        (a_status_begins_at_the_percent_told, 40),
    )
}


def ask(name: str, times: int = 1) -> None:
    """Whether a law holds for generated accounts. Raises AssertionError that tells of the first
    for which it does not."""
    law, accounts = LAWS[name]
    for number in range(accounts * times):
        rng = Random(f"{name} {number}")
        case = made(rng)
        try:
            law(rng, case)
        except AssertionError as error:
            raise AssertionError(f"{name}, account {number}: {case}") from error


@pytest.mark.parametrize("name", LAWS)
def test_a_law_holds(name: str) -> None:
    ask(name, TIMES)


def kinds(case: Case) -> Iterator[str]:
    """What an account is an example of."""
    decision = case.rules.decide(case.snapshot)
    yield f"{case.snapshot['mode']} {decision.status}"
    assets = decision.assets or ()
    yield f"{sum(line['liability_value'] != 0 for line in assets)} debts"
    loss = decision.values.get("open_order_loss")
    yield "orders lose" if isinstance(loss, Decimal) and loss > 0 else "orders lose nothing"
    if known(decision, "total_collateral_value") < known(decision, "total_asset_value"):
        yield "cut"
    for coin in case.coins[:2]:
        found = case.rules.distances(case.snapshot, coin, "0.00001")
        ends = [(one.below, one.above) for one in found.statuses]
        yield f"{sum(low is not None for low, _ in ends)} below"
        yield f"{sum(high is not None for _, high in ends)} above"
        yield f"borrow {limit_in_a_word(case, coin)}"


def limit_in_a_word(case: Case, coin: str) -> str:
    """What may be borrowed of a coin: 0, more, or it cannot be told."""
    try:
        limit = case.rules.limit(case.snapshot, "borrow", asset=coin)
    except Undetermined:
        return "untold"
    return "0" if limit == 0 else "more"


REACHED = [
    *(f"{mode} {status}" for mode in ("classic", "pro") for status in STATUSES),
    *(f"{count} debts" for count in (0, 1, 2)),
    *(f"{count} {way}" for way in ("below", "above") for count in (0, 1, 2)),
    *("orders lose", "orders lose nothing", "cut", "borrow 0", "borrow more", "borrow untold"),
]


def test_the_accounts_are_of_every_kind() -> None:
    found = Counter(kind for seed in range(100) for kind in set(kinds(made(Random(seed)))))
    assert [kind for kind in REACHED if found[kind] < 3] == []


# --- each law can fail ----------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def in_engine(holder: Any, name: str, made: Callable[[Any], Any]) -> Plant:
    """Puts what `made` makes of a function or method in its place."""
    return lambda patch: patch.setattr(holder, name, made(getattr(holder, name)))


def in_rules(old: str, new: str) -> Plant:
    """Puts another text in place of one that the deciding rules have."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        files = sorted(rules_folder().glob("*/*.yaml"))
        texts = {path: path.read_text(encoding="utf-8") for path in files}
        assert sum(old in text for text in texts.values()) > 5
        named = [(f"{path.parent.name}/{path.name}", text) for path, text in texts.items()]
        patch.setitem(globals(), "BOOK", Rulebook([(n, t.replace(old, new)) for n, t in named]))

    return plant


def told(change: Callable[[Distance, Decimal], Distance]) -> Plant:
    """Tells of another beginning of each status."""

    def faulty(distances: Any) -> Any:
        def found(*asked: Any) -> Distances:
            made: Distances = distances(*asked)
            return replace(made, statuses=tuple(change(one, made.tick) for one in made.statuses))

        return found

    return in_engine(distances_module, "distances", faulty)


def moved(end: Decimal | None, by: Decimal) -> Decimal | None:
    """An end elsewhere."""
    return None if end is None else end + by


def by_halving_alone(turns: Any) -> Any:
    """Looks at the two ends only, as if all that is permitted lay together."""

    def faulty(grid: Grid, start: int, last: int) -> Any:
        ends = grid.at(start), grid.at(last)
        yield from (ends[0], *grid.halved(*ends, lambda point: point.state == ends[0].state))

    return faulty


A_STEP_MORE = in_engine(limits_module, "tidy", lambda tidy: lambda value: tidy(value + STEP))
A_STEP_LESS = in_engine(limits_module, "tidy", lambda tidy: lambda value: tidy(value - STEP))
TOO_EARLY = told(lambda one, tick: replace(one, above=moved(one.above, -tick)))
TOO_LATE = told(lambda one, tick: replace(one, below=moved(one.below, -tick)))
NOT_BELOW = told(lambda one, _: one if one.status == "normal" else replace(one, below=None))
NO_LIQUIDATION = told(lambda one, _: one if one.status != "liquidation" else
                      replace(one, below=None, above=None))  # fmt: skip
A_RATE_FOR_ALL = in_rules(
    "slices(collateral_ratio, collateral_rank(asset), asset_value)",
    "asset_value * tier(collateral_ratio, collateral_rank(asset), asset_value)",
)
INTEREST_TAKEN_OFF = in_rules("(borrowed + interest) * price", "(borrowed - interest) * price")
OWED_TWICE = in_rules("borrowed: borrowed + amount", "borrowed: borrowed + amount + amount")
NOT_FREED = in_rules("free: free + sell_quantity, locked: locked - ", "locked: locked - ")
NOT_BOUGHT = in_rules("free: free + buy_quantity", "free: free + buy_quantity - buy_quantity")
PRICE_MOVED = in_engine(Shift, "of", lambda of: lambda shift, price: of(shift, price) + STEP)
FAULTS: list[tuple[str, Plant]] = [
    ("a_limit_is_what_its_definition_says", A_STEP_MORE),
    ("a_limit_is_what_its_definition_says", A_STEP_LESS),
    ("repaying_at_once_restores_the_account", OWED_TWICE),
    ("cancelling_a_placed_order_restores_the_account", NOT_FREED),
    ("filling_a_placed_order_is_the_swap", NOT_BOUGHT),
    ("a_zero_shock_changes_nothing", PRICE_MOVED),
    ("more_collateral_never_lowers_a_level", A_RATE_FOR_ALL),
    ("more_debt_never_raises_a_level", INTEREST_TAKEN_OFF),
    *(
        (name, fault)
        for name in ("a_status_begins_at_the_price_told", "a_status_begins_at_the_percent_told")
        for fault in (TOO_EARLY, TOO_LATE, NOT_BELOW, NO_LIQUIDATION)
    ),
]


@pytest.mark.parametrize(("name", "plant"), FAULTS)
def test_a_fault_breaks_a_law(name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        ask(name)


def test_a_limit_found_by_halving_alone_breaks_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Random(0), hole(), "borrow", "BTC", {"asset": "BTC"}
    holds_at_all(*asked)
    in_engine(Grid, "turns", by_halving_alone)(monkeypatch)
    with pytest.raises(AssertionError):
        holds_at_all(*asked)


def test_every_law_has_a_fault() -> None:
    assert {name for name, _ in FAULTS} == {*LAWS}
