"""What the quick way of reading takes, the careful way takes alike; the rest it leaves alone."""

from __future__ import annotations

import copy
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from policy_engine import PolicyError, Rulebook, SnapshotError
from policy_engine.language.values import Undetermined
from policy_engine.snapshot import Reader

BOOK = Rulebook.load()
ROUNDS = 400
BASE: dict[str, Any] = {
    "account": "A-1",
    "at": "2025-02-01T12:00:00Z",
    "mode": "pro",
    "leverage": "5",
    "region": "FR",
    "vip_level": "0",
    "margin_call_ratio": {"pro": "1.4"},
    "questionnaire_completed": True,
    "terms_accepted": True,
    "assets": [
        dict(zip(("asset", "free", "locked", "borrowed", "interest", "price"), line, strict=True))
        for line in (
            ("BTC", "2", "0", "1", "0.001", "10000"),
            ("USDC", "5", "1", "0", "0", "1"),
            ("ETH", "0", "0", "0", "0", "300"),
        )
    ],
    "prices": {"BNB": "29.07"},
    "orders": [{"sell": "BTC", "sell_quantity": "0.1", "buy": "USDC", "buy_quantity": "1000"}],
    "loans": [
        {
            "asset": "BTC",
            "principal": "1",
            "hourly_rate": "0.00001",
            "borrowed_at": "2025-02-01T08:20:00Z",
        }
    ],
}
STATED: dict[str, dict[str, Any]] = {
    "orders listed": {},
    "a loss stated": {"orders": None, "open_order_loss": "12.50"},
    "no loss stated": {"open_order_loss": None},
}
"""What a snapshot says of its orders: the loss they make shuts the list of them out."""

VALUES: tuple[Any, ...] = (
    *("", "0", "0.0", "-1", "1e5", "007", ".5", "5.", "1|2", " 1", "NaN", "1.50", "3", "5.0"),
    *("BTC", "BNB", "B TC", "UK", "GB", "classic", "2025-02-01", "2025-02-01T00:00:00+01:00"),
    *(None, True, 1, 0, Decimal("1.5"), Decimal("NaN"), 0.5, [], {}, ["1"], {"pro": "1"}),
    *("9" * 18, "9" * 19, "0." + "1" * 18, "0." + "1" * 19, "١", "1\n", "\u202e"),
    "1e999999999",
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of every part of a snapshot."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(*at, key) for key, _ in inner]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    deeper = [places(item, (*at, k)) for k, item in inner if isinstance(item, (dict, list))]
    return found + [path for paths in deeper for path in paths]


def changed(rng: Random, snapshot: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with one part dropped, replaced, renamed or doubled."""
    made = copy.deepcopy(snapshot)
    *path, last = rng.choice(places(made))
    holder = made
    for step in path:
        holder = holder[step]
    how = rng.choice(("drop", "value", "value", "value", "rename", "double"))
    if how == "drop":
        del holder[last]
    elif how == "value":
        holder[last] = rng.choice(VALUES)
    elif how == "rename" and isinstance(holder, dict):
        holder[rng.choice(("reigon", "free", "x", "BTC", "classic"))] = holder.pop(last)
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    return made


def outcome(read: Any, *arguments: Any) -> Any:
    """What a reading gives, with undetermined figures by their reasons; None if it refuses."""
    try:
        taken = read(*arguments)
    except PolicyError:
        return None
    return plain(tuple(taken))


def plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(plain(item) for item in value)
    return ("undetermined", *value.reasons) if isinstance(value, Undetermined) else value


@pytest.mark.parametrize("stated", STATED)
@pytest.mark.parametrize("at", ["2020-01-01", "2024-01-01", "2025-02-01", "2026-02-01"])
@pytest.mark.parametrize("mode", ["classic", "pro"])
def test_both_ways_agree_on_every_change(at: str, mode: str, stated: str) -> None:
    rules = BOOK.in_force(at)
    snapshot = {**BASE, "mode": mode, **STATED[stated]}
    if outcome(rules.read, snapshot) is None:
        pytest.skip("there are no rules for this mode yet")
    reader = rules.choice(snapshot)[1]
    rng = Random(f"{at} {mode} {stated}")
    taken = 0
    for _ in range(ROUNDS):
        one = changed(rng, changed(rng, snapshot) if rng.random() < 0.3 else snapshot)
        quick, careful = (
            outcome(reader.read, one, rules.at),
            outcome(reader._carefully, one, rules.at),
        )
        assert quick == careful, one
        taken += quick is not None
    assert ROUNDS / 10 < taken < ROUNDS


@pytest.mark.parametrize("orders", [None, [], BASE["orders"], "none"])
@pytest.mark.parametrize("loss", [None, "0", "12.5", 3, "1e5", "-1", []])
def test_both_ways_agree_on_a_loss_and_orders(loss: Any, orders: Any) -> None:
    rules = BOOK.in_force("2025-02-01")
    reader = rules.choice(BASE)[1]
    for snapshot in (
        {**BASE, "open_order_loss": loss, "orders": orders},
        {k: v for k, v in {**BASE, "open_order_loss": loss}.items() if k != "orders"},
    ):
        careful = outcome(reader._carefully, snapshot, rules.at)
        assert outcome(reader.read, snapshot, rules.at) == careful


@pytest.mark.parametrize("stated", STATED)
def test_plain_snapshots_are_taken_quickly(stated: str) -> None:
    """Else all of the above would compare the careful way with itself."""
    rules = BOOK.in_force("2025-02-01")
    snapshot = {**BASE, **STATED[stated]}
    reader = rules.choice(snapshot)[1]
    taken, _ = reader._quickly(snapshot, rules.at)
    assert plain(tuple(taken)) == outcome(rules.read, snapshot)


def spoil(value: Any) -> None:
    """Change everything in a snapshot that can be changed."""
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, (dict, list)):
            spoil(item)
    value.clear()


def exact(value: Any) -> Any:
    """A snapshot in a form in which 1 is not true, and fields have no order."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list) else repr(value)


@pytest.mark.parametrize("stated", STATED)
@pytest.mark.parametrize("mode", ["classic", "pro"])
def test_what_is_kept_gives_the_snapshot_as_it_was(mode: str, stated: str) -> None:
    rules = BOOK.in_force("2025-02-01")
    snapshot = {**BASE, "mode": mode, **STATED[stated]}
    reader = rules.choice(snapshot)[1]
    rng = Random(f"{mode} {stated}")
    kept = 0
    for _ in range(ROUNDS):
        one = changed(rng, snapshot)
        before = exact(one)
        if outcome(reader.read, one, rules.at) is None:
            continue
        taken = reader.read_and_keep(one, rules.at)
        spoil(one)
        assert exact(reader.as_it_was(taken[1])) == before
        kept += 1
    assert kept > ROUNDS / 10


def test_requests_are_told_of_the_account_as_it_was() -> None:
    rules = BOOK.in_force("2025-02-01")
    snapshot = copy.deepcopy(BASE)
    decision = rules.decide(snapshot)
    spoil(snapshot)
    assert decision.to_json() == rules.decide(BASE).to_json()
    assert decision._layout.requests


@pytest.mark.parametrize("modes", [("pro", "classic"), ("classic", "pro")])
def test_an_account_is_read_beside_its_lists_as_with_them(
    modes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a request does that changes settings: by other rules, the lists being those of before."""
    rules = BOOK.in_force("2025-02-01")
    before, snapshot = ({**BASE, "mode": mode} for mode in modes)
    by, reader = (rules.choice(one)[1] for one in (before, snapshot))
    lists = by.read(before, rules.at).lists
    listed = {name: BASE[name] for name in ("assets", "orders", "loans", "prices")}
    settings = {name: value for name, value in snapshot.items() if name not in listed}
    rng = Random(str(modes))
    taken = 0
    for _ in range(ROUNDS):
        one = changed(rng, settings) | listed
        if rng.random() < 0.2:  # then the lists are not the same any more
            one = one | {rng.choice(("orders", "loans")): None}
        if rng.random() < 0.2:
            del one[rng.choice(("orders", "loans", "prices"))]
        again = outcome(reader.read_again, one, rules.at, before, by, lists)
        assert again == outcome(reader.read, one, rules.at), one
        taken += again is not None
    assert ROUNDS / 10 < taken < ROUNDS
    monkeypatch.setattr(Reader, "read", None)
    assert reader.read_again(snapshot, rules.at, before, by, lists).lists is lists


@pytest.mark.parametrize("number", [lambda text: int(Decimal(text)), Decimal])
def test_figures_that_are_numbers_are_taken_quickly(
    number: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numbers(line: dict[str, Any]) -> dict[str, Any]:
        texts = ("asset", "sell", "buy", "borrowed_at", "hourly_rate")
        return {name: value if name in texts else number(value) for name, value in line.items()}

    lists = {name: [numbers(line) for line in BASE[name]] for name in ("assets", "orders", "loans")}
    snapshot = {**BASE, **lists, "leverage": 5, "vip_level": 3}
    rules = BOOK.in_force("2025-02-01")
    reader = rules.choice(BASE)[1]
    careful = outcome(reader._carefully, snapshot, rules.at)
    monkeypatch.setattr(Reader, "_carefully", None)
    assert outcome(reader.read, snapshot, rules.at) == careful
    assert careful is not None


REMARKS = """\
ruleset: remarks
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: A line of its own kind has a text that may be anything.
sources: {}
applies_when: mode == "pro"
inputs:
  account:
    mode: {type: text}
  assets:
    asset: {type: text, key: true}
    free: {type: number, unit: coin of asset}
    remark: {type: text}
formulas:
  assets:
    marked: {title: Marked, unit: coin of asset, expression: 'free if remark == "x" else 0'}
statuses:
  normal: {title: Normal}
"""


def test_a_text_met_in_one_field_is_no_proof_for_another() -> None:
    rules = Rulebook([("remarks/2025-01-01.yaml", REMARKS)]).in_force("2025-02-01")
    amounts = dict.fromkeys(("free", "locked", "borrowed", "interest", "price"), "1")

    def decided(asset: str, remark: str) -> str | None:
        line = {"asset": asset, "remark": remark, **amounts}
        return rules.decide({"account": "A", "mode": "pro", "assets": [line]}).status

    assert decided("BTC", "b t c") == "normal"
    with pytest.raises(SnapshotError) as raised:
        decided("b t c", "x")
    assert [one.place.pointer for one in raised.value.problems] == ["assets[0].asset"]
