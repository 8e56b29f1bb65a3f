"""Complaints that are published about calculators of this field, one file each in `complaints/`.

A file has an account, what is asked of it, the right figure and the one that a naive calculator
gives. The naive one is worked out here as such a calculator would, so that the two are known to
differ; it is then put to the rules, which say what becomes of the user who trusts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_engine import Rulebook, Rules, SnapshotError
from policy_engine.numbers import EXACT, plain
from policy_engine.shipped import rules_folder

FOLDER = Path(__file__).parent / "complaints"
FILES = sorted(FOLDER.glob("*.yaml"))
BOOK = Rulebook.load()
Written = dict[str, Any]
Line = Mapping[str, str]
Figures = list[Decimal | str | None]

CENT, SATOSHI = Decimal("0.01"), Decimal("0.00000001")
INITIAL, OF_BTC, OF_USDC = Decimal("0.1112"), Decimal("0.02"), Decimal("0.03")
"""Rates of the first brackets: initial, and maintenance of a debt in BTC and in USDC."""


# --- what naive calculators do --------------------------------------------------------------------


def held(line: Line) -> Decimal:
    """What is held of a line, in USDT and in full."""
    return (Decimal(line["free"]) + Decimal(line["locked"])) * Decimal(line["price"])


def owed(line: Line) -> Decimal:
    """What is owed of a line, in USDT."""
    return (Decimal(line["borrowed"]) + Decimal(line["interest"])) * Decimal(line["price"])


def net(account: Written) -> Decimal:
    """All that is held less all that is owed; right below 1,000,000 of each coin."""
    return sum((held(line) - owed(line) for line in account["assets"]), Decimal(0))


def lines(account: Written) -> dict[str, Line]:
    """The lines of an account by coin."""
    return {line["asset"]: line for line in account["assets"]}


def status(level: Decimal) -> str:
    """The status at a level of the new Pro mode."""
    return "liquidation" if level <= 1 else "margin_call" if level <= Decimal("1.5") else "normal"


def other_positions_ignored(account: Written) -> Figures:
    by_coin = lines(account)
    price = held(by_coin["USDC"]) / (1 + OF_BTC) / Decimal(by_coin["BTC"]["borrowed"])
    return [price.quantize(CENT, ROUND_CEILING)]


def tier_at_entry_of_the_debt(account: Written) -> Figures:
    counted = Decimal(1_000_000) + (held(lines(account)["USDC"]) - 1_000_000) * Decimal("0.975")
    price = counted / (1 + OF_BTC) / Decimal(lines(account)["BTC"]["borrowed"])
    return [price.quantize(CENT, ROUND_CEILING)]


def tier_at_entry_of_the_collateral(account: Written) -> Figures:
    btc, debt = lines(account)["BTC"], owed(lines(account)["USDC"])
    counted = Decimal(1_000_000) + (held(btc) - 1_000_000) * Decimal("0.975")
    share = counted / held(btc)
    return [(debt * (1 + OF_USDC) / share / Decimal(btc["free"])).quantize(CENT, ROUND_FLOOR)]


def maximum_rounded_up(account: Written) -> Figures:
    most = net(account) / Decimal("0.25") / Decimal(account["prices"]["BTC"])
    return [most.quantize(SATOSHI, ROUND_HALF_UP)]


def over_the_initial_rate(account: Written) -> Figures:
    debts = sum(map(owed, account["assets"]), Decimal(0))
    most = (net(account) - INITIAL * debts) / INITIAL / Decimal(lines(account)["BTC"]["price"])
    return [most.quantize(SATOSHI, ROUND_FLOOR)]


def order_that_buys_charged(account: Written) -> Figures:
    order, debt = account["orders"][0], owed(lines(account)["BTC"])
    charge = INITIAL * Decimal(order["buy_quantity"]) * Decimal(lines(account)["BTC"]["price"])
    level = (net(account) - charge) / (OF_BTC * debt)
    return [status(level), charge, level]


def order_that_sells_charged(account: Written) -> Figures:
    order, debt = account["orders"][0], owed(lines(account)["USDC"])
    charge = INITIAL * Decimal(order["sell_quantity"]) * Decimal(lines(account)["BTC"]["price"])
    return [status((net(account) - charge) / (OF_USDC * debt)), charge]


def initial_for_maintenance(account: Written) -> Figures:
    debt = owed(lines(account)["BTC"])
    level, available = net(account) / (INITIAL * debt), net(account) - OF_BTC * debt
    return [level, status(level), available, "permitted" if available > 0 else "refused"]


def rounded_twice(account: Written) -> Figures:
    level = net(account) / (OF_BTC * owed(lines(account)["BTC"]))
    compared = level.quantize(CENT, ROUND_HALF_UP)
    for places in (4, 3, 2):
        level = level.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return [status(compared), level]


def missing_taken_as_zero(account: Written) -> Figures:
    losses: list[Decimal] = account["orders"] or []
    loss = sum(losses, Decimal(0))
    level = (net(account) - loss) / (OF_BTC * owed(lines(account)["BTC"]))
    return [level, loss, status(level)]


def uk_at_20x(account: Written) -> Figures:
    return [{"FR": Decimal(10), "GB": Decimal(10)}.get(account["region"], Decimal(20)), None]


NAIVE: dict[str, Callable[[Written], Figures]] = {
    "closing-order-buys-back": order_that_buys_charged,
    "closing-order-sells-what-is-held": order_that_sells_charged,
    "initial-for-maintenance": initial_for_maintenance,
    "maximum-before-the-haircut": over_the_initial_rate,
    "maximum-in-the-bracket-of-now": over_the_initial_rate,
    "maximum-rounded-up": maximum_rounded_up,
    "missing-taken-as-zero": missing_taken_as_zero,
    "other-positions-ignored": other_positions_ignored,
    "rounded-twice": rounded_twice,
    "tier-at-entry-of-the-collateral": tier_at_entry_of_the_collateral,
    "tier-at-entry-of-the-debt": tier_at_entry_of_the_debt,
    "uk-at-20x": uk_at_20x,
}

# --- what the rules say ---------------------------------------------------------------------------


def came(rules: Rules, account: Written, asked: Written) -> Decimal | str | None:
    """What is asked of an account: a figure, a word, or None where it cannot be told."""
    if "limit" in asked:
        (request, given), *_ = asked["limit"].items()
        return rules.limit(account, request, **given)
    if "distance" in asked:
        return distance(rules, account, asked["distance"])
    ((section, name),) = asked["decide"].items()
    decision = rules.decide(account)
    if section == "status":
        return decision.status
    if section == "permissions":
        return {True: "permitted", False: "refused", None: None}[
            decision.permissions[name].permitted
        ]
    value = decision.values[name]
    assert value is None or isinstance(value, Decimal)
    return value


def distance(rules: Rules, account: Written, asked: Written) -> Decimal | None:
    """Where a status begins."""
    found = rules.distances(account, asked["line"], asked["tick"])
    (one,) = (one for one in found.statuses if one.status == asked["status"])
    return one.below if asked["way"] == "below" else one.above


def read(written: str | None) -> Decimal | str | None:
    """A figure or a word, as a file writes it."""
    return Decimal(written) if written and written[-1].isdigit() else written


def complaint(stem: str) -> Written:
    """What a file says, every scalar a text, `null` none and `true` true."""
    written = (FOLDER / f"{stem}.yaml").read_text(encoding="utf-8")
    made: Written = _meant(yaml.load(written, yaml.BaseLoader))
    return made


def _meant(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _meant(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_meant(one) for one in value]
    return {"null": None, "true": True}.get(value, value)


# --- the complaints -------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", NAIVE)
def test_the_rules_give_the_right_figure(stem: str) -> None:
    made = complaint(stem)
    rules = BOOK.in_force(made["at"])
    for asked in made["asked"]:
        account = made["account"] | asked.get("set", {})
        if "error" in asked:
            with pytest.raises(SnapshotError) as caught:
                came(rules, account, asked)
            (problem,) = caught.value.problems
            assert problem.place.pointer == asked["error"]["place"]
            assert asked["error"]["hint"] in (problem.hint or "")
        else:
            assert came(rules, account, asked) == read(asked["right"])


@pytest.mark.parametrize("stem", NAIVE)
def test_a_naive_calculator_gives_another(stem: str) -> None:
    made = complaint(stem)
    with localcontext(EXACT):
        figures = NAIVE[stem](made["account"])
    stated = [read(asked.get("naive")) for asked in made["asked"]]
    assert [rounded(one, as_in) for one, as_in in zip(figures, stated, strict=True)] == stated
    assert any(one is not None for one in stated)
    for asked, one in zip(made["asked"], stated, strict=True):
        assert one is None or "error" in asked or one != read(asked["right"])


def rounded(figure: Decimal | str | None, like: Decimal | str | None) -> Decimal | str | None:
    """A figure with as many places as another has."""
    both = isinstance(figure, Decimal) and isinstance(like, Decimal)
    return figure.quantize(like, ROUND_HALF_UP) if both else figure  # type: ignore[union-attr, arg-type]


ASKED = [(stem, asked) for stem in NAIVE for asked in complaint(stem)["asked"]]
LIMITS = [(stem, asked) for stem, asked in ASKED if "limit" in asked]
DISTANCES = [(stem, asked) for stem, asked in ASKED if "distance" in asked]


@pytest.mark.parametrize(("stem", "asked"), LIMITS)
def test_the_naive_maximum_is_refused_and_the_right_one_permitted(
    stem: str, asked: Written
) -> None:
    made = complaint(stem)
    ((request, given),) = asked["limit"].items()

    def answer(amount: str) -> Any:
        return BOOK.in_force(made["at"]).request(made["account"], request, amount=amount, **given)

    assert answer(asked["right"]).permitted is True
    assert answer(asked["naive"]).permitted is False
    assert [reason.rule for reason in answer(asked["naive"]).reasons] == asked["refused_by"]


@pytest.mark.parametrize(("stem", "asked"), DISTANCES)
def test_at_the_naive_price_the_status_has_begun_long_before_or_not_yet(
    stem: str, asked: Written
) -> None:
    made, what = complaint(stem), asked["distance"]
    right, naive, tick = (Decimal(n) for n in (asked["right"], asked["naive"], what["tick"]))
    nearer = -tick if what["way"] == "above" else tick

    def begun(price: Decimal) -> bool:
        lines = [
            {**line, "price": plain(price)} if line["asset"] == what["line"] else line
            for line in made["account"]["assets"]
        ]
        decision = BOOK.in_force(made["at"]).decide({**made["account"], "assets": lines})
        return decision.status == str(what["status"])

    assert (begun(right), begun(right + nearer)) == (True, False)
    too_late = (naive > right) is (what["way"] == "above")
    assert begun(naive) is begun(naive + nearer) is too_late


NAIVE_RULES = {
    "initial-for-maintenance": ("_loss) / maintenance_margin", "_loss) / initial_margin"),
    "closing-order-buys-back": (
        "max(0, given_up - gained)",
        "slices(brackets.initial, buy, bought_value)",
    ),
    "closing-order-sells-what-is-held": (
        "max(0, given_up - gained)",
        "slices(brackets.initial, sell, sold_value)",
    ),
    "maximum-before-the-haircut": (
        "slices(collateral_ratio, collateral_rank(asset), asset_value) if",
        "asset_value if",
    ),
    "tier-at-entry-of-the-debt": (
        "slices(brackets.maintenance, asset, liability_value) if",
        "liability_value * tier(brackets.maintenance, asset, price) if",
    ),
}
"""What to put in the place of what in the rules, so that the engine is naive too."""


@pytest.mark.parametrize("stem", NAIVE_RULES)
def test_under_naive_rules_the_engine_gives_the_naive_figure(stem: str) -> None:
    made = complaint(stem)
    old, new = NAIVE_RULES[stem]
    files = sorted(rules_folder().glob("*/*.yaml"))
    texts = [(f"{path.parent.name}/{path.name}", path.read_text("utf-8")) for path in files]
    naive = Rulebook([(name, text.replace(old, new)) for name, text in texts])
    asked = made["asked"][0]
    figure = came(naive.in_force(made["at"]), made["account"], asked)
    stated = read(asked["naive"])
    assert rounded(figure, stated) == stated


def test_every_complaint_is_told_in_full() -> None:
    assert [path.stem for path in FILES] == sorted(NAIVE)
    for path in FILES:
        made = complaint(path.stem)
        assert set(made) == {"complaint", "about", "naive", "at", "account", "asked"}
        assert "  # " in path.read_text(encoding="utf-8").partition("asked:")[2]
        assert made["asked"]
