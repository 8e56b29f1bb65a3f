"""The rule book as Markdown: the same words without pictures and mathematics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from policy_engine.book import Book, Chapter, Clause, Example
from policy_engine.language.phrases import Pieces, plain_text
from policy_engine.model import Citation, Provision, Row, Scale, Version
from policy_engine.numbers import instant_text
from policy_engine.render.book import Ground, Passage, Statement, speaker, valued
from policy_engine.render.change import whole
from policy_engine.render.layout import figure_text, number_text
from policy_engine.render.markdown import code, escaped, inline, prose
from policy_engine.render.provenance import (
    assuming,
    note_of,
    reached_text,
    source_of,
    title_of_input,
    told,
)

_ANSWERS = {True: "permitted", False: "refused", None: "cannot be told"}


def render(book: Book) -> str:
    """The book, ending in a newline; whatever a rule file says is shown letter by letter."""
    blocks = ["# Rule book", _lead(book), *_in_force(book), *_timeline(book)]
    for chapter in book.chapters:
        blocks += _chapter(chapter)
    blocks += _listed(book)
    blocks += _examples(book)
    blocks += _coverage(book)
    blocks += _digests(book)
    return "\n\n".join(blocks) + "\n"


def _lead(book: Book) -> str:
    known = book.known_at
    told_by = "with all that is known" if known is None else f"as known on {instant_text(known)}"
    return f"The rules in force on {instant_text(book.at)}, {told_by}."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _in_force(book: Book) -> Iterator[str]:
    yield "## What is in force"
    yield _table(
        ("Chapter", "Rules", "Version", "Since", "What it brought"),
        (
            (
                str(one.number),
                code(one.version.ruleset),
                code(one.version.id),
                instant_text(one.version.effective_from),
                inline(one.version.summary),
            )
            for one in book.chapters
        ),
    )


def _timeline(book: Book) -> Iterator[str]:
    yield "## Timeline of versions"
    yield _table(
        ("Version", "State", "From", "Announced", "What it brought"),
        (
            (
                code(one.version.id),
                one.state.value.replace("_", " "),
                instant_text(one.version.effective_from),
                "not known"
                if one.version.announced_at is None
                else instant_text(one.version.announced_at),
                inline(one.version.summary),
            )
            for line in book.timelines
            for one in line.stretches
        ),
    )


# --- chapters -------------------------------------------------------------------------------------


def _chapter(chapter: Chapter) -> Iterator[str]:
    version = chapter.version
    yield f"## Chapter {chapter.number}: {escaped(version.ruleset)}"
    yield escaped(version.summary)
    if (note := note_of(version)) is not None:
        yield f"> {escaped(note)}"
    for _, heading, passages in speaker(chapter).passages():
        yield f"### {heading}"
        for passage in passages:
            yield from _passage(passage, version)
    yield from _inputs(version)
    yield from _assumptions(chapter)


def _inputs(version: Version) -> Iterator[str]:
    rows = [
        (entity, inline(title_of_input(version, entity, name)), code(name), inline(whole(one)))
        for entity, inputs in version.inputs.items()
        for name, one in inputs.items()
    ]
    if rows:
        yield "### What is read of an account"
        yield _table(("Of", "Figure", "Name", "Kind"), rows)


def _assumptions(chapter: Chapter) -> Iterator[str]:
    if found := assuming(chapter):
        yield "### Assumptions"
        yield "\n".join(
            f"- {inline(chapter.version.assumptions.get(name, name))}{_by(clauses)}"
            for name, clauses in found.items()
        )


def _by(clauses: Sequence[Clause]) -> str:
    numbers = ", ".join(clause.number for clause in clauses)
    return f" (taken for granted by {numbers})" if numbers else ""


def _passage(passage: Passage, version: Version) -> Iterator[str]:
    clause = passage.clause
    yield f"#### {clause.number} {inline(clause.item.title)}"
    yield f"{passage.kind}, {code(clause.id)}"
    if passage.value is not None:
        yield f"**{inline(passage.value)}**"
    if passage.statement is not None:
        yield from _statement(passage.statement)
    if passage.effects:
        yield "Granted, it changes the account:"
        yield "\n".join(f"- {_said(pieces)}" for pieces in passage.effects)
    if passage.lead is not None:
        yield passage.lead
    for number, ground in enumerate(passage.grounds, 1):
        yield from _ground(number, ground, version)
    if passage.rows:
        yield _table(
            ("For", "Value", "Source and notes"),
            (_row(value, keys, row, version) for value, keys, row in passage.rows),
        )
    if isinstance(clause.item, Scale):
        yield from _tiers(clause.item)
    if passage.facts:
        yield "\n".join(f"- {label}: {inline(text)}" for label, text in passage.facts)
    yield from _grounded(clause.item, version)
    yield from _history(clause)


def _said(pieces: Pieces) -> str:
    return inline(plain_text(pieces))


def _statement(statement: Statement) -> Iterator[str]:
    yield _said(statement.words)
    yield code(statement.text)


def _ground(number: int, ground: Ground, version: Version) -> Iterator[str]:
    """A reason to refuse, in one item of a list."""
    parts = [f"{number}. **{inline(ground.rule.title)}**"]
    if ground.statement is not None:
        parts += _statement(ground.statement)
    yield "\n\n   ".join([*parts, *_grounded(ground.rule, version)])


def _row(value: str, keys: Sequence[str], row: Row, version: Version) -> tuple[str, str, str]:
    names = inline(", ".join(keys)) if keys else "every other"
    parts = [_cited(row.citation, version) if row.citation else "", inline(row.note or "")]
    return names, inline(value), " ".join(filter(None, parts))


def _tiers(scale: Scale) -> Iterator[str]:
    heads = (f"Up to, in {scale.unit_in}", *(name for name, _ in scale.columns))
    for key, tiers in scale.tiers.items():
        if key is not None:
            yield f"Tiers for {inline(str(key))}:"
        rows = ((number_text(one.to), *map(number_text, one.rates)) for one in tiers)
        yield _table([inline(head) for head in heads], rows)


def _grounded(item: Provision, version: Version) -> Iterator[str]:
    if item.citation is not None:
        yield f"Source: {_cited(item.citation, version)}"
    if item.note:
        yield f"Note: {inline(item.note)}"
    if item.assumes:
        named = (version.assumptions.get(name, name) for name in item.assumes)
        yield f"Rests on: {inline(' '.join(named))}"


def _cited(citation: Citation, version: Version) -> str:
    source = source_of(version, citation)
    dated = f" ({source.updated})" if source.updated else ""
    quote = f": “{inline(citation.quote)}”{citation.where}" if citation.quote else ""
    return f"{inline(source.title)}{inline(dated)}{quote}"


def _history(clause: Clause) -> Iterator[str]:
    lines = [
        f"- {instant_text(one.stretch.version.effective_from)}: {prose(line)}"
        for one in clause.amendments
        for line in told(one, clause)
    ]
    if lines:
        yield "History:"
        yield "\n".join(lines)


# --- the rest -------------------------------------------------------------------------------------


def _listed(book: Book) -> Iterator[str]:
    for one in book.listed:
        yield f"## List by {inline(one.input.replace('_', ' '))}"
        others = ("every other", tuple(table.otherwise for _, table in one.tables))
        yield _table(
            ("", *(inline(table.title) for _, table in one.tables)),
            (
                (
                    inline(key),
                    *(
                        inline(valued(row.value, table.unit).replace("{key}", key))
                        for row, (_, table) in zip(rows, one.tables, strict=True)
                    ),
                )
                for key, rows in (*one.rows, others)
            ),
        )


def _examples(book: Book) -> Iterator[str]:
    held = [one for found in book.examples.values() for one in found]
    if held:
        yield "## Worked examples"
    for number, one in enumerate(held, 1):
        yield f"### Example {number}"
        yield from _example(one)


def _example(one: Example) -> Iterator[str]:
    if one.because is not None:
        yield escaped(one.because)
    yield f"The account: {code(json.dumps(one.snapshot, ensure_ascii=False, default=str))}"
    if one.answer is not None:
        yield f"It asks: {inline(_asked(one))}"
    yield f"Status: {inline(one.decision.status or 'cannot be told')}."
    if one.answer is not None:
        reasons = "".join(f" {inline(reason.title)}." for reason in one.answer.reasons)
        yield f"{inline(one.answer.request)}: {_ANSWERS[one.answer.permitted]}.{reasons}"
    yield _table(
        ("Figure", "Formula", "Value"),
        (
            (code(step.name), code(step.expression), inline(figure_text(step.value)))
            for step in one.trace.entries
            if step.expression is not None
        ),
    )


def _asked(one: Example) -> str:
    assert one.answer is not None
    given = ", ".join(f"{name} {figure_text(value)}" for name, value in one.answer.inputs.items())
    return f"{one.answer.request}: {given}"


def _coverage(book: Book) -> Iterator[str]:
    if book.coverage:
        yield "## Coverage"
        yield _table(
            ("Of", "Reached", "There are", "Percent"),
            (
                (group, str(reached), str(all_), reached_text(reached, all_))
                for group, reached, all_ in book.coverage
            ),
        )


def _digests(book: Book) -> Iterator[str]:
    yield "## Digests"
    yield _table(
        ("Version", "Digest"),
        (
            (code(one.version.id), code(one.version.digest))
            for line in book.timelines
            for one in line.stretches
        ),
    )
