"""Binance's account JSON gives the decisions of the oracle; and every way it can be wrong."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import oracle
from policy_engine import Rulebook, SnapshotError
from policy_engine.document import read_json
from policy_engine.shipped import rules_folder
from policy_engine.sources import Part, recognised
from policy_engine.sources.binance import snapshot

HERE = Path(__file__).resolve().parent
ACCOUNTS = HERE / "accounts"
SAMPLE = HERE.parents[1] / "shared/data/binance/account_Query-Cross-Margin-Account-Details.json"
SAMPLE_PRICES = {"BTC": "10000", "BNB": "29.074328", "ETH": "300", "USDT": "1"}
AT = "2025-02-01T12:00:00Z"
PRICES = {"BTC": "100000", "USDC": "1"}
TYPES = ("MARGIN_1", "MARGIN_2")

# BaseLoader gives every scalar as the text that is written, as the oracle reads rules.
DOCUMENTS = [
    yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    for path in sorted(rules_folder().glob("*/*.yaml"))
]
BOOK = Rulebook.load()


def part(value: Any, path: str = "account.json") -> Part:
    """A value as a file of that name would give it: numbers exact."""
    return Part(read_json(json.dumps(value), path), path)


def read(account: Any, prices: Any = PRICES) -> dict[str, Any]:
    """The snapshot of an account given as Python values."""
    priced = None if prices is None else part(prices, "prices.json")
    return snapshot(part(account), priced, "account")


def file(name: str) -> Part:
    """A file among the accounts of these tests."""
    return Part(read_json((ACCOUNTS / name).read_text(encoding="utf-8"), name), name)


def line(asset: str = "BTC", **amounts: Any) -> dict[str, Any]:
    """A line of `userAssets`, 0 where nothing is said."""
    zeros = dict.fromkeys(("free", "locked", "borrowed", "interest"), "0.00000000")
    return {"asset": asset, **zeros, **amounts}


def account(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A response with these lines."""
    return {"accountType": "MARGIN_1", "userAssets": list(lines), **fields}


def level(made: dict[str, Any]) -> tuple[str | None, str | None]:
    """The margin level by engine and by oracle, as text, both of the shipped rules."""
    decided = oracle.decide(DOCUMENTS, made, AT)
    expected = decided["values"]["margin_level"]
    given = BOOK.in_force(AT).decide(made).to_dict()["values"]["margin_level"]
    return given, oracle.rounded(expected) if isinstance(expected, Fraction) else expected


# --- the documentation's sample -------------------------------------------------------------------


@pytest.fixture
def sample() -> dict[str, Any]:
    """The saved sample of the documentation, with the prices that give its figure."""
    if not SAMPLE.is_file():
        pytest.skip(f"no {SAMPLE.name} in ../shared/data/binance")
    whole = Part(read_json(SAMPLE.read_text(encoding="utf-8"), SAMPLE.name), SAMPLE.name)
    return {**snapshot(whole, part(SAMPLE_PRICES), "sample"), "leverage": "5"}


def test_the_sample_has_the_level_it_states(sample: dict[str, Any]) -> None:
    given, expected = level(sample)
    assert given == expected
    assert abs(Fraction(str(given)) - Fraction("11.64405625")) < Fraction(1, 2 * 10**7)


def test_the_sample_is_normal_and_its_collateral_is_not_known(sample: dict[str, Any]) -> None:
    decision = BOOK.in_force(AT).decide(sample)
    assert decision.status == "normal"
    assert decision.values["collateral_margin_level"] is None
    (reason,) = decision.undetermined["assets.BNB.collateral_value"]
    assert reason.startswith("no public collateral rank for BNB; hint: ")
    assert decision.undetermined["collateral_margin_level"] == (reason,)
    assert sample["open_order_loss"] == "582.728457"


# --- accounts of that shape -----------------------------------------------------------------------


def made_account(seed: int) -> tuple[dict[str, Any], dict[str, str]]:
    """An account and prices of the sample's shape, with eight decimals as the API writes them."""
    random = Random(seed)

    def amount(most: int) -> Fraction:
        return Fraction(random.randrange(most * 10**8), 10**8)

    lines = []
    for asset in ("BTC", "USDC", "BNB")[: 2 if seed % 2 else 3]:
        most = {"BTC": 4, "USDC": 90_000, "BNB": 300}[asset]
        amounts = {name: amount(most) for name in ("free", "locked", "borrowed", "interest")}
        net = amounts["free"] + amounts["locked"] - amounts["borrowed"] - amounts["interest"]
        shown = {
            name: f"{float(value):.8f}" for name, value in {**amounts, "netAsset": net}.items()
        }
        lines.append({"asset": asset, **shown})
    prices = {
        "BTC": f"{random.randrange(10**6, 12 * 10**6)}.{random.randrange(10**6):06d}",
        "USDC": f"0.99{random.randrange(10**6):06d}",
        "BNB": f"{random.randrange(200, 900)}.5",
    }
    loss = f"{random.randrange(1000)}.{random.randrange(10**8):08d}"
    fields = {"accountType": TYPES[seed % 2], "totalOpenOrderLossInUSDT": loss}
    return account(*lines, **fields), prices


@pytest.mark.parametrize("seed", range(1, 11))
def test_levels_are_those_of_the_oracle(seed: int) -> None:
    body, prices = made_account(seed)
    made = {**read(body, prices), "leverage": "3", "region": "SG"}
    given, expected = level(made)
    assert given == expected
    assert given is not None
    if seed % 2 == 0:  # Classic's level can be worked out from the sample's shape by hand
        assets = body["userAssets"]
        held = worth(assets, prices, ("free", "locked"))
        assert given == oracle.rounded(held / worth(assets, prices, ("borrowed", "interest")))


def worth(assets: list[dict[str, str]], prices: dict[str, str], names: tuple[str, str]) -> Fraction:
    """What some of the amounts of all lines are worth."""
    each = (
        Fraction(row[name]) * Fraction(prices[row["asset"]]) for row in assets for name in names
    )
    return sum(each, Fraction(0))


def test_the_saved_classic_account() -> None:
    made = {**snapshot(file("classic.json"), file("prices.json"), "classic"), "leverage": 3}
    decision = BOOK.in_force(AT).decide(made)
    assert decision.to_dict()["values"]["margin_level"] == "2.5"
    assert decision.status == "normal"
    assert decision.permissions["transfer_out"].permitted is True


def test_the_saved_pro_account() -> None:
    """Bare numbers, the other capitalisation, fields that we do not know, a list of prices."""
    made = snapshot(file("pro.json"), file("price_index.json"), "pro")
    assert made == {
        "account": "pro",
        "mode": "pro",
        "orders": None,
        "open_order_loss": "125.5",
        "assets": [
            {
                "asset": "BTC",
                "free": "1.25",
                "locked": "0.054",
                "borrowed": "0",
                "interest": "0",
                "price": "100000",
            },
            {
                "asset": "USDC",
                "free": "0",
                "locked": "0",
                "borrowed": "90000",
                "interest": "15",
                "price": "1",
            },
        ],
        "prices": {},
    }
    given, expected = level({**made, "region": "SG"})
    assert given == expected
    # (130,400 - 90,015 - 125.5) / (90,015 x 3%)
    assert expected == oracle.rounded(Fraction("40259.5") / Fraction("2700.45"))


# --- the shape ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "mode"), [("MARGIN_1", "classic"), ("MARGIN_2", "pro")])
def test_the_account_type_is_the_mode(kind: str, mode: str) -> None:
    assert read(account(accountType=kind))["mode"] == mode


@pytest.mark.parametrize("name", ["totalOpenOrderLossInUSDT", "TotalOpenOrderLossInUSDT"])
@pytest.mark.parametrize("written", ["582.72", 582.72])
def test_open_order_loss_in_both_spellings(name: str, written: Any) -> None:
    made = read(account(**{name: written}))
    assert made["open_order_loss"] == "582.72"
    assert made["orders"] is None


def test_a_missing_open_order_loss_is_not_zero() -> None:
    made = read(account(line(free="1", borrowed="0.1"), accountType="MARGIN_2"))
    assert "open_order_loss" not in made
    decision = BOOK.in_force(AT).decide({**made, "region": "SG"})
    assert decision.values["margin_level"] is None
    (reason,) = decision.undetermined["margin_level"]
    assert reason.startswith("the `orders` are not known")


def test_a_saved_sample_is_read_like_its_response() -> None:
    body = account(line(free="1"))
    whole = {"_source": "…", "_endpoint": "GET /sapi/v1/margin/account", "response": body}
    assert read(whole) == read(body)


@pytest.mark.parametrize(
    "prices",
    [
        {"BTC": "100000.10", "USDC": "1"},
        {"BTC": 100000.1, "USDC": 1},
        [{"symbol": "BTCUSDT", "price": "100000.1"}, {"symbol": "USDCUSDT", "price": "1"}],
        {"_endpoint": "x", "response": [{"symbol": "BTCUSDT", "price": 100000.1}]},
        {"symbol": "BTCUSDT", "price": "100000.1", "calcTime": 1562046418000},
    ],
)
def test_prices_in_each_form(prices: Any) -> None:
    assert read(account(line(free="1")), prices)["assets"][0]["price"] == "100000.1"


def test_a_zero_line_needs_no_price() -> None:
    made = read(account(line("NEW"), line("BTC", free="1"), line("USDC")))
    assert [row["asset"] for row in made["assets"]] == ["BTC", "USDC"]


def test_prices_without_a_line_stay_prices() -> None:
    assert read(account(line(free="1")))["prices"] == {"USDC": "1"}


def test_net_asset_may_be_cut_to_eight_places() -> None:
    read(account(line(free="1.123456789", netAsset="1.12345678")))
    read(account(line(free="1.123456789", netAsset="1.12345679")))


def test_what_looks_like_an_account() -> None:
    assert recognised(account()) == "binance"
    assert recognised({"response": account()}) == "binance"
    assert recognised({"account": "A-1", "mode": "pro", "assets": []}) is None
    assert recognised([1]) is None


# --- what is wrong --------------------------------------------------------------------------------

BTC = line(free="1")
BAD = {
    "type-unknown": (account(accountType="MARGIN_3"), "unknown-account-type", "accountType"),
    "type-case": (account(accountType="margin_2"), "unknown-account-type", "accountType"),
    "type-number": (account(accountType=2), "unknown-account-type", "accountType"),
    "type-missing": ({"userAssets": []}, "missing-key", "accountType"),
    "type-null": (account(accountType=None), "missing-key", "accountType"),
    "assets-missing": ({"accountType": "MARGIN_1"}, "missing-key", "userAssets"),
    "assets-object": ({"accountType": "MARGIN_1", "userAssets": {}}, "missing-key", "userAssets"),
    "line-text": (account("BTC"), "invalid-value", "userAssets[0].asset"),  # type: ignore[arg-type]
    "asset-missing": (account({"free": "0"}), "invalid-value", "userAssets[0].asset"),
    "asset-empty": (account(line("")), "invalid-value", "userAssets[0].asset"),
    "asset-space": (account(line("BT C")), "invalid-value", "userAssets[0].asset"),
    "asset-hidden": (account(line("BT\u200bC")), "invalid-value", "userAssets[0].asset"),
    "asset-long": (account(line("B" * 65)), "invalid-value", "userAssets[0].asset"),
    "amount-missing": (account({"asset": "BTC"}), "bad-number", "userAssets[0].free"),
    "amount-null": (account(line(free=None)), "bad-number", "userAssets[0].free"),
    "amount-truth": (account(line(locked=True)), "bad-number", "userAssets[0].locked"),
    "amount-list": (account(line(locked=[])), "bad-number", "userAssets[0].locked"),
    "amount-empty": (account(line(free="")), "bad-number", "userAssets[0].free"),
    "amount-word": (account(line(free="NaN")), "bad-number", "userAssets[0].free"),
    "amount-exponent": (account(line(free="1e-8")), "bad-number", "userAssets[0].free"),
    "amount-comma": (account(line(free="1,000")), "bad-number", "userAssets[0].free"),
    "amount-percent": (account(line(free="10%")), "bad-number", "userAssets[0].free"),
    "amount-19-after": (account(line(free="0." + "1" * 19)), "bad-number", "userAssets[0].free"),
    "amount-19-before": (account(line(free="1" * 19)), "bad-number", "userAssets[0].free"),
    "bare-19-before": (account(line(free=int("1" * 19))), "bad-number", "userAssets[0].free"),
    "bare-19-after": (account(line(free=1e-19)), "bad-number", "userAssets[0].free"),
    "negative": (account(line(borrowed="-1")), "invalid-value", "userAssets[0].borrowed"),
    "bare-negative": (account(line(borrowed=-0.5)), "invalid-value", "userAssets[0].borrowed"),
    "twice": (account(BTC, line("USDC"), BTC), "duplicate-line", "userAssets[2]"),
    "net": (account(line(free="1", netAsset="2")), "net-asset", "userAssets[0].netAsset"),
    "net-word": (account(line(netAsset="?")), "bad-number", "userAssets[0].netAsset"),
    "loss": (
        account(totalOpenOrderLossInUSDT="1e2"),
        "bad-number",
        "totalOpenOrderLossInUSDT",
    ),
    "loss-twice": (
        account(totalOpenOrderLossInUSDT="1", TotalOpenOrderLossInUSDT="2"),
        "two-values",
        "TotalOpenOrderLossInUSDT",
    ),
    "refusal": ({"code": -2015, "msg": "Invalid API-key."}, "error-response", ""),
    "list": ([BTC], "missing-key", "accountType"),
    "price": (account(line("ETH", free="1")), "missing-price", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_accounts(name: str) -> None:
    body, code, pointer = BAD[name]
    with pytest.raises(SnapshotError) as caught:
        read(body)
    problem = caught.value.problems[0]
    assert (problem.code, problem.place.pointer) == (code, pointer)
    _is_worded(caught.value)


BAD_PRICES = {
    "symbol-btc": ([{"symbol": "BNBBTC", "price": "0.003"}], "not-in-usdt", "[0].symbol"),
    "symbol-usdt": ([{"symbol": "USDT", "price": "1"}], "not-in-usdt", "[0].symbol"),
    "symbol-missing": ([{"price": "1"}], "missing-key", "[0].symbol"),
    "price-missing": ([{"symbol": "BTCUSDT"}], "bad-number", "[0].price"),
    "two": (
        [{"symbol": "BTCUSDT", "price": "1"}, {"symbol": "BTCUSDT", "price": "2"}],
        "two-prices",
        "[1].symbol",
    ),
    "zero": ({"BTC": "0"}, "invalid-value", "BTC"),
    "negative": ({"BTC": "-1"}, "invalid-value", "BTC"),
    "exponent": ({"BTC": "1e5"}, "bad-number", "BTC"),
    "truth": ({"BTC": True}, "bad-number", "BTC"),
    "number": (7, "wrong-type", ""),
    "missing": ({"USDC": "1"}, "missing-price", ""),
    "none": ([], "missing-price", ""),
}


@pytest.mark.parametrize("name", BAD_PRICES)
def test_bad_prices(name: str) -> None:
    prices, code, pointer = BAD_PRICES[name]
    with pytest.raises(SnapshotError) as caught:
        read(account(BTC), prices)
    problem = caught.value.problems[0]
    assert (problem.code, problem.place.pointer) == (code, pointer)
    assert problem.place.path == "prices.json"
    _is_worded(caught.value)


def _is_worded(error: SnapshotError) -> None:
    """Each problem has a file and a hint, and none speaks of Python."""
    for problem in error.problems:
        assert problem.place.path
        assert problem.hint
        words = f"{problem} {problem.hint}"
        assert not any(word in words for word in ("Decimal", "None", "NoneType", "dict", "True"))


def test_one_problem_names_every_asset_without_a_price() -> None:
    lines = (line("ETH", free="1"), line("BTC"), line("USDT", borrowed="1"), line("DOGE"))
    with pytest.raises(SnapshotError) as caught:
        read(account(*lines))
    (problem,) = caught.value.problems
    assert "`ETH`, `USDT`," in problem.message
    assert problem.hint == 'add "ETH": "…", "USDT": "1", with the price in USDT'


def test_the_hint_for_missing_prices_has_the_form_of_the_file() -> None:
    with pytest.raises(SnapshotError) as listed:
        read(account(line(free="1")), [])
    assert '{"symbol": "BTCUSDT", "price": "…"}' in str(listed.value)
    with pytest.raises(SnapshotError) as without:
        read(account(line(free="1")), None)
    assert '{"BTC": "…"}' in str(without.value)
    assert "--prices FILE" in str(without.value)


def test_many_symbols_of_other_coins_are_one_problem() -> None:
    others = [{"symbol": f"C{n}BTC", "price": "1"} for n in range(500)]
    with pytest.raises(SnapshotError) as caught:
        read(account(BTC), others)
    (problem,) = caught.value.problems
    assert "and 497 more" in problem.message


def test_all_problems_of_both_files_are_told() -> None:
    body = account(line(free="x"), line("USDC", locked="y"), accountType="?")
    with pytest.raises(SnapshotError) as caught:
        read(body, {"USDC": "0"})
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["unknown-account-type", "bad-number", "bad-number", "invalid-value"]


def test_a_float_from_python_is_refused() -> None:
    with pytest.raises(SnapshotError) as caught:
        snapshot(Part(account(line(free=0.1))), Part(PRICES), "A")
    assert caught.value.code == "bad-number"
