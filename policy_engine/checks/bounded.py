"""The bounds of every figure of the plans that are checked, and the denominators that can be 0."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import NamedTuple

from policy_engine.checks.asked import Planned
from policy_engine.checks.bounds import Bound, Bounds, follow, start
from policy_engine.checks.combinations import Combination
from policy_engine.checks.intervals import Interval, hull, one
from policy_engine.checks.subject import Subject
from policy_engine.language.asked import input_name, line_name
from policy_engine.language.plan import Figure, Plan
from policy_engine.model import Request, RequestInput
from policy_engine.numbers import EXACT, UNLIMITED


class Bounded(NamedTuple):
    """A plan with the bounds of its figures; that of a request, where it is one's."""

    versions: Combination
    plan: Plan
    bounds: Bounds
    zeros: tuple[tuple[Figure, ast.expr], ...]
    request: Request | None = None


def bounded(subject: Subject) -> list[Bounded]:
    """Every plan that could be made, of rules and then of requests, with its bounds."""
    if "bounded" not in subject.made:
        with localcontext(EXACT):
            subject.made["bounded"] = list(_bounded(subject))
    made: list[Bounded] = subject.made["bounded"]
    return made


def _bounded(subject: Subject) -> Iterator[Bounded]:
    of_rules = {}
    for versions, plan, problems in subject.plans:
        if plan is not None and not problems:
            bounds = Bounds(plan.scope, start(plan.scope))
            zeros = tuple(follow(bounds, plan))
            of_rules[tuple(version.id for version in versions)] = bounds
            yield Bounded(versions, plan, bounds, zeros)
    for asked in subject.requests:
        own = of_rules.get(tuple(version.id for version in asked.versions))
        if asked.plan is not None and own is not None:
            bounds = Bounds(asked.plan.scope, {**_given(asked), **own.figures})
            zeros = tuple(follow(bounds, asked.plan))
            yield Bounded(asked.versions, asked.plan, bounds, zeros, asked.request)


def _given(asked: Planned) -> dict[str, Bound]:
    """What is known of the figures that a request brings."""
    assert asked.plan is not None
    known = {
        name: _of_input(item)
        for item in asked.request.inputs.values()
        if item.kind == "number"
        for name in (input_name(item.name), line_name(item.name))
    }
    return {**start(asked.plan.scope), **known}


def _of_input(item: RequestInput) -> Interval:
    low = item.above if item.above is not None else item.at_least
    high = UNLIMITED if item.at_most is None else item.at_most
    given = Interval(-UNLIMITED if low is None else low, high, item.above is not None)
    chosen = hull(one(value) for value in item.one_of if isinstance(value, Decimal))
    return given.within(chosen)
