"""Which tests of the rules some changes move: what to look for on either side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from policy_engine.asking import Asking
from policy_engine.diff import Change, Significance
from policy_engine.diff.change import ADDED, REMOVED
from policy_engine.language.plan import Plan
from policy_engine.model import Tier
from policy_engine.numbers import text_of
from policy_engine.rules import Rules
from policy_engine.witnesses.seeds import NO_PINS, Pins, pins
from policy_engine.witnesses.tests_of import Part, Test, comparisons, readings, rests_on

_CONDITIONS = {"status", "refusal"}
_KINDS = {"parameter", "formula", "row", "table", "tier", "scale", *_CONDITIONS}


@dataclass(frozen=True)
class Sought:
    """A test that changes move: how each side has it (None: not at all), and what it needs."""

    changes: tuple[str, ...]
    tested: str
    figure: str
    tests: tuple[Test | None, Test | None]
    pins: Pins = NO_PINS
    key: str | None = None
    edges: tuple[tuple[Decimal, ...], tuple[Decimal, ...]] = ((Decimal(0),), (Decimal(0),))
    moved: bool = True
    """Whether the test itself says something else, and not only a figure that it rests on."""


@dataclass(frozen=True)
class Tests:
    """All tests of one side's rules for the accounts that a ruleset decides on."""

    rules: Rules
    ruleset: str
    plan: Plan
    all: tuple[Test, ...]
    askings: Mapping[str, Asking] = field(default_factory=dict)

    def of_rule(self, rule: str) -> tuple[Test, ...]:
        """The tests of a rule, by the name of its figure."""
        return tuple(one for one in self.all if one.rule == rule)

    def on(self, part: Part) -> Iterator[Test]:
        """The tests that rest on a provision."""
        return (one for one in self.all if part in one.rests_on)


def tests(rules: Rules, ruleset: str, snapshot: Mapping[str, Any] | None) -> Tests:
    """The tests of some rules: statuses from the worst, permissions, requests.

    Requests are those that can be made of the account `snapshot`; None: none can.
    """
    compiled = rules.compiled(ruleset)
    main = compiled.plan.main
    found: list[Test] = []
    askings: dict[str, Asking] = {}
    names = [f"status.{rule.name}" for rule in main.statuses if rule.when is not None]
    for permission in main.permissions.values():
        names += [f"permissions.{permission.name}.{rule.name}" for rule in permission.refuse_when]
    for name in names:
        found += comparisons(compiled.plan, name)
    for name in main.requests if snapshot is not None else ():
        asking = rules.asking(snapshot or {}, name)
        if asking is not None:
            askings[name] = asking
            found += _of_request(asking, compiled.plan)
    return Tests(rules, ruleset, compiled.plan, tuple(found), askings)


def _of_request(asking: Asking, plan: Plan) -> Iterator[Test]:
    """The tests of a request: what it asks for after it rests on the account's own figures."""
    later = {part for name in asking.asked.after for part in rests_on(plan, {name})}
    for rule in asking.asked.refusals:
        for test in comparisons(asking.plan, rule):
            after = later if " after the request" in test.figure else set()
            yield Test(rule, test.probe, test.figure, test.rests_on | after)


# --- from changes ---------------------------------------------------------------------------------


def sought(changes: Iterable[Change], old: Tests | None, new: Tests | None) -> list[Sought]:
    """What to look for, each test once with all the changes that move it."""
    found: dict[tuple[Any, ...], Sought] = {}
    for change in changes:
        for one in _sought(change, old, new):
            key = (one.tested, one.figure, one.key, _pinned(one.pins), one.edges)
            known = found.get(key, one)
            listed = (*known.changes, *one.changes)
            moved = one.moved or known.moved
            found[key] = replace(one, changes=tuple(dict.fromkeys(listed)), moved=moved)
    return list(found.values())


def _pinned(one: Pins) -> tuple[Any, ...]:
    return (tuple(one.inputs.items()), tuple(one.keys.items()))


def counts(change: Change) -> bool:
    """Whether a change is one of what rules test, or of what that rests on."""
    whole = change.action in (ADDED, REMOVED) and change.kind not in ("row", "tier", *_CONDITIONS)
    return change.kind in _KINDS and change.significance > Significance.WORDING and not whole


def _sought(change: Change, old: Tests | None, new: Tests | None) -> Iterator[Sought]:
    if change.kind in _CONDITIONS:
        yield from _of_condition(change, old, new)
    elif change.kind == "tier" and change.path[2:3] == ("tiers",):
        yield from _of_tiers(change, old, new)
    else:
        yield from _resting(change, old, new)


def _rule_of(path: tuple[str, ...]) -> str:
    """The name of the figure that decides the rule at a path."""
    if path[0] == "statuses":
        return f"status.{path[1]}" if len(path) > 1 else ""
    return f"{path[0]}.{path[1]}.{path[3]}" if len(path) > 3 else ""


def _of_condition(change: Change, old: Tests | None, new: Tests | None) -> Iterator[Sought]:
    rule = _rule_of(change.path)
    sides = [side.of_rule(rule) if side else () for side in (old, new)]
    for at in range(max(map(len, sides))):
        of, to = (side[at] if at < len(side) else None for side in sides)
        named = to or of
        if named is not None:
            yield Sought((change.id,), rule, named.figure, (of, to))


def _resting(change: Change, old: Tests | None, new: Tests | None) -> Iterator[Sought]:
    """For each figure that is tested, its first test that rests on what changed."""
    part = change.path[:3] if change.kind == "formula" else change.path[:2]
    held: dict[str, tuple[Test | None, Test | None]] = {}
    for at, side in enumerate((old, new)):
        for test in side.on(part) if side else ():
            known = held.get(test.figure, (None, None))
            if known[at] is None and (known[0] is None or known[0].rule == test.rule):
                held[test.figure] = (test, known[1]) if at == 0 else (known[0], test)
    rules = [(of or to).rule for of, to in held.values()]  # type: ignore[union-attr]
    asked = all(rule.startswith("requests.") for rule in rules)
    for rule, (figure, (of, to)) in zip(rules, held.items(), strict=True):
        if asked or not rule.startswith("requests."):
            both = [one or _same(side, rule, figure) for side, one in ((old, of), (new, to))]
            needs = _pins(change, old, new)
            yield Sought((change.id,), rule, figure, (both[0], both[1]), needs, moved=False)


def _same(side: Tests | None, rule: str, figure: str) -> Test | None:
    """The same test on a side, whether or not it rests on the change there."""
    found = side.of_rule(rule) if side else ()
    return next((one for one in found if one.figure == figure), None)


def _pins(change: Change, old: Tests | None, new: Tests | None) -> Pins:
    side = new or old
    if side is None or change.kind != "row":
        return NO_PINS
    return pins(side.plan, change.path[:2], _key(change.path[3]))


def _key(escaped: str) -> tuple[str, ...]:
    """The parts of a key, as a path of changes spells them."""
    parts = escaped.split(",")
    return tuple(part.replace("~2", ",").replace("~1", "/").replace("~0", "~") for part in parts)


# --- tiers ----------------------------------------------------------------------------------------


def _of_tiers(change: Change, old: Tests | None, new: Tests | None) -> Iterator[Sought]:
    """The readings of a scale at the edges between which its tiers changed."""
    name = change.path[1]
    sides = [list(readings(side.plan, name)) if side else [] for side in (old, new)]
    scales = [side.plan.scope.scales.get(name) if side else None for side in (old, new)]
    keyed = next(scale.by for scale in scales if scale is not None) is not None
    key = _key(change.path[3])[0] if keyed and len(change.path) > 3 else None
    tiers = [_tiers(scale.tiers, key) if scale else () for scale in scales]
    block = change.path[3 + keyed] if len(change.path) > 3 + keyed else ".."
    edges = tuple(tuple(_edges(side, block)) for side in tiers)
    column = change.path[-1] if change.action == "changed" else None
    wanted = pins((new or old).plan, ("scales", name), () if key is None else (key,))  # type: ignore[union-attr]
    for figure in dict.fromkeys(one.rule for side in sides for one in side):
        found = [
            next((t for t in side if t.rule == figure and _reads(t, column)), None)
            for side in sides
        ]
        line = _line_key(wanted, figure)
        if any(found) and line is not None:
            yield Sought(
                (change.id,),
                figure,
                f"{name}",
                (found[0], found[1]),
                wanted,
                line,
                (edges[0], edges[1]),
            )


def _reads(test: Test, column: str | None) -> bool:
    return column is None or test.scale is None or test.scale.endswith(f".{column}")


def _line_key(wanted: Pins, figure: str) -> str | None:
    keys = wanted.keys.get(figure.partition(".")[0], ())
    return keys[0] if keys else None


def _tiers(tiers: Mapping[Any, tuple[Tier, ...]], key: str | None) -> tuple[Tier, ...]:
    named = {None if one is None else str(text_of(one)): held for one, held in tiers.items()}
    return named.get(key, ())


def _edges(tiers: Iterable[Tier], block: str) -> Iterator[Decimal]:
    """The edges of tiers in a block such as `0..1000`, its lower end included."""
    low, _, high = block.partition("..")
    least, most = Decimal(low or 0), Decimal(high or "Infinity")
    for tier in tiers:
        if max(least, Decimal(0)) <= tier.to <= most and tier.to > 0:
            yield tier.to
