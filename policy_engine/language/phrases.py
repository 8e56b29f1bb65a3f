"""Phrases, and how they are put together: with brackets wherever they could be read otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policy_engine.language.terms import Term

CHOICE, LOGIC, COMPARE, PLAIN, PRODUCT, QUOTIENT, SUM, CALL, ATOM = range(9)
"""How much is open in a phrase, most first. A comparison of two names is PLAIN; a CALL,
such as "the sum over the assets of …", is open at its end only."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence: what it says, the name it stands for, whether it is marked."""

    text: str
    name: str | None = None
    marked: bool = False


Pieces = tuple[Piece, ...]
WHETHER = "whether "
_VERB = re.compile(r"(\b(?:is|are|has|have|was|were) )")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a formula in words.

    `kind` is that of its value. A `clause` is a truth said with a verb, and `opposite` denies it.
    `signed`: the sign before it is marked with it. `ends` are the test and the two branches of a
    choice.
    """

    pieces: Pieces
    binding: int = ATOM
    kind: str = "number"
    clause: bool = False
    opposite: Pieces = ()
    signed: bool = False
    ends: tuple[Phrase, Phrase, Phrase] | None = None


def plain_text(pieces: Iterable[Piece]) -> str:
    """The words alone."""
    return "".join(piece.text for piece in pieces)


def joined(*parts: str | Pieces) -> Pieces:
    """Parts one after the other."""
    made: list[Piece] = []
    for part in parts:
        made += (Piece(part),) if isinstance(part, str) else part
    return tuple(made)


def marked(pieces: Pieces) -> Pieces:
    """The same, all of it marked."""
    return tuple(replace(piece, marked=True) for piece in pieces)


def capital(pieces: Pieces) -> Pieces:
    """The same as the beginning of a sentence."""
    first, *rest = (piece for piece in pieces if piece.text)
    return (replace(first, text=first.text[:1].upper() + first.text[1:]), *rest)


def called(term: Term) -> Phrase:
    """What a term is called; a title with its article."""
    name = Piece(term.text, term.name)
    bare = not term.titled or term.text.startswith(("the ", "a ", "an ", WHETHER))
    return Phrase((name,) if bare else (Piece("the "), name), kind=term.kind)


def clause_of(pieces: Pieces, binding: int, opposite: Pieces = ()) -> Phrase:
    """A truth that is said with a verb."""
    return Phrase(pieces, binding, "truth", clause=True, opposite=opposite)


def truth_of(term: Term) -> Phrase:
    """A term that is a truth; one titled "whether …" is a clause."""
    if not term.text.startswith(WHETHER):
        return called(term)
    said = term.text.removeprefix(WHETHER)
    verbs = _VERB.findall(said)
    opposite = _VERB.sub(r"\1not ", said) if len(verbs) == 1 else f"it is not so that {said}"
    return clause_of((Piece(said, term.name),), PLAIN, (Piece(opposite, term.name),))


def call_of(*parts: str | Pieces) -> Phrase:
    """A phrase that is open at its end."""
    return Phrase(joined(*parts), CALL)


def value(phrase: Phrase, least: int = CHOICE) -> Pieces:
    """A phrase as a value, in brackets where more is open in it than there may be."""
    if not phrase.clause:
        return _bracketed(phrase.pieces, phrase.binding, least)
    return _bracketed(joined("whether ", phrase.pieces), CHOICE, least)


def clause(phrase: Phrase, least: int = CHOICE) -> Pieces:
    """A truth with its verb, in brackets where more is open in it than there may be."""
    if phrase.clause:
        return _bracketed(phrase.pieces, phrase.binding, least)
    return joined(value(phrase, CALL), " is true")


def denied(phrase: Phrase) -> Phrase:
    """The truth that a phrase is not so."""
    if phrase.opposite:
        return clause_of(phrase.opposite, PLAIN)
    if not phrase.clause:
        return clause_of(joined(value(phrase, CALL), " is not true"), PLAIN)
    return clause_of(joined("it is not so that ", clause(phrase, ATOM)), PLAIN)


def _bracketed(pieces: Pieces, binding: int, least: int) -> Pieces:
    return pieces if binding >= least else joined("(", pieces, ")")


def led(sign: str, phrase: Phrase, said: Pieces) -> Pieces:
    """What is said of a phrase after its sign, both marked where it is to be with its sign."""
    pieces = joined(f"{sign} ", said)
    return joined(" ", marked(pieces) if phrase.signed else pieces)


def listed(phrases: Sequence[Phrase]) -> Pieces:
    """Values with commas and an `and` between them."""
    *first, last = phrases
    if not first:
        return value(last, CALL)
    commas = [joined(", " if at else "", value(one, ATOM)) for at, one in enumerate(first)]
    return joined(*commas, " and ", value(last, CALL))


def looked_up(term: Term, keys: Sequence[Phrase]) -> Phrase:
    """What a table gives for its keys."""
    named, of = called(term), listed(keys)
    if term.kind == "truth" and term.text.startswith(WHETHER):
        so = joined("“", (Piece(term.text.removeprefix(WHETHER), term.name),), "” ")
        opposite = joined(so, "does not hold for ", of)
        binding = PLAIN if [key.binding for key in keys] == [ATOM] else COMPARE
        return clause_of(joined(so, "holds for ", of), binding, opposite)
    between = " of " if term.kind == "text" else " for "
    return Phrase(joined(named.pieces, between, of), CALL, term.kind)
