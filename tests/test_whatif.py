"""What if: scenarios, grids with their pictures, and one account under several settings.

The files `whatif/golden/*.txt` hold a command, what it prints and how it ends; `whatif/broken/*`
scenarios that cannot be used and exactly what is said of each. `UPDATE_GOLDEN=1 pytest` writes
them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
from copy import deepcopy
from decimal import Context, Decimal, localcontext
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import PolicyError, Rulebook, RulesError, SnapshotError
from policy_engine.cli import run
from policy_engine.comparison import differences, side_by_side
from policy_engine.document import read_text
from policy_engine.grids import Axis, price_grid, steps
from policy_engine.language.thresholds import thresholds
from policy_engine.numbers import BadNumber
from policy_engine.rules import Rules
from policy_engine.scenario import Scenario, read_scenarios, shift
from policy_engine.scenarios import Outcome, changed_by, what_if, worst

FOLDER = Path(__file__).parent / "whatif"
GOLDEN = sorted((FOLDER / "golden").glob("*.txt"))
BROKEN = sorted((FOLDER / "broken").glob("*.yaml"))
ACCOUNT: dict[str, Any] = json.loads((FOLDER / "account.json").read_text(encoding="utf-8"))
BOOK = Rulebook.load(FOLDER / "rules")
RULES: Rules = BOOK.in_force("2024-12-10T08:00:00Z")
SHIPPED = Rulebook.load()
CONTRACT = Path(__file__).parent / "contract"


def kept(path: Path, text: str) -> str:
    """The text of a file, after it was written anew if that is wanted."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("$ policy-engine whatif ")
    monkeypatch.chdir(FOLDER)
    status = run(shlex.split(first)[2:])
    out, err = capfd.readouterr()
    printed = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    assert printed == kept(path, printed)
    long = [line for line in out.splitlines() if len(line) > 80 and line[0] not in "{<"]
    assert long == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_says_exactly_this_and_nothing_is_decided(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["whatif", "account.json", f"broken/{path.name}", "--rules", "rules"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    said = err.removeprefix("rules: rules\n")
    assert said == kept(path.with_suffix(".txt"), said)
    assert said.count("hint: ") == said.count(f"broken/{path.name}:") > 0


def test_there_are_golden_and_broken_files() -> None:
    assert len(GOLDEN) > 20
    assert len(BROKEN) > 5


BAD_OPTIONS = {
    "--price GOLD": "`GOLD` should be ASSET=CHANGE, such as BTC=-20%",
    "--price GOLD=-20": "`-20` is no price; a price is above 0;",
    "--price GOLD=1 --price GOLD=2": "`GOLD` is given twice",
    "--request asset=COIN": "`asset=COIN` should begin with the name of a request",
    "--request 'borrow COIN'": "`COIN` should be NAME=VALUE",
    "--request 'borrow asset=COIN asset=COIN'": "`asset` is given twice",
    "--compare pro": "`pro` should be NAME=VALUE",
    "--grid GOLD --from-percent -100": "at -100% nothing is left of a price",
    "--grid GOLD --from-percent 1e1": "`1e1` is not a number",
    "--grid GOLD --from-percent 60": "--from-percent should be below --to-percent",
    "--grid GOLD --grid COIN --grid SAND": "a grid has one price, two, or --uniform",
    "--grid GOLD --grid GOLD": "a grid has one price, two, or --uniform",
    "--grid GOLD --uniform": "a grid has one price, two, or --uniform",
    "--grid GOLD --hold COIN": "--hold goes with --uniform",
    "--price GOLD=1 --figure cover": "--figure goes with --grid or --uniform",
    "--price GOLD=1 --also-at 2024-01-01": "--also-at goes with --compare",
    "--price GOLD=1 --format svg": "--format svg draws a grid: add --grid ASSET or --uniform",
    "--price GOLD=1 --compare mode=pro": "--price or --request and --compare: one at a time",
    "scenarios.yaml --price GOLD=1": "SCENARIOS and --price or --request: one at a time",
    "no-such-file.yaml": "no-such-file.yaml: no-such-file: there is no such file",
    "--uniform --hold SILVER": "--hold: unknown-key: the account has no price of `SILVER`",
}


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_bad_options(
    options: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["whatif", "account.json", *shlex.split(options)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert BAD_OPTIONS[options] in err


# --- price changes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "price", "after"),
    [
        ("-20%", "10000", "8000"),
        ("+2.5%", "10000", "10250"),
        ("0%", "0.000000000000000001", "0.000000000000000001"),
        ("-99.9999%", "3", "0.000003"),
        ("900%", "1", "10"),
        ("2500", "10000", "2500"),
    ],
)
def test_a_shift_is_a_share_of_the_price_or_a_price(text: str, price: str, after: str) -> None:
    assert shift(text).of(Decimal(price)) == Decimal(after)


@pytest.mark.parametrize("text", ["-100%", "-250%", "0", "-1", "+5", "", "%", "1e5", "5 %", "ten"])
def test_what_is_no_shift(text: str) -> None:
    with pytest.raises(BadNumber):
        shift(text)


def test_steps_are_plain_numbers_or_none() -> None:
    made = steps(Decimal(-50), Decimal(50), 41)
    assert made is not None
    assert [made[0], made[1], made[20], made[-1]] == [-50, Decimal("-47.5"), 0, 50]
    assert len(made) == 41
    assert steps(Decimal(0), Decimal(1), 4) is None


# --- scenarios ------------------------------------------------------------------------------------


def scenarios(text: str) -> tuple[Scenario, ...]:
    return read_scenarios("scenarios:\n" + text, "scenarios.yaml")


def outcome(text: str, snapshot: Any = ACCOUNT) -> Outcome:
    (found,) = what_if(RULES, snapshot, scenarios(f"  one: {text}\n"))
    return found


def test_each_scenario_is_of_the_account_as_it_is() -> None:
    written = scenarios(read_text(FOLDER / "scenarios.yaml").partition("scenarios:\n")[2])
    together = what_if(RULES, ACCOUNT, written)
    alone = [what_if(RULES, ACCOUNT, [one])[0] for one in reversed(written)]
    assert list(together) == alone[::-1]
    assert len(together) == 8


def test_the_snapshot_is_untouched() -> None:
    before = deepcopy(ACCOUNT)
    what_if(RULES, ACCOUNT, read_scenarios(read_text(FOLDER / "scenarios.yaml"), "s"))
    with pytest.raises(SnapshotError):
        outcome("{requests: [{borow: {}}]}")
    assert before == ACCOUNT


def test_settings_then_prices_then_requests() -> None:
    lines = json.dumps([{**ACCOUNT["assets"][0], "price": "50"}]).replace('"', "'")
    text = f"{{set: {{assets: {lines}}}, prices: {{GOLD: 100%, SAND: 20}}, requests: ["
    found = outcome(
        text + "{borrow: {asset: SAND, amount: 1}}, {repay: {asset: SAND, amount: 1}}]}"
    )
    assert [answer.permitted for answer in found.answers] == [True, True]
    assert found.answers[0].before.values["held"] == 100
    assert found.answers[0].after is not None
    assert found.answers[0].after.values["owed"] == 20


def test_named_prices_come_before_all_prices() -> None:
    found = outcome("{prices: {COIN: 0%}, all_prices: -10%}")
    assert found.after is not None
    assert found.after.values["held"] == 2700 + 100
    assert found.snapshot is not None
    assert found.snapshot["prices"] == {"SAND": "9"}


def test_a_request_that_is_refused_is_told_and_made() -> None:
    found = outcome("{requests: [{borrow: {asset: COIN, amount: 2000}}]}")
    assert found.answers[0].permitted is False
    assert [reason.rule for reason in found.answers[0].reasons] == ["too_much"]
    assert found.after is not None
    assert found.after.values["owed"] == 3400


def test_after_a_request_that_leaves_no_account_none_is_made() -> None:
    text = "{requests: [{repay: {asset: COIN, amount: 101}}, {repay: {asset: COIN, amount: 1}}]}"
    found = outcome(text)
    assert [reason.rule for answer in found.answers for reason in answer.reasons] == ["not-enough"]
    assert (found.after, found.snapshot, found.severity) == (None, None, None)


def test_an_order_is_filled() -> None:
    place = "{place_order: {sell: GOLD, sell_quantity: 0.5, buy: SAND, buy_quantity: 150}}"
    placed = outcome(f"{{requests: [{place}]}}").after
    filled = outcome(f"{{requests: [{place}, {{fill_order: {{orders: 0}}}}]}}").after
    assert placed is not None
    assert filled is not None
    assert (placed.values["bound"], filled.values["bound"]) == (1500, 0)
    assert [line["asset"] for line in filled.assets or ()] == ["GOLD", "COIN", "SAND"]
    assert filled.values["held"] == 1500 + 100 + 1500


def test_worst_is_by_status_then_by_the_tested_figure() -> None:
    written = {
        "calm": "{prices: {GOLD: -1%}}",
        "low": "{prices: {GOLD: -45%}}",
        "lower": "{prices: {GOLD: -46%}}",
        "no_account": "{requests: [{repay: {asset: COIN, amount: 1400}}]}",
        "elsewhere": "{set: {mode: classic, leverage: null}}",
    }
    for order in permutations(written):
        found = what_if(RULES, ACCOUNT, scenarios("".join(f"  {n}: {written[n]}\n" for n in order)))
        chosen = worst(found)
        assert chosen is not None
        assert chosen.scenario.name == "lower"
    assert worst([one for one in found if one.scenario.name in ("no_account", "elsewhere")]) is None
    assert worst([]) is None


def test_for_a_figure_that_is_bad_when_large_the_largest_is_worst() -> None:
    guest = {**ACCOUNT, "mode": "classic", "leverage": 3}
    found = what_if(
        RULES, guest, scenarios("  up: {prices: {GOLD: 5%}}\n  down: {prices: {GOLD: -5%}}\n")
    )
    chosen = worst(found)
    assert chosen is not None
    assert (chosen.scenario.name, chosen.tested, chosen.small_is_worse) == (
        *("down", "debt_share"),
        False,
    )


def test_a_scenario_made_in_python_that_names_nothing_is_refused() -> None:
    with pytest.raises(SnapshotError) as caught:
        what_if(RULES, ACCOUNT, [Scenario("idle")])
    assert [problem.code for problem in caught.value.problems] == ["empty-scenario"]


def test_a_bad_snapshot_is_told_before_bad_scenarios() -> None:
    with pytest.raises(SnapshotError) as caught:
        what_if(RULES, {**ACCOUNT, "region": "UK"}, [Scenario("idle")])
    assert [problem.place.pointer for problem in caught.value.problems] == ["region"]


def test_a_file_that_is_no_scenarios_raises_all_at_once() -> None:
    with pytest.raises(RulesError) as caught:
        scenarios("  one: {}\n  two: {prices: {GOLD: -100%}}\n")
    assert [problem.code for problem in caught.value.problems] == ["empty-scenario", "bad-number"]


def test_json_tells_all(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["whatif", "account.json", "scenarios.yaml", "--format", "json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["before"] == RULES.decide(ACCOUNT).to_dict()
    assert said["worst"] == "crash"
    by_name = {one["name"]: one for one in said["scenarios"]}
    assert by_name["crash"]["changes"]["status"] == {"before": "calm", "after": "letter"}
    assert by_name["crash"]["changes"]["values"]["held"] == {"before": "3100", "after": "1600"}
    assert by_name["crash"]["prices"] == {"COIN": "0%", "GOLD": "1500"}
    assert by_name["crash"]["all_prices"] == "-60%"
    assert by_name["a_guest"]["changes"]["values"]["rest"] == {"before": "1700"}
    assert by_name["more_debt"]["requests"][0]["permitted"] is False
    assert by_name["too_much"]["decision"] is None
    assert by_name["elsewhere"]["decision"]["values"]["worth"] == "1700"


# --- laws -----------------------------------------------------------------------------------------

AMOUNTS = st.decimals("0", "1000", places=3).map(str)
PRICES = st.decimals("0.01", "5000", places=2).map(str)
PERCENTS = st.sampled_from([Decimal(5 * n) for n in range(-19, 21)])


KINDS: list[dict[str, Any]] = [
    {"mode": "pro", "region": "FR"},
    {"mode": "pro"},
    {"mode": "classic", "leverage": 3},
    {"mode": "classic"},
]


@st.composite
def accounts(draw: st.DrawFn) -> dict[str, Any]:
    """An account in either mode with two lines, a price without a line, and up to two orders."""
    lines = [
        {
            "asset": asset,
            **{name: draw(AMOUNTS) for name in ("free", "locked", "borrowed", "interest")},
            "price": draw(PRICES),
        }
        for asset in ("GOLD", "COIN")
    ]
    order = {"sell": "GOLD", "sell_quantity": "0.5", "buy": "SAND", "buy_quantity": "2"}
    own = draw(st.sampled_from(KINDS))
    return {
        **own,
        "account": "A-1",
        "at": ACCOUNT["at"],
        "assets": lines,
        "prices": {"SAND": draw(PRICES)},
        "orders": draw(st.sampled_from([[], [order], [order, order]])),
    }


@given(accounts())
@settings(deadline=None)
def test_a_zero_shock_changes_nothing(snapshot: dict[str, Any]) -> None:
    still = Scenario("still", prices={"GOLD": shift("0%")}, all_prices=shift("0.00%"))
    (found,) = what_if(RULES, snapshot, [still])
    assert found.snapshot == snapshot
    assert found.after == found.before
    assert differences(found.before, RULES.decide(snapshot)).none


@given(accounts().filter(lambda one: one["mode"] == "pro"), st.decimals(0, 1, places=2), AMOUNTS)
@settings(deadline=None)
def test_an_order_that_is_placed_and_cancelled_leaves_everything_as_it_was(
    snapshot: dict[str, Any], share: Decimal, bought: str
) -> None:
    quantity = max(Decimal(snapshot["assets"][0]["free"]) * share, Decimal("0.001"))
    line = {"sell": "GOLD", "sell_quantity": quantity, "buy": "SAND", "buy_quantity": bought}
    line["buy_quantity"] = max(Decimal(bought), Decimal(1))
    there = len(snapshot["orders"])
    place = ("place_order", line)
    placed, answers = changed_by(RULES, snapshot, Scenario("place", requests=(place,)))
    if placed is None:
        assert "not-enough" in [reason.rule for reason in answers[0].reasons]
        return
    assert len(placed["orders"]) == there + 1
    back = ("cancel_order", {"orders": there})
    (found,) = what_if(RULES, snapshot, [Scenario("both", requests=(place, back))])
    assert found.after == found.before


@given(accounts(), PERCENTS, PERCENTS, st.sampled_from(["GOLD", "SAND"]))
@settings(deadline=None)
def test_a_cell_is_what_the_scenario_of_its_shocks_gives(
    snapshot: dict[str, Any], across: Decimal, up: Decimal, other: str
) -> None:
    axes = [Axis((Decimal(0), across), ("COIN",)), Axis((Decimal(0), up), (other,))]
    grid = price_grid(RULES, snapshot, axes)
    shocks = {"COIN": shift(f"{across:f}%"), other: shift(f"{up:f}%")}
    found, still = what_if(
        RULES,
        snapshot,
        [Scenario("cell", prices=shocks), Scenario("still", all_prices=shift("0%"))],
    )
    for one, at in ((still, 0), (found, 1)):
        assert one.after is not None
        rank = grid.ranks[at][at]
        assert (None if rank is None else grid.statuses[rank].name) == one.after.status
        assert grid.values[at][at] == one.after.values[grid.figure or ""]
        told = {reason for why in one.after.undetermined.values() for reason in why}
    assert {*grid.reasons} <= told


@given(accounts(), PERCENTS)
@settings(deadline=None)
def test_a_uniform_grid_is_all_prices_but_those_held(
    snapshot: dict[str, Any], percent: Decimal
) -> None:
    grid = price_grid(RULES, snapshot, [Axis((percent,), None, ("COIN",))])
    change = Scenario("all", prices={"COIN": shift("0%")}, all_prices=shift(f"{percent:f}%"))
    (found,) = what_if(RULES, snapshot, [change])
    assert found.after is not None
    assert grid.values[0][0] == found.after.values[grid.figure or ""]


@given(accounts())
@settings(deadline=None, max_examples=20)
def test_a_grid_is_the_same_in_any_context_of_the_caller(snapshot: dict[str, Any]) -> None:
    axes = [Axis(steps(Decimal(-50), Decimal(50), 5) or (), ("GOLD",))]
    with localcontext(Context(prec=3)):
        few = price_grid(RULES, snapshot, axes)
    assert few == price_grid(RULES, snapshot, axes)


# --- thresholds and grids -------------------------------------------------------------------------


def test_thresholds_are_found_in_statuses_and_permissions_whichever_way_they_are_written() -> None:
    found = thresholds(RULES.compiled_for(ACCOUNT).plan)[1]
    assert [(one.kind, one.rule, one.figure, one.sign) for one in found] == [
        ("status", "sale", "cover", "<="),
        ("status", "letter", "cover", "<="),  # written `not (cover > letter_cover)`
        ("permissions", "borrow", "cover", "<="),
        ("permissions", "trade", "cover", "<="),
    ]
    guest = RULES.compiled_for({**ACCOUNT, "mode": "classic"}).plan
    assert [(one.rule, one.figure, one.sign) for one in thresholds(guest)[1]] == [
        ("shown_out", "debt_share", ">=")
    ]


def test_a_threshold_has_its_value_at_each_step() -> None:
    axis = Axis((Decimal(-10), Decimal(10)), ("GOLD",))
    guest = {**ACCOUNT, "mode": "classic", "leverage": 5}
    (line,) = price_grid(RULES, guest, [axis]).lines
    assert line.values[0] == line.values[1]
    assert str(line.values[0]).startswith("0.6666666666")
    (line,) = price_grid(RULES, {**guest, "leverage": None}, [axis]).lines
    assert line.values == (None, None)


def test_the_worked_example_of_the_rules_has_a_grid_too() -> None:
    rules = Rulebook.load(CONTRACT).in_force("2025-02-01")
    line = {"asset": "BTC", "free": "1.03", "locked": "0", "borrowed": "1", "interest": "0"}
    snapshot = {"account": "A", "mode": "pro", "assets": [{**line, "price": "10000"}]}
    percents = steps(Decimal(-50), Decimal(50), 5) or ()
    grid = price_grid(rules, snapshot, [Axis(percents, ("BTC",))])
    # (1.03 - 1) / 2% whatever the price is, which is the call ratio.
    assert (grid.figure, set(grid.values[0])) == ("margin_level", {Decimal("1.5")})
    assert [grid.statuses[rank or 0].name for rank in grid.ranks[0]] == ["margin_call"] * 5


# --- side by side ---------------------------------------------------------------------------------


def setting(**fields: Any) -> Scenario:
    return Scenario("setting", settings=fields)


def test_columns_are_settings_by_instants() -> None:
    of_instants = [BOOK.in_force("2023-02-01"), RULES]
    columns = side_by_side(
        of_instants, ACCOUNT, [setting(mode="pro"), setting(mode="classic", leverage=3)]
    )
    told = [(one.decision.status if one.decision else None, one.at) for one in columns]
    first, second = (rules.at for rules in of_instants)
    assert told == [("calm", first), ("calm", second), (None, first), ("welcome", second)]
    assert [problem.code for problem in columns[2].problems] == ["no-rules-apply"]
    limits = {(one.request, one.given["asset"]): one.value for one in columns[1].limits}
    assert limits[("borrow", "COIN")] == RULES.limit(ACCOUNT, "borrow", asset="COIN")
    assert {asset for _, asset in limits} == {"COIN", "GOLD", "SAND"}
    assert columns[0].limits == ()


def test_what_cannot_be_told_is_none_with_its_reasons() -> None:
    (column,) = side_by_side([RULES], ACCOUNT, [setting(mode="classic", leverage=None)])
    assert column.decision is not None
    assert column.decision.status is None
    assert {one.value for one in column.limits} == {None}
    assert all("`leverage` is not given" in one.reasons[0] for one in column.limits)


def test_bad_settings_are_refused_with_their_names() -> None:
    with pytest.raises(PolicyError) as caught:
        side_by_side([RULES], ACCOUNT, [setting(mode="pro"), setting(region="UK")])
    assert [problem.place.pointer for problem in caught.value.problems] == ["set.region"]


def test_the_three_modes_of_the_shipped_rules() -> None:
    line = {"locked": "0", "interest": "0"}
    snapshot = {
        "account": "A-1",
        "mode": "classic",
        "region": "SG",
        "questionnaire_completed": True,
        "terms_accepted": True,
        "assets": [
            {"asset": "BTC", "free": "2", "borrowed": "0", "price": "50000", **line},
            {"asset": "USDC", "free": "0", "borrowed": "60000", "price": "1", **line},
        ],
    }
    three, five, pro = side_by_side(
        [SHIPPED.in_force("2025-02-01")],
        snapshot,
        [
            setting(mode="classic", leverage=3),
            setting(mode="classic", leverage=5),
            setting(mode="pro"),
        ],
    )
    assert three.decision is not None
    assert five.decision is not None
    assert pro.decision is not None
    # 100,000 / 60,000 is above 1.5 and 1.25; a debt of 60,000 at 3% needs 1,800.
    assert three.decision.values["margin_level"] == five.decision.values["margin_level"]
    assert pro.decision.values["maintenance_margin"] == 1800
    most = [
        next(
            one.value
            for one in column.limits
            if (one.request, one.given) == ("borrow", {"asset": "USDC"})
        )
        for column in (three, five, pro)
    ]
    # 100,000 + x = 1.5 (60,000 + x), and 1.25 (60,000 + x).
    assert most[:2] == [20000, 100000]
    assert isinstance(most[2], Decimal)
    assert five.decision.permissions["switch_to_pro"].permitted is True
