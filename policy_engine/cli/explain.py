"""`policy-engine explain`: why a figure of a decision is what it is."""

from __future__ import annotations

import click

from policy_engine.cli.given import Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked, asked_options, placed
from policy_engine.render.layout import Page
from policy_engine.render.trace import render, to_json


@click.command()
@given_options
@click.argument("name", metavar="NAME")
@asked_options
def explain(given: Given, asked: Asked, name: str) -> int:
    """Why a figure of a decision is what it is, down to the inputs.

    SNAPSHOT is a JSON file, or `-` for stdin. NAME is a figure of the account by its name, one of
    a line such as assets.BTC.<figure> or orders.0.<figure>, `status`, permissions.<name> or
    notices.<name>.
    """
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        decision = rules.decide(given.snapshot)
        plan = rules.compiled_for(given.snapshot).plan
    with placed(lambda _: "NAME"):
        trace = decision.explain(name)
    if asked.format == JSON:
        asked.answer(to_json(trace, decision, plan))
    else:
        page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
        asked.answer(render(trace, decision, plan, page))
    return 0
