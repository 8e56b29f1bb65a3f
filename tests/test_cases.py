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
from policy_engine.model import Request

CASES = Path(__file__).parent / "cases"
RULESETS = CASES.parent.parent / "rules"
WORKED = CASES.parent / "worked"
"""Examples worked out by hand that cover nothing that the cases beside the rules do not."""
FILES = sorted(CASES.rglob("*.yaml"))
ALL_FILES = [*FILES, *sorted(WORKED.rglob("*.yaml"))]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load(RULESETS)


# The shipped cases


def test_there_are_cases() -> None:
    assert len(load_cases(CASES)) > 200
    assert len(load_cases(WORKED)) > 200


@pytest.mark.parametrize(
    "path", ALL_FILES, ids=lambda path: path.relative_to(CASES.parent).as_posix()
)
def test_every_case_comes_out_as_it_says(book: Rulebook, path: Path) -> None:
    cases = read_cases(path.read_text(encoding="utf-8"), path.relative_to(CASES.parent).as_posix())
    differences = [str(difference) for case in cases for difference in run(book, case)]
    assert cases
    assert differences == []


def test_every_ruleset_has_cases() -> None:
    rulesets = {path.parent.name for path in RULESETS.glob("*/*.yaml")}
    assert {path.relative_to(CASES).parts[0] for path in FILES} == rulesets


NEVER_FIRE = {"above_coin_limit", "restricted_in_region"}
"""Reasons that no shipped figure can make sure: no limit is supplied, and what a restriction closes
is not public."""
NEVER_KNOWN = {("cross_margin_classic", "set_margin_call_ratio")}
"""Whose bounds are not public."""


def test_each_reason_to_refuse_has_cases_on_both_sides_in_every_version(book: Rulebook) -> None:
    fired: set[tuple[str, str, str]] = set()
    passed: set[tuple[str, str]] = set()
    for case in [*load_cases(CASES), *load_cases(WORKED)]:
        if case.request is not None and "permitted" in case.expect:
            version = deciding(book, case)
            expected = case.expect.get("reasons", ())
            fired |= {(version, case.request[0], reason) for reason in expected}
            passed |= {(version, case.request[0])} if case.expect["permitted"] else set()
    requests = [(v, request) for v in book.versions for request in v.requests.values()]
    assert len(requests) > 80
    known = [(v, one) for v, one in requests if (v.ruleset, one.name) not in NEVER_KNOWN]
    assert {(v.id, one.name) for v, one in known} - passed == set()
    rules = {(v.id, one.name, rule.name) for v, one in known for rule in one.refuse_when}
    assert {one for one in rules if one[2] not in NEVER_FIRE} - fired == set()
    amounts = {(v.id, one.name, "not-enough") for v, one in requests if spends(one)}
    assert len(amounts) > 30
    assert amounts - fired == set()


def deciding(book: Rulebook, case: Case) -> str:
    """The id of the version that decides on a case."""
    return book.in_force(case.at, case.known_at).compiled_for(case.snapshot).plan.main.id


def spends(request: Request) -> bool:
    """Whether a request takes from what is free."""
    texts = [e.text for effect in request.effects for e in effect.sets.values()]
    return any(text.startswith("free -") for text in texts)


def test_every_permission_that_a_request_gives_is_asked_for_in_decisions(book: Rulebook) -> None:
    told = {
        (deciding(book, case), name, ruling)
        for case in [*load_cases(CASES), *load_cases(WORKED)]
        for name, ruling in case.expect.get("permissions", {}).items()
        if case.expect.get("error") is None
    }
    given = {
        (v.id, one.name) for v in book.versions for one in v.requests.values() if one.permission
    }
    assert len(given) == 10
    for ruling in ("permitted", "refused", "undetermined"):
        assert {one for one in given if (*one, ruling) not in told} == set()


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


# What a case expects of the answer to a request

ASKING = SOUND.replace(
    "    expect:\n", "    request: {borrow: {asset: USDC, amount: 1000}}\n    expect:\n"
)


@pytest.mark.parametrize(
    "expect",
    [
        "permitted: true",
        "reasons: []",
        "undetermined: []",
        "status: normal",
        "values: {total_liability: 10000}",
        "permissions: {borrow: permitted}",
        "after: {status: normal, values: {total_liability: 11000}, orders: [{loss: 0}]}",
        "after: {reasons: {transfer_out: [not_above_transfer_out_threshold]}, undetermined: []}",
    ],
)
def test_what_is_so_of_an_answer_is_no_difference(book: Rulebook, expect: str) -> None:
    assert differences(book, expect, ASKING) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("permitted: false", "permitted: expected false, is true"),
        ("permitted: null", "permitted: expected null, is true"),
        ("reasons: [not-enough]", "reasons: expected [not-enough], is []"),
        ("undetermined: [region]", "undetermined: expected [region], is []"),
        ("status: margin_call", "status: expected margin_call, is normal"),
        ("values: {total_liability: 11000}", "values.total_liability: expected 11000, is 10000"),
        (
            "after: {values: {total_liability: 10000}}",
            "after.values.total_liability: expected 10000, is 11000",
        ),
        ("after: {status: liquidation}", "after.status: expected liquidation, is normal"),
        ("error: unknown-request", "error: expected unknown-request, is an answer, permitted"),
    ],
)
def test_a_difference_of_an_answer_is_told_in_these_words(
    book: Rulebook, expect: str, said: str
) -> None:
    assert differences(book, expect, ASKING) == [said]


def test_a_refused_or_undetermined_answer_tells_why(book: Rulebook) -> None:
    much = ASKING.replace("amount: 1000", "amount: 1000000000")
    said = "permitted: expected true, is false (above_last_bracket, not_enough_margin)"
    assert differences(book, "permitted: true", much) == [said]
    nowhere = ASKING.replace("region: FR", "region: null")
    (said,) = differences(book, "permitted: true", nowhere)
    assert said.startswith("permitted: expected true, is null (`region` is not given")
    assert differences(book, 'undetermined: ["`region` is not"]', nowhere) == []
    (said,) = differences(book, "undetermined: []", nowhere)
    assert said.startswith("undetermined: expected [], is [`region` is not given")


def test_an_answer_without_an_account_after_it(book: Rulebook) -> None:
    repaying = ASKING.replace("borrow: {asset: USDC, amount: 1000}", "switch_to_pro: {}")
    said = "after: expected an account, is not known"
    assert differences(book, "after: {status: normal}", repaying) == [said]


def test_an_error_in_place_of_an_answer_is_told(book: Rulebook) -> None:
    unknown = ASKING.replace("borrow:", "borow:")
    assert differences(book, "error: unknown-request", unknown) == []
    (said,) = differences(book, "permitted: true", unknown)
    assert said.startswith("answer: expected an answer, is the error unknown-request (")


@pytest.mark.parametrize(
    ("of", "expect", "code"),
    [
        (SOUND, "permitted: true", "invalid-value"),
        (SOUND, "after: {status: normal}", "invalid-value"),
        (SOUND, "reasons: [not-enough]", "wrong-type"),
        (ASKING, "reasons: {borrow: []}", "wrong-type"),
        (ASKING, "permitted: yes", "wrong-type"),
        (ASKING, "after: {permitted: true}", "unknown-key"),
        (ASKING.replace("{borrow: ", "{repay: {}, borrow: "), "permitted: true", "invalid-value"),
    ],
)
def test_what_no_answer_can_be_expected_to_say(of: str, expect: str, code: str) -> None:
    with pytest.raises(RulesError) as caught:
        read_cases(of + textwrap.indent(expect, "      "), "x.yaml")
    assert [problem.code for problem in caught.value.problems] == [code]


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


def test_each_instant_is_a_case() -> None:
    text = """\
cases:
  - name: at both
    at: [2025-02-01, "2025-02-01T12:00:00Z"]
    because: it holds
    snapshot: {account: A-1, mode: pro, assets: []}
    each: {region: [SE, DK]}
    request: {switch_to_classic: {leverage: 3}}
    expect: {permitted: true}
"""
    cases = read_cases(text, "x.yaml")
    assert [case.name for case in cases][1:3] == [
        "at both (at 2025-02-01, region DK)",
        "at both (at 2025-02-01T12:00:00Z, region SE)",
    ]
    assert [case.at for case in cases] == [*["2025-02-01"] * 2, *["2025-02-01T12:00:00Z"] * 2]
    assert {case.request and case.request[0] for case in cases} == {"switch_to_classic"}


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
