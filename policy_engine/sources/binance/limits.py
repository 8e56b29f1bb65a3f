"""`GET /sapi/v1/margin/crossMarginData` as a new version of the limits on borrowing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.errors import Problem, SnapshotError
from policy_engine.model import Version
from policy_engine.numbers import EXACT, plain
from policy_engine.sources.binance.fields import AGAIN, asset_name, entries, figure, not_used
from policy_engine.sources.binance.findings import duplicates
from policy_engine.sources.binance.writing import grouped, source
from policy_engine.sources.part import Part
from policy_engine.sources.successor import (
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
    counted,
    listed,
    not_accepted,
)

PATH = "/sapi/v1/margin/crossMarginData"
SOURCE = "margin_data_api"
TABLE = "borrow_limit"
ANSWERED = frozenset({"coin_limits_not_supplied"})
USED = ("vipLevel", "coin", "borrowLimit", "borrowable")


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be borrowed of a coin at a VIP level."""

    part: Part
    level: Decimal
    coin: str
    limit: Decimal
    borrowable: bool


def version(parts: Sequence[Part], before: Version, terms: Terms) -> Imported:
    """The version of the limits that responses become, one for each VIP level.

    Raises SnapshotError for what cannot be read, RulesError where the version before has no place
    for it.
    """
    held = read(parts)
    table = _table_before(before)
    with localcontext(EXACT):
        found = list(duplicates((f"{e.coin}, VIP {plain(e.level)}", e.part) for e in held))
        limits = counted(len(held), "limit")
        document = successor(
            before,
            terms,
            f"{limits} on borrowing by coin and VIP level, as the API gives them.",
            {SOURCE: source(PATH, terms)},
            {"tables": {TABLE: _table_made(table, held)}},
        )
        understanding = Understanding(
            f"Limits on borrowing: {limits}",
            tuple(_table(held)),
            tuple(_remarks(held, before, document)),
            not_accepted(found, terms),
        )
    return Imported(document, understanding)


def read(parts: Sequence[Part]) -> list[Entry]:
    """The entries of responses. Raises SnapshotError with every problem."""
    problems: list[Problem] = []
    held = [_entry(part, problems) for part in entries(parts, problems)]
    if problems:
        raise SnapshotError(problems)
    return [entry for entry in held if entry is not None]


def _entry(part: Part, problems: list[Problem]) -> Entry | None:
    """An entry, if nothing is wrong with it."""
    level, limit = (figure(part, key, problems) for key in ("vipLevel", "borrowLimit"))
    coin = asset_name(part.member("coin"), problems)
    able = part.member("borrowable")
    if not isinstance(able.value, bool):
        code = "bad-truth" if able.given else "missing-key"
        message = "`borrowable` is not true or false" if able.given else "`borrowable` is missing"
        problems.append(able.problem(code, message, AGAIN))
    if level is not None and level != level.to_integral_value():
        message = f"`{plain(level)}` is no VIP level"
        problems.append(part.member("vipLevel").problem("bad-number", message, AGAIN))
    if level is None or limit is None or coin is None:
        return None
    return Entry(part, level, coin, limit, able.value is True)


def _table_before(before: Version) -> Mapping[str, Any]:
    """The table of the version before, by coin and level. Raises RulesError."""
    table = part_of(before, "tables", TABLE)
    if table.get("by") != ["text", "number"] or "unit" not in table:
        message = f"`{TABLE}` of `{before.id}` is no table of numbers by text and number"
        raise misfit(before, ("tables", TABLE), message)
    return table


# --- the file ------------------------------------------------------------------------------------


def _table_made(table: Mapping[str, Any], held: Sequence[Entry]) -> dict[str, Any]:
    return {
        **figures_aside(table),
        "rows": list(_rows(sorted(held, key=lambda entry: (entry.coin, entry.level)))),
        "otherwise": "undetermined",
        "because": "the imported limits have none for {key}",
        "citation": {"source": SOURCE},
        "note": "The API's borrowLimit, in coin. For coins and levels that it was not asked for,"
        " the limit is not known.",
        **without(table.get("assumes", ()), ANSWERED),
    }


def _rows(held: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    for entry in held:
        if entry.borrowable:
            yield {"value": plain(entry.limit), "when": [_key(entry)]}
    closed = [_key(entry) for entry in held if not entry.borrowable]
    if closed:
        note = (
            "The API says that these cannot be borrowed; the limit that it states for them all the"
            " same is not used."
        )
        yield {"value": "0", "when": closed, "note": note}


def _key(entry: Entry) -> list[str]:
    return [entry.coin, plain(entry.level)]


# --- what is shown -------------------------------------------------------------------------------


def _table(held: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    yield "VIP level", "coins", "limits", "not borrowable"
    for level in sorted({entry.level for entry in held}):
        of_level = [entry for entry in held if entry.level == level]
        able = [f"{e.coin} {grouped(e.limit)}" for e in of_level if e.borrowable]
        not_able = [entry.coin for entry in of_level if not entry.borrowable]
        yield plain(level), str(len(of_level)), listed(able, 3), listed(not_able, 3) or "none"


def _remarks(
    held: Sequence[Entry], before: Version, document: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    yield "Otherwise", "a coin or VIP level that is not named has no known limit: undetermined"
    yield from changes(before, document)
    keys = {(entry.coin, entry.level) for entry in held}
    rows = before.tables[TABLE].rows
    gone = [f"{key[0]} VIP {key[1]}" for row in rows for key in row.keys if key not in keys]
    if gone:
        yield "No longer", listed(gone, 12)
    unused = list(not_used((entry.part for entry in held), USED))
    if unused:
        yield "Not used", listed((f"`{name}`" for name in unused), 12)
