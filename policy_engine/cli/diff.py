"""`policy-engine diff`: what changed between two states of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import (
    JSON,
    TEXT,
    Asked,
    at_option,
    known_at_option,
    output_option,
    placed,
    rules_option,
    say,
)
from policy_engine.cli.sides import Side, blamed, side_of
from policy_engine.cli.witnessing import Wanted, witness_options, witnessed
from policy_engine.diff import Changes, Significance, compare
from policy_engine.model import Version
from policy_engine.numbers import day_or_instant, instant_text
from policy_engine.render import diff as text
from policy_engine.render import diff_json, diff_markdown
from policy_engine.render import witnesses as witness_text
from policy_engine.render.layout import Page
from policy_engine.rulebook import Rulebook
from policy_engine.witnesses import Boundary

MARKDOWN, HTML = "markdown", "html"
SAME, DIFFERENT = 0, 1


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@rules_option
@at_option
@known_at_option
@click.option(
    "--significance",
    type=click.Choice([grade.word for grade in Significance]),
    default=Significance.WORDING.word,
    show_default=True,
    help="Leave out what goes less deep.",
)
@click.option("--exit-code", is_flag=True, help="End with 1 if anything changed.")
@click.option(
    "--format", type=click.Choice([TEXT, JSON, MARKDOWN, HTML]), default=TEXT, show_default=True
)
@witness_options
@output_option
def diff(
    old: str,
    new: str,
    rules: Path | None,
    at: datetime | None,
    known_at: datetime | None,
    significance: str,
    exit_code: bool,
    format: str,
    output: Path | None,
    wanted: Wanted,
) -> int:
    """What changed between two states of the rules.

    OLD and NEW are each a day or instant (the rules in force then), the id of a version such as
    <ruleset>@2025-01-21, or a folder of rules (those in force at --at).
    """
    asked = Asked(rules, at, known_at, format, output)
    if format == HTML and wanted.any:
        raise click.UsageError("witnesses are shown as text, json or markdown")
    sides = side_of(old, "OLD"), side_of(new, "NEW")
    if asked.at is None and any(side.folder is not None for side in sides):
        asked = replace(asked, at=asked.moment())
    found = _between(sides, asked)
    shown = found.at_least(Significance[significance.upper()])
    if format == HTML:
        asked.answer(_page(shown, (old, new), asked, significance))
    else:
        asked.answer(_rendered(shown, asked, witnessed(wanted, (old, new), asked, shown)))
    if len(shown.changes) < len(found.changes):
        say(f"left out: {len(found.changes) - len(shown.changes)} that go less deep")
    return DIFFERENT if exit_code and shown.changes else SAME


def _rendered(found: Changes, asked: Asked, more: tuple[Boundary, ...] | None) -> str:
    if asked.format == JSON:
        return diff_json.to_json(found, more)
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    if asked.format == MARKDOWN:
        made = diff_markdown.render(found)
        return made if more is None else f"{made}\n\n{witness_text.markdown(more)}"
    made = text.render(found, page)
    return made if more is None else f"{made}\n\n{witness_text.render(more, page)}"


def _page(found: Changes, words: tuple[str, str], asked: Asked, significance: str) -> str:
    """The changes as a page; jinja2 is slow to import, and is wanted for pages only."""
    from policy_engine.cli.pages import command, state
    from policy_engine.render.html import diff_page

    old, new = (state(word, asked) for word in words)
    least = Significance.WORDING.word
    more = [] if significance == least else ["--significance", significance]
    return diff_page(found, old, new, command("diff", words, asked, *more))


# --- sides ----------------------------------------------------------------------------------------


def _between(sides: tuple[Side, Side], asked: Asked) -> Changes:
    old, new = sides
    if old.folder is None and new.folder is None:
        with placed(lambda problem: blamed(problem, sides)):
            return asked.rulebook().diff(old.word, new.word, asked.known_at)
    return _between_books(sides, asked)


# --- folders --------------------------------------------------------------------------------------


def _between_books(sides: tuple[Side, Side], asked: Asked) -> Changes:
    """The changes where at least one side is a folder of its own."""
    at = asked.moment()
    books = [_book(side, asked) for side in sides]
    held = [_held(side, book, at, asked) for side, book in zip(sides, books, strict=True)]
    named = {side.word.partition("@")[0] for side in sides if "@" in side.word}
    if named:
        held = [[version for version in one if version.ruleset in named] for one in held]
    else:
        _say_later(books[0], books[1], at)
    return compare(held[0], held[1], dates=True)


def _book(side: Side, asked: Asked) -> Rulebook:
    return asked.rulebook() if side.folder is None else Rulebook.load(side.folder)


def _held(side: Side, book: Rulebook, at: datetime, asked: Asked) -> list[Version]:
    with placed(lambda _: side.named):
        if "@" in side.word and side.folder is None:
            return [book.version(side.word)]
        when = at if side.folder is not None else day_or_instant(side.word)
        return list(book.in_force(when, asked.known_at).versions.values())


def _say_later(old: Rulebook, new: Rulebook, at: datetime) -> None:
    """Tell which versions that start later differ, as they are not compared."""
    later = [{v.id: v for v in book.versions if v.effective_from > at} for book in (old, new)]
    apart = sorted(
        name
        for name in {*later[0], *later[1]}
        if _digest(later[0].get(name)) != _digest(later[1].get(name))
    )
    if apart:
        first = min(v.effective_from for held in later for v in held.values() if v.id in apart)
        say(f"not in force yet, so not compared: {', '.join(apart)}")
        say(f"to compare them: --at {instant_text(first)}")


def _digest(version: Version | None) -> str | None:
    return None if version is None else version.digest
