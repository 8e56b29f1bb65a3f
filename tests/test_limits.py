"""The limit of a request: it and every smaller value is permitted, and one step more is not.

The rules of each test are written here, with few steps, so that every one of them can be asked.
"""

from __future__ import annotations

import pickle
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import Rulebook, Rules, SnapshotError, Undetermined
from policy_engine.numbers import plain

AT = "2025-02-01T00:00:00Z"
CONTRACT = Path(__file__).parent / "contract"
MOST_EVALUATIONS = 80
MOST = 400

RULES = """\
ruleset: house
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Made for a test.
applies_when: mode == "pro"
sources: {}
inputs:
  account: {mode: {type: text}}
  assets:
    asset: {type: text, key: true}
    free: {type: number, unit: coin of asset}
    locked: {type: number, unit: coin of asset}
    borrowed: {type: number, unit: coin of asset}
    interest: {type: number, unit: coin of asset}
    price: {type: number, unit: USDT / coin of asset, role: price}
  orders:
    sell: {type: text, key_of: assets}
    sell_quantity: {type: number, unit: coin of sell}
    buy: {type: text, key_of: assets}
    buy_quantity: {type: number, unit: coin of buy}
parameters:
  threshold: {title: Threshold, value: THRESHOLD, unit: ratio}
  grain: {title: Grain, value: 7, unit: USDT}
  half: {title: Half, value: 50%, unit: ratio}
  toll: {title: Toll, value: 11.12%, unit: ratio}
tables:
  steady:
    title: Whether a level is one of some
    by: number
    unit: ratio
    rows: [{value: 0, when: [150, 151, 290]}]
    otherwise: 1
scales:
  haircut:
    title: Haircut
    in: USDT
    unit: ratio
    edge_belongs_to: EDGE
    above_last: ABOVE
    BECAUSE
    tiers: TIERS
formulas:
  assets:
    held: {title: Held, unit: USDT, expression: (free + locked) * price}
    owed: {title: Owed, unit: USDT, expression: (borrowed + interest) * price}
    counted: {title: Counted, unit: USDT, expression: "COUNTED"}
  orders:
    loss:
      title: Loss
      unit: USDT
      expression: >-
        max(0, at(assets, sell, counted) - slices(haircut, at(assets, sell, held)
        - sell_quantity * at(assets, sell, price)) - buy_quantity * at(assets, buy, price))
  account:
    all_counted: {title: Counted, unit: USDT, expression: "sum(assets, counted)"}
    all_owed: {title: Owed, unit: USDT, expression: "sum(assets, owed)"}
    most_owed: {title: Most owed, unit: USDT, expression: "largest(assets, owed, 0)"}
    losses: {title: Losses, unit: USDT, expression: "sum(orders, loss)"}
    rest: {title: Rest, unit: USDT, expression: all_counted - losses - all_owed}
    level:
      title: Level
      unit: ratio
      expression: all_counted / all_owed if all_owed > 0 else unlimited
    tested: {title: Tested, unit: TESTED_UNIT, expression: "TESTED"}
statuses:
  fine: {title: Fine}
requests:
  borrow:
    title: Borrow
    inputs:
      asset: {type: text, key_of: assets}
      amount: {type: number, unit: coin of asset, above: 0, at_most: MOST}
    effects: [{line: asset, set: {free: free + amount, borrowed: borrowed + amount}}]
    refuse_when: {too_much: {title: Too much, when: "REFUSED"}}
    limit: {input: amount, step: 1}
  repay:
    title: Repay
    inputs:
      asset: {type: text, key_of: assets}
      amount: {type: number, unit: coin of asset, above: 0}
    effects:
      - line: asset
        set:
          free: free - amount
          interest: max(interest - amount, 0)
          borrowed: max(borrowed - max(amount - interest, 0), 0)
    refuse_when:
      more_than_owed:
        title: More than owed
        when: amount > at(assets, asset, borrowed + interest)
    limit: {input: amount, step: 1}
  put_in:
    title: Put in
    inputs:
      asset: {type: text, key_of: assets}
      amount: {type: number, unit: coin of asset, above: 0}
    effects: [{line: asset, set: {free: free + amount}}]
    limit: {input: amount, step: 1}
  rename:
    title: A request without a limit
    inputs: {amount: {type: number, unit: USDT}}
    refuse_when: {never: {title: Never, when: amount < 0}}
"""

REST = "after(rest) < 0"
LEVEL = "after(level) < threshold"
BY_SLICE = "slices(haircut, held)"
BY_TIER = "held * tier(haircut, held)"
TIERS = "[{to: 500, rate: 100%}, {to: 900, rate: 80%}, {to: 1500, rate: 30%}]"


def house(
    counted: str = BY_SLICE,
    refused: str = REST,
    tiers: str = TIERS,
    threshold: str = "1.5",
    edge: str = "lower",
    above: str = "0",
    tested: tuple[str, str] = ("rest", "USDT"),
    most: int | None = MOST,
    step: str = "1",
) -> Rules:
    """The rules of a house that counts what is held, and refuses a borrow, in some way."""
    written = {
        "COUNTED": counted,
        "REFUSED": refused,
        "TIERS": tiers,
        "THRESHOLD": threshold,
        "EDGE": edge,
        "ABOVE": above,
        "BECAUSE": "because: no tier" if above == "undetermined" else "rates: falling",
        "TESTED_UNIT": tested[1],
        "TESTED": tested[0],
        "step: 1}": f"step: {step}}}",
        ", at_most: MOST": "" if most is None else f", at_most: {most}",
    }
    text = RULES
    for name, value in written.items():
        text = text.replace(name, value)
    text = text.replace("    rates: falling\n", "")
    return Rulebook([("rules/house/2025-01-01.yaml", text)]).in_force(AT)


def account(*assets: tuple[str, str, str, str], orders: Any = ()) -> dict[str, Any]:
    """A snapshot with lines of (asset, free, borrowed, price)."""
    names = ("asset", "free", "borrowed", "price")
    lines = [{**dict(zip(names, line, strict=True)), "locked": "0", "interest": "0"}
             for line in assets]  # fmt: skip
    return {"account": "A", "mode": "pro", "assets": lines, "orders": list(orders)}


PLAIN = account(("GOLD", "300", "0", "2"), ("IRON", "0", "100", "1"))
SALE = {"sell": "IRON", "sell_quantity": "40", "buy": "GOLD", "buy_quantity": "5"}


def permitted(rules: Rules, snapshot: Any, amount: int, **inputs: str) -> bool | None:
    return rules.request(snapshot, "borrow", amount=amount, **inputs).permitted


def scanned(rules: Rules, snapshot: Any, **inputs: str) -> int | None:
    """The limit by its definition: the last amount before the first that is not permitted.

    None where that one cannot be told.
    """
    for amount in range(1, MOST + 1):
        found = permitted(rules, snapshot, amount, **inputs)
        if found is not True:
            return None if found is None else amount - 1
    return MOST


def agrees(rules: Rules, snapshot: Any, sure: bool = True, **inputs: str) -> int | None:
    """The limit, if it is what the definition says and was found in few steps."""
    wanted = scanned(rules, snapshot, **inputs)
    try:
        found = rules.limited(snapshot, "borrow", **inputs)
    except Undetermined:
        assert wanted is None
        return None
    assert found.value == wanted
    assert found.sure is sure
    assert found.evaluations <= MOST_EVALUATIONS
    return int(found.value)


# --- the definition, on every step ----------------------------------------------------------------

WAYS: dict[str, dict[str, Any]] = {
    "by slice": {},
    "by tier": {"counted": BY_TIER},
    "by tier, edges to the upper": {"counted": BY_TIER, "edge": "upper"},
    "no tiers": {"counted": "held * half"},
    "level by slice": {"refused": LEVEL},
    "level by tier": {"counted": BY_TIER, "refused": LEVEL},
    "last rate above": {"above": "last", "refused": LEVEL},
    "unknown above": {"above": "undetermined"},
    "at least a rate": {"counted": "slices(haircut, held, half)"},
    "whichever is less": {"counted": "min(held * half, slices(haircut, held))"},
    "distance": {"tested": ("abs(rest - grain)", "USDT"), "refused": "after(tested) <= grain"},
    "the largest": {"tested": ("rest - most_owed", "USDT"), "refused": "after(tested) < 0"},
    "a lone value": {"refused": "steady(amount) < 1"},
    "two reasons": {"refused": f"{REST} or after(level) < threshold"},
    "both reasons": {"refused": f"{REST} and after(level) < threshold"},
    "unless": {"refused": "not (after(rest) > grain)"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("snapshot", [PLAIN, {**PLAIN, "orders": [SALE]}], ids=["plain", "order"])
def test_every_smaller_amount_is_permitted_and_one_more_is_not(way: str, snapshot: Any) -> None:
    rules = house(**WAYS[way])
    assert {agrees(rules, snapshot, asset=coin) for coin in ("GOLD", "IRON")} != {0}


tiers = st.lists(
    st.tuples(st.integers(1, 1500), st.integers(0, 100)), min_size=1, max_size=4
).map(
    lambda rows: "[" + ", ".join(
        f"{{to: {edge}, rate: {rate}%}}"
        for edge, rate in dict(sorted(rows)).items()
    ) + "]"
)  # fmt: skip
amounts = st.integers(0, 400).map(str)
prices = st.sampled_from(["1", "2", "3", "0.5", "7.25"])
lines = st.tuples(amounts, amounts, prices)


@settings(max_examples=60, deadline=None)
@given(
    way=st.sampled_from(sorted(WAYS)),
    tiers=tiers,
    threshold=st.sampled_from(["0.5", "1", "1.1", "1.5", "2"]),
    gold=lines,
    iron=lines,
    order=st.booleans(),
)
def test_the_limit_is_what_its_definition_says(
    way: str, tiers: str, threshold: str, gold: Any, iron: Any, order: bool
) -> None:
    rules = house(**{"tiers": tiers, "threshold": threshold, **WAYS[way]})
    orders = [SALE] if order and Decimal(iron[0]) >= 40 else []
    snapshot = account(("GOLD", *gold), ("IRON", *iron), orders=orders)
    agrees(rules, snapshot, asset="IRON")


def test_a_refused_stretch_ends_the_limit_though_more_is_permitted_beyond_it() -> None:
    # An order sells what is borrowed; its loss falls with the rate of the tier reached at 50,000.
    sold = "sell_quantity * at(assets, sell, price)"
    loss = f"sum(orders, {sold} * tier(haircut, at(assets, sell, held)))"
    rules = house(
        tiers="[{to: 50000, rate: 100%}, {to: 100000, rate: 50%}]",
        tested=(f"all_counted - {loss} - all_owed - all_owed * toll", "USDT"),
        refused="after(tested) < 0",
        edge="upper",
        most=None,
        step="0.01",
    )
    order = {"sell": "GOLD", "sell_quantity": "1000", "buy": "IRON", "buy_quantity": "0"}
    lines = ("GOLD", "0", "0", "1"), ("IRON", "6448.9062", "0", "1")
    snapshot = account(*lines, orders=[order])
    found = rules.limited(snapshot, "borrow", asset="GOLD")
    assert found.value == Decimal("49000.95")
    assert found.evaluations <= MOST_EVALUATIONS
    answers = {
        amount: rules.request(snapshot, "borrow", asset="GOLD", amount=amount).permitted
        for amount in ("49000.95", "49000.96", "49999.99", "50000", "50500")
    }
    assert list(answers.values()) == [True, False, False, True, True]


# --- rounding, and figures multiplied by figures --------------------------------------------------

CROOKED: dict[str, dict[str, Any]] = {
    "rounded up": {"tested": ("all_counted - round_up(all_owed, grain)", "USDT")},
    "rounded level": {"tested": ("round_down(level, half) * grain - grain", "USDT")},
    "a square": {"tested": ("rest * rest / grain - all_owed - grain", "USDT")},
}


@pytest.mark.parametrize("way", CROOKED)
@pytest.mark.parametrize("price", ["1", "2", "3"])
def test_what_moves_in_no_straight_line_is_found_by_halving_and_said(way: str, price: str) -> None:
    rules = house(refused="after(tested) < 0", **CROOKED[way])
    snapshot = account(("GOLD", "300", "0", "2"), ("IRON", "0", "100", price))
    found = rules.limited(snapshot, "borrow", asset="IRON")
    assert permitted(rules, snapshot, int(found.value), asset="IRON") is True
    assert (
        found.value == MOST
        or permitted(rules, snapshot, int(found.value) + 1, asset="IRON") is False
    )
    assert found.evaluations <= 2 * MOST_EVALUATIONS
    assert found.value == scanned(rules, snapshot, asset="IRON") or not found.sure


def test_a_saw_can_have_a_tooth_that_is_passed_over() -> None:
    rules = house(counted="round_down(held * half, grain)")
    snapshot = account(("GOLD", "300", "0", "2"), ("IRON", "0", "100", "2"))
    found = rules.limited(snapshot, "borrow", asset="IRON")
    assert (int(found.value), found.sure) == (92, False)
    assert scanned(rules, snapshot, asset="IRON") == 89


# --- nothing, everything, not known ---------------------------------------------------------------


def test_nothing_refuses() -> None:
    found = house().limited(PLAIN, "put_in", asset="GOLD")
    assert found.value == Decimal("Infinity")
    assert (found.above, found.binding) == (None, ())
    assert found.at is not None
    assert found.at.inputs["amount"] == 10**18 - 1


def test_the_input_itself_has_a_bound() -> None:
    rules = house(refused="amount < 0", most=7)
    found = rules.limited(PLAIN, "borrow", asset="GOLD")
    assert (int(found.value), found.above) == (7, None)


def test_not_even_a_step() -> None:
    rules = house()
    snapshot = account(("GOLD", "10", "100", "1"))
    found = rules.limited(snapshot, "borrow", asset="GOLD")
    assert (int(found.value), found.at) == (0, None)
    assert [reason.rule for reason in found.binding] == ["too_much"]
    assert rules.limit(snapshot, "borrow", asset="GOLD") == 0


def test_no_more_than_is_there_and_no_more_than_is_owed() -> None:
    rules = house()
    rich = account(("GOLD", "300", "70", "2"))
    poor = account(("GOLD", "30", "70", "2"))
    free = account(("GOLD", "30", "0", "2"))
    found = [rules.limited(one, "repay", asset="GOLD") for one in (rich, poor, free)]
    assert [(int(one.value), one.binding[0].rule) for one in found] == [
        (70, "more_than_owed"),
        (30, "not-enough"),
        (0, "more_than_owed"),
    ]


def test_what_cannot_be_told() -> None:
    rules = house(above="undetermined", refused="amount >= 0 and after(rest) < 0")
    snapshot = account(("GOLD", "700", "0", "2"), ("IRON", "0", "0", "1"))
    # 1,400 is counted of 700 gold; the last edge, 1,500, is crossed by 51 more.
    with pytest.raises(Undetermined) as caught:
        rules.limit(snapshot, "borrow", asset="GOLD")
    assert caught.value.reasons == ("no tier",)
    assert rules.request(snapshot, "borrow", asset="GOLD", amount="50").permitted is True
    assert rules.request(snapshot, "borrow", asset="GOLD", amount="51").permitted is None


def test_what_cannot_be_told_of_the_smallest_amount() -> None:
    rules = house(above="undetermined")
    with pytest.raises(Undetermined):
        rules.limit(account(("GOLD", "900", "0", "2")), "borrow", asset="GOLD")


@pytest.mark.parametrize(
    ("name", "inputs", "code"),
    [
        ("borow", {"asset": "GOLD"}, "unknown-request"),
        ("rename", {}, "no-limit"),
        ("borrow", {"asset": "GOLD", "amount": "3"}, "limit-given"),
        ("borrow", {}, "missing-key"),
        ("borrow", {"asset": "GOLD", "colour": "red"}, "unknown-key"),
        ("borrow", {"asset": "TIN"}, "unknown-key"),
    ],
)
def test_what_cannot_be_asked(name: str, inputs: dict[str, str], code: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        house().limit(PLAIN, name, **inputs)
    assert caught.value.code == code
    assert all(problem.hint for problem in caught.value.problems)


def test_a_snapshot_that_is_not_sound_is_refused_as_it_was_written() -> None:
    wrong = {**PLAIN, "assets": [{**PLAIN["assets"][0], "free": 1.5}]}
    with pytest.raises(SnapshotError) as caught:
        house().limit(wrong, "borrow", asset="GOLD")
    assert "1.5" in str(caught.value)


def test_numbers_may_be_texts_or_numbers() -> None:
    lines = [
        {**line, "free": int(line["free"]), "price": Decimal(line["price"])}
        for line in PLAIN["assets"]
    ]
    for numbers in (PLAIN, {**PLAIN, "assets": lines}):
        assert house().limit(numbers, "borrow", asset="IRON") == 400


# --- the example on which others build ------------------------------------------------------------

CONTRACT_RULES = Rulebook.load(CONTRACT).in_force(AT)
BTC = {"asset": "BTC", "locked": "0", "interest": "0"}
COINS = st.decimals("0", "120", places=8).map(plain)


@settings(max_examples=40, deadline=None)
@given(free=COINS, borrowed=COINS, price=st.decimals("0.01", "20000", places=2).map(plain))
def test_the_limit_of_the_example(free: str, borrowed: str, price: str) -> None:
    rules = CONTRACT_RULES
    snapshot = {
        "account": "A",
        "mode": "pro",
        "region": "FR",
        "assets": [{**BTC, "free": free, "borrowed": borrowed, "price": price}],
    }
    if Decimal(borrowed) * Decimal(price) > 1_000_000:
        with pytest.raises(Undetermined):
            rules.limited(snapshot, "borrow", asset="BTC")
        return
    found = rules.limited(snapshot, "borrow", asset="BTC")
    assert found.sure
    assert found.evaluations <= MOST_EVALUATIONS
    assert found.value % found.step == 0

    def asked(amount: Decimal) -> bool | None:
        return rules.request(snapshot, "borrow", asset="BTC", amount=amount).permitted

    step = Decimal(found.step)
    assert asked(found.value + step) is False
    smaller = {(found.value * part / 24).quantize(step) for part in range(1, 25)}
    assert {asked(amount) for amount in smaller if amount > 0} <= {True}


def test_a_limit_that_cannot_be_told_can_be_logged_and_pickled() -> None:
    asset = {"asset": "ATOM", "free": "10", "locked": "0", "borrowed": "0", "interest": "0"}
    snapshot = {"account": "A", "mode": "pro", "assets": [{**asset, "price": "11.5"}]}
    with pytest.raises(Undetermined) as raised:
        Rulebook.load().in_force("2025-12-20").limit(snapshot, "borrow", asset="ATOM")
    said = "".join(traceback.format_exception(raised.value))
    assert said.rstrip().endswith(str(raised.value))
    assert str(raised.value) == "; ".join(raised.value.reasons)
    assert pickle.loads(pickle.dumps(raised.value)).reasons == raised.value.reasons
