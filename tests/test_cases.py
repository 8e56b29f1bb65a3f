"""The shipped cases come out as they say, and a case that does not says exactly how it differs."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from policy_engine import Rulebook, RulesError
from policy_engine.cases import Case, Difference, load_cases, read_cases, run
from policy_engine.cli import run as command_line

CASES = Path(__file__).parent / "cases"
RULESETS = CASES.parent.parent / "rules"
FILES = sorted(CASES.rglob("*.yaml"))


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load(RULESETS)


# The shipped cases


def test_there_are_cases() -> None:
    assert len(load_cases(CASES)) > 200


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CASES).as_posix())
def test_every_case_comes_out_as_it_says(book: Rulebook, path: Path) -> None:
    cases = read_cases(path.read_text(encoding="utf-8"), path.relative_to(CASES).as_posix())
    differences = [str(difference) for case in cases for difference in run(book, case)]
    assert cases
    assert differences == []


def test_every_ruleset_has_cases() -> None:
    rulesets = {path.parent.name for path in RULESETS.glob("*/*.yaml")}
    assert {path.relative_to(CASES).parts[0] for path in FILES} == rulesets


# What a case expects, and how a decision differs from it

SOUND = """\
base: {account: A-1, mode: pro, region: FR, questionnaire_completed: true, terms_accepted: true}
cases:
  - name: twice the debt
    at: 2025-02-01
    because: (20,000 - 10,000) / 200 = 50
    snapshot:
      assets:
        - {asset: USDC, free: 20000, locked: 0, borrowed: 0, interest: 0, price: 1}
        - {asset: BTC, free: 0, locked: 0, borrowed: 1, interest: 0, price: 10000}
      orders:
        - {sell: USDC, sell_quantity: 100, buy: BTC, buy_quantity: 0.01}
    expect:
"""


def differences(book: Rulebook, expect: str, of: str = SOUND) -> list[str]:
    """What differs from an expectation, without the place and the name of the case."""
    (case,) = read_cases(of + textwrap.indent(expect, "      "), "x.yaml")
    return [str(one).partition('": ')[2] for one in run(book, case)]


@pytest.mark.parametrize(
    "expect",
    [
        "status: normal",
        "values: {margin_level: 50, max_leverage: 10.0}",
        "values: {margin_level: 5000%}",
        "assets: {BTC: {maintenance_margin: 200}}",
        "orders: [{loss: 0}]",
        "loans: []",
        "permissions: {borrow: permitted, transfer_out: refused, fly_away: refused}",
        "reasons: {transfer_out: [not_above_transfer_out_threshold], borrow: []}",
        "notices: []",
        "undetermined: []",
    ],
)
def test_what_is_so_is_no_difference(book: Rulebook, expect: str) -> None:
    assert differences(book, expect.replace(", fly_away: refused", "")) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("status: liquidation", "status: expected liquidation, is normal"),
        ("status: undetermined", "status: expected undetermined, is normal"),
        ("values: {margin_level: 1.5}", "values.margin_level: expected 1.5, is 50"),
        ("values: {margin_level: 50%}", "values.margin_level: expected 50%, is 50"),
        ("values: {margin_level: 50.…}", "values.margin_level: expected 50.…, is 50"),
        ("values: {margin_level: unlimited}", "values.margin_level: expected unlimited, is 50"),
        ("values: {margin_level: true}", "values.margin_level: expected true, is 50"),
        (
            "values: {margin_levl: 50}",
            "values.margin_levl: expected 50, is absent (did you mean `margin_level`?)",
        ),
        ("values: {height: 50}", "values.height: expected 50, is absent"),
        (
            "assets: {BTC: {maintenance_margin: 1}}",
            "assets.BTC.maintenance_margin: expected 1, is 200",
        ),
        ("assets: {DOGE: {equity: 0}}", "assets.DOGE: expected a line, is absent"),
        ("orders: [{loss: 1}]", "orders[0].loss: expected 1, is 0"),
        ("orders: []", "orders: expected 0 lines, is 1 line"),
        ("loans: [{hours: 1}]", "loans: expected 1 line, is 0 lines"),
        ("permissions: {borrow: refused}", "permissions.borrow: expected refused, is permitted"),
        (
            "permissions: {transfer_out: permitted}",
            "permissions.transfer_out: expected permitted, is refused"
            " (not_above_transfer_out_threshold)",
        ),
        ("permissions: {fly: permitted}", "permissions.fly: expected permitted, is absent"),
        ("reasons: {borrow: [b, a]}", "reasons.borrow: expected [a, b], is []"),
        (
            "reasons: {transfer_out: []}",
            "reasons.transfer_out: expected [], is [not_above_transfer_out_threshold]",
        ),
        ("notices: [reminder]", "notices: expected [reminder], is []"),
        ("undetermined: [margin_level]", "undetermined: expected [margin_level], is []"),
        (
            "error: no-rules-apply",
            "error: expected no-rules-apply, is a decision with the status normal",
        ),
    ],
)
def test_a_difference_is_told_in_these_words(book: Rulebook, expect: str, said: str) -> None:
    assert differences(book, expect) == [said]


def test_assumptions_are_an_exact_set(book: Rulebook) -> None:
    (said,) = differences(book, "assumptions: [example_brackets]")
    assert said.startswith("assumptions: expected [example_brackets], is [brackets_after_update_")


UNKNOWN = SOUND.replace("free: 20000", "free: 20000, rank: 1").replace(", region: FR", "")


def test_an_error_that_is_not_expected_is_told(book: Rulebook) -> None:
    (said,) = differences(book, "status: normal", UNKNOWN)
    assert said.startswith("decision: expected a decision, is the error unknown-key (")


def test_another_error_than_expected_is_told(book: Rulebook) -> None:
    assert differences(book, "error: unknown-key", UNKNOWN) == []
    said = "error: expected no-rules-apply, is unknown-key"
    assert differences(book, "error: no-rules-apply", UNKNOWN) == [said]


def test_an_undetermined_figure_tells_why(book: Rulebook) -> None:
    text = SOUND.replace("asset: USDC", "asset: DOGE").replace("sell: USDC", "sell: BTC")
    (said,) = differences(book, "values: {total_collateral_value: 1}", text)
    assert said.startswith(
        "values.total_collateral_value: expected 1, is undetermined (no public collateral rank"
    )
    assert differences(book, "values: {total_collateral_value: undetermined}", text) == []


def test_orders_that_are_not_known_are_told(book: Rulebook) -> None:
    lines = SOUND.split("      orders:\n")[0] + "      orders: null\n    expect:\n"
    assert differences(book, "orders: []", lines) == ["orders: expected 0 lines, is unknown"]


def test_differences_stand_in_file_order_with_their_places(book: Rulebook) -> None:
    expect = "      values: {margin_level: 1}\n      status: margin_call\n"
    (case,) = read_cases(SOUND + expect, "tests/cases/x.yaml")
    assert [str(one) for one in run(book, case)] == [
        'tests/cases/x.yaml:13:30: case "twice the debt": values.margin_level: expected 1, is 50',
        'tests/cases/x.yaml:14:15: case "twice the debt": status: expected margin_call, is normal',
    ]


def test_digits_past_the_shown_ones_are_told() -> None:
    rules = """\
ruleset: thirds
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: A third, and nearly a third.
applies_when: mode == "pro"
sources: {own: {title: Own}}
inputs: {account: {mode: {type: text}}}
parameters:
  least: {title: Least, value: 0.000000000000000001, unit: ratio, citation: {source: own}}
formulas:
  account:
    nearly_one:
      {title: Nearly 1, unit: ratio, expression: 1 + least * least * least, citation: {source: own}}
statuses:
  normal: {title: Normal}
"""
    book = Rulebook([("thirds/2025-01-01.yaml", rules)])
    text = """\
cases:
  - name: nearly
    at: 2025-01-01
    because: 10 to the power of -54 is not 0
    snapshot: {account: A-1, mode: pro, assets: []}
    expect:
"""
    (said,) = differences(book, "values: {nearly_one: 1}", text)
    assert said == f"values.nearly_one: expected 1, is 1.{'0' * 53}1"


# Reading


def test_each_combination_is_a_case() -> None:
    text = """\
base: {account: A-1, mode: pro, assets: [], leverage: 3}
cases:
  - name: combined
    at: 2025-02-01
    known_at: 2025-01-31
    because: both
    snapshot: {leverage: 5, vip_level: 1}
    each:
      region: ["NO", SE]
      terms_accepted: [true, null]
      orders: [[], [{sell: BTC, sell_quantity: 1, buy: ETH, buy_quantity: 1}]]
    expect: {status: normal}
"""
    cases = read_cases(text, "x.yaml")
    assert [case.name for case in cases][:3] == [
        "combined (region NO, terms_accepted true, orders #1)",
        "combined (region NO, terms_accepted true, orders #2)",
        "combined (region NO, terms_accepted null, orders #1)",
    ]
    assert len(cases) == 8
    assert cases[2].snapshot["terms_accepted"] is None
    assert cases[2].snapshot["leverage"] == "5"
    assert cases[2].known_at == "2025-01-31"
    assert {str(case.place) for case in cases} == {"x.yaml:3:5"}


def test_all_problems_of_all_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("cases: []\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.yaml").write_text("cases: [\n")
    with pytest.raises(RulesError) as caught:
        load_cases(tmp_path)
    assert [Path(str(one.place.path)).name for one in caught.value.problems] == ["a.yaml", "c.yaml"]


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RulesError) as caught:
            load_cases(folder)
        assert caught.value.code == "no-cases"


def test_a_case_and_a_difference_cannot_be_changed(book: Rulebook) -> None:
    (case,) = read_cases(SOUND + "      status: margin_call\n", "x.yaml")
    for frozen in (case, *run(book, case)):
        assert isinstance(frozen, Case | Difference)
        with pytest.raises(AttributeError):
            frozen.place = case.place  # type: ignore[misc]


# The command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    return tmp_path


def test_command_counts_the_cases(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cases" / "x.yaml").write_text(SOUND + "      status: normal\n")
    assert command_line(["test", "--rules", str(RULESETS), "--cases", "cases"]) == 0
    assert capsys.readouterr().out == "1 case in 1 file: 1 passed\n"


def test_command_tells_what_differs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cases" / "x.yaml").write_text(SOUND + "      status: margin_call\n")
    assert command_line(["test", "--rules", str(RULESETS), "--cases", "cases"]) == 1
    assert capsys.readouterr().out == (
        'cases/x.yaml:13:15: case "twice the debt": status: expected margin_call, is normal\n'
        "  because: (20,000 - 10,000) / 200 = 50\n"
        "\n"
        "1 case in 1 file: 0 passed, 1 failed\n"
    )


def test_command_answers_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cases" / "x.yaml").write_text(SOUND + "      status: margin_call\n")
    arguments = ["--rules", str(RULESETS), "--cases", "cases", "--format", "json"]
    assert command_line(["test", *arguments]) == 1
    difference = {
        "about": "status",
        "line": 13,
        "column": 15,
        "expected": "margin_call",
        "found": "normal",
    }
    failure = {
        "case": "twice the debt",
        "file": "cases/x.yaml",
        "line": 3,
        "because": "(20,000 - 10,000) / 200 = 50",
        "differences": [difference],
    }
    assert json.loads(capsys.readouterr().out) == {"cases": 1, "failed": 1, "failures": [failure]}


def test_command_finds_the_cases_beside_the_rules(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(RULESETS / "collateral")
    assert command_line(["test"]) == 0
    assert re.fullmatch(r"\d+ cases in \d+ files: \d+ passed\n", capsys.readouterr().out)


def test_command_without_cases_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = folder / "elsewhere" / "rules"
    rules.parent.mkdir()
    rules.symlink_to(RULESETS)
    assert command_line(["test", "--rules", "elsewhere/rules"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "elsewhere/tests/cases: no-cases: there are no cases beside these rules" in told.err


@pytest.mark.parametrize("content", ["cases: []\n", "cases: [\n", "base: {}\n"])
def test_command_with_a_broken_case_file_ends_with_2(folder: Path, content: str) -> None:
    (folder / "cases" / "x.yaml").write_text(content)
    assert command_line(["test", "--rules", str(RULESETS), "--cases", "cases"]) == 2
