"""`policy-engine explain`: why a figure of a decision is what it is, or what moved it."""

from __future__ import annotations

from datetime import datetime

import click

from policy_engine.cli.causing import caused, from_instant
from policy_engine.cli.given import Given, given_options
from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked, asked_options, moment, placed
from policy_engine.render import causes as causes_text
from policy_engine.render.layout import Page
from policy_engine.render.trace import render, to_json


class _FromInstant(click.Command):
    """A command whose `--from` is also the first of two instants."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, from_instant(args))


@click.command(cls=_FromInstant)
@given_options
@click.argument("name", metavar="NAME")
@click.option(
    "--to",
    metavar="T",
    type=moment,
    help="What moved the figure until then; --from T, or --at, is the first instant.",
)
@click.option(
    "--later", metavar="FILE", help="The account at the second instant. Default: as it was."
)
@asked_options
def explain(given: Given, asked: Asked, name: str, to: datetime | None, later: str | None) -> int:
    """Why a figure of a decision is what it is, down to the inputs.

    SNAPSHOT is a JSON file, or `-` for stdin. NAME is a figure of the account by its name, one of
    a line such as assets.BTC.<figure> or orders.0.<figure>, `status`, permissions.<name> or
    notices.<name>.

    With --to or --later: how much of the figure's change between two instants came from the
    account moving and how much from the rules, down to each input and each change of the rules.
    """
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    if to is not None or later is not None:
        found = caused(given, later, to, asked, name)
        made = (
            causes_text.to_json(found) if asked.format == JSON else causes_text.render(found, page)
        )
        asked.answer(made)
        return 0
    rules = asked.in_force(asked.rulebook(), given.at)
    with placed(given.file_of):
        decision = rules.decide(given.snapshot)
        plan = rules.compiled_for(given.snapshot).plan
    with placed(lambda _: "NAME"):
        trace = decision.explain(name)
    if asked.format == JSON:
        asked.answer(to_json(trace, decision, plan))
    else:
        asked.answer(render(trace, decision, plan, page))
    return 0
