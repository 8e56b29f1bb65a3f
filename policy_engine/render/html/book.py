"""The rule book as one page, which a lawyer would print."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from policy_engine.book import Book, Chapter, Clause
from policy_engine.diff import Changes
from policy_engine.ladder import Ladder
from policy_engine.language.markup import mathml, width
from policy_engine.language.phrases import Pieces
from policy_engine.language.wording import in_words
from policy_engine.model import Scale, Version
from policy_engine.numbers import EXACT
from policy_engine.render.book import Passage, Speaker, Statement, speaker, valued
from policy_engine.render.change import whole
from policy_engine.render.html import diff as diff_parts
from policy_engine.render.html.charts import charts, step_chart
from policy_engine.render.html.examples import Worked, worked
from policy_engine.render.html.page import TEMPLATES, State, counted, drawn, page
from policy_engine.render.html.timeline import timeline_picture
from policy_engine.render.layout import number_text
from policy_engine.render.provenance import (
    assuming,
    in_code,
    note_of,
    reached_text,
    source_of,
    title_of_input,
    told,
)

WIDEST_PRINTED = 88
"""Characters of a formula that fit the width of printed paper at the size of the text."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Two states of the rules and what changed between them, to be printed side by side."""

    old: State
    new: State
    changes: Changes


@dataclass(frozen=True)
class Opened:
    """A chapter with its words, and where the terms in them are defined."""

    chapter: Chapter
    speaker: Speaker
    sections: tuple[tuple[str, str, tuple[Passage, ...]], ...]
    links: Mapping[tuple[str, str], Clause]
    worked: Sequence[Worked]

    @property
    def version(self) -> Version:
        """The version in force."""
        return self.chapter.version

    @property
    def applies(self) -> Pieces | None:
        """When these rules decide, as a clause."""
        when = self.version.applies_when
        return None if when is None else in_words(when.tree, self.speaker.terms)

    @property
    def ladders(self) -> tuple[int, tuple[tuple[Ladder, Any], ...]] | None:
        """The number of an example that has a ladder, and its pictures."""
        held = (one for one in self.worked if one.version is self.version and one.ladders)
        return next(((one.number, one.ladders) for one in held), None)

    def titled(self, entity: str, name: str) -> str:
        """What an input is called."""
        return title_of_input(self.version, entity, name)

    def linked(self, pieces: Pieces) -> Iterable[tuple[str, str | None, Clause | None]]:
        """Pieces of a sentence: what they say, what name that stands for, where it is defined."""
        for piece in pieces:
            found = None
            if piece.name is not None:
                found = self.links.get((piece.name, piece.text)) or self.links.get((piece.name, ""))
            yield piece.text, piece.name, found


def book_page(book: Book, command: str, beside: Beside | None = None) -> str:
    """The book as a page that ends with the command that makes it again.

    Raises PolicyError where jinja2 is not installed.
    """
    clauses = {c.id: c for chapter in book.chapters for s in chapter.sections for c in s.clauses}
    examples = _worked(book)
    script = (TEMPLATES / "book.js").read_text(encoding="utf-8").strip()
    return page(
        "book.html",
        book=book,
        opened=[_opened(chapter, clauses, examples) for chapter in book.chapters],
        clauses=clauses,
        titles=_titles(book),
        picture=drawn(timeline_picture(book.timelines, book.at)),
        worked=examples,
        index=sorted(clauses.values(), key=lambda one: (one.item.title.lower(), one.id)),
        beside=_beside(beside),
        script=_as_it_is(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        command=command,
        **_FUNCTIONS,
    )


def _as_it_is(script: str) -> Any:
    """The script letter for letter, as its digest in the page's policy has it."""
    from markupsafe import Markup  # comes with jinja2, which is optional

    return Markup(script)


def _beside(beside: Beside | None) -> Mapping[str, Any] | None:
    return None if beside is None else diff_parts.values(beside.changes, beside.old, beside.new)


def _titles(book: Book) -> Mapping[str, str]:
    """What tables and inputs are called, by their id."""
    held = {c.id: c.item.title for ch in book.chapters for s in ch.sections for c in s.clauses}
    for chapter in book.chapters:
        for entity, inputs in chapter.version.inputs.items():
            for name in inputs:
                held.setdefault(f"{entity}/{name}", title_of_input(chapter.version, entity, name))
    return held


def _worked(book: Book) -> list[Worked]:
    held = [(name, one) for name, found in book.examples.items() for one in found]
    by_name = {chapter.version.ruleset: chapter for chapter in book.chapters}
    return [worked(n, by_name[name].version, one) for n, (name, one) in enumerate(held, 1)]


# --- chapters -------------------------------------------------------------------------------------


def _opened(chapter: Chapter, clauses: Mapping[str, Clause], examples: Sequence[Worked]) -> Opened:
    made = speaker(chapter)
    return Opened(chapter, made, tuple(made.passages()), _links(made, clauses), examples)


def _links(made: Speaker, clauses: Mapping[str, Clause]) -> Mapping[tuple[str, str], Clause]:
    """Where a term is defined, by its name and what it is called; by its name alone if it is but
    one."""
    found: dict[tuple[str, str], Clause] = {}
    alone: dict[str, list[Clause]] = {}
    terms = made.terms
    for version in made.chapter.held:
        named = {("parameters", n): terms.figure("account", n) for n in version.parameters}
        named |= {("tables", n): terms.tables[n] for n in version.tables}
        named |= {("scales", n): terms.scales[n] for n in version.scales}
        for entity, formulas in version.formulas.items():
            figures = terms.figures[entity]
            named |= {(f"formulas/{entity}", n): figures[n] for n in formulas}
        for (section, name), term in named.items():
            clause = clauses[f"{version.ruleset}/{section}/{name}"]
            found.setdefault((name, term.text), clause)
            alone.setdefault(name, []).append(clause)
    single = {(name, ""): held[0] for name, held in alone.items() if len(held) == 1}
    return {**single, **found}


def _math(statement: Statement) -> Any:
    return drawn(mathml(statement.tree, statement.terms, statement.entity, of=statement.of))


def _fit(statement: Statement) -> Decimal:
    """By how much a formula must shrink to fit the width of printed paper."""
    wide = width(statement.tree, statement.terms, statement.entity, statement.of)
    share = EXACT.divide(Decimal(WIDEST_PRINTED), Decimal(max(wide, WIDEST_PRINTED)))
    return share.quantize(Decimal("0.01"), ROUND_DOWN, EXACT)


def _charts(scale: Scale) -> list[tuple[Any, str]]:
    """The charts of a scale, each with what it is of."""
    return [(drawn(step_chart(one)), _of(one.keys, one.column)) for one in charts(None, scale)]


def _of(keys: tuple[str, ...], column: str) -> str:
    return ", ".join(filter(None, [column, f"for {', '.join(keys)}" if keys else ""]))


_FUNCTIONS = {
    "math": _math,
    "fit": _fit,
    "charts": _charts,
    "told": told,
    "in_code": in_code,
    "valued": valued,
    "whole": whole,
    "number": number_text,
    "counted": counted,
    "source_of": source_of,
    "note_of": note_of,
    "assuming": assuming,
    "reached_text": reached_text,
}
