"""Formulas for readings that people read: of the shipped rules, generated, and hand-picked."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from generator import file_names, rule_files, to_yaml
from policy_engine import Rulebook
from policy_engine.language.syntax import Expression
from policy_engine.language.terms import Terms, terms_of
from policy_engine.language.text import to_text
from policy_engine.model import ACCOUNT, Version


class Read(NamedTuple):
    """A formula, whose it is, and what its names are called."""

    expression: Expression
    entity: str
    terms: Terms

    @property
    def text(self) -> str:
        """Its one spelling."""
        return to_text(self.expression.tree)


def formulas(version: Version, others: tuple[Version, ...] = ()) -> Iterator[Read]:
    """Every formula and condition of a version, but those of requests."""
    terms = terms_of((version, *others))
    for entity, named in version.formulas.items():
        for formula in named.values():
            if formula.expression is not None:
                yield Read(formula.expression, entity, terms)
    refusals = (rule for one in version.permissions.values() for rule in one.refuse_when)
    for rule in (*version.statuses, *version.notices, *refusals):
        if rule.when is not None:
            yield Read(rule.when, ACCOUNT, terms)


def of_requests(version: Version, others: tuple[Version, ...] = ()) -> Iterator[Read]:
    """Every reason to refuse a request of a version."""
    terms = terms_of((version, *others))
    for request in version.requests.values():
        own = terms.of_request(request.inputs.values())
        for rule in request.refuse_when:
            if rule.when is not None:
                yield Read(rule.when, ACCOUNT, own)


def shipped() -> Iterator[list[Read]]:
    """All formulas of each shipped version, with the titles of those in force with it."""
    book = Rulebook.load()
    for version in book.versions:
        held = book.in_force(version.effective_from).versions
        others = tuple(one for name, one in held.items() if name != version.ruleset)
        yield [*formulas(version, others), *of_requests(version, others)]


def generated(seed: int) -> Iterator[list[Read]]:
    """All formulas of each version of a generated rulebook."""
    documents = rule_files(Random(seed))
    texts = zip(file_names(documents), map(to_yaml, documents), strict=True)
    book = Rulebook(texts)
    for version in book.versions:
        others = tuple(one for one in book.versions if one.ruleset in version.uses)
        yield [*formulas(version, others)]
