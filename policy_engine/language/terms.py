"""What the names in formulas are called where people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from policy_engine.model import ACCOUNT, LISTS, RequestInput, Version

_NONE: Mapping[str, str] = MappingProxyType({})

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
        brought = {one.name: self._brought(one) for one in inputs}
        account = {**self.figures.get(ACCOUNT, {}), **brought}
        return replace(self, figures={**self.figures, ACCOUNT: account})

    def _brought(self, one: RequestInput) -> Term:
        """What a request brings: called as on the lines that have it, else as what is asked for."""
        held = (self.figures.get(entity, {}).get(one.name) for entity in LISTS)
        of_line = next((term for term in held if term is not None and term.titled), None)
        bare = untitled(one.name, one.kind)
        return of_line or replace(bare, text=f"{bare.text} asked for", titled=True)


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
            written = _written(version, entity)
            _add(figures.setdefault(entity, {}), inputs, written)
        for entity, formulas in version.formulas.items():
            _add(figures.setdefault(entity, {}), formulas)
        _add(figures.setdefault(ACCOUNT, {}), version.parameters)
        _add(tables, version.tables)
        _add(scales, version.scales)
    apart = {entity: told_apart(named) for entity, named in figures.items()}
    return Terms(apart, told_apart(tables), told_apart(scales))


def _written(version: Version, entity: str) -> Mapping[str, str]:
    """The titles of inputs, which a rule file may give and which mean nothing to a decision."""
    inputs = (version.document or {}).get("inputs", {}).get(entity, {})
    return {name: item["title"] for name, item in inputs.items() if "title" in item}


def _add(
    held: dict[str, Term], items: Mapping[str, Any], written: Mapping[str, str] = _NONE
) -> None:
    for name, item in items.items():
        held.setdefault(name, _term(item, written.get(name)))


def _term(item: Any, title: str | None) -> Term:
    kind = getattr(item, "kind", "number")
    title = title or getattr(item, "title", None)
    if title is None:
        return untitled(item.name, kind)
    keyed = getattr(item, "by", None) is not None
    text = _lowered(_short_of_keys(title) if keyed else title.partition(", ")[0].strip())
    short = text if len(text) <= LONGEST_SHORT else untitled(item.name).short
    return Term(item.name, text, short, kind, titled=True, keyed=keyed)


def _short_of_keys(title: str) -> str:
    """The title of what is looked up, without saying by what: a sentence gives the keys."""
    first = title.partition(", ")[0].strip()
    return first.rpartition(" by ")[0] or first


def _lowered(title: str) -> str:
    """A title as it stands inside a sentence; a name in capitals keeps them."""
    first, _, rest = title.partition(" ")
    is_name = rest[:1].isupper() and rest.partition(" ")[0][1:2].islower()
    is_word = first[1:].islower() or len(first) == 1
    return title[:1].lower() + title[1:] if is_word and not is_name else title


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
