"""Rulesets over time, for hypothesis: versions, corrections, and when each was announced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

from policy_engine import Rulebook
from policy_engine.numbers import instant_text

MOMENT = timedelta(microseconds=1)
FIRST = datetime(2024, 12, 1, tzinfo=UTC)
STARTS = [datetime(2025, 1, day, hour, tzinfo=UTC) for day in (1, 3, 10) for hour in (0, 10)]
TOLD = [
    datetime(2024, 11, 1, tzinfo=UTC),
    datetime(2024, 12, 20, 12, tzinfo=UTC),
    *STARTS,
    datetime(2025, 1, 5, tzinfo=UTC),
    datetime(2025, 2, 1, tzinfo=UTC),
    datetime(2025, 3, 1, 9, 30, tzinfo=UTC),
]
"""When versions take effect, and when they can be announced: before, then, or after."""


class Dated(NamedTuple):
    """A version: which ruleset, from when, known since when, which file of its instant (from 1),
    and the figure that tells it from all others."""

    ruleset: str
    start: datetime
    told: datetime | None
    file: int
    figure: int

    def document(self) -> tuple[str, str]:
        """The path and the text of its rule file."""
        more = f"+{self.file}" if self.file > 1 else ""
        path = f"{self.ruleset}/{self.start:%Y-%m-%dT%H}{more}.yaml"
        announced = instant_text(self.told) if self.told else "null"
        reason = "corrects: {reason: Another figure.}\n" if self.file > 1 else ""
        return path, _TEXT.format(
            name=self.ruleset,
            start=instant_text(self.start),
            announced=announced,
            corrects=reason,
            more=_DECIDES if self.ruleset == "desk" else "",
            figure=self.figure,
        )


_TEXT = """\
ruleset: {name}
effective_from: {start}
announced_at: {announced}
{corrects}summary: What is put to the test.
sources: {{}}
parameters: {{{name}_figure: {{title: Figure, value: {figure}, unit: ratio}}}}
{more}"""
_DECIDES = """\
uses: [used]
applies_when: mode == "pro"
inputs: {account: {mode: {type: text}}}
formulas:
  account:
    own: {title: Own, unit: ratio, expression: desk_figure}
    other: {title: Other, unit: ratio, expression: used_figure}
statuses: {normal: {title: Normal}}
"""
ACCOUNT: dict[str, Any] = {"account": "A", "mode": "pro", "assets": []}


def book_of(versions: Iterable[Dated]) -> Rulebook:
    """The rulebook of some versions."""
    return Rulebook(version.document() for version in versions)


def documents_of(versions: Iterable[Dated]) -> list[dict[str, Any]]:
    """The same for the oracle: every scalar as it is written."""
    return [yaml.load(version.document()[1], yaml.BaseLoader) for version in versions]


def moments_of(versions: Sequence[Dated]) -> list[datetime]:
    """Every instant at which something takes effect or is announced, and those right beside it."""
    said = {at for version in versions for at in (version.start, version.told) if at is not None}
    return sorted(at + off * MOMENT for at in said for off in (-1, 0, 1))


@st.composite
def timelines(draw: st.DrawFn) -> list[Dated]:
    """A ruleset that decides and one that it uses, which is there from the first instant."""
    figures = count(1)
    made = [Dated("used", FIRST, None, 1, next(figures))]
    for ruleset in ("used", "desk"):
        for start in sorted(draw(st.sets(st.sampled_from(STARTS), min_size=1, max_size=3))):
            told: datetime | None = draw(st.none() | st.sampled_from(TOLD))
            later = [at for at in TOLD if told is None or at > told]
            known = [told]
            if draw(st.booleans()) and later:
                known += sorted(draw(st.sets(st.sampled_from(later), min_size=1, max_size=2)))
            made += [
                Dated(ruleset, start, at, file, next(figures)) for file, at in enumerate(known, 1)
            ]
    return made
