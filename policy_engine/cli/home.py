"""`policy-engine` alone: the rules in force, and three commands to try."""

from __future__ import annotations

from policy_engine.cli.output import colour_wanted, terminal_columns
from policy_engine.cli.shared import JSON, Asked
from policy_engine.render.in_force import render, to_json
from policy_engine.render.layout import Page


def home(asked: Asked) -> None:
    """Show which version of each ruleset is in force, since when, and what follows."""
    rules = asked.in_force(asked.rulebook())
    page = Page(terminal_columns(asked.output), colour_wanted(asked.output))
    asked.answer(to_json(rules) if asked.format == JSON else render(rules, page))
