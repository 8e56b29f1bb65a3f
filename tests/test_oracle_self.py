"""The oracle against figures worked out by hand."""

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest

from oracle import OracleError, decide, rounded

T = "2025-02-01T12:00:00Z"

INPUTS: dict[str, Any] = {
    "account": {
        "mode": {"type": "text"},
        "at": {"type": "instant"},
        "region": {"type": "text", "optional": "true"},
        "vip": {"type": "number", "from": "vip_level", "optional": "true"},
    },
    "assets": {
        "asset": {"type": "text", "key": "true"},
        "free": {"type": "number"},
        "borrowed": {"type": "number"},
        "price": {"type": "number", "role": "price"},
    },
    "orders": {"sell": {"type": "text", "key_of": "assets"}, "quantity": {"type": "number"}},
    "loans": {"asset": {"type": "text"}, "borrowed_at": {"type": "instant"}},
}
TIERS = [{"to": "100", "rate": "100%"}, {"to": "200", "rate": "50%"}]
RULES: dict[str, Any] = {
    "ruleset": "hand",
    "effective_from": "2025-01-01T00:00:00Z",
    "applies_when": 'mode == "pro"',
    "inputs": INPUTS,
    "parameters": {
        "limit": {"value": "2"},
        "cent": {"value": "0.01"},
        "half": {"value": "50%"},
        "three": {"value": "3"},
        "secret": {"value": "undetermined", "because": "not public"},
        "coin": {"value": "BTC", "gives": "text"},
        "noon": {"value": "2025-02-01T12:00:00Z", "gives": "instant"},
        "x150": {"value": "150"},
        "x250": {"value": "250"},
        "x200": {"value": "200"},
        "tie": {"value": "2.5"},
        "early": {"value": "2025-02-01T13:20:00Z", "gives": "instant"},
        "late": {"value": "2025-02-01T14:15:00Z", "gives": "instant"},
        "same_hour": {"value": "2025-02-01T13:59:00Z", "gives": "instant"},
        "on_the_hour": {"value": "2025-02-01T14:00:00Z", "gives": "instant"},
    },
    "tables": {
        "leverage": {
            "by": "text",
            "rows": [{"value": "10", "when": ["FR", "NO"], "assumes": ["row_assumed"]}],
            "otherwise": "unlimited",
            "otherwise_assumes": ["otherwise_assumed"],
        },
        "level": {
            "by": ["text", "number"],
            "rows": [{"value": "7", "when": [["BTC", "2.0"]]}],
            "otherwise": "undetermined",
            "because": "no level for {key}",
        },
    },
    "scales": {
        "low": {
            "edge_belongs_to": "lower",
            "above_last": {"rate": "0", "assumes": ["above"]},
            "tiers": TIERS,
        },
        "high": {
            "by": "text",
            "columns": {"a": "ratio", "b": "ratio"},
            "edge_belongs_to": "upper",
            "above_last": "last",
            "tiers": {
                "BTC": [{"to": "100", "a": "1", "b": "2"}, {"to": "200", "a": "3", "b": "4"}]
            },
        },
        "open": {
            "edge_belongs_to": "lower",
            "above_last": "undetermined",
            "because": "unpublished",
            "tiers": TIERS,
        },
    },
}
SNAPSHOT: dict[str, Any] = {
    "account": "A-1",
    "at": T,
    "mode": "pro",
    "vip_level": 2,
    "assets": [
        {"asset": "BTC", "free": "2", "borrowed": "0.50", "price": "100"},
        {"asset": "ETH", "free": "0", "borrowed": "3", "price": "10"},
        {"asset": "DUST", "free": "0", "borrowed": "0.0", "price": "1"},
    ],
    "prices": {"USDC": "1", "BTC": "100.0"},
    "orders": [{"sell": "USDC", "quantity": "5"}],
}


def rules(**changes: Any) -> dict[str, Any]:
    """The rules above with some sections changed."""
    return deepcopy(RULES) | changes


def value(expression: str, **facts: Any) -> Any:
    """The value of one account formula over the rules and the snapshot above."""
    formulas = {"account": {"answer": {"expression": expression}}}
    return decide([rules(formulas=formulas)], SNAPSHOT | facts, T)["values"]["answer"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + limit * three", 7),
        ("-limit - (limit - three)", -1),
        ("limit / three", Fraction(2, 3)),
        ("limit / (limit - limit)", None),
        ("1 if limit > 1 else limit / 0", 1),
        ("secret if limit < 1 else 0", 0),
        ("secret * 0", None),
        ("false and secret > 0", False),
        ("secret > 0 and false", False),
        ("secret > 0 or false", None),
        ("not secret > 0", None),
        ('region == "FR"', None),
        ("given(region)", False),
        ("given(vip) and vip == limit", True),
        ("min(unlimited, limit, three)", 2),
        ("max(limit, unlimited)", "unlimited"),
        ("unlimited > limit", True),
        ("abs(limit - three)", 1),
        ("round_half_up(tie, 1)", 3),
        ("round_half_up(-tie, 1)", -3),
        ("round_up(-tie, 1)", -2),
        ("round_down(-tie, 1)", -3),
        ("round_up(tie, half)", Fraction(5, 2)),
        ("round_up(tie, 0)", None),
        ("clock_hours(early, late)", 2),
        ("clock_hours(early, same_hour)", 1),
        ("clock_hours(early, on_the_hour)", 2),
        ("clock_hours(late, early)", None),
        ("noon", "2025-02-01T12:00:00Z"),
        ("early > noon", True),
        ('leverage("NO")', 10),
        ('leverage("SG")', "unlimited"),
        ("level(coin, vip)", 7),
        ("level(coin, 1)", None),
        ("slices(low, x150)", 125),
        ("slices(low, x250)", 150),
        ("slices(low, -x150)", 0),
        ("slices(low, x250, half / limit)", Fraction(325, 2)),
        ("slices(high.a, coin, x250)", 550),
        ("slices(high.b, coin, x150)", 400),
        ('slices(high.a, "ETH", 0)', None),
        ("slices(open, x200)", 150),
        ("slices(open, x250)", None),
        ("tier(low, x200)", Fraction(1, 2)),
        ("tier(low, -x200)", 1),
        ("tier(high.a, coin, x150)", 3),
        ("tier(high.b, coin, x200)", 4),
        ("tier(open, x250)", None),
        ("top(high, coin)", 200),
        ("sum(assets, free * price)", 200),
        ("count(assets, true)", 3),
        ("count(orders, true)", 1),
        ("largest(assets, borrowed, 0)", 3),
        ("smallest(loans, 1, limit)", 2),
        ("any(assets, free > 1)", True),
        ("all(assets, level(asset, vip) > 0)", None),
        ("any(assets, level(asset, vip) > 0)", True),
        ("all(loans, false)", True),
        ("sum(orders, at(assets, sell, price) * quantity)", 5),
        ('at(assets, "DUST", price)', None),
        ("sum(assets, sum(assets, free))", 6),
    ],
)
def test_an_expression_has_the_value_worked_out_by_hand(expression: str, expected: Any) -> None:
    answer = value(expression)
    assert (answer, type(answer) is bool) == (expected, type(expected) is bool)


def test_unknown_orders_are_unknown_and_absent_ones_are_none() -> None:
    assert value("count(orders, true)", orders=None) is None
    assert value("any(orders, true)", orders=None) is None
    assert value("count(loans, true)") == 0


def test_the_instant_of_the_facts_is_the_one_asked_about_when_it_is_absent() -> None:
    assert value("at == noon", at=None) is True


def test_own_names_come_first_on_a_line() -> None:
    formulas = {
        "assets": {"worth": {"expression": "free * price"}, "share": {"expression": "worth + vip"}},
        "account": {"worth": {"expression": "sum(assets, worth)"}},
    }
    decision = decide([rules(formulas=formulas)], SNAPSHOT, T)
    assert decision["values"] == {"worth": 200}
    assert decision["assets"] == [
        {"asset": "BTC", "share": 202, "worth": 200},
        {"asset": "ETH", "share": 2, "worth": 0},
        {"asset": "USDC", "share": 2, "worth": 0},
    ]
    assert (decision["orders"], decision["loans"]) == ([{}], [])


def test_statuses_permissions_notices_and_what_is_undetermined() -> None:
    refusals = {"r1": {"when": "secret > 0"}, "r2": {"when": "limit > 1"}}
    made = rules(
        formulas={"orders": {"lost": {"expression": "secret"}}},
        statuses={"bad": {"when": "limit < 1"}, "odd": {"when": "secret > 0"}, "good": {}},
        notices={"told": {"when": "true"}, "unsure": {"when": "secret > 1"}},
        permissions={
            "closed": {"refuse_when": refusals},
            "maybe": {"refuse_when": {"r1": refusals["r1"]}},
            "free": {"refuse_when": {"r3": {"when": "limit > three"}}},
        },
    )
    decision = decide([made], SNAPSHOT, T)
    assert decision["status"] is None
    assert decision["notices"] == ["told"]
    assert decision["permissions"] == {
        "closed": {"permitted": False, "reasons": ["r2"]},
        "free": {"permitted": True, "reasons": []},
        "maybe": {"permitted": None, "reasons": []},
    }
    assert decision["undetermined"] == [
        "notices.unsure",
        "orders.0.lost",
        "permissions.maybe",
        "status",
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('leverage("FR")', ["row_assumed"]),
        ('leverage("SG")', ["otherwise_assumed"]),
        ('leverage("SG") > 1 if limit < 1 else true', []),
        ("slices(low, x200)", []),
        ("slices(low, x250)", ["above"]),
        ("tier(low, x200)", []),
        ("tier(low, x250)", ["above"]),
        ("any(assets, tier(low, free * price + 1) > 0)", ["above"]),
    ],
)
def test_an_assumption_is_listed_when_it_is_reached(expression: str, expected: list[str]) -> None:
    formulas = {"account": {"answer": {"expression": expression}}}
    assert decide([rules(formulas=formulas)], SNAPSHOT, T)["assumptions"] == expected


def test_an_assumption_of_a_provision_is_always_listed() -> None:
    formula = {"expression": "0 if true else hidden", "assumes": ["own"]}
    parameters = RULES["parameters"] | {"hidden": {"value": "1", "assumes": ["of_parameter"]}}
    made = rules(parameters=parameters, formulas={"account": {"answer": formula}})
    assert decide([made], SNAPSHOT, T)["assumptions"] == ["of_parameter", "own"]


def version(effective: str, announced: str, limit: str) -> dict[str, Any]:
    """A version of the rules that answers with its limit."""
    return rules(
        effective_from=effective,
        announced_at=announced,
        parameters={"limit": {"value": limit}},
        formulas={"account": {"answer": {"expression": "limit"}}},
    )


@pytest.mark.parametrize(
    ("rules_at", "known_at", "expected"),
    [
        ("2025-01-01", None, 1),
        ("2025-01-31T23:59:59Z", None, 1),
        ("2025-02-01T00:00:00Z", None, 3),
        ("2025-02-01T00:00:00Z", "2025-01-15T00:00:00Z", 2),
        ("2025-02-01T00:00:00Z", "2025-01-14T23:59:59Z", 1),
        ("2025-04-01T00:00:00Z", "2025-03-10T00:00:00Z", 3),
    ],
)
def test_the_version_in_force_is_the_latest_known_one(
    rules_at: str, known_at: str | None, expected: int
) -> None:
    documents = [
        version("2025-02-01T00:00:00Z", "2025-03-10T00:00:00Z", "3"),
        version("2025-01-01T00:00:00Z", "null", "1"),
        version("2025-02-01T00:00:00Z", "2025-01-15T00:00:00Z", "2"),
    ]
    assert decide(documents, SNAPSHOT, rules_at, known_at)["values"]["answer"] == expected


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("no-rules-apply", {"mode": "classic"}),
        ("unknown-key", {"orders": [{"sell": "NOWHERE", "quantity": "1"}]}),
        ("two-prices", {"prices": {"BTC": "100.01"}}),
        ("duplicate-line", {"assets": [SNAPSHOT["assets"][0], SNAPSHOT["assets"][0]]}),
        ("missing", {"assets": [{"asset": "BTC", "free": "2", "price": "100"}]}),
    ],
)
def test_a_bad_snapshot_has_no_decision(code: str, facts: dict[str, Any]) -> None:
    with pytest.raises(OracleError) as error:
        decide([RULES], SNAPSHOT | facts, T)
    assert error.value.code == code


def test_two_rulesets_may_not_both_apply() -> None:
    with pytest.raises(OracleError) as error:
        decide([RULES, rules(ruleset="other")], SNAPSHOT, T)
    assert error.value.code == "two-rules-apply"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(10**60), "1" + "0" * 60),
        (Fraction(1, 3), "0." + "3" * 50),
        (Fraction(200, 3), "66." + "6" * 47 + "7"),
        (Fraction(10**50 + 5, 10), "1" + "0" * 49),
        (Fraction(10**50 + 15, 10), "1" + "0" * 48 + "2"),
        (Fraction(10**51 - 1), "1" + "0" * 51),
        (Fraction(1, 10**18), "0.000000000000000001"),
    ],
)
def test_rounding_for_show(number: Fraction, text: str) -> None:
    assert rounded(number) == text
