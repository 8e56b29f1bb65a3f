"""The parts of random formulas: names, calls, choices, aggregates, texts and instants."""

from abc import ABC, abstractmethod
from random import Random
from typing import Self

from generator_terms import (
    ATOM,
    CHOICE,
    OR,
    TEXTS,
    Scope,
    Term,
    compound,
)


class Pieces(ABC):
    """What every kind of term is put together from, for one entity of a document."""

    def __init__(self, rng: Random, scope: Scope, entity: str) -> None:
        self.rng = rng
        self.scope = scope
        self.entity = entity

    def on(self, entity: str) -> Self:
        """The writer for the lines of a list."""
        return type(self)(self.rng, self.scope, entity)

    def wrap(self, term: Term, level: int) -> str:
        """The term's text where `level` is needed: in parentheses when it binds less tightly."""
        loose = term.level < level or (term.level < ATOM and self.rng.random() < 0.1)
        return f"({term.text})" if loose else term.text

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def candidates(self, kind: str, divided: int = 0, unlimited: bool = False) -> list[Term]:
        """The visible names of a kind."""
        return [
            term
            for term in self.scope.visible(self.entity).values()
            if term.kind == kind and term.divided <= divided and term.unlimited <= unlimited
        ]

    def atom(self, kind: str, divided: int = 0, unlimited: bool = False) -> Term | None:
        """A visible name of the kind, the place's own names more often; None if there is none."""
        some = self.candidates(kind, divided, unlimited)
        own = self.scope.values.get(self.entity, {}).values()
        near = [term for term in some if term in own]
        return self.rng.choice(near if near and self.chance(0.6) else some) if some else None

    @abstractmethod
    def number(self, depth: int) -> Term:
        """An exact number, never unlimited."""

    @abstractmethod
    def truth(self, depth: int) -> Term:
        """A truth."""

    def call(self, function: str, arguments: list[Term], kind: str = "number") -> Term:
        """A call of a built-in or a table with these arguments."""
        inside = ", ".join(term.text for term in arguments)
        return compound(f"{function}({inside})", kind, ATOM, arguments)

    def either(self, first: Term, test: Term, second: Term) -> Term:
        """`first if test else second`, of the first one's kind."""
        text = f"{self.wrap(first, OR)} if {self.wrap(test, OR)} else {self.wrap(second, CHOICE)}"
        parts = (first, second)
        names = first.names + test.names + second.names
        return compound(text, first.kind, CHOICE, parts, names=names, use=first.use)

    def from_table(self, kind: str, use: str, unlimited: bool = False) -> Term | None:
        """A call of a table whose result is of the kind and use."""
        wanted = (kind, use, unlimited)
        found = [
            (name, shape)
            for name, shape in sorted(self.scope.tables.items())
            if (shape.kind, shape.use, shape.unlimited) == wanted
        ]
        if not found:
            return None
        name, shape = self.rng.choice(found)
        made = self.call(name, [self.table_key(key) for key in shape.keys], kind)
        return compound(made.text, kind, ATOM, (made,), unlimited=unlimited, use=use, digits=14)

    def table_key(self, use: str, depth: int = 0) -> Term:
        """An argument for a key of this use."""
        return self.number(0) if use == "number" else self.text(use, depth)

    def aggregate(self, form: str, entity: str, element: Term, kind: str) -> Term:
        """The aggregate of an element over a list."""
        ends = [self.on("account").number(0)] if form in ("largest", "smallest") else []
        inside = ", ".join([entity, element.text, *(end.text for end in ends)])
        digits = max([element.digits, *(end.digits for end in ends)]) + 3
        return compound(f"{form}({inside})", kind, ATOM, (element, *ends), digits=digits)

    def text(self, use: str, depth: int) -> Term:
        """A text that is one of the texts of the use."""
        if depth > 0 and self.chance(0.3):
            return self.either(self.text(use, 0), self.truth(depth - 1), self.text(use, 0))
        table = self.from_table("text", use) if depth > 0 and self.chance(0.6) else None
        names = [term for term in self.candidates("text") if term.use == use]
        if table is None and names and self.chance(0.85):
            return self.rng.choice(names)
        return table or self.literal(use)

    def literal(self, use: str) -> Term:
        """A quoted text."""
        mark = self.rng.choice("\"'")
        return Term(mark + self.rng.choice(TEXTS[use]) + mark, "text", use=use)

    def instant(self, depth: int) -> Term | None:
        """An instant; None if there is none to name."""
        first, second = self.atom("instant"), self.atom("instant")
        if first is None or second is None or depth <= 0 or self.chance(0.8):
            return first
        return self.either(first, self.truth(0), second)
