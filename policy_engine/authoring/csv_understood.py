"""What was understood of a CSV file, for a person to read before a new version is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.authoring.csv_figures import TIERS, Figures
from policy_engine.model import Row, Scale, Table, Tier, Version
from policy_engine.numbers import instant_text, plain
from policy_engine.sources.understood import Understanding, counted, listed

MOST_SHOWN = 16
"""So many keys or rows are shown one by one; the rest are counted."""


def understanding(
    figures: Figures, before: Version, after: Version, comments: int
) -> Understanding:
    """What the figures of a version have become in the one after it.

    `comments` is how many comments stood between the figures and are left out.
    """
    if figures.key == TIERS:
        old, new = before.scales[figures.name], after.scales[figures.name]
        count = sum(map(len, new.tiers.values()))
        heading = f"{counted(count, 'tier')} of the scale `{figures.name}`"
        if new.by:
            heading += f", for {counted(len(new.tiers), 'key')}"
        rows, changes = _scale_rows(new), _changes(_by_key(old), _by_key(new), "tiers")
    else:
        held, made = before.tables[figures.name], after.tables[figures.name]
        count = sum(len(row.keys) for row in made.rows)
        heading = f"{counted(count, 'key')} of the table `{figures.name}`"
        rows, changes = _table_rows(made), _changes(_by_keys(held), _by_keys(made), "value")
    remarks = [*changes, *_rest(figures, before, comments)]
    return Understanding(heading, tuple(_shortened(list(rows))), tuple(remarks))


def _shortened(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(rows) <= MOST_SHOWN + 2:
        return list(rows)
    more = f"… and {len(rows) - 1 - MOST_SHOWN} more"
    return [*rows[: MOST_SHOWN + 1], (more, *("" for _ in rows[0][1:]))]


def _rest(figures: Figures, before: Version, comments: int) -> Iterator[tuple[str, str]]:
    yield "Kept", f"all else of {before.id} as it stands, with its comments and layout"
    if comments:
        told = "1 comment that stands" if comments == 1 else f"{comments} comments that stand"
        yield "Dropped", f"{told} between the figures"
    source = figures.part.get("citation", {}).get("source")
    if source:
        said = f"it cites `{source}` as before; where the figures are from another document,"
        yield "Look at", f"{said} add it to `sources` and cite it"


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], what: str
) -> Iterator[tuple[str, str]]:
    """What is new, gone and otherwise, by key."""
    kept = [key for key in new if key in old]
    groups = {
        "New": [key for key in new if key not in old],
        "Gone": [key for key in old if key not in new],
        "Changed": [key for key in kept if old[key] != new[key]],
    }
    for word, keys in groups.items():
        if keys and keys != [""]:
            yield word, listed(keys, 12)
    same = [key for key in kept if old[key] == new[key]]
    if len(same) == len(new) == len(old):
        yield "Changed", f"nothing: every {what} is as before"
    elif groups["Changed"] == [""]:
        yield "Changed", "the tiers are other ones than before"


# --- scales --------------------------------------------------------------------------------------


def _by_key(scale: Scale) -> Mapping[str, tuple[Tier, ...]]:
    return {"" if key is None else _shown(key): tiers for key, tiers in scale.tiers.items()}


def _scale_rows(scale: Scale) -> Iterator[tuple[str, ...]]:
    columns = [name for name, _ in scale.columns]
    units = dict(scale.columns)
    yield (*(["key"] if scale.by else []), "tiers", f"up to ({scale.unit_in})", *columns)
    for key, tiers in _by_key(scale).items():
        spans = (
            _span([tier.rates[at] for tier in tiers], units[name])
            for at, name in enumerate(columns)
        )
        last = f"{Decimal(plain(tiers[-1].to)):,f}"
        yield (*([key] if scale.by else []), str(len(tiers)), last, *spans)


def _span(figures: Sequence[Decimal], unit: str) -> str:
    """The lowest and the highest figure; ratios up to 1 in percent, as a person says them."""
    low, high = min(figures), max(figures)
    texts = [plain(one) if one > 1 or unit != "ratio" else _percent(one) for one in (low, high)]
    return texts[0] if low == high else f"{texts[0]} to {texts[1]}"


def _percent(rate: Decimal) -> str:
    return f"{plain(rate * 100)}%"


# --- tables --------------------------------------------------------------------------------------


def _by_keys(table: Table) -> Mapping[str, Any]:
    return {
        ", ".join(map(_shown, key)): (row.value, row.citation, row.note, row.assumes)
        for row in table.rows
        for key in row.keys
    }


def _table_rows(table: Table) -> Iterator[tuple[str, ...]]:
    yield "value", "keys", "for"
    for row in table.rows:
        keys = listed((", ".join(map(_shown, key)) for key in row.keys), 6)
        yield _value(row), str(len(row.keys)), keys


def _value(row: Row) -> str:
    known = isinstance(row.value, Decimal | str | bool) or hasattr(row.value, "year")
    return _shown(row.value) if known else "undetermined"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    return instant_text(value) if hasattr(value, "year") else str(value)
