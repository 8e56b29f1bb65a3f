"""Versions of the position brackets and collateral rules as Binance's API gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.errors import Problem, RulesError
from policy_engine.model import Row, Scale, Tier, Version
from policy_engine.numbers import plain
from policy_engine.sources.binance import collateral, position_brackets
from policy_engine.sources.binance.brackets import EDGE, FIELDS
from policy_engine.sources.binance.ratios import HIGH, LOW, RATE, TIERS


def response(version: Version) -> str:
    """The JSON text of the response that a version says the same as.

    Importing it again gives the same tiers. Raises RulesError for a version of another form.
    """
    brackets = version.scales.get(position_brackets.SCALE)
    ratios = version.scales.get(collateral.SCALE)
    if brackets is not None and {name for name, _ in brackets.columns} == set(FIELDS):
        made = list(_brackets(brackets))
    elif ratios is not None and collateral.RANK in version.tables and not ratios.has_columns:
        made = list(_ratios(version, ratios))
    else:
        raise RulesError([_no_response(version)])
    return f"{_json(made)}\n"


def _no_response(version: Version) -> Problem:
    message = f"`{version.id}` holds no figures that the API gives"
    hint = (
        f"name a version with the scale `{position_brackets.SCALE}` ({position_brackets.PATH})"
        f" or `{collateral.SCALE}` ({collateral.PATH}); other figures go out as CSV"
    )
    return Problem("no-response", message, hint, version.place(("ruleset",)))


# --- leverageBracket -----------------------------------------------------------------------------


def _brackets(scale: Scale) -> Iterator[dict[str, Any]]:
    names = [name for name, _ in scale.columns]
    shared: dict[tuple[Tier, ...], list[str]] = {}
    for coin, tiers in scale.tiers.items():
        shared.setdefault(tiers, []).append(str(coin))
    for tiers, coins in shared.items():
        brackets = []
        for tier in tiers:
            figures = dict(zip(names, tier.rates, strict=True))
            given = {FIELDS[name]: figures[name] for name in FIELDS}
            brackets.append({"leverage": given.pop("leverage"), EDGE: tier.to, **given})
        yield {"assetNames": coins, "brackets": brackets}


# --- crossMarginCollateralRatio ------------------------------------------------------------------


def _ratios(version: Version, scale: Scale) -> Iterator[dict[str, Any]]:
    """An entry for each list of tiers that coins follow; a list without any cannot be told."""
    flat = {
        key: _flat(version.tables[name].rows)
        for name, key in collateral.FLAT.items()
        if name in version.tables
    }
    for name, coins in _coins(version.tables[collateral.RANK].rows).items():
        if name in scale.tiers:
            over = {
                key: [{LOW: "0", RATE: plain(rates[name])}]
                for key, rates in flat.items()
                if name in rates
            }
            yield {TIERS: list(_tiers(scale, scale.tiers[name])), **over, "assetNames": coins}


def _coins(rows: Sequence[Row]) -> Mapping[str, list[str]]:
    """The coins that follow each list."""
    made: dict[str, list[str]] = {}
    for row in rows:
        if isinstance(row.value, str):
            made.setdefault(row.value, []).extend(str(key[0]) for key in row.keys)
    return made


def _flat(rows: Sequence[Row]) -> Mapping[str, Decimal]:
    """The one ratio of each list; those that are not known are left out."""
    return {
        str(key[0]): row.value for row in rows if isinstance(row.value, Decimal) for key in row.keys
    }


def _tiers(scale: Scale, tiers: Sequence[Tier]) -> Iterator[dict[str, Any]]:
    """The tiers of a list; the last has no upper edge where its ratio holds on above it."""
    start = "0"
    for tier in tiers:
        holds_on = tier is tiers[-1] and scale.above_last.rate is None
        edge = plain(tier.to)
        high = {} if holds_on else {HIGH: edge}
        yield {LOW: start, **high, RATE: plain(tier.rates[0])}
        start = edge


# --- JSON ----------------------------------------------------------------------------------------


def _json(value: Any, indent: str = "") -> str:
    """JSON text in which a Decimal is a number with all its digits."""
    inner = f"{indent}  "
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict) and not any(isinstance(item, list) for item in value.values()):
        items = (f"{json.dumps(key)}: {_json(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, dict):
        items = (f"{inner}{json.dumps(key)}: {_json(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(inner + _json(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
