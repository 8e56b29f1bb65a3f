"""`explain`: the tree that people read, word for word, and the entries that programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_engine.cli import run

RULES = """\
ruleset: house
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: A house that lends.
applies_when: mode == "pro"
sources:
  book: {title: The book of the house, updated: 2024-12-01}
  letter: {title: A letter}
inputs:
  account:
    mode: {type: text}
    vip_level: {type: number, unit: ratio, optional: true}
  assets:
    asset: {type: text, key: true}
    free: {type: number, unit: coin of asset}
    locked: {type: number, unit: coin of asset}
    price: {type: number, unit: USDT / coin of asset, role: price}
  orders:
    sell: {type: text, key_of: assets}
    sell_quantity: {type: number, unit: coin of sell}
parameters:
  least:
    title: Least worth
    value: 100
    unit: USDT
    citation: {source: letter, quote: a hundred}
    note: The letter is read so.
tables:
  rank:
    title: Rank
    by: text
    gives: text
    rows: [{value: first, when: [BTC]}]
    otherwise: undetermined
    because: no rank for {key}
    citation: {source: letter}
scales:
  share:
    title: Share that counts
    by: text
    in: USDT
    unit: ratio
    edge_belongs_to: lower
    above_last: 10%
    tiers:
      first: [{to: 100, rate: 100%}, {to: 1000, rate: 87.5%}]
    citation: {source: book, quote: the first hundred in full}
formulas:
  assets:
    value: {title: Value, unit: USDT, expression: (free + locked) * price}
    worth:
      title: Value that counts
      unit: USDT
      expression: slices(share, rank(asset), value) if value > 0 else 0
      citation: {source: book}
  orders:
    sold: {title: Value sold, unit: USDT, expression: "sell_quantity * at(assets, sell, price)"}
  account:
    worth: {title: Worth, unit: USDT, expression: "sum(assets, worth)"}
    left: {title: What is left, unit: USDT, expression: "worth - sum(orders, sold)"}
    level:
      title: Level
      unit: ratio
      expression: vip_level if given(vip_level) else 0
statuses:
  poor: {title: Poor, when: left < least, citation: {source: letter, quote: a hundred}}
  rich: {title: Rich}
permissions:
  borrow:
    title: Borrowing is open
    refuse_when:
      poor: {title: The account is poor, when: left < least}
      guest: {title: Guests do not borrow, when: level < 1}
""".replace("because: no rank for {key}", 'because: "no rank for {key}"')

SNAPSHOT: dict[str, Any] = {
    "account": "A-1",
    "at": "2025-02-01T00:00:00Z",
    "mode": "pro",
    "assets": [
        {"asset": "BTC", "free": 3, "locked": 0, "borrowed": 0, "interest": 0, "price": "500"}
    ],
}
ORDER = {"sell": "BTC", "sell_quantity": "1", "buy": "BTC", "buy_quantity": "0"}

LEFT = """\
left = 937.5 USDT
  What is left
  formula  worth - sum(orders, sold)
           `orders` has no lines
  rules    house@2025-01-01
│
│ worth = 937.5 USDT
│   formula  sum(assets, worth)
│   rules    house@2025-01-01
│ │
│ │ assets.BTC.worth = 937.5 USDT
│ │   Value that counts
│ │   formula  slices(share, rank(asset), value) if value > 0 else 0
│ │   table    rank for BTC gives first
│ │            A letter; house@2025-01-01
│ │   tiers    share for first gives 937.5
│ │             from         to  part  x rate  = gives
│ │                0        100   100   1        100
│ │              100      1,000   900   0.875    787.5
│ │            1,000  and above   500   0.1       50
│ │            The book of the house (2024-12-01): "the first hundred in full";
│ │            house@2025-01-01
│ │   source   The book of the house (2024-12-01)
│ │   rules    house@2025-01-01
│ │ │ assets.BTC.asset = BTC
│ │ │
│ │ │ assets.BTC.value = 1,500 USDT
│ │ │   formula  (free + locked) * price
│ │ │   rules    house@2025-01-01
│ │ │ │ assets.BTC.free = 3 BTC
│ │ │ │ assets.BTC.locked = 0 BTC
│ │ │ │ assets.BTC.price = 500 USDT / BTC
"""

POOR = """\

permissions.borrow.poor = no
  The account is poor
  formula  left < least
  rules    house@2025-01-01
│ least = 100 USDT
│   Least worth
│   source   A letter: "a hundred"
│   note     The letter is read so.
│   rules    house@2025-01-01
"""

BORROW = """\
permissions.borrow = refused
  Refused if any of these holds.

permissions.borrow.guest = yes
  Guests do not borrow
  formula  level < 1
  rules    house@2025-01-01
│
│ level = 0
│   formula  vip_level if given(vip_level) else 0
│   rules    house@2025-01-01
│ │ vip_level = not given

"""


class Asked:
    """A house, and what it explains."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        (folder / "rules" / "house").mkdir(parents=True)
        (folder / "rules" / "house" / "2025-01-01.yaml").write_text(RULES, encoding="utf-8")

    def __call__(self, name: str, *options: str, **fields: Any) -> tuple[int, str, str]:
        path = self.folder / "account.json"
        path.write_text(json.dumps({**SNAPSHOT, **fields}), encoding="utf-8")
        rules = str(self.folder / "rules")
        status = run(["explain", str(path), name, "--rules", rules, *options])
        told = self.capsys.readouterr()
        return status, told.out, told.err


@pytest.fixture
def explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(tmp_path, capsys)


# For people


def test_a_figure_is_followed_down_to_the_inputs(explain: Asked) -> None:
    status, out, _ = explain("left")
    assert status == 0
    assert out == LEFT


def test_the_tables_of_tiers_are_added_up_from_their_parts(explain: Asked) -> None:
    _, out, _ = explain("assets.BTC.worth", "--format", "json")
    (looked,) = [one for one in json.loads(out)["entries"][0]["looked"] if one["slices"]]
    assert [tuple(one.values()) for one in looked["slices"]] == [
        ("0", "100", "100", "1", "100"),
        ("100", "1000", "900", "0.875", "787.5"),
        ("1000", None, "500", "0.1", "50"),
    ]
    assert looked["answer"] == "937.5"


def test_each_entry_is_shown_in_full_once(explain: Asked) -> None:
    _, out, _ = explain("left", orders=[ORDER, ORDER])
    assert out.count("orders.0.sold = 500 USDT\n") == 1
    assert out.count("assets.BTC.price = 500 USDT / BTC\n") == 1
    assert out.count("assets.BTC.price = 500 USDT / BTC, as above\n") == 2
    assert out.count("orders.1.sell_quantity = 1 BTC\n") == 1


def test_a_permission_tells_which_of_its_conditions_hold(explain: Asked) -> None:
    status, out, _ = explain("permissions.borrow")
    assert status == 0
    assert out.startswith(BORROW)
    assert POOR in out
    _, out, _ = explain("permissions.borrow", vip_level=1)
    assert out.startswith("permissions.borrow = permitted\n")


def test_the_status_is_answered_first(explain: Asked) -> None:
    _, out, _ = explain("status")
    assert out.startswith("status = rich\n  The first of these that holds, from the top;")
    assert "\nstatus.poor = no\n  formula  left < least\n" in out


def test_what_cannot_be_told_says_what_would_settle_it(explain: Asked) -> None:
    line = {**SNAPSHOT["assets"][0], "asset": "DOGE"}
    _, out, _ = explain("left", assets=[line])
    assert "left = cannot be told\n" in out
    assert "  because  no rank for DOGE\n" in out
    assert "to settle it: give `rank` of ruleset `house` an entry for DOGE\n" in out


def test_orders_that_are_not_known_are_told(explain: Asked) -> None:
    _, out, _ = explain("left", orders=None)
    assert "left = cannot be told\n" in out
    assert "`orders` is not known\n" in out


def test_it_fits_on_a_terminal_of_80_columns(explain: Asked) -> None:
    _, out, _ = explain("left", orders=[ORDER])
    assert max(map(len, out.splitlines())) <= 80


# For programs


def test_json_has_every_entry_once(explain: Asked) -> None:
    status, out, _ = explain("left", "--format", "json", orders=[ORDER])
    said = json.loads(out)
    names = [entry["name"] for entry in said["entries"]]
    assert status == 0
    assert out.count("\n") == 1
    assert (said["account"], said["name"], said["answer"]) == ("A-1", "left", None)
    assert names[0] == "left"
    assert len(names) == len(set(names))
    assert {name for entry in said["entries"] for name in entry["reads"]} == set(names[1:])
    assert said["entries"][0]["value"] == "437.5"


def test_json_cites_by_title_and_words(explain: Asked) -> None:
    _, out, _ = explain("status", "--format", "json")
    said = json.loads(out)
    assert said["answer"] == "rich"
    assert said["entries"][0]["citation"] == {
        "source": "letter",
        "title": "A letter",
        "quote": "a hundred",
    }


# What cannot be explained


def test_an_unknown_name_is_an_error(explain: Asked) -> None:
    status, out, err = explain("lefft")
    assert (status, out) == (2, "")
    assert "NAME: unknown-name: `lefft` is no figure of this decision" in err
    assert "hint: did you mean `left`?" in err
