"""What the rules state, as the oracle reads it: parameters, tables and scales."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from oracle_values import Unknown, Value, exact, number, stated

Provision = dict[str, Any]
Line = dict[str, Value]


@dataclass(frozen=True)
class Rules:
    """The provisions of the applicable version and of all it uses, by kind and name."""

    inputs: dict[str, dict[str, Provision]]
    parameters: dict[str, Provision]
    tables: dict[str, Provision]
    scales: dict[str, Provision]
    formulas: dict[str, dict[str, Provision]]


@dataclass
class World:
    """The rules, the account they are asked about, and what the evaluation has met so far.

    `lines["account"]` is one line; a list that is None is unknown.
    """

    rules: Rules
    lines: dict[str, list[Line] | None]
    watch: Callable[[str], None]
    reached: set[str] = field(default_factory=set)
    memo: dict[tuple[str, int, str], Value] = field(default_factory=dict)

    def unknown(self, kind: str, reason: str) -> Unknown:
        """An unknown value; the watcher hears its kind."""
        self.watch(kind)
        return Unknown(frozenset([reason]))

    def reach(self, assumptions: Iterable[str]) -> None:
        """Note that the evaluation rests on these assumptions."""
        self.reached.update(assumptions)


def parameter(world: World, name: str) -> Value:
    """The value of a parameter."""
    provision = world.rules.parameters[name]
    if provision["value"] == "undetermined":
        return world.unknown("parameter undetermined", provision.get("because", name))
    return stated(provision.get("gives", "number"), provision["value"])


def look_up(world: World, name: str, keys: Sequence[Value]) -> Value:
    """What the table says of the keys: the row that has them, else `otherwise`."""
    table = world.rules.tables[name]
    shown = ", ".join(map(str, keys))
    row = matching_row(table, list(keys))
    if row is None:
        world.reach(table.get("otherwise_assumes", ()))
        said, because, kind = table["otherwise"], table.get("because", name), "table otherwise"
    else:
        world.reach(row.get("assumes", ()))
        said, because, kind = row["value"], row.get("because", name), "table row"
    if said == "undetermined":
        return world.unknown(kind, because.replace("{key}", shown))
    return stated(table.get("gives", "number"), said)


def matching_row(table: Provision, keys: list[Value]) -> Provision | None:
    """The row of the table that has the keys, if any."""
    kinds = table["by"] if isinstance(table["by"], list) else [table["by"]]
    for row in table.get("rows", ()):
        if any(read_key(kinds, when) == keys for when in row["when"]):
            return dict(row)
    return None


def read_key(kinds: list[str], when: str | list[str]) -> list[Value]:
    """A row's key as values; number keys are numbers."""
    parts = when if isinstance(when, list) else [when]
    return [stated(kind, part) for kind, part in zip(kinds, parts, strict=True)]


@dataclass(frozen=True)
class Tiers:
    """The tiers of one key and one column of a scale, lowest first."""

    edges: list[Fraction]
    rates: list[Fraction]
    above: Fraction | None
    above_because: str
    above_assumes: list[str]
    owner: str


def tiers_of(world: World, name: str, column: str, keys: list[Value]) -> Tiers | Unknown:
    """The tiers for the key (none when the scale has no keys); unknown if the key has none."""
    scale = world.rules.scales[name]
    rows = scale["tiers"]
    if "by" in scale:
        by_key = {stated(scale["by"], key): tiers for key, tiers in rows.items()}
        if keys[0] not in by_key:
            return world.unknown("scale key unknown", f"{name} has no tiers for {keys[0]}")
        rows = by_key[keys[0]]
    rates = [number(row[column]) for row in rows]
    said, assumes = above_last(scale)
    above = {"last": rates[-1], "undetermined": None}.get(said)
    if said not in ("last", "undetermined"):
        above = number(said)
    edges = [number(row["to"]) for row in rows]
    owner = scale["edge_belongs_to"]
    return Tiers(edges, rates, above, scale.get("because", name), assumes, owner)


def above_last(scale: Provision) -> tuple[str, list[str]]:
    """What holds above the last edge, and what that assumes."""
    said = scale["above_last"]
    return (said["rate"], said.get("assumes", [])) if isinstance(said, dict) else (said, [])


def above_rate(world: World, tiers: Tiers) -> Fraction | Unknown:
    """The rate above the last edge, which has now been reached."""
    world.reach(tiers.above_assumes)
    if tiers.above is None:
        return world.unknown("above last undetermined", tiers.above_because)
    return tiers.above


def slices(world: World, tiers: Tiers, x: Value, least: Value | None = None) -> Value:
    """The sum over tiers of the rate times the part of `x` inside; rates are at least `least`."""
    size = exact(x)
    world.watch(slices_position(tiers, size))
    if size <= 0:
        return Fraction(0)
    floor = exact(least) if least is not None else None
    total, low = Fraction(0), Fraction(0)
    for edge, rate in zip(tiers.edges, tiers.rates, strict=True):
        total += raised(rate, floor) * max(Fraction(0), min(size, edge) - low)
        low = edge
    if size <= low:
        return total
    rate_above = above_rate(world, tiers)
    if isinstance(rate_above, Unknown):
        return rate_above
    return total + raised(rate_above, floor) * (size - low)


def raised(rate: Fraction, least: Fraction | None) -> Fraction:
    """The rate, but not below `least`."""
    return rate if least is None else max(rate, least)


def tier(world: World, tiers: Tiers, x: Value) -> Value:
    """The rate of the tier that holds `x`."""
    size = exact(x)
    world.watch(tier_position(tiers, size))
    for edge, rate in zip(tiers.edges, tiers.rates, strict=True):
        if size < edge or (size == edge and tiers.owner == "lower"):
            return rate
    return above_rate(world, tiers)


def slices_position(tiers: Tiers, x: Fraction) -> str:
    """Where `x` stands among the tiers, for coverage."""
    if x <= 0:
        return "slices not above 0"
    if x in tiers.edges:
        return "slices on edge"
    return "slices above last" if x > tiers.edges[-1] else "slices inside"


def tier_position(tiers: Tiers, x: Fraction) -> str:
    """Where `x` stands among the tiers, for coverage."""
    if x in tiers.edges:
        last = "last " if x == tiers.edges[-1] else ""
        return f"tier on {last}edge that belongs to {tiers.owner}"
    if x <= 0:
        return "tier below 0" if x < 0 else "tier at 0"
    return "tier above last" if x > tiers.edges[-1] else "tier inside"
