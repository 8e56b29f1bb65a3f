"""Which tests of the rules rest on what: comparisons of rules, and readings of scales."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy_engine.language.interpreter import dotted
from policy_engine.language.plan import Plan, Step, only
from policy_engine.language.probes import Probe, probed
from policy_engine.language.scope import SCALE_READINGS
from policy_engine.language.text import to_text
from policy_engine.model import ACCOUNT, LISTS

Part = tuple[str, ...]
"""A provision as the start of a change's path: `("parameters", name)`."""


@dataclass(frozen=True)
class Test:
    """A comparison in a rule, or a reading of a scale: a probe, and the provisions it rests on.

    `figure` is what is compared, or the figure that is read from the scale.
    """

    rule: str
    probe: str
    figure: str
    rests_on: frozenset[Part]
    scale: str | None = None


def comparisons(plan: Plan, rule: str) -> Iterator[Test]:
    """The comparisons of numbers in the condition of a rule, by the name of its figure."""
    made, probes = probed(only(plan, {rule}))
    steps = {figure.name: figure for figure in made.figures() if isinstance(figure, Step)}
    for probe in probes:
        owner, _, _ = probe.name.rpartition(" ?")
        left = steps.get(f"{probe.name} left")
        if owner == rule and left is not None:
            sides = {f"{probe.name} left", f"{probe.name} right"}
            parts = frozenset(rests_on(made, sides))
            yield Test(rule, probe.name, to_text(left.tree), parts)


def readings(plan: Plan, scale: str) -> Iterator[Test]:
    """The figures of lines that are read from a scale, of every column of it."""
    names = {figure.name for figure in plan.figures() if _reads(figure, scale)}
    _, probes = probed(only(plan, names)) if names else (plan, ())
    met: set[tuple[str, str | None]] = set()
    for probe in probes:
        figure = probe.name.rpartition(" ?")[0]
        if figure in names and _is_of(probe, scale) and (figure, probe.scale) not in met:
            met.add((figure, probe.scale))
            yield Test(figure, probe.name, figure, frozenset({("scales", scale)}), probe.scale)


def _is_of(probe: Probe, scale: str) -> bool:
    return probe.scale is not None and probe.scale.partition(".")[0] == scale


def _reads(figure: object, scale: str) -> bool:
    return isinstance(figure, Step) and ("scales", scale) in set(looked_up(figure))


def rests_on(plan: Plan, names: set[str]) -> Iterator[Part]:
    """The provisions that some figures of a plan rest on."""
    for figure in only(plan, names).figures():
        entity = next((one for one in LISTS if figure.name.startswith(f"{one}.")), ACCOUNT)
        own = figure.name if entity == ACCOUNT else figure.name.partition(".")[2]
        yield "formulas", entity, own
        if isinstance(figure, Step):
            yield from (("parameters", n) for n in figure.reads if n in plan.scope.parameters)
            yield from looked_up(figure)
    yield from (("parameters", name) for name in names if name in plan.scope.parameters)


def looked_up(step: Step) -> Iterator[Part]:
    """The tables and scales that a formula looks into, and whatever else it calls."""
    for node in ast.walk(step.tree):
        if isinstance(node, ast.Call):
            function = dotted(node.func)
            if function in SCALE_READINGS:
                yield "scales", dotted(node.args[0]).partition(".")[0]
            else:
                yield "tables", function


# --- keys ----------------------------------------------------------------------------------------


def key_inputs(plan: Plan, part: Part) -> Iterator[ast.expr]:
    """What a table or a scale is looked up by, wherever that is done; once for each key part."""
    kind, name = part[:2]
    for figure in plan.figures():
        for node in ast.walk(figure.tree) if isinstance(figure, Step) else ():
            if not isinstance(node, ast.Call):
                continue
            function = dotted(node.func)
            if kind == "tables" and function == name:
                yield ast.Tuple(node.args, ast.Load())
            elif kind == "scales" and function in SCALE_READINGS:
                keyed = plan.scope.scales.get(name)
                if dotted(node.args[0]).partition(".")[0] == name and keyed and keyed.by:
                    yield ast.Tuple([node.args[1]], ast.Load())


def called_with(plan: Plan, inputs: Iterable[str]) -> Iterator[str]:
    """The tables and scales, as `Part` names them, that are looked up by some of those inputs."""
    wanted = set(inputs)
    names = [
        *(("tables", n) for n in plan.scope.tables),
        *(("scales", n) for n in plan.scope.scales),
    ]
    for part in names:
        for key in key_inputs(plan, part):
            if any(isinstance(n, ast.Name) and n.id in wanted for n in ast.walk(key)):
                yield part[1]
                break
