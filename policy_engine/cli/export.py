"""`policy-engine export`: figures of a version as CSV, or as an exchange's API gives them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from policy_engine.authoring.csv_figures import SECTIONS
from policy_engine.authoring.csv_rules import figures_csv, figures_of
from policy_engine.cli.output import write
from policy_engine.cli.shared import Asked, at_option, output_option, placed, rules_option
from policy_engine.errors import Place, Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.sources.exports import EXPORTS

CSV = "csv"


@click.command()
@click.argument("ruleset", metavar="RULESET[@VERSION]")
@click.argument("name", metavar="[NAME]", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice([CSV, *EXPORTS]),
    default=CSV,
    show_default=True,
    help="CSV of the scale or table NAME, or the JSON of an exchange's API.",
)
@rules_option
@at_option
@output_option
def export(
    ruleset: str,
    name: str | None,
    form: str,
    rules: Path | None,
    at: datetime | None,
    output: Path | None,
) -> int:
    """The tiers of a scale or the rows of a table as CSV, or a ruleset as an exchange's JSON.

    Without @VERSION it is the version in force at --at. `import` reads both back.
    """
    version = _version(ruleset, Asked(rules=rules, at=at))
    if form != CSV:
        if name is not None:
            raise click.UsageError(f"{form} is given whole rulesets: leave `{name}` out")
        write(EXPORTS[form](version), output)
        return 0
    if name is None:
        raise click.UsageError(f"say which figures: {_names(version)}")
    with placed(lambda _: "NAME"):
        write(figures_csv(figures_of(version, name)), output)
    return 0


def _version(ruleset: str, asked: Asked) -> Version:
    """The version that is named, or the one in force of a ruleset. Raises RulesError."""
    book = asked.rulebook()
    if "@" in ruleset:
        with placed(lambda _: "RULESET"):
            return book.version(ruleset)
    if ruleset not in book.rulesets:
        hint = did_you_mean(ruleset, book.rulesets) or f"rulesets: {', '.join(book.rulesets)}"
        message = f"there is no ruleset `{ruleset}`"
        raise RulesError([Problem("unknown-ruleset", message, hint, Place("RULESET"))])
    held = asked.in_force(book).versions.get(ruleset)
    if held is None:
        first = book.rulesets[ruleset][0]
        hint = f"the first one is `{first.id}`: name it, or choose a later --at"
        message = f"no version of `{ruleset}` is in force then"
        raise RulesError([Problem("no-version", message, hint, Place("--at"))])
    return held


def _names(version: Version) -> str:
    names = [name for section in SECTIONS for name in version.document.get(section, {})]
    return f"NAME is one of {', '.join(names)}" if names else f"{version.id} has none"
