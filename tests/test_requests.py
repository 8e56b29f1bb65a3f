"""Requests: what a program asks and is told, and laws of every request of the shipped rules."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policy_engine import Decision, Rulebook, SnapshotError
from policy_engine.cli import run as command_line
from policy_engine.effects import changed_snapshot, effects_of
from policy_engine.numbers import EXACT, plain
from policy_engine.request_inputs import brought
from policy_engine.requests import Answer
from policy_engine.shipped import rules_folder

BOOK = Rulebook.load()
Snapshot = dict[str, Any]


def line(asset: str, free: str = "0", borrowed: str = "0", **more: str) -> dict[str, str]:
    """A line of what is held and owed; BTC costs 10,000, everything else 1."""
    price = "10000" if asset == "BTC" else "1"
    figures = {"free": free, "locked": "0", "borrowed": borrowed, "interest": "0", "price": price}
    return {"asset": asset, **figures, **more}


def account(*lines: Mapping[str, str], mode: str = "classic", **more: Any) -> Snapshot:
    """An account of which everything is known."""
    return {
        "account": "A-1",
        "mode": mode,
        "leverage": "5",
        "region": "SG",
        "questionnaire_completed": True,
        "terms_accepted": True,
        "assets": [dict(one) for one in lines],
        **more,
    }


SHORT = account(line("USDC", free="30000"), line("BTC", borrowed="1"))


def asked(at: str, snapshot: Mapping[str, Any], request: str, /, **given: Any) -> Answer:
    """The answer to a request under the shipped rules of an instant."""
    return BOOK.in_force(at).request(snapshot, request, **given)


# What a program is told


def test_a_permitted_request() -> None:
    answer = asked("2025-02-01", SHORT, "borrow", asset="USDC", amount="100")
    assert (answer.request, answer.permitted) == ("borrow", True)
    assert answer.inputs == {"asset": "USDC", "amount": Decimal(100)}
    assert (answer.reasons, answer.undetermined) == ((), ())
    assert answer.before == BOOK.in_force("2025-02-01").decide(SHORT)
    assert answer.after is not None
    assert answer.before.values["total_liability"] == 10000
    assert answer.after.values["total_liability"] == 10100
    assert [one.name for one in answer.assumptions] == [
        "coin_limits_not_supplied",
        "example_collateral_tiers",
        "stablecoins_at_par",
    ]


def test_a_refused_request_tells_each_rule_and_its_source() -> None:
    answer = asked("2025-02-01", SHORT, "borrow", asset="USDC", amount="1000000")
    assert answer.permitted is False
    (reason,) = answer.reasons
    assert reason.rule == "below_initial_risk_ratio"
    assert reason.title == "The collateral margin level would fall below the initial risk ratio"
    assert reason.citation is not None
    assert reason.citation.quote == "up until your Collateral Margin Level reaches the cap"
    assert answer.undetermined == ()


def test_a_request_that_leaves_an_amount_below_0_names_it() -> None:
    answer = asked("2025-02-01", SHORT, "transfer_out", asset="USDC", amount="30000.00000001")
    assert [(r.rule, r.title) for r in answer.reasons] == [
        ("not-enough", "there is not enough: `free` of USDC would fall below 0")
    ]
    assert answer.after is None


def test_a_request_that_cannot_be_told_says_why() -> None:
    nowhere = {**SHORT, "mode": "pro", "region": None}
    answer = asked("2025-02-01", nowhere, "borrow", asset="USDC", amount="1")
    assert answer.permitted is None
    assert answer.undetermined == ("`region` is not given; hint: --set region=SG",)
    assert answer.reasons == ()


def test_an_answer_as_json() -> None:
    answer = asked("2025-02-01", SHORT, "switch_to_pro")
    told = json.loads(answer.to_json())
    assert list(told) == [
        *("request", "inputs", "permitted", "reasons", "undetermined"),
        *("before", "after", "assumptions"),
    ]
    assert told["before"] == json.loads(answer.before.to_json())
    assert told["after"]["values"]["margin_level"] == "100"
    wanted = asked("2025-02-01", SHORT, "repay", asset="BTC", amount="2").to_dict()
    assert [one["rule"] for one in wanted["reasons"]] == ["not-enough", "more_than_owed"]
    assert wanted["inputs"] == {"asset": "BTC", "amount": "2"}
    assert wanted["after"] is None


def test_how_a_number_is_written_changes_nothing() -> None:
    written = ["100", "100.00", 100, Decimal(100), Decimal("1E+2"), Decimal("100.0")]
    answers = [asked("2025-02-01", SHORT, "borrow", asset="USDC", amount=n) for n in written]
    assert len({one.to_json() for one in answers}) == 1


def test_what_rules_do_not_offer_is_refused() -> None:
    answer = asked("2019-08-01", account(leverage="3"), "switch_to_pro")
    assert [reason.rule for reason in answer.reasons] == ["not-offered"]
    assert answer.after is None


def test_the_rules_of_a_mode_hold_after_the_switch_to_it() -> None:
    there = asked("2025-02-01", SHORT, "switch_to_pro").after
    assert there is not None
    assert {one.ruleset for one in there.rulesets} >= {"cross_margin_pro", "position_brackets"}
    assert there.permissions["switch_to_classic"].permitted is True
    assert there == BOOK.in_force("2025-02-01").decide({**SHORT, "mode": "pro"})
    assert pickle.loads(pickle.dumps(there)) == there


# What cannot be asked

UNFIT: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "borow",
        {},
        ["request: unknown-request: there is no request `borow` (did you mean `borrow`?)"],
    ),
    (
        "borrow",
        {},
        [
            "asset: missing-key: `borrow` needs `asset` (give it: `asset=…`)",
            "amount: missing-key: `borrow` needs `amount` (give it: `amount=…`)",
        ],
    ),
    (
        "borrow",
        {"asset": "USDC", "amont": "1"},
        [
            "amount: missing-key: `borrow` needs `amount` (give it: `amount=…`)",
            "amont: unknown-key: `borrow` takes no `amont` (did you mean `amount`?)",
        ],
    ),
    (
        "borrow",
        {"asset": "USDC", "amount": "1", "of": "x"},
        ["of: unknown-key: `borrow` takes no `of` (it takes `asset`, `amount`)"],
    ),
    (
        "switch_to_pro",
        {"leverage": "5"},
        ["leverage: unknown-key: `switch_to_pro` takes no `leverage` (it takes nothing)"],
    ),
    (
        "borrow",
        {"asset": "ETH", "amount": "1"},
        [
            "asset: unknown-key: `ETH` has neither a line in `assets` nor a price"
            ' (add a line for it, or its price: "prices": {"ETH": "…"})'
        ],
    ),
    (
        "place_order",
        {"sell": "USDC", "sell_quantity": "1", "buy": "BTCC", "buy_quantity": "1"},
        [
            "buy: unknown-key: `BTCC` has neither a line in `assets` nor a price"
            " (did you mean `BTC`?)"
        ],
    ),
    (
        "set_leverage",
        {"leverage": "4"},
        ["leverage: invalid-value: `leverage` is one of 3, 5, not `4` (give one of them)"],
    ),
    (
        "borrow",
        {"asset": 7, "amount": "1"},
        ["asset: wrong-type: `asset` is a text (write it as text)"],
    ),
]
AMOUNTS: list[tuple[Any, str]] = [
    ("0", "invalid-value: `amount` is to be above 0, here is 0 (check the number)"),
    ("-1", "invalid-value: `amount` is to be above 0, here is -1 (check the number)"),
    (
        "1.000000001",
        "invalid-value: `amount` is no multiple of 0.00000001: 1.000000001"
        " (the nearest one below is 1)",
    ),
    (
        1.5,
        "float: `1.5` is a binary fraction, which may not be the number that was meant"
        ' (pass it as text: "1.5", or as a Decimal)',
    ),
    (True, "wrong-type: `amount` is a number (write it as text)"),
    ([], "wrong-type: `amount` is a number (write it as text)"),
    ("1e3", "bad-number: `1e3` is not a number (write the number out, without an exponent)"),
    ("1,000", "bad-number: `1,000` is not a number (leave the commas out: `1000`)"),
    (Decimal("NaN"), "bad-number: `NaN` is not a number (only finite numbers can be used)"),
    (
        10**18,
        "bad-number: `1000000000000000000` has more than 18 digits before the point"
        " (check the number: nothing that large is taken)",
    ),
]


def problems(request: str, given: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a request."""
    with pytest.raises(SnapshotError) as caught:
        asked("2025-02-01", SHORT, request, **given)
    return [f"{one.place}: {one.code}: {one.message} ({one.hint})" for one in caught.value.problems]


@pytest.mark.parametrize(("request_", "given", "said"), UNFIT)
def test_a_request_that_cannot_be_asked(
    request_: str, given: dict[str, Any], said: list[str]
) -> None:
    assert problems(request_, given) == said


@pytest.mark.parametrize(("amount", "said"), AMOUNTS)
def test_an_amount_that_cannot_be_asked(amount: Any, said: str) -> None:
    assert problems("borrow", {"asset": "USDC", "amount": amount}) == [f"amount: {said}"]


def test_all_problems_are_told_at_once() -> None:
    given = {"sell": "USDC", "sell_quantity": 0.1, "buy": "BTC", "buy_quantity": "-1", "at": "now"}
    codes = [one.split(": ")[1] for one in problems("place_order", given)]
    assert codes == ["float", "invalid-value", "unknown-key"]


# Each request, written out by hand

Given = dict[str, str]
CLASSIC = ["2019-08-01", "2023-02-01", "2023-08-01", "2024-01-01", "2025-01-01", "2025-02-01"]
INSTANTS = st.sampled_from([*CLASSIC, "2024-09-01", "2025-01-16", "2026-02-01"])
STEP = Decimal("0.00000001")
AMOUNT = st.decimals(STEP, 60, places=8)
HELD = st.decimals(0, 3_000_000, places=2)
MAYBE = st.booleans() | st.none()


def amount_of(figure: Decimal) -> str:
    return plain(figure)


@st.composite
def accounts(draw: st.DrawFn) -> Snapshot:
    """An account of BTC and USDC in either mode, of which not everything needs to be known."""
    lines = [
        line(
            asset,
            free=amount_of(EXACT.divide(draw(HELD), price)),
            borrowed=amount_of(EXACT.divide(draw(HELD), price)),
            interest=amount_of(draw(st.sampled_from([Decimal(0), Decimal("0.5")]))),
            locked=amount_of(draw(st.sampled_from([Decimal(0), Decimal(2)]))),
        )
        for asset, price in (("BTC", Decimal(10000)), ("USDC", Decimal(1)))
    ]
    orders = [{"sell": "BTC", "sell_quantity": "1", "buy": "USDC", "buy_quantity": "9000"}]
    return account(
        *lines,
        mode=draw(st.sampled_from(["classic", "pro"])),
        leverage=draw(st.sampled_from(["3", "5", None])),
        region=draw(st.sampled_from(["SG", "FR", None])),
        questionnaire_completed=draw(MAYBE),
        terms_accepted=draw(MAYBE),
        orders=draw(st.sampled_from([[], orders, None])),
    )


COIN = st.sampled_from(["BTC", "USDC"])
OF_A_COIN = st.fixed_dictionaries({"asset": COIN, "amount": AMOUNT.map(amount_of)})
LEVERAGE = st.fixed_dictionaries({"leverage": st.sampled_from(["3", "5"])})
RATIO = st.fixed_dictionaries({"ratio": st.sampled_from(["1.2", "1.3", "1.7", "2", "2.1"])})
ORDER = st.fixed_dictionaries(
    {
        "sell": COIN,
        "sell_quantity": AMOUNT.map(amount_of),
        "buy": COIN,
        "buy_quantity": AMOUNT.map(amount_of),
    }
)
REQUESTS = {
    "borrow": OF_A_COIN,
    "repay": OF_A_COIN,
    "transfer_out": OF_A_COIN,
    "transfer_in": OF_A_COIN,
    "place_order": ORDER,
    "switch_to_pro": st.just({}),
    "switch_to_classic": LEVERAGE,
    "set_leverage": LEVERAGE,
    "set_margin_call_ratio": RATIO,
}
ASKED = st.sampled_from(sorted(REQUESTS)).flatmap(
    lambda name: REQUESTS[name].map(lambda given: (name, given))
)


def by_hand(snapshot: Snapshot, name: str, given: Given) -> Snapshot:
    """The snapshot as the request would leave it, written without the engine."""
    made = deepcopy(snapshot)
    lines = {one["asset"]: one for one in made["assets"]}
    if name == "place_order":
        move(lines[given["sell"]], free=-number(given["sell_quantity"]))
        move(lines[given["sell"]], locked=number(given["sell_quantity"]))
        if made["orders"] is not None:
            made["orders"].append(dict(given))
    elif name == "switch_to_pro":
        made["mode"] = "pro"
    elif name == "switch_to_classic":
        made |= {"mode": "classic", "leverage": given["leverage"]}
    elif name == "set_leverage":
        made["leverage"] = given["leverage"]
    elif name == "set_margin_call_ratio":
        made["margin_call_ratio"] = {snapshot["mode"]: given["ratio"]}
    else:
        move_coins(lines[given["asset"]], name, number(given["amount"]))
    return made


def move_coins(held: dict[str, str], name: str, amount: Decimal) -> None:
    """What a request does with an amount of a coin."""
    if name == "borrow":
        move(held, free=amount, borrowed=amount)
    elif name == "transfer_in":
        move(held, free=amount)
    elif name == "transfer_out":
        move(held, free=-amount)
    else:
        interest = min(amount, number(held["interest"]))
        move(held, free=-amount, interest=-interest, borrowed=interest - amount)


def move(held: dict[str, str], **amounts: Decimal) -> None:
    for name, amount in amounts.items():
        held[name] = plain(EXACT.add(number(held[name]), amount))


def number(text: str) -> Decimal:
    return Decimal(text)


def answered(at: str, snapshot: Snapshot, name: str, given: Given) -> Answer:
    """An answer that has an account after it; other draws are passed over."""
    assume(not (at < "2023-11-12" and snapshot["mode"] == "pro"))
    answer = asked(at, snapshot, name, **given)
    assume(answer.after is not None)
    return answer


@settings(max_examples=150, deadline=None)
@given(INSTANTS, accounts(), ASKED)
def test_the_account_after_a_request_is_the_one_written_by_hand(
    at: str, snapshot: Snapshot, asked_for: tuple[str, Given]
) -> None:
    name, given_ = asked_for
    answer = answered(at, snapshot, name, given_)
    assume("more_than_owed" not in {reason.rule for reason in answer.reasons})
    assert answer.after == BOOK.in_force(at).decide(by_hand(snapshot, name, given_))
    assert answer.before == BOOK.in_force(at).decide(snapshot)


@settings(max_examples=60, deadline=None)
@given(INSTANTS, accounts(), ASKED)
def test_the_snapshot_that_the_engine_would_write_gives_the_same_account(
    at: str, snapshot: Snapshot, asked_for: tuple[str, Given]
) -> None:
    name, given_ = asked_for
    answer = answered(at, snapshot, name, given_)
    rules = BOOK.in_force(at)
    asking = rules.asking(snapshot, name)
    assert asking is not None
    effects = effects_of(rules, asking, snapshot, brought(asking.request, given_))
    assert rules.decide(changed_snapshot(rules, effects)) == answer.after


def test_a_repayment_pays_the_interest_first() -> None:
    owing = account(line("USDC", free="500", borrowed="100", interest="2.5"))
    rules = BOOK.in_force("2025-02-01")
    asking = rules.asking(owing, "repay")
    assert asking is not None
    cases = (("1", "1.5", "100"), ("2.5", "0", "100"), ("4", "0", "98.5"), ("102.5", "0", "0"))
    for amount, interest, borrowed in cases:
        given_ = brought(asking.request, {"asset": "USDC", "amount": amount})
        left = changed_snapshot(rules, effects_of(rules, asking, owing, given_))["assets"][0]
        assert (left["interest"], left["borrowed"]) == (interest, borrowed)


def test_a_total_given_by_the_exchange_does_not_outlive_a_new_order() -> None:
    given_ = {"sell": "USDC", "sell_quantity": "100", "buy": "BTC", "buy_quantity": "0.01"}
    pro = account(line("USDC", free="30000"), line("BTC", borrowed="1"), mode="pro")
    answer = asked("2025-02-01", {**pro, "open_order_loss": "5"}, "place_order", **given_)
    unknown = by_hand({**pro, "orders": None}, "place_order", given_)
    assert answer.permitted is True
    assert answer.before.values["open_order_loss"] == 5
    assert answer.after == BOOK.in_force("2025-02-01").decide(unknown)


# Laws


@settings(max_examples=100, deadline=None)
@given(INSTANTS, accounts(), ASKED)
def test_a_request_never_changes_the_callers_snapshot(
    at: str, snapshot: Snapshot, asked_for: tuple[str, Given]
) -> None:
    assume(not (at < "2023-11-12" and snapshot["mode"] == "pro"))
    kept = deepcopy(snapshot)
    answer = asked(at, snapshot, asked_for[0], **asked_for[1])
    answer.to_json()
    assert snapshot == kept


@settings(max_examples=60, deadline=None)
@given(INSTANTS, accounts(), OF_A_COIN)
def test_repaying_what_was_just_borrowed_restores_the_account(
    at: str, snapshot: Snapshot, given_: Given
) -> None:
    snapshot = {
        **snapshot,
        "assets": [{**held, "interest": "0"} for held in snapshot["assets"]],
    }
    answered(at, snapshot, "borrow", given_)
    back = asked(at, by_hand(snapshot, "borrow", given_), "repay", **given_)
    assert back.permitted is True
    assert back.after == BOOK.in_force(at).decide(snapshot)


@settings(max_examples=60, deadline=None)
@given(INSTANTS, accounts(), OF_A_COIN)
def test_transferring_in_and_out_restores_the_account(
    at: str, snapshot: Snapshot, given_: Given
) -> None:
    assert answered(at, snapshot, "transfer_in", given_).permitted is True
    back = asked(at, by_hand(snapshot, "transfer_in", given_), "transfer_out", **given_)
    assert back.after == BOOK.in_force(at).decide(snapshot)


LEVELS = (
    *("margin_level", "collateral_margin_level", "borrow_margin_level"),
    *("transfer_out_margin_level", "total_collateral_value"),
)


@settings(max_examples=80, deadline=None)
@given(INSTANTS, accounts(), OF_A_COIN)
def test_more_collateral_never_lowers_a_level(at: str, snapshot: Snapshot, given_: Given) -> None:
    # Without orders: two that buy the coin near its last edge are each reckoned alone, and may
    # lose more once more of it is held.
    answer = answered(at, {**snapshot, "orders": []}, "transfer_in", given_)
    assert answer.after is not None
    for name in LEVELS:
        assert known(answer.after, name) >= known(answer.before, name)


def known(decision: Decision, name: str) -> Decimal:
    value = decision.values[name]
    assert isinstance(value, Decimal)
    return value


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(CLASSIC), accounts(), OF_A_COIN)
def test_borrowing_in_classic_is_permitted_from_above_the_ratio_down_to_it(
    at: str, snapshot: Snapshot, given_: Given
) -> None:
    leverage = "3" if at < "2023-07-24" else snapshot["leverage"] or "5"
    own = {**snapshot, "mode": "classic", "leverage": leverage}
    ratio = {"3": Decimal("1.5"), "5": Decimal("1.25")}[leverage]
    rules = BOOK.in_force(at)
    before = known(rules.decide(own), "borrow_margin_level")
    after = known(rules.decide(by_hand(own, "borrow", given_)), "borrow_margin_level")
    permitted = rules.request(own, "borrow", **given_).permitted
    assert permitted is (before > ratio and after >= ratio)


@settings(max_examples=80, deadline=None)
@given(INSTANTS, accounts())
def test_a_switch_as_a_permission_is_the_request_with_any_of_its_values(
    at: str, snapshot: Snapshot
) -> None:
    assume(not (at < "2023-11-12" and snapshot["mode"] == "pro"))
    told = {n: one.permitted for n, one in BOOK.in_force(at).decide(snapshot).permissions.items()}
    back = [asked(at, snapshot, "switch_to_classic", leverage=n).permitted for n in ("3", "5")]
    there = asked(at, snapshot, "switch_to_pro").permitted
    switches = {name: ruling for name, ruling in told.items() if name.startswith("switch")}
    any_of = True if True in back else None if None in back else False
    offered = {"switch_to_classic": any_of, "switch_to_pro": there}
    assert switches == (offered if at >= "2023-11-12" else {})


# What is imported and what is listed


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    """The shipped rules with limits on borrowing, as an import writes them."""
    folder = tmp_path_factory.mktemp("limited")
    shutil.copytree(rules_folder(), folder / "rules")
    limit = {"vipLevel": 0, "coin": "USDC", "borrowLimit": "500", "borrowable": True}
    (folder / "vip0.json").write_text(json.dumps([limit]))
    made = folder / "rules" / "coin_limits" / "2025-03-01.yaml"
    dates = [
        "--effective-from",
        "2025-03-01",
        "--announced-at",
        "2025-02-20",
        "--fetched-on",
        "2025-02-28",
    ]
    options = ["--from", "binance", "--rules", str(folder / "rules"), *dates, "-o", str(made)]
    assert command_line(["import", str(folder / "vip0.json"), *options]) == 0
    return Rulebook.load(folder / "rules")


@pytest.mark.parametrize("mode", ["classic", "pro"])
@pytest.mark.parametrize(
    ("amount", "vip_level", "permitted", "rules"),
    [
        ("389", 0, True, []),
        ("390", 0, True, []),
        ("390.00000001", 0, False, ["above_coin_limit"]),
        ("1", 1, None, []),
        ("1", None, None, []),
    ],
)
def test_limits_by_coin_count_what_is_owed_with_its_interest(
    limited: Rulebook,
    mode: str,
    amount: str,
    vip_level: int | None,
    permitted: bool | None,
    rules: list[str],
) -> None:
    owing = account(
        line("BTC", free="1"),
        line("USDC", borrowed="100", interest="10"),
        mode=mode,
        vip_level=vip_level,
    )
    before = limited.in_force("2025-02-28T23:59:59.999999Z")
    assert before.request(owing, "borrow", asset="USDC", amount=amount).permitted is True
    answer = limited.in_force("2025-03-01").request(owing, "borrow", asset="USDC", amount=amount)
    assert answer.permitted is permitted
    assert [reason.rule for reason in answer.reasons] == rules
    assert "coin_limits_not_supplied" not in {one.name for one in answer.assumptions}
    if vip_level is None:
        assert "`vip_level` is not given; hint: --set vip_level=0" in answer.undetermined


LISTED = ("AEUR", "DAI", "FDUSD", "PAXG", "TUSD", "USDP", "USDT", "UST", "USTC")


@pytest.mark.parametrize("coin", LISTED)
@pytest.mark.parametrize("mode", ["classic", "pro"])
def test_a_listed_stablecoin_is_neither_permitted_nor_refused_in_the_eea(
    coin: str, mode: str
) -> None:
    french = account(line("BTC", free="1"), mode=mode, region="FR", prices={coin: "1"})
    for request in ("borrow", "transfer_in"):
        answer = asked("2025-02-01", french, request, asset=coin, amount="1")
        assert answer.permitted is None
        assert answer.reasons == ()
        assert any("European Economic Area" in reason for reason in answer.undetermined)


EEA = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
    *("IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)


@pytest.mark.parametrize("region", EEA)
def test_each_member_of_the_eea_is_one(region: str) -> None:
    member = account(region=region, prices={"USDT": "1"})
    answer = asked("2025-02-01", member, "transfer_in", asset="USDT", amount="1")
    assert answer.permitted is None
