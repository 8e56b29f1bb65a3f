"""Thresholds that are compared the other way than their parameter's `safer` says."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policy_engine.checks.subject import Subject
from policy_engine.errors import Problem
from policy_engine.language.thresholds import ORDERINGS
from policy_engine.model import Parameter, Rule, Version


def safer_contradicted(subject: Subject) -> Iterator[Problem]:
    """A status or refusal that is compared with a parameter the other way than its `safer` says.

    Why: `safer: higher` says that a higher figure is the tighter one, so that more accounts are
    refused or fall into a worse status. With the sign turned, fewer do.
    Avoid: when: ratio > lowest_ratio, where lowest_ratio says `safer: higher`
    Prefer: when: ratio < lowest_ratio
    """
    for version in subject.book.versions:
        for rule in _rules(version):
            if rule.when is not None:
                yield from _turned(version, rule)


def _rules(version: Version) -> Iterator[Rule]:
    """What restricts an account when it holds."""
    yield from version.statuses
    yield from (rule for one in version.permissions.values() for rule in one.refuse_when)
    yield from (rule for one in version.requests.values() for rule in one.refuse_when)


def _turned(version: Version, rule: Rule) -> Iterator[Problem]:
    assert rule.when is not None
    for node, holds in _compared(rule.when.tree, True):
        sign = type(node.ops[0])
        for side, other in ((node.left, True), (node.comparators[0], False)):
            parameter = version.parameters.get(side.id) if isinstance(side, ast.Name) else None
            if parameter is not None and parameter.safer and sign in ORDERINGS:
                more = ("higher", "lower")[(ORDERINGS[sign][0] == "<") ^ other ^ holds]
                if more != parameter.safer:
                    yield _problem(rule, node, parameter)


def _compared(node: ast.expr, holds: bool) -> Iterator[tuple[ast.Compare, bool]]:
    """Each comparison, and whether it must come out true for the condition to hold."""
    if isinstance(node, ast.Compare):
        yield node, holds
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _compared(part, holds)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _compared(node.operand, not holds)


def _problem(rule: Rule, node: ast.Compare, parameter: Parameter) -> Problem:
    assert rule.when is not None
    width = (node.end_col_offset or 0) - node.col_offset
    message = (
        f"a {parameter.safer} `{parameter.name}` is said to be safer,"
        f" and here `{rule.name}` holds for fewer accounts with it"
    )
    hint = "turn the sign, or correct `safer` of the parameter"
    place = rule.when.place(node.col_offset, width)
    return Problem("safer-contradicted", message, hint, place)
