"""Conditions that cannot do what they are written for, and divisions that can fail."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from decimal import localcontext

from policy_engine.checks.bounded import Bounded, bounded
from policy_engine.checks.bounds import Bounds, Impossible
from policy_engine.checks.combinations import Combination, with_versions
from policy_engine.checks.intervals import ZERO, one
from policy_engine.checks.ladders import overlaps
from policy_engine.checks.subject import Subject
from policy_engine.errors import Problem
from policy_engine.language.plan import Figure, Plan, Step, rule_figures
from policy_engine.language.syntax import Fault
from policy_engine.model import Provision, Rule
from policy_engine.numbers import EXACT

Conditioned = tuple[Rule, ast.expr]
"""A rule, and its condition as the plan has it."""


def division_by_zero(subject: Subject) -> Iterator[Problem]:
    """A division whose denominator can be 0, with nothing around it that rules that out.

    Why: A quotient by 0 is no number: the account for which it comes up cannot be decided. A sum
    over lines is 0 for an account without lines.
    Avoid: expression: assets_value / debt
    Prefer: expression: assets_value / debt if debt > 0 else unlimited
    """
    yield from _in_all(subject, lambda found: (_zero(found, *zero) for zero in found.zeros))


def _zero(found: Bounded, figure: Figure, node: ast.expr) -> Problem:
    written = figure.expression.text[node.col_offset : node.end_col_offset]
    if found.bounds.read(node) == one(ZERO):
        said, hint = "is always 0", "divide by something else"
    else:
        said = "can be 0, and nothing here rules that out"
        hint = f"write `… if {written} > 0 else …`"
    fault = Fault("division-by-zero", f"the denominator `{written}` {said}", hint)
    return figure.expression.problem(fault.at(node))


def constant_condition(subject: Subject) -> Iterator[Problem]:
    """A rule's condition that never holds, or always does, whatever the account.

    Why: Such a rule decides nothing, or decides for everybody; a slip in a sign or a threshold
    makes one. What is meant for everybody is written `when: true`.
    Avoid: when: highest_ratio < lowest_ratio
    Prefer: when: ratio < lowest_ratio
    """
    yield from _in_all(subject, _constants)


def _constants(found: Bounded) -> Iterator[Problem]:
    for rule, tree in _rules(found):
        truth = found.bounds.truth(tree)
        if truth == {False}:
            message = f"the condition of `{rule.name}` never holds"
            yield _of(rule, "constant-condition", message, "correct its figures or its sign")
        elif truth == {True} and not _is_meant(tree):
            message = f"the condition of `{rule.name}` always holds"
            hint = "correct its figures or its sign; what is for everybody says `when: true`"
            yield _of(rule, "constant-condition", message, hint)


def unreachable_status(subject: Subject) -> Iterator[Problem]:
    """A status that no account can have, because one above it holds wherever it would.

    Why: Statuses are read from the top and the first that holds is the account's. Accounts that
    should have this one are told a worse one.
    Avoid: closing with `when: level <= 1`, and warning below it with `when: level < 1`
    Prefer: warning with `when: level <= warning_level`, a ratio above 1
    """
    yield from _in_all(subject, _unreachable)


def _unreachable(found: Bounded) -> Iterator[Problem]:
    told = {one.status for one in overlaps(found)}
    bounds, above = found.bounds, list[Rule]()
    with bounds.apart_from_here():
        for rule, tree in _statuses(found):
            possible = bounds.truth(tree)
            if True not in possible:
                if True in _alone(bounds, tree) and rule.name not in told:
                    yield _hidden(rule, above)
            elif False not in possible:
                yield from _hidden_below(found.plan, rule, bounds)
                return
            else:
                bounds.assume(tree, False)
                above.append(rule)


def _statuses(found: Bounded) -> Iterator[Conditioned]:
    """The statuses with a condition, worst first."""
    rules = {rule.name: (rule, tree) for rule, tree in _rules(found) if found.request is None}
    return (rules[rule.name] for rule in found.plan.main.statuses if rule.name in rules)


def _hidden(rule: Rule, above: Iterable[Rule]) -> Problem:
    names = " or ".join(f"`{other.name}`" for other in above)
    message = f"no account can be in `{rule.name}`: wherever it would hold, {names} holds already"
    hint = "statuses are read from the top: correct a threshold, or move it up"
    return _of(rule, "unreachable-status", message, hint)


def _hidden_below(plan: Plan, rule: Rule, bounds: Bounds) -> Iterator[Problem]:
    """The statuses below one that always holds where none above it does."""
    order = [status.name for status in plan.main.statuses]
    for status in plan.main.statuses[order.index(rule.name) + 1 :]:
        message = f"no account can be in `{status.name}`: `{rule.name}` or one above always holds"
        hint = "statuses are read from the top: correct a threshold, or move it up"
        yield _of(status, "unreachable-status", message, hint)


def _alone(bounds: Bounds, tree: ast.expr) -> frozenset[bool]:
    """How a condition can come out where nothing is assumed."""
    with bounds.apart_from_here():
        bounds.facts, bounds.apart = {}, frozenset()
        return bounds.truth(tree)


def thresholds_disorder(subject: Subject) -> Iterator[Problem]:
    """A status whose threshold lies where that of a worse status holds already.

    Why: The ladder of statuses is climbed in order: with the thresholds crossed, an account falls
    from normal straight into the worst status and nobody is warned.
    Avoid: closing at or below 1.0, warning at or below 0.9
    Prefer: closing at or below 1.0, warning at or below 1.5
    """
    yield from _in_all(subject, lambda found: (one.problem for one in overlaps(found)))


def always_refused(subject: Subject) -> Iterator[Problem]:
    """A permission or a request that its refusals together refuse to everybody.

    Why: Each refusal may look right alone. Bounds that have changed places refuse every figure
    between them, and all others too. What is meant to be closed has a refusal `when: true`.
    Avoid: below_lowest `ratio < 2` beside above_highest `ratio > 1.3`
    Prefer: below_lowest `ratio < 1.3` beside above_highest `ratio > 2`
    """
    yield from _in_all(subject, _refused)


def _refused(found: Bounded) -> Iterator[Problem]:
    trees = {id(rule): tree for rule, tree in _rules(found)}
    asked = [found.request] if found.request else found.plan.main.permissions.values()
    for provision in asked:
        conditions = [(rule, trees[id(rule)]) for rule in provision.refuse_when]
        constant = any(len(found.bounds.truth(tree)) == 1 for _, tree in conditions)
        if not constant and not _leaves_any(found.bounds, [tree for _, tree in conditions]):
            names = ", ".join(f"`{rule.name}`" for rule, _ in conditions)
            message = f"`{provision.name}` is refused to everybody: one of {names} always holds"
            yield _of(provision, "always-refused", message, "correct the figure of one of them")


def _leaves_any(bounds: Bounds, trees: list[ast.expr]) -> bool:
    """Whether all of some conditions can fail at once."""
    with bounds.apart_from_here():
        try:
            for tree in trees:
                bounds.assume(tree, False)
        except Impossible:
            return False
        return True


# --- every plan ----------------------------------------------------------------------------------


def _in_all(subject: Subject, each: Callable[[Bounded], Iterable[Problem]]) -> Iterator[Problem]:
    """What is wrong with any plan, each once; what is with some only says with which versions."""
    found: dict[Problem, list[Combination]] = {}
    with localcontext(EXACT):
        for one_plan in bounded(subject):
            for problem in dict.fromkeys(each(one_plan)):
                found.setdefault(problem, []).append(one_plan.versions)
    for problem, where in found.items():
        yield with_versions(problem, where, subject.combinations)


def _rules(found: Bounded) -> Iterator[Conditioned]:
    """The rules of a plan that have a condition: those of the request alone, if it is one's."""
    trees = {one.name: one.tree for one in found.plan.figures() if isinstance(one, Step)}
    named = list(rule_figures(found.plan.main))
    if (asked := found.request) is not None:
        named = [(f"requests.{asked.name}.{rule.name}", rule) for rule in asked.refuse_when]
    return ((rule, trees[name]) for name, rule in named if name in trees)


def _is_meant(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Name) and tree.id == "true"


def _of(provision: Provision, code: str, message: str, hint: str) -> Problem:
    """A problem at a rule's condition, or at the name of what has none."""
    when = provision.when if isinstance(provision, Rule) else None
    place = provision.place if when is None else when.place(0, len(when.text))
    return Problem(code, message, hint, place)
