"""`GET /sapi/v1/margin/crossMarginCollateralRatio` as a new version of the collateral rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import localcontext
from typing import Any

from policy_engine.errors import Problem
from policy_engine.model import Version
from policy_engine.numbers import EXACT, plain
from policy_engine.sources.binance.lists import (
    ABOVE,
    ABOVE_TEXT,
    Top,
    mixed_tops,
    names,
    stretches,
    top,
)
from policy_engine.sources.binance.ratios import TIERS, Entry, findings, read, unread
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
    finding,
    listed,
    not_accepted,
    noted,
    settled_remarks,
)

PATH = "/sapi/v1/margin/crossMarginCollateralRatio"
SOURCE = "collateral_ratio_api"
RANK, SCALE = "collateral_rank", "collateral_ratio"
FLAT: Mapping[str, str] = {
    "borrow_collateral_ratio": "borrowCollaterals",
    "transfer_out_collateral_ratio": "withdrawCollaterals",
}
"""The tables of one ratio whatever is held, where the rules have them, and the response's keys."""

ANSWERED = frozenset({"example_collateral_tiers", "rank_1_for_btc_and_usdc"})
"""Assumptions that the response puts an end to."""


@dataclass(frozen=True)
class _Read:
    """The entries under the names of their lists, and what the version before asks of them."""

    lists: Sequence[tuple[str, Entry]]
    over: Top
    before: Version
    scale: Mapping[str, Any]
    flat: Mapping[str, str]

    @property
    def held(self) -> list[Entry]:
        """The entries."""
        return [entry for _, entry in self.lists]


def version(parts: Sequence[Part], before: Version, terms: Terms) -> Imported:
    """The version of the collateral rules that responses become.

    Raises SnapshotError for what cannot be read, RulesError where the version before has no place
    for it.
    """
    held = read(parts)
    scale = _scale_before(before)
    over = top(scale, held)
    flat = {table: key for table, key in FLAT.items() if table in before.tables}
    with localcontext(EXACT):
        lists = zip(names(held, over, before, RANK, SCALE), held, strict=True)
        made = _Read(sorted(lists, key=_by_name), over, before, scale, flat)
        found = list(_findings(made))
        coins = counted(sum(len(entry.coins) for entry in held), "coin")
        document = _document(made, terms, coins, accepted(found, terms))
        understanding = Understanding(
            f"Collateral ratios of {coins}, in {counted(len(held), 'entry', 'entries')}",
            tuple(_table(made)),
            tuple(_remarks(made, document, accepted(found, terms))),
            not_accepted(found, terms),
        )
    return Imported(document, understanding)


def _scale_before(before: Version) -> Mapping[str, Any]:
    """The scale of the version before, whose keys a table gives. Raises RulesError."""
    scale, table = part_of(before, "scales", SCALE), part_of(before, "tables", RANK)
    if scale.get("by") != "text" or "columns" in scale:
        message = f"`{SCALE}` of `{before.id}` is no scale by text with one rate"
        raise misfit(before, ("scales", SCALE), message)
    if table.get("by") != "text" or table.get("gives") != "text":
        message = f"`{RANK}` of `{before.id}` is no table by text that gives text"
        raise misfit(before, ("tables", RANK), message)
    return scale


# --- findings ------------------------------------------------------------------------------------


def _findings(made: _Read) -> Iterator[Problem]:
    yield from findings(made.held, made.scale.get("rates") == "falling")
    yield from mixed_tops(made.held, made.over)
    for key in made.flat.values():
        yield from _missing(key, [entry for entry in made.held if key not in entry.tiers])
        for entry in made.held:
            yield from _not_flat(entry, key)


def _missing(key: str, lacking: Sequence[Entry]) -> Iterator[Problem]:
    """A finding where the rules read a ratio that some entries do not have."""
    if lacking:
        coins = listed(coin for entry in lacking for coin in entry.coins)
        message = f"`{key}` is missing for {coins}, and the rules in force read it"
        yield finding(lacking[0].part.member(key), "ratio-missing", message)


def _not_flat(entry: Entry, key: str) -> Iterator[Problem]:
    """A finding where there is not the one ratio that the rules read."""
    rates = list(dict.fromkeys(tier.rate for tier in entry.tiers.get(key, ())))
    if len(rates) > 1:
        shown = listed(percent(rate) for rate in rates)
        message = f"there are several ratios, {shown}, and the rules in force read one"
        hint = "ratios by tiers need other formulas: a reviewer has to write these rules anew"
        yield finding(entry.part.member(key), "ratio-not-flat", message, hint)


# --- the file ------------------------------------------------------------------------------------


def _document(made: _Read, terms: Terms, coins: str, settled: Sequence[Problem]) -> dict[str, Any]:
    tables = made.before.document["tables"]
    known = counted(sum(len(row.keys) for row in made.before.tables[RANK].rows), "coin")
    return successor(
        made.before,
        terms,
        f"The collateral ratios of {coins}, as the API gives them; before, those of {known}.",
        {SOURCE: source(PATH, terms)},
        {
            "tables": {
                RANK: _ranks(tables[RANK], made),
                **{name: _ratios(tables[name], made, key) for name, key in made.flat.items()},
            },
            "scales": {SCALE: _scale(made, settled)},
        },
        {ABOVE: made.before.assumptions.get(ABOVE, ABOVE_TEXT)},
    )


def _ranks(table: Mapping[str, Any], made: _Read) -> dict[str, Any]:
    return {
        **figures_aside(table),
        "rows": [{"value": name, "when": sorted(entry.coins)} for name, entry in made.lists],
        "otherwise": "undetermined",
        "because": "the imported collateral ratios do not name {key}",
        "citation": {"source": SOURCE},
        "note": "The API gives no names to its lists. A list has the name of the one before with"
        " the very same tiers, else that of its first coin by alphabet; the names are ours.",
    }


def _ratios(table: Mapping[str, Any], made: _Read, key: str) -> dict[str, Any]:
    return {
        **figures_aside(table),
        "rows": [
            {"value": percent(entry.tiers[key][0].rate), "when": [name]}
            for name, entry in made.lists
            if key in entry.tiers
        ],
        "otherwise": "undetermined",
        "because": "the imported ratios give none for {key}",
        "citation": {"source": SOURCE},
        "note": f"The API's {key}. The ratio is taken to be flat, whatever is held; above the last"
        " edge, where the API gives one, this is our reading.",
    }


def _scale(made: _Read, settled: Sequence[Problem]) -> dict[str, Any]:
    kept = figures_aside(made.scale)
    if any(problem.code == "rates-disorder" for problem in settled):
        kept = {key: item for key, item in kept.items() if key != "rates"}
    assumes = without(made.scale.get("assumes", ()), ANSWERED | {ABOVE}).get("assumes", [])
    return {
        **kept,
        "above_last": made.over.above_last,
        "tiers": {
            name: [
                {"to": plain(to), "rate": percent(rate)} for to, rate in stretches(entry, made.over)
            ]
            for name, entry in made.lists
        },
        "citation": {"source": SOURCE},
        "note": " ".join(_note(made, settled)),
        **without([*assumes, *made.over.assumes], ()),
    }


def _by_name(row: tuple[str, Entry]) -> tuple[bool, int, str]:
    """Names that are numbers come first, in their order."""
    name = row[0]
    return not name.isdecimal(), len(name) if name.isdecimal() else 0, name


def _note(made: _Read, settled: Sequence[Problem]) -> Iterator[str]:
    yield f"The API's {TIERS}. A holding is cut at each edge; each slice counts at its own ratio."
    yield "Which tier owns an edge is our reading; a value cut in slices is the same either way."
    if any(entry.open for entry in made.held):
        yield (
            "Where the API gives a last tier no upper edge, the edge here is ours and changes"
            " nothing: the ratio holds on above it."
        )
    if made.over.rate is not None:
        yield f"What lies above the lists that end counts {made.over.rate}, in a last tier of ours."
    yield from noted(settled)


# --- what is shown -------------------------------------------------------------------------------


def _table(made: _Read) -> Iterator[tuple[str, ...]]:
    others = [key.removesuffix("Collaterals") for key in made.flat.values()]
    yield "list", "coins", "tiers", "ratio", "up to", *others
    for name, entry in made.lists:
        tiers = entry.tiers[TIERS]
        last = "no end" if tiers[-1].to is None else grouped(tiers[-1].to)
        flat = (entry.tiers.get(key, ()) for key in made.flat.values())
        rates = (span((tier.rate for tier in one), "%") or "not given" for one in flat)
        ratio = span((tier.rate for tier in tiers), "%")
        yield name, listed(entry.coins), str(len(tiers)), ratio, last, *rates


def _remarks(
    made: _Read, document: Mapping[str, Any], settled: Sequence[Problem]
) -> Iterator[tuple[str, str]]:
    owner = made.scale["edge_belongs_to"]
    yield "Kept", f"edges belong to the {owner} tier, as in {made.before.id}"
    yield "Above", _above(made.over)
    yield from changes(made.before, document)
    coins = {coin for entry in made.held for coin in entry.coins}
    rows = made.before.tables[RANK].rows
    gone = [str(key[0]) for row in rows for key in row.keys if key[0] not in coins]
    if gone:
        yield "No longer", f"{listed(gone, 12)}: what is held of them cannot be told"
    unused = list(unread(made.held, (TIERS, *made.flat.values())))
    if unused:
        yield "Not used", listed((f"`{name}`" for name in unused), 12)
    yield from settled_remarks(settled)


def _above(over: Top) -> str:
    """What holds above the last edges, in words."""
    rate, names = above_last({"above_last": over.above_last})
    if rate != "last":
        return f"above the last edge, {rate}{_assumed(names)}"
    holds = "where a list has no end, its last ratio holds on"
    return f"{holds}; above the others, {over.rate}{_assumed(over.assumes)}" if over.rate else holds


def _assumed(names: Sequence[str]) -> str:
    return f" (assumed: {listed(names)})" if names else ""
