"""Requests that once went wrong: found by the independent oracle on generated rules."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from policy_engine import Rulebook, Rules
from policy_engine.errors import RulesError, SnapshotError

HEAD = """
ruleset: small
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Small.
applies_when: mode == "classic"
sources: {book: {title: Our book}}
inputs:
  account: {mode: {type: text}}
  assets:
    asset: {type: text, key: true}
    free: {type: number, unit: coin of asset}
    locked: {type: number, unit: coin of asset}
    borrowed: {type: number, unit: coin of asset}
    interest: {type: number, unit: coin of asset}
    price: {type: number, unit: USDT / coin of asset, role: price}
parameters:
  one: {title: One, value: 1, unit: ratio, citation: {source: book}}
  secret:
    title: What nobody tells
    value: undetermined
    because: it is secret
    unit: ratio
    citation: {source: book}
formulas:
  account:
    lines:
      title: Lines
      unit: ratio
      expression: count(assets, free >= 0)
      citation: {source: book}
statuses: {fine: {title: Fine}}
requests:
"""
INPUTS = (
    "inputs: {asset: {type: text, key_of: assets}, amount: {type: number, unit: coin of asset}}"
)
SNAPSHOT = {
    "account": "A-1",
    "mode": "classic",
    "assets": [
        {"asset": "BTC", "free": "1", "locked": "0", "borrowed": "0", "interest": "0", "price": "9"}
    ],
    "prices": {"USDC": "1"},
}


def rules(requests: str) -> Rules:
    return Rulebook([("small/2025-01-01.yaml", HEAD + requests)]).in_force("2025-02-01")


def with_free(amount: str) -> dict[str, Any]:
    line = {**SNAPSHOT["assets"][0], "free": amount}  # type: ignore[index]
    return {**SNAPSHOT, "assets": [line]}


def test_an_effect_on_a_line_that_cannot_be_told_is_an_answer() -> None:
    made = rules(
        f"  x: {{{INPUTS}, effects: [{{line: asset, set: {{free: free + amount * secret}}}}]}}"
    )
    answer = made.request(SNAPSHOT, "x", asset="BTC", amount="1")
    assert (answer.permitted, answer.undetermined) == (None, ("it is secret",))
    assert pickle.loads(pickle.dumps(answer)).to_json() == answer.to_json()


def test_a_permission_may_require_another_that_is_a_request() -> None:
    made = rules(
        "  x: {permission: true, requires: [z], effects: [{account: {mode: mode}}]}\n"
        "  z: {permission: true, effects: [{account: {mode: mode}}]}"
    )
    told = made.decide(SNAPSHOT).permissions
    assert {name: ruling.permitted for name, ruling in told.items()} == {"x": True, "z": True}
    assert made.request(SNAPSHOT, "x").permitted is True


def test_no_permission_waits_for_itself() -> None:
    with pytest.raises(RulesError, match="cycle: `x` requires itself") as refused:
        rules(
            "  x: {permission: true, requires: [z], effects: [{account: {mode: mode}}]}\n"
            "  z: {permission: true, requires: [x], effects: [{account: {mode: mode}}]}"
        )
    assert {problem.code for problem in refused.value.problems} == {"cycle"}


def test_an_account_with_more_digits_than_a_snapshot_has_cannot_be_told_on() -> None:
    made = rules(
        f"  x: {{{INPUTS}, effects: [{{line: asset, set: {{free: free + amount}}}}]}}\n"
        "  z: {permission: true, effects: [{account: {mode: mode}}]}"
    )
    after = made.request(with_free("9" * 18), "x", asset="BTC", amount="1").after
    assert after is not None
    assert after.permissions["z"].permitted is None
    assert "more than 18 digits" in after.undetermined["permissions.z"][0]


@pytest.mark.parametrize("bound", ["above: -1", "at_least: 0", "above: 0"])
def test_a_limit_is_sought_among_what_is_above_0(bound: str) -> None:
    inputs = INPUTS.replace("amount: {", f"amount: {{{bound}, ")
    made = rules(
        f"  x: {{{inputs}, effects: [{{line: asset, set: {{free: free + amount}}}}],"
        " refuse_when: {none: {title: None, when: amount <= 0, citation: {source: book}}},"
        " limit: {input: amount, step: 1}}"
    )
    assert made.limit(SNAPSHOT, "x", asset="BTC") == Decimal("Infinity")


def test_a_line_that_stays_empty_counts_for_a_limit_as_for_a_request() -> None:
    inputs = INPUTS.replace("amount: {", "amount: {above: 0, at_most: 9, ")
    made = rules(
        f"  x: {{{inputs}, effects: [{{line: asset, set: {{locked: 'max(locked - amount, 0)'}}}}],"
        " refuse_when: {r: {title: R, when: after(lines) > one, citation: {source: book}}},"
        " limit: {input: amount, step: 1}}"
    )
    assert made.request(SNAPSHOT, "x", asset="USDC", amount="9").permitted is True
    assert made.limit(SNAPSHOT, "x", asset="USDC") == 9


def test_a_limit_is_told_where_no_rules_apply_afterwards() -> None:
    inputs = INPUTS.replace("amount: {", "amount: {above: 0, at_most: 9, ")
    made = rules(
        f"  x: {{{inputs}, effects: [{{account: {{mode: '\"pro\"'}}}},"
        " {line: asset, set: {free: free + amount}}], limit: {input: amount, step: 1}}"
    )
    answer = made.request(SNAPSHOT, "x", asset="BTC", amount="1")
    assert (answer.permitted, answer.after) == (True, None)
    assert made.limit(SNAPSHOT, "x", asset="BTC") == 9


TWO_LINES = (
    "inputs: {one: {type: text, key_of: assets}, other: {type: text, key_of: assets}},"
    " effects: [{line: one, set: {free: free + locked}}, {line: other, set: {free: locked}}]"
)


def test_two_inputs_that_name_one_line_cannot_both_set_a_figure_of_it() -> None:
    made = rules(f"  x: {{{TWO_LINES}}}")
    assert made.request(SNAPSHOT, "x", one="BTC", other="USDC").permitted is True
    with pytest.raises(SnapshotError) as raised:
        made.request(SNAPSHOT, "x", one="BTC", other="BTC")
    (problem,) = raised.value.problems
    assert problem.code == "same-line"
    assert problem.message == "`one` and `other` both name BTC, and both set `free`"
    assert (problem.place.pointer, problem.hint) == ("other", "name two lines")
