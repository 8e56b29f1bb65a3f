"""What changed between two states of the rules, as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policy_engine.diff import Changes, Compared, Significance
from policy_engine.model import (
    Scale,
    Version,
)
from policy_engine.render.diff import (
    NO_SOURCE,
    render,
    stem,
)
from policy_engine.render.html.charts import Chart, charts, rate_text, step_chart
from policy_engine.render.html.entries import Entry, Listing, entries, gathered
from policy_engine.render.html.formulas import Reader, runs
from policy_engine.render.html.page import State, counted, drawn, lines, page
from policy_engine.render.layout import number_text

MOST_CHARTS = 12
"""Charts of one scale; the rest is in the raw diff."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and the same as a table."""

    chart: Chart
    title: str
    svg: Any
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of one ruleset, those of wording apart."""

    pair: Compared
    heading: str
    deep: tuple[Entry | Listing, ...]
    wording: tuple[Entry, ...]
    pictures: tuple[Picture, ...]
    pictures_left: int


def diff_page(changes: Changes, old: State, new: State, command: str) -> str:
    """The changes as a page that ends with the command that makes it again.

    Raises PolicyError where jinja2 is not installed.
    """
    return page("diff.html", **values(changes, old, new), command=command)


def values(changes: Changes, old: State, new: State) -> dict[str, Any]:
    """What the parts of a page need that tell of the changes."""
    return {
        "old": old,
        "new": new,
        "changes": changes,
        "counts": _counts(changes),
        "sections": [_section(pair, changes, old, new) for pair in changes.rulesets],
        "sources": _sources(changes),
        "raw": drawn_text(render(changes)),
        "runs": runs,
        "counted": counted,
        "NO_SOURCE": NO_SOURCE,
    }


def drawn_text(text: str) -> Any:
    """Text of several lines, for a page."""
    from markupsafe import escape  # comes with jinja2, which is optional

    return escape(lines(text))


def _section(pair: Compared, changes: Changes, old: State, new: State) -> Section:
    readers = (
        Reader(pair.before, _others(old, changes, "before")),
        Reader(pair.after, _others(new, changes, "after")),
    )
    found = list(entries(changes.of(pair.ruleset), pair, readers))
    wording = [e for e in found if e.change.significance is Significance.WORDING]
    deep = [e for e in found if e.change.significance is not Significance.WORDING]
    pictures = list(_pictures(pair, changes))
    shown = tuple(pictures[:MOST_CHARTS])
    left = len(pictures) - len(shown)
    return Section(pair, _heading(pair), tuple(gathered(deep)), tuple(wording), shown, left)


def _heading(pair: Compared) -> str:
    """Which version follows which."""
    if pair.after is None:
        return f"{pair.ruleset}: {stem(pair.before)} is gone"
    if pair.before is None:
        return f"{pair.ruleset} starts with {stem(pair.after)}"
    if pair.before.id == pair.after.id:
        return f"{pair.ruleset}: {stem(pair.after)}, edited"
    return f"{pair.ruleset}: {stem(pair.before)} → {stem(pair.after)}"


def _counts(changes: Changes) -> list[tuple[str, int, str]]:
    """How many changes there are of each significance, and what it means."""
    counts = Counter(change.significance for change in changes.changes)
    return [(one.word, counts[one], _MEANS[one]) for one in reversed(Significance) if counts[one]]


_MEANS = {
    Significance.INPUTS: "what accounts and requests must bring",
    Significance.LOGIC: "formulas, conditions, what there is to decide",
    Significance.VALUE: "figures and dates",
    Significance.WORDING: "nothing decides differently",
}


def _others(state: State, changes: Changes, side: str) -> tuple[Version, ...]:
    """Versions whose titles formulas may need: those in force, else those that changed."""
    held = (getattr(pair, side) for pair in changes.rulesets)
    return (*state.versions, *(version for version in held if version is not None))


# --- scales and sources ---------------------------------------------------------------------------


def _pictures(pair: Compared, changes: Changes) -> Iterator[Picture]:
    named = (c.path[1] for c in changes.of(pair.ruleset) if c.path[:1] == ("scales",))
    for scale in dict.fromkeys(named):
        old, new = (_scale(version, scale) for version in (pair.before, pair.after))
        if old or new:
            yield from (_picture(chart, new or old) for chart in charts(old, new))


def _scale(version: Version | None, name: str) -> Scale | None:
    return None if version is None else version.scales.get(name)


def _picture(chart: Chart, scale: Scale | None) -> Picture:
    assert scale is not None
    rows = tuple(
        (
            "above" if step.to is None else number_text(step.to),
            rate_text(step.before),
            rate_text(step.after),
        )
        for step in chart.steps
    )
    return Picture(chart, scale.title, drawn(step_chart(chart)), rows)


def _sources(changes: Changes) -> list[tuple[str, Any]]:
    """The documents that changes cite, by their key."""
    named = {c.citation.source: c.source for c in changes.changes if c.citation and c.source}
    return sorted(named.items())
