"""Every reason of an undetermined figure is told, by the quick reading as by the exact one.

Each formula here once lost a reason, or told one too many.
"""

from __future__ import annotations

import gc
from decimal import localcontext

import pytest

from policy_engine import Rulebook
from policy_engine.language.compute import compute, start
from policy_engine.language.values import Undetermined
from policy_engine.numbers import EXACT

RULES = """
ruleset: toy
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Figures that cannot be told, in every arrangement.
applies_when: mode == "pro"
sources: {{handbook: {{title: A handbook}}}}
inputs:
  account:
    mode: {{type: text}}
    region: {{type: text, optional: true}}
    vip_level: {{type: number, unit: ratio, optional: true}}
    leverage: {{type: number, unit: ratio, optional: true}}
parameters:
  fifty: {{title: A key that the scale lacks, value: 50, unit: ratio}}
  seven: {{title: Another such key, value: 7, unit: ratio}}
  nowhere: {{title: A key that the table lacks, gives: text, value: XYZ}}
tables:
  ranks: {{title: Ranks, by: text, unit: ratio, rows: [{{value: 1, when: [A]}}],
    otherwise: undetermined, because: "no rank for {{key}}"}}
scales:
  tiers:
    title: Tiers
    by: number
    in: ratio
    unit: ratio
    edge_belongs_to: lower
    above_last: 0
    tiers:
      "1": [{{to: 10, rate: 50%}}]
formulas:
  account:
    figure: {{title: The figure asked for, unit: ratio, expression: "{expression}"}}
statuses:
  ok: {{title: Always}}
"""
FORMULAS = {
    "slices(tiers, fifty, slices(tiers, seven, 1))": ["`tiers` has no tiers for 7"],
    "slices(tiers, ranks(nowhere), leverage)": ["`leverage` is not given", "no rank for XYZ"],
    "slices(tiers, fifty, leverage)": ["`leverage` is not given"],
    "slices(tiers, 1, 0, leverage)": ["`leverage` is not given"],
    "round_up(ranks(nowhere), 0)": ["no rank for XYZ"],
    "round_up(leverage, 0)": ["`leverage` is not given"],
    "ranks(nowhere) + ranks(region)": ["`region` is not given", "no rank for XYZ"],
    "leverage + 1 / 0": ["`leverage` is not given", "a division by zero"],
    "leverage - vip_level": ["`leverage` is not given", "`vip_level` is not given"],
    "1 if leverage > 0 and vip_level > 0 else 0": [
        "`leverage` is not given",
        "`vip_level` is not given",
    ],
    "leverage if vip_level > 0 else 1": ["`vip_level` is not given"],
}


@pytest.mark.parametrize(("expression", "reasons"), FORMULAS.items())
def test_the_reasons_are_told(expression: str, reasons: list[str]) -> None:
    book = Rulebook([("toy/2025-01-01.yaml", RULES.format(expression=expression))])
    rules = book.in_force("2025-01-01")
    snapshot = {"account": "A-1", "mode": "pro", "assets": []}
    told = rules.decide(snapshot).undetermined["figure"]
    assert len(told) == len(reasons)
    assert all(said.startswith(why) for said, why in zip(told, sorted(reasons), strict=True))
    compiled, taken = rules.compiled_for(snapshot), rules.read(snapshot)
    with localcontext(EXACT):
        begun = start(compiled.plan, taken.inputs, taken.lists)
        exact = compute(compiled.plan, compiled.lookups, begun).figures["figure"]
    assert exact.reasons == told


def test_what_cannot_be_told_keeps_no_frame_of_a_decision_alive() -> None:
    amounts = dict.fromkeys(("locked", "borrowed", "interest"), "0")
    held = [{"asset": "BTC", "free": "1", "price": "9", **amounts}]
    snapshot = {"account": "A-1", "mode": "pro", "assets": held}
    rules = Rulebook.load().in_force("2025-12-20")
    before = {id(one) for one in gc.get_objects() if type(one) is Undetermined}
    for _ in range(3):
        rules.decide(snapshot).to_dict()
    every = (one for one in gc.get_objects() if type(one) is Undetermined)
    unknown = [one for one in every if id(one) not in before]
    assert unknown
    assert [one for one in unknown if one.__traceback__ is not None] == []
