"""The ladder of an account: its thresholds, and where it stands among them."""

from __future__ import annotations

import pickle
from decimal import Decimal
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import PolicyError, Rulebook
from policy_engine.ladder import Ladder, Rung, ladders
from policy_engine.render.ladder import render
from policy_engine.render.layout import Page

HOUSE = Rulebook.load(Path(__file__).parent / "requests" / "rules").in_force("2025-02-01")
SHIPPED = {at: Rulebook.load().in_force(at) for at in ("2025-02-01", "2026-03-01")}
SIGNS = {"<": lt, "<=": le, ">": gt, ">=": ge}
NOTHING = {"locked": "0", "interest": "0"}


def account(free: str, borrowed: str, **fields: Any) -> dict[str, Any]:
    line = {"asset": "USDC", "free": free, "borrowed": borrowed, "price": "1", **NOTHING}
    own = {"account": "A", "mode": "classic", "region": "SG", "leverage": 5}
    return {**own, "assets": [line], **fields}


def lines(now: list[Ladder], later: list[Ladder] | tuple[()] = ()) -> list[str]:
    return [line.strip() for line in render(now, Page(), later)][1:]


def test_the_rungs_are_those_of_the_rules() -> None:
    (cover,) = ladders(HOUSE.decide(account("130", "100")))
    assert (cover.figure, cover.title, cover.unit) == ("cover", "Cover", "ratio")
    assert cover.value == Decimal("1.3")
    assert cover.rungs == (
        Rung("permissions", "borrow", "<=", Decimal("1.5")),
        Rung("status", "letter", "<=", Decimal("1.3")),
        Rung("status", "sale", "<=", Decimal("1.1")),
    )


def test_a_threshold_of_the_account_s_own_takes_the_place_of_the_usual_one() -> None:
    own = account("130", "100", margin_call_ratio={"classic": "1.7"})
    (cover,) = ladders(HOUSE.decide(own))
    assert [rung.name for rung in cover.rungs] == ["letter", "borrow", "sale"]


def test_a_threshold_from_a_table_and_one_that_cannot_be_told() -> None:
    rules = SHIPPED["2025-02-01"]
    told = ladders(rules.decide(account("130", "100")))[0]
    assert [(rung.name, rung.value) for rung in told.rungs][:2] == [
        ("margin_call", Decimal("1.16")),
        ("liquidation", Decimal("1.1")),
    ]
    untold = ladders(rules.decide(account("130", "100", leverage=None)))[0]
    assert [(rung.name, rung.value) for rung in untold.rungs][-1] == ("margin_call", None)
    assert lines([untold])[-1] == "cannot be told   at or below: margin_call"


@pytest.mark.parametrize(
    ("sign", "above"), [("<=", True), (">", True), ("<", False), (">=", False)]
)
def test_on_the_edge_the_mark_stands_on_the_side_of_the_rule(sign: str, above: bool) -> None:
    rung = Rung("status", "low", sign, Decimal(2))
    ladder = Ladder("level", "Level", "ratio", Decimal(2), (rung,))
    words = {"<=": "at or below", ">": "above", "<": "below", ">=": "at or above"}
    shown = lines([ladder])[1:]
    assert shown == [f"2   {words[sign]}: low", "> 2   now"][:: 1 if above else -1]


def test_without_debt_it_stands_above_all() -> None:
    (cover,) = ladders(HOUSE.decide(account("130", "0")))
    assert lines([cover])[1] == "> unlimited   now"


def test_before_and_after_stand_on_one_ladder_if_it_is_the_same() -> None:
    answer = HOUSE.request(account("200", "100", region="FR"), "repay", asset="USDC", amount="50")
    assert answer.after is not None
    shown = lines(list(ladders(answer.before)), list(ladders(answer.after)))
    assert shown[1:3] == ["> 3     afterwards", "> 2     now"]


def test_a_stored_decision_has_none() -> None:
    stored = pickle.loads(pickle.dumps(HOUSE.decide(account("130", "100"))))
    with pytest.raises(PolicyError) as caught:
        ladders(stored)
    assert caught.value.code == "no-rules-with-decision"


amounts = st.integers(0, 300).map(str)


@settings(max_examples=100, deadline=None)
@given(
    free=amounts,
    borrowed=amounts,
    mode=st.sampled_from(["classic", "pro"]),
    at=st.sampled_from(sorted(SHIPPED)),
)
def test_it_says_what_the_decision_says(free: str, borrowed: str, mode: str, at: str) -> None:
    decision = SHIPPED[at].decide(account(free, borrowed, mode=mode))
    holding = [
        rung
        for ladder in ladders(decision)
        for rung in ladder.rungs
        if ladder.value is not None
        and rung.value is not None
        and SIGNS[rung.sign](ladder.value, rung.value)
    ]
    statuses = [rung.name for rung in holding if rung.kind == "status"]
    worst = [name for name in ("liquidation", "margin_call") if name in statuses]
    assert decision.status == [*worst, "normal"][0]
    refused = {rung.name for rung in holding if rung.kind == "permissions"}
    assert {decision.permissions[name].permitted for name in refused} <= {False}
