"""Every small mistake that could be made in a version, each as the version with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from policy_engine.coverage.items import key_text, key_what
from policy_engine.coverage.marks import READ_SCALE
from policy_engine.coverage.points import What
from policy_engine.coverage.written import (
    Path,
    expressions,
    rules,
    with_expression,
    without_rule,
)
from policy_engine.errors import Place
from policy_engine.language.syntax import Expression
from policy_engine.language.text import to_text
from policy_engine.model import Row, Scale, Table, Tier, Version
from policy_engine.mutation.nudge import nudged, shown
from policy_engine.mutation.terms import altered

PARAMETER, ROW, KEY, RULE = "parameter", "row value", "key dropped", "rule dropped"
TIER, EDGE, RATE = "tier dropped", "tier edge", "tier rate"
OWNER, ABOVE = "edge owner", "above last"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A version with one mistake: what made it, where, and what stands there instead.

    `read` is what a run leaves behind where it reads what is changed; None: any run may. `span` is
    the part of a formula that is changed.
    """

    operator: str
    version: str
    path: Path
    before: str
    after: str
    place: Place = field(compare=False)
    make: Callable[[], Version] = field(compare=False, repr=False)
    read: What | None = None
    span: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What tells it from others, for a person."""
        return f"{'.'.join((self.version, *self.path))}: {self.before} -> {self.after}"


def mutants(version: Version) -> Iterator[Mutant]:
    """Every mistake of every operator at every place of a version, in file order by section."""
    yield from _of_parameters(version)
    for table in version.tables.values():
        yield from _of_table(version, table)
    for scale in version.scales.values():
        yield from _of_scale(version, scale)
    yield from _of_formulas(version)
    yield from _of_rules(version)


def _of_formulas(version: Version) -> Iterator[Mutant]:
    conditions = {path for path, _ in rules(version)}
    for path, expression in expressions(version):
        for change in altered(expression.tree, path in conditions):
            written = Expression(to_text(change.tree), change.tree, expression.place)
            place = expression.place(change.offset, change.width)
            yield Mutant(
                change.operator,
                version.id,
                path,
                f"`{change.before}`",
                f"`{change.after}`",
                place,
                lambda path=path, written=written: with_expression(version, path, written),  # type: ignore[misc]
                span=(change.offset, change.offset + change.width),
            )


def _of_rules(version: Version) -> Iterator[Mutant]:
    for path, rule in rules(version):
        if rule.when is not None:
            yield Mutant(
                RULE,
                version.id,
                path,
                f"`{rule.name}`",
                "dropped",
                rule.place,
                lambda path=path: without_rule(version, path),  # type: ignore[misc]
            )


def _of_parameters(version: Version) -> Iterator[Mutant]:
    for name, held in version.parameters.items():
        for value in nudged(held.value):
            made = {**version.parameters, name: replace(held, value=value)}
            yield Mutant(
                PARAMETER,
                version.id,
                ("parameters", name),
                shown(held.value),
                shown(value),
                held.place,
                lambda made=made: replace(version, parameters=made),  # type: ignore[misc]
            )


# --- tables --------------------------------------------------------------------------------------


def _of_table(version: Version, table: Table) -> Iterator[Mutant]:
    path = ("tables", table.name)

    def mutant(operator: str, before: str, after: str, made: Table, read: What) -> Mutant:
        tables = {**version.tables, table.name: made}
        make = lambda: replace(version, tables=tables)  # noqa: E731
        return Mutant(operator, version.id, path, before, after, table.place, make, read)

    others = [row.value for row in table.rows]
    for at, row in enumerate(table.rows):
        rest = table.rows[:at], table.rows[at + 1 :]
        for value in nudged(row.value, others):
            made = replace(table, rows=(*rest[0], replace(row, value=value), *rest[1]))
            named = key_text(row.keys[0]) + (", …" if len(row.keys) > 1 else "")
            read = ("row", row.keys[0])
            yield mutant(ROW, f"{named}: {shown(row.value)}", shown(value), made, read)
        for key in row.keys:
            made = replace(table, rows=(*rest[0], _without(row, key), *rest[1]))
            yield mutant(KEY, key_text(key), "dropped", made, key_what(key))
    for value in nudged(table.otherwise.value, others):
        made = replace(table, otherwise=replace(table.otherwise, value=value))
        before = f"otherwise: {shown(table.otherwise.value)}"
        yield mutant(ROW, before, shown(value), made, ("row", "otherwise"))


def _without(row: Row, key: tuple[object, ...]) -> Row:
    return replace(row, keys=tuple(one for one in row.keys if one != key))


# --- scales --------------------------------------------------------------------------------------


def _of_scale(version: Version, scale: Scale) -> Iterator[Mutant]:
    path = ("scales", scale.name)

    def mutant(operator: str, before: str, after: str, made: Scale, key: object) -> Mutant:
        scales = {**version.scales, scale.name: made}
        make = lambda: replace(version, scales=scales)  # noqa: E731
        read = None if key is _ANY else (READ_SCALE, key)
        return Mutant(operator, version.id, path, before, after, scale.place, make, read)

    for key, tiers in scale.tiers.items():
        for operator, before, after, made in _tiers(scale, tiers):
            named = "" if key is None else f"{shown(key)}: "
            held = replace(scale, tiers={**scale.tiers, key: made})
            yield mutant(operator, f"{named}{before}", after, held, key)
    other = "upper" if scale.edge_belongs_to == "lower" else "lower"
    owned = replace(scale, edge_belongs_to=other)
    yield mutant(OWNER, f"edge belongs to {scale.edge_belongs_to}", other, owned, _ANY)
    for rate in nudged(scale.above_last.rate):
        above = replace(scale, above_last=replace(scale.above_last, rate=rate))  # type: ignore[arg-type]
        yield mutant(ABOVE, f"above last {shown(scale.above_last.rate)}", shown(rate), above, _ANY)


_ANY = object()


def _tiers(
    scale: Scale, tiers: tuple[Tier, ...]
) -> Iterator[tuple[str, str, str, tuple[Tier, ...]]]:
    """The lists of tiers with one mistake."""
    for at, tier in enumerate(tiers):
        before, after = tiers[:at], tiers[at + 1 :]
        named = f"tier up to {shown(tier.to)}"
        if len(tiers) > 1:
            yield TIER, named, "dropped", (*before, *after)
        for to in nudged(tier.to):
            yield EDGE, named, shown(to), (*before, replace(tier, to=to), *after)  # type: ignore[arg-type]
        for column, rate in enumerate(tier.rates):
            for value in nudged(rate):
                rates = (*tier.rates[:column], value, *tier.rates[column + 1 :])
                label = f"{named}, {scale.columns[column][0]} {shown(rate)}"
                yield RATE, label, shown(value), (*before, replace(tier, rates=rates), *after)  # type: ignore[arg-type]
