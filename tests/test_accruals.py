"""How many hours remain until a status begins, by what the rules say accrues by the hour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import Rulebook, Rules
from policy_engine.accruals import HORIZON
from policy_engine.cli import run

AT = "2025-02-01T12:10:00Z"
Snapshot = dict[str, Any]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load()


def loan(asset: str, principal: str, rate: str) -> Snapshot:
    begun = "2025-02-01T08:20:00Z"
    return {"asset": asset, "principal": principal, "hourly_rate": rate, "borrowed_at": begun}


def line(asset: str, price: str, **amounts: str) -> Snapshot:
    zero = dict.fromkeys(("free", "locked", "borrowed", "interest"), "0")
    return {"asset": asset, "price": price, **zero, **amounts}


def account(*lines: Snapshot, loans: list[Snapshot], **fields: Any) -> Snapshot:
    told = {"region": "SG", "questionnaire_completed": True, "terms_accepted": True}
    return {
        **{"account": "A-1", "at": AT, "mode": "pro", **told, **fields},
        **{"assets": list(lines), "loans": loans},
    }


BTC = line("BTC", "10000", free="2")
OWED = line("USDC", "1", borrowed="18000")
LOAN = loan("USDC", "18000", "0.00001")


def test_the_hours_are_those_of_a_calculation_by_hand(book: Rulebook) -> None:
    # Level (20,000 - 18,000 - 0.18 h) / (3% of 18,000 + 0.18 h). It is 1.5 where
    # 2,000 - 0.18 h = 810 + 0.0081 h, h = 1,190 / 0.1881 = 6,326.4; and 1.0 where
    # 2,000 - 0.18 h = 540 + 0.0054 h, h = 1,460 / 0.1854 = 7,874.9.
    found = book.in_force(AT).hours(account(BTC, OWED, loans=[LOAN]))
    assert (found.status, found.untold, found.reasons) == ("normal", None, ())
    assert {one.status: one.hours for one in found.statuses} == {
        "liquidation": 7875,
        "margin_call": 6327,
        "normal": None,
    }
    call = next(one.at for one in found.statuses if one.status == "margin_call")
    # The first full hour after 12:10 is 13:00, so the 6,327th begins 6,326 hours after that.
    assert call == datetime(2025, 2, 1, 13, tzinfo=UTC) + timedelta(hours=6326)
    assert [(one.key, one.name, one.each) for one in found.accruing] == [
        ("USDC", "interest", Decimal("0.18"))
    ]


def test_several_loans_of_a_coin_add_up(book: Rulebook) -> None:
    halves = [loan("USDC", "9000", "0.00002"), loan("USDC", "9000", "0")]
    rules = book.in_force(AT)
    assert rules.hours(account(BTC, OWED, loans=halves)).statuses == (
        rules.hours(account(BTC, OWED, loans=[LOAN])).statuses
    )


def test_what_the_loans_do_not_cover_cannot_be_told(book: Rulebook) -> None:
    rules = book.in_force(AT)
    for loans in ([], [loan("USDC", "17999", "0.00001")]):
        found = rules.hours(account(BTC, OWED, loans=loans))
        assert (found.status, found.untold) == ("normal", 0)
        assert [one.hours for one in found.statuses] == [None] * 3
        assert "its `borrowed` is 18000: give each of its `loans`" in found.reasons[0]


def test_a_loan_in_a_coin_without_a_line_cannot_be_told(book: Rulebook) -> None:
    found = book.in_force(AT).hours(account(BTC, loans=[loan("ETH", "1", "0.1")]))
    assert found.reasons == ("`loans` name ETH, which has no line among the `assets`: add one",)


def test_without_debt_nothing_begins(book: Rulebook) -> None:
    found = book.in_force(AT).hours(account(BTC, loans=[]))
    assert (found.accruing, found.untold, found.reasons) == ((), None, ())
    assert [one.hours for one in found.statuses] == [None] * 3


def test_what_is_not_begun_within_the_horizon_is_not_told(book: Rulebook) -> None:
    slow = loan("USDC", "18000", "0.0000000001")
    found = book.in_force(AT).hours(account(BTC, OWED, loans=[slow]))
    assert [one.hours for one in found.statuses] == [None] * 3
    assert found.evaluations < 10


def test_a_status_that_cannot_be_told_is_told_so(book: Rulebook) -> None:
    unranked = line("DOGE", "1", free="5")
    found = book.in_force(AT).hours(account(BTC, OWED, unranked, loans=[LOAN]))
    assert (found.status, found.untold) == (None, 0)
    assert any("DOGE" in reason for reason in found.reasons)


# A law: deciding on the account as it then is gives the status told


def grown(snapshot: Snapshot, hours: int) -> Snapshot:
    """The account after some hours, each loan's interest added to the line of its coin."""

    def then(one: Mapping[str, Any]) -> Snapshot:
        each = sum(
            Decimal(loan["principal"]) * Decimal(loan["hourly_rate"])
            for loan in snapshot["loans"]
            if loan["asset"] == one["asset"]
        )
        return {**one, "interest": f"{Decimal(one['interest']) + each * hours:f}"}

    return {**snapshot, "assets": [then(one) for one in snapshot["assets"]]}


RATES = ("0.001", "0.0004", "0.00003", "0")


@settings(max_examples=60, deadline=None)
@given(
    held=st.integers(1, 400),
    owed=st.tuples(st.integers(0, 3_000_000), st.integers(0, 200)),
    rates=st.tuples(st.sampled_from(RATES), st.sampled_from(RATES)),
    mode=st.sampled_from([("pro", None), ("classic", 3), ("classic", 5)]),
    at=st.sampled_from(["2024-01-01T00:00:00Z", AT, "2026-02-01T00:59:59.999999Z"]),
)
def test_the_status_told_begins_in_that_hour(
    book: Rulebook,
    held: int,
    owed: tuple[int, int],
    rates: tuple[str, str],
    mode: tuple[str, int | None],
    at: str,
) -> None:
    usdc = line("USDC", "1", free="100", borrowed=str(owed[0]), interest="3.5")
    btc = line("BTC", "10000.5", free=str(held), borrowed=str(owed[1]))
    loans = [loan("USDC", str(owed[0]), rates[0]), loan("BTC", str(owed[1]), rates[1])]
    snapshot = account(usdc, btc, loans=loans, at=at, mode=mode[0], leverage=mode[1])
    rules = book.in_force(at)
    found = rules.hours(snapshot)
    assert found.status == rules.decide(snapshot).status
    assert found.sure
    for one in found.statuses:
        if one.hours is not None:
            assert status(rules, snapshot, one.hours) == one.status
            assert status(rules, snapshot, one.hours - 1) != one.status
    last = max([one.hours for one in found.statuses if one.hours is not None], default=0)
    if last == 0:
        assert status(rules, snapshot, HORIZON) == found.status


def status(rules: Rules, snapshot: Snapshot, hours: int) -> str | None:
    return rules.decide(grown(snapshot, hours)).status


# The command


def test_the_command_tells_hours_and_instants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(account(BTC, OWED, loans=[LOAN])))
    assert run(["limit", str(path), "--hours"]) == 0
    said = capsys.readouterr().out
    assert "interest of USDC by 0.18 an hour; all else stays" in said
    assert "margin_call   6,327 hours (263 d 15 h)   2025-10-23T03:00:00Z" in said
    assert run(["limit", str(path), "--hours", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["statuses"][0] == {
        "status": "liquidation",
        "hours": 7875,
        "at": "2025-12-26T15:00:00Z",
    }


def test_the_command_says_what_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(account(BTC, OWED, loans=[])))
    assert run(["limit", str(path), "--hours"]) == 3
    assert "not known; all else stays" in capsys.readouterr().out


def test_hours_go_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(account(BTC, OWED, loans=[LOAN])))
    assert run(["limit", str(path), "--hours", "--uniform"]) == 2
    assert "--hours" in capsys.readouterr().err
