"""What the rule book says of each provision, in words: for a page and for Markdown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from policy_engine.book import Chapter, Clause
from policy_engine.language.phrases import Piece, Pieces, capital, joined
from policy_engine.language.syntax import Expression
from policy_engine.language.terms import Term, Terms, terms_of
from policy_engine.language.text import to_text
from policy_engine.language.wording import in_words, sentences
from policy_engine.model import (
    ACCOUNT,
    Effect,
    Formula,
    NotKnown,
    Parameter,
    Permission,
    Request,
    Row,
    Rule,
    Scale,
    Table,
)
from policy_engine.numbers import plain
from policy_engine.render.change import said, whole
from policy_engine.render.layout import number_text

KINDS = {
    "statuses": ("Statuses", "status"),
    "permissions": ("Permissions", "permission"),
    "requests": ("Requests", "request"),
    "notices": ("Notices", "notice"),
    "formulas": ("Formulas", "formula"),
    "invariants": ("What always holds", "invariant"),
    "parameters": ("Parameters", "parameter"),
    "tables": ("Tables", "table"),
    "scales": ("Tiers", "tiers"),
}
"""The heading of each section, and the word for one of its provisions."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A formula in whole sentences, and what is needed to print it; `of` is the figure it gives."""

    words: Pieces
    tree: ast.expr
    text: str
    terms: Terms
    entity: str = ACCOUNT
    of: Term | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """One of the reasons to refuse: a rule, and when it holds."""

    id: str
    rule: Rule
    statement: Statement | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A provision as the book prints it."""

    clause: Clause
    kind: str
    value: str | None = None
    statement: Statement | None = None
    lead: str | None = None
    grounds: tuple[Ground, ...] = ()
    effects: tuple[Pieces, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, tuple[str, ...], Row], ...] = ()


@dataclass(frozen=True)
class Speaker:
    """Words a chapter in the terms of its version and of those it uses."""

    chapter: Chapter
    terms: Terms

    def passages(self) -> Iterator[tuple[str, str, tuple[Passage, ...]]]:
        """Each section: its name, its heading, and its provisions."""
        for section in self.chapter.sections:
            heading, kind = KINDS[section.name]
            passages = [self._passage(clause, kind) for clause in section.clauses]
            yield section.name, heading, tuple(passages)

    def _passage(self, clause: Clause, kind: str) -> Passage:
        item, made = clause.item, Passage(clause, kind)
        match item:
            case Parameter():
                return replace(made, value=valued(item.value, item.unit), facts=_safer(item.safer))
            case Formula():
                return replace(made, statement=self._formula(item, clause, kind))
            case Rule():
                return replace(made, **self._rule(item, kind))
            case Permission():
                return replace(made, **self._refused(clause, self.terms))
            case Request():
                return self._request(replace(made, facts=tuple(self._asked(item))), item)
            case Table():
                return replace(made, rows=tuple(_rows(item)), facts=tuple(_of_table(item)))
        assert isinstance(item, Scale)
        return replace(made, facts=tuple(_of_scale(item)))

    # --- formulas and rules ---------------------------------------------------------------------

    def _formula(self, item: Formula, clause: Clause, kind: str) -> Statement | None:
        if item.expression is None:
            return None
        if kind == "invariant":
            return self._statement("It always holds that ", item.expression, self.terms)
        tree, entity = item.expression.tree, clause.entity
        of = self.terms.figure(entity, item.name)
        words = sentences(of, tree, self.terms, entity)
        return Statement(words, tree, to_text(tree), self.terms, entity, of)

    def _statement(self, lead: str, expression: Expression, terms: Terms) -> Statement:
        tree = expression.tree
        words = capital(joined(lead, in_words(tree, terms), "."))
        return Statement(words, tree, to_text(tree), terms)

    def _rule(self, rule: Rule, kind: str) -> dict[str, Any]:
        """A status, or a notice, which may show figures."""
        lead = "An account has this status when " if kind == "status" else "It is told when "
        shows = [self.terms.figure(ACCOUNT, name).text for name in rule.shows]
        facts = (("with", ", ".join(shows)),) if shows else ()
        if rule.when is None:
            return {
                "lead": "An account has this status when none of those before holds.",
                "facts": facts,
            }
        return {"statement": self._statement(lead, rule.when, self.terms), "facts": facts}

    def _refused(self, clause: Clause, terms: Terms) -> dict[str, Any]:
        """When a permission or a request is refused."""
        rules: tuple[Rule, ...] = clause.item.refuse_when
        grounds = [
            Ground(
                f"{clause.id}/refuse_when/{rule.name}",
                rule,
                None if rule.when is None else self._statement("", rule.when, terms),
            )
            for rule in rules
        ]
        it = _refused_lead(clause.item)
        lead = {0: "No rule refuses it.", 1: f"{it} is refused when:"}
        return {
            "lead": lead.get(len(rules), f"{it} is refused when any of these holds:"),
            "grounds": tuple(grounds),
        }

    # --- requests -------------------------------------------------------------------------------

    def _request(self, made: Passage, item: Request) -> Passage:
        terms = self.terms.of_request(item.inputs.values())
        effects = tuple(self._effect(effect, item, terms) for effect in item.effects)
        return replace(made, effects=effects, **self._refused(made.clause, terms))

    def _asked(self, item: Request) -> Iterator[tuple[str, str]]:
        """What a request brings, and how it is made."""
        terms = self.terms.of_request(item.inputs.values())
        if item.inputs:
            named = ((terms.figure(ACCOUNT, name).text, one) for name, one in item.inputs.items())
            yield "brings", "; ".join(f"the {text} ({whole(one)})" for text, one in named)
        if item.takes is not None:
            yield "made with", f"a line of the {item.takes}, which is then gone"
        if item.limit is not None:
            figure = terms.figure(ACCOUNT, item.limit.input).text
            yield "steps", f"the {figure} goes in steps of {plain(item.limit.step)}"

    def _effect(self, effect: Effect, request: Request, terms: Terms) -> Pieces:
        """What a request changes, as a sentence."""
        if effect.add is not None:
            return self._added(effect, terms)
        lead, entity = "", ACCOUNT
        if effect.line is not None:
            entity = request.inputs[effect.line].key_of or ACCOUNT
            of = terms.figure(ACCOUNT, effect.line)
            lead = f"on the {entity} line for the {of.text}, "
        own = self.terms if entity == ACCOUNT else terms
        parts: list[str | Pieces] = [lead]
        for at, (figure, expression) in enumerate(effect.sets.items()):
            parts += [", and " if at else "", _the(own.figure(entity, figure))]
            parts += [" becomes ", in_words(expression.tree, terms, entity)]
        return capital(joined(*parts, "."))

    def _added(self, effect: Effect, terms: Terms) -> Pieces:
        """The line that a request adds."""
        parts: list[str | Pieces] = [f"a line is added to the {effect.add}"]
        for at, (figure, expression) in enumerate(effect.sets.items()):
            parts.append(", " if at else ", with ")
            parts.append(_the(self.terms.figure(effect.add or ACCOUNT, figure)))
            if not (isinstance(expression.tree, ast.Name) and expression.tree.id == figure):
                parts += [" ", in_words(expression.tree, terms)]
        return capital(joined(*parts, "."))


def _refused_lead(item: Permission | Request) -> str:
    """What is refused: "Borrowing is open" is refused as "Borrowing"."""
    subject, is_open, rest = item.title.rpartition(" is open")
    return subject if is_open and not rest else "It"


def speaker(chapter: Chapter) -> Speaker:
    """What words a chapter."""
    return Speaker(chapter, terms_of(chapter.held))


def _the(term: Term) -> Pieces:
    article = "" if term.text.startswith(("the ", "whether ")) else "the "
    return joined(article, (Piece(term.text, term.name),))


# --- values ---------------------------------------------------------------------------------------


def valued(value: Any, unit: str | None) -> str:
    """A value for reading, with its unit."""
    if isinstance(value, NotKnown):
        return f"cannot be told: {value.because}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, Decimal):
        return said(value)
    if not value.is_finite():
        return "unlimited"
    if unit in (None, "ratio"):
        share = 0 < value.copy_abs() < 1 and unit == "ratio"
        return number_text(value) + (f" ({number_text(value.scaleb(2))}%)" if share else "")
    return f"{number_text(value)} {unit}"


def _safer(safer: str | None) -> tuple[tuple[str, str], ...]:
    return () if safer is None else (("tighter", f"the {safer} it is"),)


def _rows(table: Table) -> Iterator[tuple[str, tuple[str, ...], Row]]:
    """Each row: its value, its keys, and itself; the last is for every other key."""
    for row in table.rows:
        keys = tuple(" / ".join(said(part) for part in key) for key in row.keys)
        yield valued(row.value, table.unit).replace("{key}", "…"), keys, row
    other = table.otherwise
    yield valued(other.value, table.unit).replace("{key}", "…"), (), other


def _of_table(table: Table) -> Iterator[tuple[str, str]]:
    if table.unit is not None and table.unit != "ratio":
        yield "unit", table.unit
    yield from _safer(table.safer)


def _of_scale(scale: Scale) -> Iterator[tuple[str, str]]:
    yield "tiers in", scale.unit_in
    owner = "the tier below it" if scale.edge_belongs_to == "lower" else "the tier above it"
    yield "an edge belongs to", owner
    rate = scale.above_last.rate
    yield "above the last edge", "the last tier's rates" if rate is None else valued(rate, None)
    if scale.rates is not None:
        yield "rates", f"{scale.rates} from tier to tier"
