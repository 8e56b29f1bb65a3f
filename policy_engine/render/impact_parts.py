"""The parts that reports on a change's impact are made of, and how their cells are worded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from policy_engine.numbers import EXACT, UNLIMITED, plain
from policy_engine.render.layout import CANNOT_BE_TOLD, number_text

_STEP = Decimal("0.0001")
ABSENT = "-"


class Name(str):
    """A cell that is a name as somebody wrote it: shown letter by letter, cut where it is long."""


class Id(str):
    """A cell that is the id of a change: shown letter by letter, and whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report: its title, a table and sentences under it. `left` rows are not shown;
    `folded` parts are for reference."""

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    left: int = 0
    folded: bool = False


def counted(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def share(count: int, of: int) -> str:
    """A part in hundredths, cut after two decimals."""
    if not of:
        return ABSENT
    hundredths = EXACT.divide(Decimal(count * 100), Decimal(of))
    return f"{plain(hundredths.quantize(Decimal('0.01'), ROUND_DOWN, EXACT))}%"


def short(value: Decimal | None) -> str:
    """A number for a table: thousands apart, cut after four decimals."""
    if value is None:
        return CANNOT_BE_TOLD
    if not value.is_finite():
        return "unlimited" if value == UNLIMITED else "-unlimited"
    cut = value.quantize(_STEP, ROUND_DOWN, EXACT)
    return number_text(cut) + ("" if cut == value else "…")
