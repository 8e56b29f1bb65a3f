"""What cases can cover in a version: its rules, branches, tiers and rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from policy_engine.coverage.points import BRANCH, EDGE, OPERAND, What, points
from policy_engine.coverage.written import Path, expressions, rules
from policy_engine.errors import Place
from policy_engine.language.text import to_text
from policy_engine.model import Row, Scale, Table, Version
from policy_engine.numbers import text_of

FIRES, TIER, TIER_EDGE, ROW, FORMULA = "rule", "tier", "tier edge", "row", "formula"
GROUPS = (FIRES, EDGE, FORMULA, BRANCH, OPERAND, TIER, TIER_EDGE, ROW)
"""What is counted apart, in the order in which it is told."""

READ_TABLE = "key of a table"
WORKED_OUT: What = ("worked out",)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a case can cover.

    `says` is what the version says there: versions of a ruleset that say the same at the same path
    share it.
    """

    group: str
    version: str
    path: Path
    what: What
    title: str
    says: str
    place: Place = field(compare=False)

    @property
    def mark(self) -> Mark:
        """What a run leaves behind that covers it."""
        return self.version, self.path, self.what

    @property
    def shared(self) -> tuple[object, ...]:
        """Equal for items of versions that say the same."""
        return self.version.partition("@")[0], self.path, self.what, self.says


Mark = tuple[str, Path, What]
"""A version, where in it, and what happened there."""


def items(version: Version) -> Iterator[Item]:
    """Everything that can be covered in a version, as it is counted."""
    yield from _of_rules(version)
    yield from _of_formulas(version)
    for table in version.tables.values():
        yield from _of_table(version, table)
    for scale in version.scales.values():
        yield from _of_scale(version, scale)


def _of_rules(version: Version) -> Iterator[Item]:
    for path, rule in rules(version):
        says = to_text(rule.when.tree) if rule.when else ""
        decides = "is the status" if path[0] == "statuses" else "fires"
        yield Item(FIRES, version.id, path, ("fires",), decides, says, rule.place)
        if rule.when is not None:
            title = "does not fire"
            yield Item(FIRES, version.id, path, ("rests",), title, says, rule.place)


def _of_formulas(version: Version) -> Iterator[Item]:
    conditions = {path for path, _ in rules(version)}
    for path, expression in expressions(version):
        says = to_text(expression.tree)
        if path not in conditions:
            title, place = "is worked out", expression.place(0, 1)
            yield Item(FORMULA, version.id, path, WORKED_OUT, title, says, place)
        for point in points(expression.tree, path in conditions):
            place = expression.place(point.what[1], point.what[2] - point.what[1])
            yield Item(point.group, version.id, path, point.what, point.title, says, place)


def _of_table(version: Version, table: Table) -> Iterator[Item]:
    path = ("tables", table.name)
    for row in table.rows:
        for key in row.keys:
            yield Item(ROW, version.id, path, key_what(key), key_text(key), _said(row), table.place)
    rows = " ".join(key_text(key) for row in table.rows for key in row.keys)
    says = f"{_said(table.otherwise)} {rows}"
    yield Item(ROW, version.id, path, ("row", "otherwise"), "`otherwise`", says, table.place)


def row_what(row: Row) -> What:
    """What happens when a row is read, by any of its keys."""
    return "row", row.keys[0] if row.keys else ()


def key_what(key: tuple[object, ...]) -> What:
    """What happens when a row is read by one of its keys."""
    return READ_TABLE, key


def key_text(key: tuple[object, ...]) -> str:
    """A key, of one part or several."""
    return " and ".join(str(text_of(part)) for part in key)  # type: ignore[arg-type]


def _said(row: Row) -> str:
    return f"{row.value}"


def _of_scale(version: Version, scale: Scale) -> Iterator[Item]:
    path = ("scales", scale.name)
    for key, tiers in scale.tiers.items():
        of = "" if key is None else f"{text_of(key)}: "
        for at, tier in enumerate(tiers):
            edge = text_of(tier.to)
            says = f"{scale.edge_belongs_to} {tiers[: at + 1]}"
            head = (version.id, path)
            up_to = f"{of}tier up to {edge}"
            yield Item(TIER, *head, (TIER, key, at), up_to, says, scale.place)
            exactly = f"{of}exactly {edge}"
            yield Item(TIER_EDGE, *head, (TIER_EDGE, key, at), exactly, says, scale.place)
        says = f"{scale.above_last} {tiers}"
        above = f"{of}above {text_of(tiers[-1].to)}"
        yield Item(TIER, version.id, path, (TIER, key, len(tiers)), above, says, scale.place)
