"""`policy-engine decide`: what the rules in force decide of an account."""

from __future__ import annotations

import click

from policy_engine.cli.given import Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked, asked_options, placed, say
from policy_engine.render.decision import render, undetermined
from policy_engine.render.layout import Page
from policy_engine.render.problems import render as render_problems

CANNOT_TELL = 3


@click.command()
@given_options
@click.option("--strict", is_flag=True, help="End with 3 if anything cannot be told.")
@click.option("--ladder", is_flag=True, help="Show where it stands between the thresholds, too.")
@asked_options
def decide(given: Given, asked: Asked, strict: bool, ladder: bool) -> int:
    """What the rules in force decide of an account.

    SNAPSHOT is a JSON file, or `-` for stdin. It ends with 0 whatever the status is.
    """
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        decision = rules.decide(given.snapshot)
        plan = rules.compiled_for(given.snapshot).plan
    if strict and decision.undetermined:
        say(render_problems(undetermined(decision)))
        return CANNOT_TELL
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    text = render(decision, plan, page)
    if ladder:
        from policy_engine.ladder import ladders  # seldom asked for
        from policy_engine.render.ladder import render as stood

        text = "\n".join([text, "", *stood(ladders(decision), page)])
    asked.answer(decision.to_json() if asked.format == JSON else text)
    return 0
