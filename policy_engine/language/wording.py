"""The words reading: a formula as a person reads it aloud.

Brackets stand wherever two formulas would else be read alike.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.marking import OfScale, Span, Told, of_scale
from policy_engine.language.phrases import (
    ATOM,
    CALL,
    CHOICE,
    COMPARE,
    LOGIC,
    PLAIN,
    PRODUCT,
    QUOTIENT,
    SUM,
    Phrase,
    Piece,
    Pieces,
    call_of,
    called,
    capital,
    clause,
    clause_of,
    denied,
    joined,
    led,
    listed,
    looked_up,
    marked,
    truth_of,
    value,
)
from policy_engine.language.scope import CONSTANTS
from policy_engine.language.terms import Term, Terms, untitled
from policy_engine.model import ACCOUNT
from policy_engine.numbers import plain

_BINDING = {"*": PRODUCT, "/": QUOTIENT}
_SIGNS = {"+": "plus", "-": "less", "*": "times", "/": "divided by"}
_LEVELS = {"<": "is below", "<=": "is at or below", ">": "is above", ">=": "is at or above"}
_LEVELS |= {"==": "equals", "!=": "differs from"}
_MOMENTS = {"<": "is before", "<=": "is at or before", ">": "is after", ">=": "is at or after"}
_TEXTS = {"==": "is", "!=": "is not"}


def in_words(
    tree: ast.expr, terms: Terms, entity: str = ACCOUNT, marks: Iterable[Span] = ()
) -> Pieces:
    """A formula of an entity as a part of a sentence; a condition as a clause with a verb."""
    made = WordsReading(terms, entity, frozenset(marks)).read(tree)
    return clause(made) if made.kind == "truth" else made.pieces


def sentences(
    term: Term, tree: ast.expr, terms: Terms, entity: str = ACCOUNT, marks: Iterable[Span] = ()
) -> Pieces:
    """What a figure is, as whole sentences: "The level is the value divided by the debt."."""
    made = WordsReading(terms, entity, frozenset(marks)).read(tree)
    it = called(term).pieces
    if made.kind == "truth":
        return capital(joined(it, " is true when ", clause(made), "."))
    return capital(joined(*_branches(made, it)))


def _branches(made: Phrase, it: Pieces) -> Iterator[str | Pieces]:
    """A sentence for each branch of a choice, or one where there is no choice."""
    lead = ""
    while made.ends is not None:
        test, then, made = made.ends
        yield from (lead, "if ", clause(test), ", ", it, " is ", value(then), ". ")
        lead, it = "Otherwise, ", (Piece("it"),)
    yield from (lead, it, " is ", value(made), ".")


class WordsReading(Told[Phrase]):
    """Says each step in words."""

    __slots__ = ()

    def marked(self, made: Phrase, with_sign: bool) -> Phrase:
        if with_sign:
            return replace(made, signed=True)
        pieces = marked(made.pieces)
        return replace(made, pieces=pieces, opposite=marked(made.opposite), ends=None)

    def literal(self, value: Decimal | str) -> Phrase:
        if isinstance(value, Decimal):
            return Phrase(joined(plain(value)))
        return Phrase(joined(f"“{value}”"), kind="text")

    def name(self, name: str) -> Phrase:
        if name in CONSTANTS:
            return Phrase(joined(name), kind="number" if name == "unlimited" else "truth")
        term = self.term(name)
        return truth_of(term) if term.kind == "truth" else called(term)

    def arithmetic(self, sign: str, left: Phrase, right: Phrase) -> Phrase:
        binding = _BINDING.get(sign, SUM)
        chained = left.binding == binding != QUOTIENT
        first = value(left, binding if chained else ATOM)
        second = led(_SIGNS[sign], right, value(right, ATOM))
        return Phrase(joined(first, second), binding)

    def negative(self, operand: Phrase) -> Phrase:
        return Phrase(joined("minus ", value(operand, ATOM)), CALL)

    def compare(self, sign: str, left: Phrase, right: Phrase) -> Phrase:
        said = _LEVELS[sign]
        if "text" in (left.kind, right.kind):
            said = _TEXTS[sign]
        elif "instant" in (left.kind, right.kind):
            said = _MOMENTS.get(sign, said)
        plainest = min(left.binding, right.binding) == ATOM
        pieces = joined(value(left, PRODUCT), f" {said} ", value(right, PRODUCT))
        return clause_of(pieces, PLAIN if plainest else COMPARE)

    def logic(self, word: str, operands: Sequence[Part[Phrase]]) -> Phrase:
        first = operands[0].read()
        others = [self.operand(word, part) for part in operands[1:]]
        said = [clause(first, PLAIN)]
        said += [led(word, other, clause(other, PLAIN)) for other in others]
        return clause_of(joined(*said), LOGIC)

    def not_(self, operand: Phrase) -> Phrase:
        return denied(operand)

    def choose(self, test: Part[Phrase], then: Part[Phrase], otherwise: Part[Phrase]) -> Phrase:
        held, a, rest = test.read(), then.read(), otherwise.read()
        truth = "truth" in (a.kind, rest.kind)
        say = clause if truth else value
        lead = "; otherwise, " if rest.ends is not None else "; otherwise "
        pieces = joined("if ", clause(held), ", ", say(a, LOGIC), lead, say(rest))
        kind = a.kind if a.kind != "number" else rest.kind
        return Phrase(pieces, CHOICE, kind, truth, ends=(held, a, rest))

    def call(self, function: str, arguments: Sequence[Part[Phrase]]) -> Phrase:
        if function in _CALLS:
            return _CALLS[function](self, arguments)
        if function in self.terms.tables:
            return looked_up(self.terms.tables[function], [part.read() for part in arguments])
        term = untitled(function)
        return call_of(f"the {term.text} of ", listed([part.read() for part in arguments]))

    # --- over lines -------------------------------------------------------------------------

    def _line(self, arguments: Sequence[Part[Phrase]], at: int = 1) -> tuple[str, Phrase]:
        """The name of the list that an aggregate or `at` names, and what it asks of a line."""
        entity = dotted(arguments[0].node)
        return entity, self.on(entity).read(arguments[at].node)

    def _sum(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        entity, element = self._line(arguments)
        return call_of(f"the sum over the {entity} of ", value(element, CALL))

    def _count(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        entity, element = self._line(arguments)
        return call_of(f"the number of {entity} for which ", clause(element, PLAIN))

    def _any(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        return self._some("at least one", arguments)

    def _all(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        return self._some("every one", arguments)

    def _some(self, how_many: str, arguments: Sequence[Part[Phrase]]) -> Phrase:
        entity, element = self._line(arguments)
        said = joined(f"for {how_many} of the {entity}, ", clause(element, PLAIN))
        return clause_of(said, COMPARE)

    def _extreme(self, word: str, arguments: Sequence[Part[Phrase]]) -> Phrase:
        entity, element = self._line(arguments)
        empty = value(arguments[2].read(), CALL)
        of = f" over the {entity}, or where there are none, "
        return call_of(f"the {word} of ", value(element, ATOM), of, empty)

    def _at(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        entity, there = self._line(arguments, 2)
        on_line = f" on the {entity} line for "
        said = joined(value(there, ATOM), on_line, value(arguments[1].read(), CALL))
        return Phrase(said, CALL, there.kind)

    def _given(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        figure = value(arguments[0].read())
        opposite = joined(figure, " is not given")
        return clause_of(joined(figure, " is given"), PLAIN, opposite)

    def _after(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        figure = arguments[0].read()
        return Phrase(joined(figure.pieces, " afterwards"), ATOM, figure.kind)

    # --- scales and numbers -----------------------------------------------------------------

    def _slices(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        of = of_scale("slices", arguments, self.terms)
        assert of.x is not None
        parts = "the sum, slice by slice, of ", value(of.x.read(), ATOM), " at the rates of "
        if of.least is None:
            return call_of(*parts, self._tiers(of, CALL))
        least = value(of.least.read(), CALL)
        return call_of(*parts, self._tiers(of, ATOM), ", each rate at least ", least)

    def _tier(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        of = of_scale("tier", arguments, self.terms)
        assert of.x is not None
        reached = value(of.x.read(), ATOM)
        return call_of("the rate that ", reached, " reaches in ", self._tiers(of, CALL))

    def _top(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        return call_of("the last edge of ", self._tiers(of_scale("top", arguments, self.terms)))

    def _tiers(self, of: OfScale[Phrase], least: int = CALL) -> Pieces:
        """The scale, its column and the key of its tiers."""
        said = called(of.scale).pieces
        if of.column:
            said = joined(said, f", column {of.column},")
        said = marked(said) if self.is_marked(of.named) else said
        return said if of.key is None else joined(said, " for ", value(of.key.read(), least))

    def _choice_of(self, words: tuple[str, str], arguments: Sequence[Part[Phrase]]) -> Phrase:
        """`min` or `max`: of two, or of any other number."""
        parts = [part.read() for part in arguments]
        word = words[0] if len(parts) == 2 else words[1]
        return call_of(f"the {word} of ", listed(parts))

    def _absolute(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        return call_of("the absolute value of ", value(arguments[0].read(), CALL))

    def _rounded(self, how: str, arguments: Sequence[Part[Phrase]]) -> Phrase:
        number, step = (part.read() for part in arguments)
        said = f" rounded {how} to a multiple of "
        return call_of(value(number, ATOM), said, value(step, CALL))

    def _hours(self, arguments: Sequence[Part[Phrase]]) -> Phrase:
        start, end = (part.read() for part in arguments)
        said = "the clock hours from ", value(start, ATOM), " to ", value(end, CALL)
        return call_of(*said)


_Call = Callable[[WordsReading, Sequence[Part[Phrase]]], Phrase]


def _extreme(word: str) -> _Call:
    return lambda reading, arguments: reading._extreme(word, arguments)


def _choice_of(*words: str) -> _Call:
    return lambda reading, arguments: reading._choice_of((words[0], words[1]), arguments)


def _rounded(how: str) -> _Call:
    return lambda reading, arguments: reading._rounded(how, arguments)


_CALLS: Mapping[str, _Call] = {
    "sum": WordsReading._sum,
    "count": WordsReading._count,
    "any": WordsReading._any,
    "all": WordsReading._all,
    "largest": _extreme("largest"),
    "smallest": _extreme("smallest"),
    "at": WordsReading._at,
    "given": WordsReading._given,
    "after": WordsReading._after,
    "slices": WordsReading._slices,
    "tier": WordsReading._tier,
    "top": WordsReading._top,
    "min": _choice_of("smaller", "smallest"),
    "max": _choice_of("larger", "largest"),
    "abs": WordsReading._absolute,
    "round_up": _rounded("up"),
    "round_down": _rounded("down"),
    "round_half_up": _rounded("to the nearest, half up,"),
    "clock_hours": WordsReading._hours,
}
