"""What a change of the rules does to a book of accounts, as a page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from policy_engine.impact.model import Cause, Flip, Impact, Standing
from policy_engine.numbers import EXACT, plain
from policy_engine.render.html.diff import values
from policy_engine.render.html.matrix import matrix, shown_names
from policy_engine.render.html.page import State, drawn, page
from policy_engine.render.layout import number_text

UNKNOWN = "cannot be told"
_SIGNS = {"<=": "≤", ">=": "≥"}
_CUT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Row:
    """An account that flips: where it stood and stands, and what its outcomes come of."""

    flip: Flip
    figure: str
    before: str
    after: str
    distance: str
    causes: tuple[tuple[str, str], ...]


def impact_page(impact: Impact, old: State, new: State, command: str, most: int = 20) -> str:
    """The impact, then its changes, as a page that ends with the command that makes it again.

    `old` and `new` are what was in force; the worst `most` accounts are told one by one. Raises
    PolicyError where jinja2 is not installed.
    """
    told = {
        "impact": impact,
        "matrix": drawn(matrix(impact.statuses)),
        "statuses": shown_names(impact.statuses),
        "flips": [_row(flip, impact) for flip in impact.flips[:most]],
        "flips_left": max(0, len(impact.flips) - most),
        "number": number,
    }
    return page("impact.html", **values(impact.changes, old, new), **told, command=command)


def number(value: Decimal | None) -> str:
    """A number for reading."""
    if value is None:
        return UNKNOWN
    return number_text(value) if value.is_finite() else plain(value)


def _row(flip: Flip, impact: Impact) -> Row:
    sides = (_standing(flip.stood), _standing(flip.stands))
    distance = None if flip.stands is None else flip.stands.distance
    titles = {group.id: group.title for group in impact.groups}
    titles |= {one: group.title for group in impact.groups for one in group.changes}
    causes: dict[str, list[str]] = {}
    for cause in flip.causes:
        causes.setdefault(_why(cause, titles), []).append(cause.outcome.rpartition(".")[2])
    listed = tuple((", ".join(outcomes), why) for why, outcomes in causes.items())
    shown = "" if distance is None else _brief(distance)
    return Row(flip, _tested(flip.stands or flip.stood), *sides, shown, listed)


def _tested(standing: Standing | None) -> str:
    """The test that an account stands against."""
    if standing is None:
        return ""
    sign = _SIGNS.get(standing.sign, standing.sign)
    return f"{standing.title} {sign} {_brief(standing.threshold)}"


def _brief(value: Decimal | None) -> str:
    """A number in the width of a column: what is cut off is told by `…`."""
    if value is None or not value.is_finite():
        return number(value)
    cut = value.quantize(_CUT, ROUND_DOWN, EXACT)
    return number_text(Decimal(plain(cut))) + ("" if cut == value else "…")


def _standing(standing: Standing | None) -> str:
    return "" if standing is None else _brief(standing.value)


def _why(cause: Cause, titles: dict[str, str]) -> str:
    """What an outcome comes of."""
    ways = (" together with ".join(titles.get(one, one) for one in some) for some in cause.enough)
    return ", or ".join(ways) or UNKNOWN
