"""What the names in formulas are called where people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policy_engine.model import ACCOUNT, Input, RequestInput, Version

LONGEST_SHORT = 24
"""Characters of a title that can stand in a formula; instead of a longer one, the name does."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name of the rule files, what it is called in a sentence, and in a formula (`short`).

    `titled` tells that it is called by its title, which takes an article; `keyed`, of a scale,
    that it has tiers by key.
    """

    name: str
    text: str
    short: str
    kind: str = "number"
    titled: bool = False
    keyed: bool = False


Named = Mapping[str, Term]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of figures by their entity, of tables and of scales."""

    figures: Mapping[str, Named] = field(default_factory=dict)
    tables: Named = field(default_factory=dict)
    scales: Named = field(default_factory=dict)

    def figure(self, entity: str, name: str) -> Term:
        """What a figure is called in a formula of an entity: its own come before the account's."""
        held = (self.figures.get(one, {}) for one in (entity, ACCOUNT))
        return next((named[name] for named in held if name in named), untitled(name))

    def of_request(self, inputs: Iterable[RequestInput]) -> Terms:
        """The same with what a request brings, which hides the account's figures of such names."""
        brought = {one.name: untitled(one.name, one.kind) for one in inputs}
        account = {**self.figures.get(ACCOUNT, {}), **brought}
        return replace(self, figures={**self.figures, ACCOUNT: account})


def untitled(name: str, kind: str = "number") -> Term:
    """The term of what has no title: its name in words."""
    words = name.replace("_", " ")
    return Term(name, words, words, kind)


def terms_of(versions: Iterable[Version]) -> Terms:
    """The terms of versions; of one name, what the first version that has it says."""
    figures: dict[str, dict[str, Term]] = {}
    tables: dict[str, Term] = {}
    scales: dict[str, Term] = {}
    for version in versions:
        for entity, inputs in version.inputs.items():
            _add(figures.setdefault(entity, {}), inputs)
        for entity, formulas in version.formulas.items():
            _add(figures.setdefault(entity, {}), formulas)
        _add(figures.setdefault(ACCOUNT, {}), version.parameters)
        _add(tables, version.tables)
        _add(scales, version.scales)
    apart = {entity: told_apart(named) for entity, named in figures.items()}
    return Terms(apart, told_apart(tables), told_apart(scales))


def _add(held: dict[str, Term], items: Mapping[str, Any]) -> None:
    for name, item in items.items():
        held.setdefault(name, _term(item))


def _term(item: Any) -> Term:
    kind = getattr(item, "kind", "number")
    if isinstance(item, Input):
        return untitled(item.name, kind)
    text = _lowered(item.title.partition(", ")[0].strip())
    short = text if len(text) <= LONGEST_SHORT else untitled(item.name).short
    keyed = getattr(item, "by", None) is not None
    return Term(item.name, text, short, kind, titled=True, keyed=keyed)


def _lowered(title: str) -> str:
    """A title as it stands inside a sentence; a name in capitals keeps them."""
    first = title.partition(" ")[0]
    return title[:1].lower() + title[1:] if first[1:].islower() or len(first) == 1 else title


def told_apart(named: Named) -> dict[str, Term]:
    """The same terms, where no two are called alike: those that would be go by their names."""
    texts = Counter(term.text for term in named.values())
    shorts = Counter(term.short for term in named.values())
    return {
        name: replace(
            term,
            text=term.text if texts[term.text] == 1 else f"{term.text} ({name})",
            short=term.short if shorts[term.short] == 1 else _by_name(name, shorts),
        )
        for name, term in named.items()
    }


def _by_name(name: str, shorts: Mapping[str, int]) -> str:
    """A name in words, or as it is where another term is called so."""
    words = untitled(name).short
    return name if words in shorts else words
