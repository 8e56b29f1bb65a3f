"""`policy-engine history`: the timeline of each ruleset."""

from __future__ import annotations

import click

from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked, asked_options, placed
from policy_engine.history import timelines
from policy_engine.render.history import render, to_json
from policy_engine.render.layout import Page


@click.command()
@click.argument("rulesets", metavar="[RULESET]...", nargs=-1)
@asked_options
def history(rulesets: tuple[str, ...], asked: Asked) -> int:
    """The timeline of each RULESET, or of all: past, in force, announced and corrected versions.

    The states are those at the instant of --at. With --known-at, what was announced later is left
    out: what applied on one day, as it was known on another.
    """
    book, at, known_at = asked.rulebook(), asked.moment(), asked.known_at
    with placed(lambda _: "RULESET"):
        lines = timelines(book, at, known_at, rulesets)
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    as_json = asked.format == JSON
    asked.answer(to_json(lines, at, known_at) if as_json else render(lines, at, known_at, page))
    return 0
