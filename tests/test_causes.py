"""What moved a figure: the parts of rules and inputs, and their shares, add up to the change.

The files `causes/golden/*.txt` hold a command, what it prints and how it ends.
`UPDATE_GOLDEN=1 pytest` writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import PolicyError, Rulebook, SnapshotError
from policy_engine.causes import Causes, Split, causes
from policy_engine.cli import run

FOLDER = Path(__file__).parent / "causes"
GOLDEN = sorted((FOLDER / "golden").glob("*.txt"))
BOOK = Rulebook.load()
JAN, FEB, GONE = (
    json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("jan", "feb", "gone")
)
OLD, NEW = BOOK.in_force("2025-01-20T12:00:00Z"), BOOK.in_force("2025-02-01T12:00:00Z")
ZERO = Fraction(0)


def exact(split: Split | None) -> tuple[Fraction, Fraction, Fraction]:
    assert split is not None
    return Fraction(split.mean), Fraction(split.rules_first), Fraction(split.inputs_first)


def total(found: Causes, kind: str) -> tuple[Fraction, ...]:
    parts = [exact(share.split) for share in found.shares if share.kind == kind]
    return tuple(sum((part[at] for part in parts), ZERO) for at in range(3))


def adds_up(found: Causes) -> None:
    """That everything adds up to the change, exactly and in either order."""
    assert found.whole is not None
    assert found.interaction is not None
    corners = [found.start, found.only_rules, found.only_inputs, found.end]
    start, rules, inputs, end = (Fraction(one.number or 0) for one in corners)
    assert Fraction(found.whole) == end - start
    assert Fraction(found.interaction) == end - rules - inputs + start
    of_rules, of_inputs = exact(found.rules), exact(found.inputs)
    assert of_rules[1:] == (rules - start, end - inputs)
    assert of_inputs[1:] == (end - rules, inputs - start)
    for at in range(3):
        assert of_rules[at] + of_inputs[at] == end - start
    assert total(found, "rules") == of_rules
    assert total(found, "inputs") == of_inputs


def changed(account: Any, prices: tuple[str, str], amounts: tuple[str, str, str]) -> Any:
    btc, usdc = account["assets"]
    lines = [
        {**btc, "price": prices[0], "free": amounts[0]},
        {**usdc, "price": prices[1], "borrowed": amounts[1], "interest": amounts[2]},
    ]
    return {**account, "assets": lines}


numbers = st.decimals("0.01", "5000000", places=4, allow_nan=False, allow_infinity=False).map(str)
accounts = st.tuples(st.tuples(numbers, numbers), st.tuples(numbers, numbers, numbers))
NAMES = (
    "margin_level",
    "initial_margin",
    "margin_headroom",
    "net_equity",
    "assets.BTC.asset_value",
)


@settings(max_examples=25, deadline=None)
@given(accounts, accounts, st.sampled_from(NAMES))
def test_all_parts_and_shares_add_up(first: Any, second: Any, name: str) -> None:
    adds_up(causes(OLD, changed(JAN, *first), NEW, changed(FEB, *second), name))


@settings(max_examples=12, deadline=None)
@given(accounts, accounts)
def test_the_four_are_what_decide_gives(first: Any, second: Any) -> None:
    before, after = changed(JAN, *first), changed(FEB, *second)
    found = causes(OLD, before, NEW, after, "margin_level")
    for corner, rules, snapshot in (
        (found.start, OLD, before),
        (found.only_rules, NEW, before),
        (found.only_inputs, OLD, after),
        (found.end, NEW, after),
    ):
        assert corner.value == rules.decide(snapshot).values["margin_level"]


@settings(max_examples=12, deadline=None)
@given(accounts)
def test_turned_round_every_share_changes_its_sign(first: Any) -> None:
    """There and back: the mean of both orders does not depend on which end is called the old."""
    before, after = JAN, changed(FEB, *first)
    there = causes(OLD, before, NEW, after, "margin_level")
    back = causes(NEW, after, OLD, before, "margin_level")
    for part in ("rules", "inputs"):
        assert exact(getattr(there, part))[0] == -exact(getattr(back, part))[0]
    assert Fraction(there.whole or 0) == -Fraction(back.whole or 0)


def test_without_a_moved_account_all_comes_from_the_rules() -> None:
    found = causes(OLD, JAN, NEW, JAN, "margin_level")
    adds_up(found)
    assert found.inputs == Split(Decimal(0), Decimal(0))
    assert {share.kind for share in found.shares} == {"rules"}
    assert found.interaction == 0


def test_without_moved_rules_all_comes_from_the_account() -> None:
    found = causes(NEW, JAN, NEW, FEB, "margin_level")
    adds_up(found)
    assert found.rules == Split(Decimal(0), Decimal(0))
    assert {name for share in found.shares for name in share.names} == {
        "assets.BTC.price",
        "assets.USDC.free",
        "assets.USDC.interest",
    }


def test_a_single_input_is_told_by_hand() -> None:
    """Under one version: 2.5 BTC fall by 50,000 each, and 1,900,010 USDC are owed."""
    found = causes(
        OLD, JAN, OLD, changed(JAN, ("950000", "1"), ("2", "1900000", "10")), "net_equity"
    )
    (share,) = found.shares
    assert (share.names, share.before, share.after) == (("assets.BTC.price",), "1000000", "950000")
    assert share.split.mean == Decimal("-125000")
    assert found.whole == Decimal("-125000")


def test_an_asset_that_comes_and_one_that_goes_are_each_one_thing() -> None:
    line = {"asset": "ETH", "free": "1", "locked": "0", "borrowed": "0", "interest": "0"}
    after = {**JAN, "assets": [*JAN["assets"], {**line, "price": "3000"}]}
    found = causes(OLD, JAN, OLD, after, "net_equity")
    assert [share.names for share in found.shares] == [("assets.ETH",)]
    back = causes(OLD, after, OLD, JAN, "net_equity")
    assert [share.split.mean for share in back.shares] == [Decimal("-3000")]
    adds_up(found)
    adds_up(back)


def test_a_trailing_zero_moves_nothing() -> None:
    found = causes(
        NEW, JAN, NEW, changed(JAN, ("1000000.0", "1.00"), ("2", "1900000", "10")), "net_equity"
    )
    assert (found.shares, found.idle, found.whole) == ((), (), Decimal(0))


def test_a_change_of_mode_is_split_too() -> None:
    after = {**JAN, "mode": "classic", "leverage": "5"}
    found = causes(OLD, JAN, OLD, after, "margin_level")
    adds_up(found)
    assert found.rules == Split(Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [("margin_level", None, "Infinity"), ("open_order_loss", "no such figure", "0")],
)
def test_what_is_no_number_at_an_end_has_no_shares(name: str, start: str | None, end: str) -> None:
    found = causes(OLD, JAN, NEW, GONE, name)
    assert (found.rules, found.inputs, found.shares, found.whole) == (None, None, (), None)
    assert found.end.value == Decimal(end)
    assert found.start.reason == (start or "")


def test_rows_of_one_table_each_have_a_share() -> None:
    """ARB moves from rank 6 to 7 and TRX from 7 to 6: each row by itself, by hand."""
    lines = (
        ("ARB", "1000000", "0", "1"),
        ("TRX", "3000000", "0", "0.3"),
        ("USDC", "0", "900000", "1"),
    )
    names = ("asset", "free", "borrowed", "price")
    rest = {"locked": "0", "interest": "0"}
    assets = [{**dict(zip(names, line, strict=True)), **rest} for line in lines]
    account = {**JAN, "at": "2026-01-12T05:00:00Z", "assets": assets, "orders": []}
    old, new = (BOOK.in_force(f"2026-01-12T0{hour}:00:00Z") for hour in (5, 7))
    found = causes(old, account, new, account, "total_collateral_value")
    adds_up(found)
    sides = [rules.decide(account).assets or () for rules in (old, new)]
    worth = [{str(line["asset"]): line["collateral_value"] for line in side} for side in sides]
    by_hand: dict[str, Decimal] = {}
    for name, before in worth[0].items():
        after = worth[1][name]
        assert isinstance(before, Decimal)
        assert isinstance(after, Decimal)
        if before != after:
            by_hand[f"collateral/tables/collateral_rank/rows/{name}"] = after - before
    assert len(by_hand) == 2
    assert {share.names[0]: share.split.mean for share in found.shares} == by_hand


def test_the_status_has_four_outcomes_and_no_shares() -> None:
    found = causes(OLD, JAN, NEW, FEB, "status")
    corners = (found.start, found.only_rules, found.only_inputs, found.end)
    assert [corner.value for corner in corners] == ["normal"] * 4
    assert found.shares == ()


def test_two_accounts_and_unknown_figures_are_refused() -> None:
    with pytest.raises(SnapshotError, match="other-account"):
        causes(OLD, JAN, NEW, {**FEB, "account": "B-2"}, "margin_level")
    with pytest.raises(PolicyError, match="unknown-name"):
        causes(OLD, JAN, NEW, FEB, "margin_levl")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("$ policy-engine explain ")
    monkeypatch.chdir(FOLDER)
    status = run(shlex.split(first)[2:])
    out, err = capfd.readouterr()
    printed = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(printed, encoding="utf-8")
    assert printed == path.read_text(encoding="utf-8")


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 10
