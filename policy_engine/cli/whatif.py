"""`policy-engine whatif`: what the rules would decide of an account if it were otherwise."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import prod
from pathlib import Path

import click

from policy_engine.cli import changes
from policy_engine.cli.given import Given, given_options
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
)
from policy_engine.comparison import side_by_side
from policy_engine.document import read_text
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.grids import Axis, Watch, price_grid, steps
from policy_engine.numbers import plain
from policy_engine.render import grid as grid_text
from policy_engine.render import side_by_side as columns_text
from policy_engine.render import whatif as text
from policy_engine.render.curve import curve
from policy_engine.render.heat_map import heat_map
from policy_engine.render.layout import Page
from policy_engine.rules import Rules
from policy_engine.scenario import Scenario, Shift, read_scenarios
from policy_engine.scenarios import changed_by, what_if

SVG = "svg"
MOST_POINTS = 1_001
LONG_GRID = 20_000
"""From this many cells on, a terminal shows how far the grid is."""


@click.command()
@given_options
@click.argument("scenarios", metavar="[SCENARIOS]", required=False)
@click.option(
    "--price",
    "shocks",
    metavar="ASSET=CHANGE",
    multiple=True,
    callback=changes.shifts,
    help="Change a price: BTC=-20%, or BTC=9000 for a price of its own.",
)
@click.option(
    "--request",
    "requests",
    metavar="REQUEST",
    multiple=True,
    callback=changes.requests,
    help="Make a request: 'borrow asset=USDC amount=500'.",
)
@click.option(
    "--grid",
    "sides",
    metavar="ASSET",
    multiple=True,
    help="Decide at every step of a price; twice: of two prices.",
)
@click.option("--uniform", is_flag=True, help="Decide at every step of all prices together.")
@click.option(
    "--hold", "held", metavar="ASSET", multiple=True, help="Leave a price out of --uniform."
)
@click.option("--figure", metavar="NAME", help="The figure of the grid's cells, and of its curve.")
@click.option(
    "--from-percent",
    "first",
    metavar="N",
    default="-50",
    show_default=True,
    callback=changes.percent,
)
@click.option(
    "--to-percent", "last", metavar="N", default="50", show_default=True, callback=changes.percent
)
@click.option(
    "--points",
    type=click.IntRange(2, MOST_POINTS),
    default=41,
    show_default=True,
    help="Steps along each side.",
)
@click.option(
    "--compare",
    "compared",
    metavar="SETTINGS",
    multiple=True,
    callback=changes.settings,
    help="Decide under other settings: 'mode=classic leverage=3'. Each is a column.",
)
@click.option(
    "--also-at",
    "others",
    metavar="T",
    multiple=True,
    callback=changes.moments,
    help="With --compare: the rules of another instant too.",
)
@rules_option
@at_option
@known_at_option
@click.option("--format", type=click.Choice([TEXT, JSON, SVG]), default=TEXT, show_default=True)
@output_option
def whatif(
    given: Given,
    scenarios: str | None,
    shocks: Mapping[str, Shift],
    requests: tuple[tuple[str, Mapping[str, str]], ...],
    sides: tuple[str, ...],
    uniform: bool,
    held: tuple[str, ...],
    figure: str | None,
    first: Decimal,
    last: Decimal,
    points: int,
    compared: tuple[Scenario, ...],
    others: tuple[datetime, ...],
    rules: Path | None,
    at: datetime | None,
    known_at: datetime | None,
    format: str,
    output: Path | None,
) -> int:
    """What the rules would decide of an account if it were otherwise.

    SNAPSHOT is a JSON file, or `-` for stdin. SCENARIOS is a YAML file of named changes, see
    schemas/scenarios.schema.json. It ends with 0 whatever the decisions are.
    """
    asked = Asked(rules, at, known_at, format, output)
    tried = Scenario("as asked", prices=shocks, requests=requests, place=changes.place_of)
    axes = _axes(sides, uniform, held, _steps(first, last, points))
    _refuse_clashes(
        {
            "SCENARIOS": scenarios is not None,
            "--price or --request": not tried.changes_nothing,
            "--grid or --uniform": bool(axes),
            "--compare": bool(compared),
        }
    )
    _refuse_strays(format, axes, held, uniform, figure, compared, others)
    in_force = asked.in_force(book := asked.rulebook(), given.at)
    with placed(given.file_of):
        before = in_force.decide(given.snapshot)
    if compared:
        of_instants = [in_force, *(book.in_force(one, known_at) for one in others)]
        asked.answer(_compared(of_instants, given, compared, asked))
    elif axes:
        asked.answer(_gridded(in_force, given, tried, axes, figure, asked))
    else:
        named = [tried] if scenarios is None else _read(scenarios)
        with placed(given.file_of):
            outcomes = what_if(in_force, given.snapshot, named)
        asked.answer(
            text.to_json(before, outcomes)
            if format == JSON
            else text.render(before, outcomes, _page(asked))
        )
    return 0


def _page(asked: Asked) -> Page:
    return Page(terminal_columns(asked.output), colour_wanted(asked.output))


# --- what goes together ---------------------------------------------------------------------------


def _refuse_clashes(asked: Mapping[str, bool]) -> None:
    """Raise click.UsageError where nothing is asked, or things that do not go together are."""
    named = [name for name, there in asked.items() if there]
    if not named:
        raise click.UsageError(f"say what changes: {', '.join(asked)}")
    if len(named) > 1 and named != ["--price or --request", "--grid or --uniform"]:
        raise click.UsageError(f"{' and '.join(named[:2])}: one at a time")


def _refuse_strays(
    format: str,
    axes: Sequence[Axis],
    held: Sequence[str],
    uniform: bool,
    figure: str | None,
    compared: Sequence[Scenario],
    others: Sequence[datetime],
) -> None:
    """Raise click.UsageError for options that say nothing without others."""
    strays = {
        "--format svg draws a grid: add --grid ASSET or --uniform": format == SVG and not axes,
        "--hold goes with --uniform": bool(held) and not uniform,
        "--figure goes with --grid or --uniform": figure is not None and not axes,
        "--also-at goes with --compare": bool(others) and not compared,
    }
    for message, is_stray in strays.items():
        if is_stray:
            raise click.UsageError(message)


def _axes(
    sides: tuple[str, ...], uniform: bool, held: tuple[str, ...], percents: tuple[Decimal, ...]
) -> tuple[Axis, ...]:
    """The sides of the grid asked for, if one is. Raises click.UsageError."""
    if len(sides) > 2 or (sides and uniform) or len(set(sides)) < len(sides):
        raise click.UsageError("a grid has one price, two, or --uniform: all of them together")
    if uniform:
        return (Axis(percents, None, held),)
    return tuple(Axis(percents, (side,)) for side in sides)


def _steps(first: Decimal, last: Decimal, points: int) -> tuple[Decimal, ...]:
    """The percentages of a side. Raises click.UsageError where they are no plain numbers."""
    if first >= last:
        raise click.UsageError("--from-percent should be below --to-percent")
    found = steps(first, last, points)
    if found is None:
        near = next((n for n in range(points, MOST_POINTS + 1) if steps(first, last, n)), 2)
        span = f"{plain(last - first)}% in {points - 1} steps"
        raise click.UsageError(f"{span} gives no plain number; try --points {near}")
    return found


# --- answers --------------------------------------------------------------------------------------


def _read(path: str) -> tuple[Scenario, ...]:
    return read_scenarios(read_text(Path(path)), path)


def _compared(
    of_instants: Sequence[Rules], given: Given, compared: Sequence[Scenario], asked: Asked
) -> str:
    with placed(given.file_of):
        columns = side_by_side(of_instants, given.snapshot, compared)
    if asked.format == JSON:
        return columns_text.to_json(columns)
    return columns_text.render(columns, _page(asked))


def _gridded(
    rules: Rules,
    given: Given,
    tried: Scenario,
    axes: Sequence[Axis],
    figure: str | None,
    asked: Asked,
) -> str:
    changed, answers = changed_by(rules, given.snapshot, tried)
    if changed is None:
        message = f"`{answers[-1].request}` leaves no account that can be decided on"
        hint = "ask for less: whatif without --grid tells what is short"
        problem = Problem("no-such-account", message, hint, Place("--request"))
        raise SnapshotError([problem])
    decision = rules.decide(changed)
    option = "--hold" if axes[0].keys is None else "--grid"
    with placed(lambda problem: "--figure" if problem.place.pointer else option):
        found = price_grid(rules, changed, axes, figure, _watched(axes))
    if asked.format == JSON:
        return grid_text.to_json(found, decision)
    if asked.format == SVG:
        return heat_map(found, decision) if len(axes) == 2 else curve(found, decision)
    return grid_text.render(found, decision, _page(asked))


def _watched(axes: Sequence[Axis]) -> Watch:
    """How far a long grid is, on a terminal."""
    cells = prod(len(axis.percents) for axis in axes)
    if cells < LONG_GRID or not sys.stderr.isatty():
        return iter
    from rich.console import Console  # slow to import, seldom needed
    from rich.progress import track

    console = Console(stderr=True)
    return lambda rows: track(rows, description="grid", console=console, transient=True)
