"""`policy-engine limit`: the most that the rules permit an account."""

from __future__ import annotations

from collections.abc import Callable

import click

from policy_engine.cli.changes import fields
from policy_engine.cli.given import Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.request import argument_of
from policy_engine.cli.shared import JSON, Asked, asked_options, placed, say
from policy_engine.decision import Decision
from policy_engine.distances import Distances
from policy_engine.errors import Undetermined
from policy_engine.render.answer import (
    limit_json,
    render_limit,
    render_untold,
    untold_json,
)
from policy_engine.render.decision import asked_text
from policy_engine.render.distances import render as distances
from policy_engine.render.distances import to_json as distances_json
from policy_engine.render.hours import render as render_hours
from policy_engine.render.hours import to_json as hours_json
from policy_engine.render.layout import Page
from policy_engine.rules import Rules

FOUND, CANNOT_TELL = 0, 3


@click.command()
@given_options
@click.argument("name", metavar="[NAME]", required=False)
@click.argument("inputs", metavar="[INPUT=VALUE]...", nargs=-1)
@click.option("--price", "line", metavar="ASSET", help="How far a price may move instead.")
@click.option("--uniform", is_flag=True, help="How far all prices together may move.")
@click.option("--hours", is_flag=True, help="How long until what accrues changes the status.")
@click.option(
    "--hold", "held", metavar="ASSET", multiple=True, help="Leave a price out of --uniform."
)
@click.option(
    "--tick", metavar="N", default="0.01", show_default=True, help="Step of the price, or percent."
)
@asked_options
def limit(
    given: Given,
    asked: Asked,
    name: str | None,
    inputs: tuple[str, ...],
    line: str | None,
    uniform: bool,
    hours: bool,
    held: tuple[str, ...],
    tick: str,
) -> int:
    """How far an account can go: the largest amount of a request, the price of a status, or hours.

    SNAPSHOT is a JSON file, or `-` for stdin. NAME is a request of the rules in force that has a
    limit, such as `borrow asset=USDC`: the amount told and every smaller one are permitted. With
    --price or --uniform it tells at which prices each status begins, with --hours after how many
    full hours. It ends with 3 if that cannot be told.
    """
    if [name is None, line is None, not uniform, not hours].count(False) != 1:
        wanted = "give one: the NAME of a request, --price ASSET, --uniform, or --hours"
        raise click.UsageError(wanted)
    if held and not uniform:
        raise click.UsageError("--hold goes with --uniform")
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        before = rules.decide(given.snapshot)
    if name is not None:
        return _of_request(given, asked, rules, before, name, inputs)
    if hours:
        return _of_hours(given, asked, before, rules)
    return _of_prices(
        given, asked, before, lambda: rules.distances(given.snapshot, line, tick, held)
    )


def _of_request(
    given: Given,
    asked: Asked,
    rules: Rules,
    before: Decision,
    name: str,
    inputs: tuple[str, ...],
) -> int:
    brought = fields(inputs)
    plan = rules.compiled_for(given.snapshot).plan
    try:
        with placed(argument_of(name, inputs)):
            found = rules.limited(given.snapshot, name, **brought)
    except Undetermined as unknown:
        said = render_untold(before, asked_text(name, brought), unknown.reasons, _page(asked))
        json = untold_json(name, brought, unknown.reasons)
        asked.answer(json if asked.format == JSON else said)
        return CANNOT_TELL
    said = render_limit(found, plan, _page(asked))
    asked.answer(limit_json(found) if asked.format == JSON else said)
    return FOUND


def _of_prices(given: Given, asked: Asked, before: Decision, find: Callable[[], Distances]) -> int:
    options = {"line": "--price", "hold": "--hold", "tick": "--tick"}
    try:
        with placed(lambda problem: options.get(problem.place.pointer) or given.file_of(problem)):
            found = find()
    except Undetermined as unknown:
        say(f"this cannot be told: {'; '.join(unknown.reasons)}")
        return CANNOT_TELL
    said = distances_json(found) if asked.format == JSON else distances(found, before, _page(asked))
    asked.answer(said)
    return CANNOT_TELL if found.status is None else FOUND


def _of_hours(given: Given, asked: Asked, before: Decision, rules: Rules) -> int:
    with placed(given.file_of):
        found = rules.hours(given.snapshot)
    page = _page(asked)
    asked.answer(hours_json(found) if asked.format == JSON else render_hours(found, before, page))
    return CANNOT_TELL if found.status is None or found.untold == 0 else FOUND


def _page(asked: Asked) -> Page:
    return Page(terminal_columns(asked.output), colour_wanted(asked.output))
