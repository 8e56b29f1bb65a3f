"""`GET /sapi/v1/margin/leverageBracket` as a new version of the position brackets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.errors import Problem
from policy_engine.model import Version
from policy_engine.numbers import EXACT, plain
from policy_engine.sources.binance.brackets import (
    FIELDS,
    RATES,
    Bracket,
    Entry,
    findings,
    read,
    unread,
    unusual,
    worked_out,
)
from policy_engine.sources.binance.writing import grouped, percent, source, span
from policy_engine.sources.part import Part
from policy_engine.sources.successor import (
    above_last,
    changes,
    figures_aside,
    misfit,
    part_of,
    successor,
    without,
)
from policy_engine.sources.understood import (
    Imported,
    Terms,
    Understanding,
    accepted,
    counted,
    listed,
    not_accepted,
    noted,
    settled_remarks,
)

PATH = "/sapi/v1/margin/leverageBracket"
SOURCE = "leverage_bracket_api"
SCALE = "brackets"

ANSWERED = frozenset({"example_brackets", "brackets_after_update_not_public"})
"""Assumptions that the response puts an end to."""


def version(parts: Sequence[Part], before: Version, terms: Terms) -> Imported:
    """The version of the position brackets that responses become.

    Raises SnapshotError for what cannot be read, RulesError where the version before has no place
    for it.
    """
    held = read(parts)
    scale = _scale_before(before)
    coins = counted(sum(len(entry.coins) for entry in held), "coin")
    known = counted(len(before.scales[SCALE].tiers), "coin")
    with localcontext(EXACT):
        found = list(findings(held))
        document = successor(
            before,
            terms,
            f"The position brackets of {coins}, as the API gives them; before, those of {known}.",
            {SOURCE: source(PATH, terms)},
            {"scales": {SCALE: _scale(scale, held, before, accepted(found, terms))}},
        )
        understanding = Understanding(
            f"Position brackets of {coins}, in {counted(len(held), 'entry', 'entries')}",
            tuple(_table(held)),
            tuple(_remarks(held, before, document, accepted(found, terms))),
            not_accepted(found, terms),
        )
    return Imported(document, understanding)


def _scale_before(before: Version) -> Mapping[str, Any]:
    """The scale of the version before, which has the columns of a response. Raises RulesError."""
    scale = part_of(before, "scales", SCALE)
    if scale.get("by") != "text" or set(scale.get("columns", ())) != set(FIELDS):
        columns = ", ".join(f"`{name}`" for name in FIELDS)
        message = f"`{SCALE}` of `{before.id}` is no scale by text with the columns {columns}"
        raise misfit(before, ("scales", SCALE), message)
    return scale


# --- the file ------------------------------------------------------------------------------------


def _scale(
    scale: Mapping[str, Any], held: Sequence[Entry], before: Version, settled: Sequence[Problem]
) -> dict[str, Any]:
    """The scale with the figures of the response; all else is that of the version before."""
    anew = any(problem.code == "amount-mismatch" for problem in settled)
    lists = {coin: _tiers(scale, entry, anew) for entry in held for coin in entry.coins}
    return {
        **figures_aside(scale),
        "tiers": {coin: lists[coin] for coin in sorted(lists)},
        "citation": {"source": SOURCE},
        "note": " ".join(_note(before, settled)),
        **without(scale.get("assumes", ()), ANSWERED),
    }


def _tiers(scale: Mapping[str, Any], entry: Entry, anew: bool) -> list[dict[str, str]]:
    amounts = worked_out(entry.brackets) if anew else entry.column("amount")
    return [
        {"to": plain(bracket.to)}
        | {column: _written(column, bracket, amount) for column in scale["columns"]}
        for bracket, amount in zip(entry.brackets, amounts, strict=True)
    ]


def _written(column: str, bracket: Bracket, amount: Decimal) -> str:
    """A figure of a tier: rates in percent, the amount as it is to be."""
    if column in RATES:
        return percent(bracket.figures[column])
    return plain(amount if column == "amount" else bracket.figures[column])


def _note(before: Version, settled: Sequence[Problem]) -> Iterator[str]:
    yield "The edges are the API's maxDebt, the amounts its fastNum."
    yield (
        f"It gives nothing above the last edge; what holds there is as in {before.id}."
        " Which tier owns an edge is our reading; the sum is the same either way."
    )
    yield from noted(settled)
    if any(problem.code == "amount-mismatch" for problem in settled):
        yield "All amounts here are worked out from the rows."


# --- what is shown -------------------------------------------------------------------------------


def _table(held: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    yield "coins", "brackets", "leverage", "initial", "maintenance", "up to"
    for entry in held:
        rates = (span(entry.column(column), "%") for column in RATES)
        last = grouped(entry.brackets[-1].to)
        leverage = span(entry.column("leverage"))
        yield listed(entry.coins), str(len(entry.brackets)), leverage, *rates, last


def _remarks(
    held: Sequence[Entry], before: Version, document: Mapping[str, Any], settled: Sequence[Problem]
) -> Iterator[tuple[str, str]]:
    scale = document["scales"][SCALE]
    yield "Kept", f"edges belong to the {scale['edge_belongs_to']} bracket, as in {before.id}"
    rate, names = above_last(scale)
    holds = "the last bracket holds on" if rate == "last" else rate
    assumed = f" (assumed: {listed(names)})" if names else ""
    yield "Above", f"above the last edge, {holds}{assumed}, as in {before.id}"
    yield from changes(before, document)
    coins = {coin for entry in held for coin in entry.coins}
    gone = [str(coin) for coin in before.scales[SCALE].tiers if coin not in coins]
    if gone:
        yield "No longer", f"{listed(gone, 12)}: what a debt in them takes cannot be told"
    unused = list(unread(held))
    if unused:
        yield "Not used", listed((f"`{name}`" for name in unused), 12)
    odd = list(unusual(held))
    if odd:
        yield "Look at", f"initial rates that are not 1 / (leverage - 1): {listed(odd, 6)}"
    yield from settled_remarks(settled)
