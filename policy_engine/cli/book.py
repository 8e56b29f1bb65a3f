"""`policy-engine book`: the rules in force as a book to read and to print."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from policy_engine.book import book_of
from policy_engine.cases import Case, load_cases
from policy_engine.cli.pages import state
from policy_engine.cli.shared import (
    Asked,
    at_option,
    find_rules,
    known_at_option,
    output_option,
    placed,
    rules_option,
    say,
)
from policy_engine.cli.sides import blamed, side_of
from policy_engine.diff import Changes
from policy_engine.errors import Problem, RulesError
from policy_engine.numbers import instant_text
from policy_engine.render import book_markdown, diff_markdown
from policy_engine.render.html.book import Beside, book_page
from policy_engine.rulebook import Rulebook
from policy_engine.shipped import rules_folder

HTML, MARKDOWN = "html", "markdown"


@click.command()
@rules_option
@at_option
@known_at_option
@click.option(
    "--cases",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Cases to take examples from. Default: `tests/cases` and `tests/worked` beside the rules.",
)
@click.option(
    "--beside",
    metavar="OLD NEW",
    nargs=2,
    help="Also two instants or versions side by side, with what changed.",
)
@click.option("--coverage", is_flag=True, help="Also how much of the rules the cases reach; slow.")
@click.option("--format", type=click.Choice([HTML, MARKDOWN]), default=HTML, show_default=True)
@output_option
def book(
    rules: Path | None,
    at: datetime | None,
    known_at: datetime | None,
    cases: Path | None,
    beside: tuple[str, str] | None,
    coverage: bool,
    format: str,
    output: Path | None,
) -> int:
    """The rule book: what is in force, since when, why, and what it comes to.

    One page for a browser or a printer, or Markdown. OLD and NEW are as in `diff`, without folders.
    """
    asked = Asked(rules, at, known_at, format, output)
    held = asked.rulebook()
    asked = Asked(rules, asked.moment(), known_at, format, output)
    changes = None if beside is None else _changes(held, beside, asked)
    examples = _cases(cases, rules)
    with placed(lambda _: "--at"):
        made = book_of(held, asked.moment(), known_at, examples)
    if coverage:
        made = replace(made, coverage=_covered(held, examples))
    if format == MARKDOWN:
        more = "" if changes is None else f"\n{diff_markdown.render(changes)}"
        asked.answer(book_markdown.render(made) + more)
    else:
        again = _command(asked, cases, beside, coverage)
        asked.answer(book_page(made, again, _beside(beside, changes, asked)))
    return 0


def _covered(book: Rulebook, cases: Sequence[Case]) -> tuple[tuple[str, int, int], ...]:
    """Of each kind of thing that cases can reach: how many they reach, and how many there are."""
    from policy_engine.coverage import GROUPS, coverage  # slow, and seldom asked for

    if not cases:
        raise click.UsageError("there are no cases whose coverage could be told; name --cases DIR")
    found = coverage(book, cases)
    held = ((group, found.of(group)) for group in GROUPS)
    return tuple((group, sum(bool(one.by) for one in all_), len(all_)) for group, all_ in held)


def _cases(folder: Path | None, rules: Path | None) -> list[Case]:
    """The cases asked for, else those beside the rules and the examples worked out there, else
    none, which stderr says."""
    if folder is not None:
        return load_cases(folder)
    beside = (rules or find_rules() or rules_folder()).parent / "tests"
    if folders := [beside / name for name in ("cases", "worked") if (beside / name).is_dir()]:
        return [case for one in folders for case in load_cases(one)]
    say("no cases beside these rules: the examples are made up (name cases with --cases DIR)")
    return []


def _changes(book: Rulebook, words: tuple[str, str], asked: Asked) -> Changes:
    """What changed between two instants or versions. Raises RulesError."""
    sides = side_of(words[0], "OLD"), side_of(words[1], "NEW")
    for side in sides:
        if side.folder is not None:
            raise RulesError([_folder(side.named, side.word)])
    with placed(lambda problem: blamed(problem, sides)):
        return book.diff(*words, asked.known_at)


def _folder(named: str, word: str) -> Problem:
    hint = f"`policy-engine diff {shlex.quote(word)} … --format html` compares folders"
    return Problem("bad-side", f"{named} `{word}` is a folder, not an instant or version", hint)


def _beside(words: tuple[str, str] | None, changes: Changes | None, asked: Asked) -> Beside | None:
    if words is None or changes is None:
        return None
    return Beside(state(words[0], asked), state(words[1], asked), changes)


def _command(
    asked: Asked, cases: Path | None, beside: tuple[str, str] | None, coverage: bool
) -> str:
    """The command line that makes the page again, as a shell reads it."""
    assert asked.at is not None
    words = ["policy-engine", "book"]
    words += [] if asked.rules is None else ["--rules", asked.rules.as_posix()]
    words += ["--at", instant_text(asked.at)]
    words += [] if asked.known_at is None else ["--known-at", instant_text(asked.known_at)]
    words += [] if cases is None else ["--cases", cases.as_posix()]
    words += [] if beside is None else ["--beside", *beside]
    words += ["--coverage"] if coverage else []
    return shlex.join(words)
