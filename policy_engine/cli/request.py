"""`policy-engine request`: whether the rules permit what an account asks for."""

from __future__ import annotations

from collections.abc import Callable

import click

from policy_engine.cli.changes import fields
from policy_engine.cli.given import Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked, asked_options, placed
from policy_engine.errors import Problem
from policy_engine.render.answer import render
from policy_engine.render.layout import Page

ENDS = {True: 0, False: 1, None: 3}


@click.command()
@given_options
@click.argument("name", metavar="NAME")
@click.argument("inputs", metavar="[INPUT=VALUE]...", nargs=-1)
@asked_options
def request(given: Given, asked: Asked, name: str, inputs: tuple[str, ...]) -> int:
    """Whether a request is permitted, why not, and what it would leave.

    SNAPSHOT is a JSON file, or `-` for stdin. NAME is a request of the rules in force, such as
    `borrow asset=USDC amount=100`. It ends with 0 if it is permitted, 1 if it is refused, and 3
    if that cannot be told.
    """
    brought = fields(inputs)
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        plan = rules.compiled_for(given.snapshot).plan
        rules.decide(given.snapshot)
    with placed(argument_of(name, inputs)):
        answer = rules.request(given.snapshot, name, **brought)
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    asked.answer(answer.to_json() if asked.format == JSON else render(answer, plan, page))
    return ENDS[answer.permitted]


def argument_of(name: str, inputs: tuple[str, ...]) -> Callable[[Problem], str]:
    """The argument of a command line that a problem of a request is in."""
    written = {one.partition("=")[0]: one for one in inputs}
    return lambda problem: written.get(problem.place.pointer, name)
