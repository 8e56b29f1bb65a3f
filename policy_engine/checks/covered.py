"""Whether the cases beside the rules show what each rule does."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.checks.subject import Subject
from policy_engine.coverage.items import FIRES
from policy_engine.coverage.measure import Covered, coverage
from policy_engine.coverage.points import EDGE
from policy_engine.errors import Problem


def rule_without_case(subject: Subject) -> Iterator[Problem]:
    """A rule without a case in which it holds, one in which it does not, or one on its edge.

    Why: A case is the author's word for what a rule should do, decided anew at every change. What
    no case shows can be changed without anybody noticing.
    Avoid: a refusal `amount > highest_amount` whose cases all ask for less
    Prefer: three cases: a bit more than the highest amount, a bit less, and exactly as much
    """
    if subject.cases and not subject.reading:
        found = coverage(subject.book, subject.cases, alike_once=True)
        for one in (*found.of(FIRES), *found.of(EDGE)):
            if not one.by:
                yield _uncovered(one)


def _uncovered(one: Covered) -> Problem:
    what = one.item.title if one.item.group == EDGE else f"it {one.item.title}"
    message = f"there is no case for `{one.item.path[-1]}` in which {what}"
    hint = "write one beside the rules, with what must be decided"
    return Problem("rule-without-case", message, hint, one.item.place)
