"""What is wrong with formulas once it is known which versions are in force together."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.checks.subject import Subject
from policy_engine.errors import Problem


def unknown_name(subject: Subject) -> Iterator[Problem]:
    """A name that nothing declares: of a figure, a source, an assumption, a column, a permission.

    Why: A misspelled name has no value, so that what needs it could not be decided.
    Avoid: when: debt_share > highest_debt_shar
    Prefer: when: debt_share > highest_debt_share
    """
    return subject.coded("unknown-name")


def unknown_function(subject: Subject) -> Iterator[Problem]:
    """A call of what is no table and no function of the language.

    Why: The language has no functions but those it names, and tables are called by their names.
    Avoid: expression: maximum(a, b)
    Prefer: expression: max(a, b)
    """
    return subject.coded("unknown-function")


def wrong_arguments(subject: Subject) -> Iterator[Problem]:
    """A call with too many or too few arguments, or of another kind than it takes.

    Why: A table with two keys gives nothing for one.
    Avoid: expression: borrow_limit(asset)
    Prefer: expression: borrow_limit(asset, vip_level)
    """
    return subject.coded("wrong-arguments")


def wrong_kind(subject: Subject) -> Iterator[Problem]:
    """A number where a truth is wanted, a text that is compared with a number, and the like.

    Why: Such a formula has no value.
    Avoid: when: total
    Prefer: when: total > 0
    """
    return subject.coded("wrong-kind")


def unit_mismatch(subject: Subject) -> Iterator[Problem]:
    """Figures of different units that are added, compared or chosen between.

    Why: Coins added to dollars give a number that means nothing, and looks like any other.
    Avoid: expression: free + price
    Prefer: expression: free * price
    """
    return subject.coded("unit-mismatch")


def cycle(subject: Subject) -> Iterator[Problem]:
    """Figures that need each other, so that none can be worked out first.

    Why: There would be no order to compute them in.
    Avoid: a: b + 1 beside b: a - 1
    Prefer: a: b + 1 beside b: total
    """
    return subject.coded("cycle")


def duplicate_name(subject: Subject) -> Iterator[Problem]:
    """A name that stands for two figures, in one file or in rulesets used together.

    Why: Which of the two a formula means would be a matter of order.
    Avoid: a parameter `limit` beside a formula `limit` of the account
    Prefer: a parameter `highest_debt` beside a formula `debt_limit`
    """
    return subject.coded("duplicate-name")
