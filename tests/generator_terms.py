"""The pieces that generated formulas are made of, and the names a formula may use."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

CHOICE, OR, AND, NOT, COMPARE, ADD, MULTIPLY, NEGATE, ATOM = range(1, 10)
"""How tightly a term binds, loosest first."""

TEXTS = {
    "coin": ("BTC", "ETH", "USDC", "BNB", "1INCH", "XYZ"),
    "region": ("FR", "NO", "SG", "US"),
    "mode": ("pro", "classic"),
    "rank": ("8", "9", "10", "first"),
}
"""The texts of each use; XYZ is a coin that the rules do not know."""

MOST_DIGITS = 150
"""The most significant digits an exact term may have: the engine works with 200."""


@dataclass(frozen=True)
class Term:
    """A formula or a part of one, with what decides where it may stand.

    `kind` is number, rate, hours, text, truth or instant; `use` says which texts a text is one of.
    `divided` is 0 for an exact number, 1 for one quotient, 2 for a sum of quotients.
    """

    text: str
    kind: str
    level: int = ATOM
    divided: int = 0
    unlimited: bool = False
    digits: int = 1
    names: int = 0
    use: str = ""

    def named(self, name: str) -> "Term":
        """The term as another formula sees it by this name."""
        return replace(self, text=name, level=ATOM, names=1)


def compound(text: str, like: str, level: int, parts: Iterable[Term], **changes: Any) -> Term:
    """A term of kind `like` made of the parts."""
    some = list(parts)
    return replace(
        Term(
            text,
            like,
            level,
            max((part.divided for part in some), default=0),
            any(part.unlimited for part in some),
            max((part.digits for part in some), default=1) + 2,
            sum(part.names for part in some),
        ),
        **changes,
    )


@dataclass(frozen=True)
class TableShape:
    """What a formula must know of a table: the uses of its keys (`number` too) and its result."""

    keys: tuple[str, ...]
    kind: str
    use: str = ""
    unlimited: bool = False


@dataclass(frozen=True)
class ScaleShape:
    """What a formula must know of a scale: the use of its key (or none) and its columns."""

    key: str
    columns: tuple[str, ...] = ()


@dataclass
class Scope:
    """The names that a document's formulas may use, by entity."""

    values: dict[str, dict[str, Term]] = field(default_factory=lambda: {"account": {}})
    optional: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, TableShape] = field(default_factory=dict)
    scales: dict[str, ScaleShape] = field(default_factory=dict)

    def visible(self, entity: str) -> dict[str, Term]:
        """What each bare name means on the entity: its own before the account's."""
        return {**self.values["account"], **self.values.get(entity, {})}

    def lists(self) -> list[str]:
        """The lists of lines that an aggregate may range over."""
        return sorted(self.values.keys() - {"account"})

    def absorb(self, other: "Scope") -> None:
        """Make the provisions and formulas of a used ruleset visible."""
        for entity, terms in other.values.items():
            self.values.setdefault(entity, {}).update(terms)
        self.tables.update(other.tables)
        self.scales.update(other.scales)
