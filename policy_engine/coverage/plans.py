"""Every plan by which a rulebook can decide: of accounts, and of each request."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from policy_engine.asking import asking
from policy_engine.language.plan import Plan
from policy_engine.model import ACCOUNT
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules, with_used


def combinations(book: Rulebook) -> tuple[Rules, ...]:
    """The rules from each instant on at which some version starts."""
    starts = sorted({version.effective_from for version in book.versions})
    return tuple(book.in_force(start) for start in starts)


def plans(
    rules: Rules, version: str = "", requests: Collection[str] | None = None
) -> Iterator[Plan]:
    """The plans of the accounts and requests that some rules decide on.

    With `version`, only those that rest on the version of that id; with `requests`, of requests
    only those. Rules that cannot decide yet have none.
    """
    deciding = [rules.compiled(name) for name in _ready(rules)]
    formulas = [one.plan.scope.formulas[ACCOUNT] for one in deciding]
    afterwards = {name: item for of_account in formulas for name, item in of_account.items()}
    for one in deciding:
        if not version or version in {held.id for held in one.plan.scope.versions}:
            yield one.plan
            for name in one.plan.main.requests:
                if requests is None or name in requests:
                    yield asking(one, name, afterwards).plan


def _ready(rules: Rules) -> list[str]:
    """The rulesets in force that decide, with all they use."""
    held = rules.versions
    deciding = [version.ruleset for version in held.values() if version.applies_when]
    return [name for name in deciding if held.keys() >= set(with_used(held, name))]
