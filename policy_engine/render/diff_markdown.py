"""What changed between two states of the rules, as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.diff import Change, Changes, Compared, Significance
from policy_engine.diff.change import ADDED, REMOVED
from policy_engine.numbers import instant_text
from policy_engine.render.diff import (
    NO_CHANGE,
    NO_SOURCE,
    Folded,
    fold,
    folded_body,
    since,
    stem,
    summary,
)
from policy_engine.render.markdown import code, escaped, inline, prose, visible

MOST_BYTES = 60_000
"""What a comment on a pull request can hold, with some room."""
_ROWS = (None, 200, 50, 20, 5, 1)
"""How many rows of each table are kept, tried in this order until the page fits."""
LONGEST_CELL = 400
_WORDS = {ADDED: "added", REMOVED: "removed"}
_HEAD = ("| | significance | change | source | since |", "|---|---|---|---|---|")


def render(changes: Changes) -> str:
    """The changes as tables by ruleset, wording folded away; under 60 kB, whatever is left out
    is counted."""
    if not changes.changes:
        return f"{NO_CHANGE}\n"
    pages = (_page(changes, rows) for rows in _ROWS)
    page = next((page for page in pages if _fits(page)), None)
    return page or _cut(_page(changes, _ROWS[-1]))


def _fits(page: str) -> bool:
    return len(page.encode()) < MOST_BYTES


def _cut(page: str) -> str:
    """As many of the rulesets as fit, and a line that says so."""
    first, *rulesets = page.partition("\n\n## Sources\n")[0].split(_RULESET)
    while rulesets and not _fits(_joined(first, rulesets)):
        rulesets.pop()
    return _joined(first, rulesets)


def _joined(first: str, rulesets: Sequence[str]) -> str:
    return f"{_RULESET.join([first, *rulesets])}\n\n{_REST}\n"


_RULESET = "\n\n## "
_REST = "… and more rulesets; `--format json` has everything."


def _page(changes: Changes, rows: int | None) -> str:
    blocks = ["# Changes of the rules", escaped(summary(changes))]
    for pair in changes.rulesets:
        blocks += _block(pair, changes.of(pair.ruleset), rows)
    if sources := list(_sources(changes)):
        blocks += ["## Sources", "\n".join(sources)]
    return "\n\n".join(blocks) + "\n"


def _block(pair: Compared, changes: Sequence[Change], rows: int | None) -> Iterator[str]:
    yield f"## {_heading(pair)}"
    if pair.after is not None:
        yield f"Version {since(pair.after)}."
        yield f"> {escaped(pair.after.summary)}"
    folded = list(fold(changes))
    deep = [one for one in folded if one[0].significance > Significance.WORDING]
    wording = folded[len(deep) :]
    if deep:
        yield "\n".join(_table(deep, rows))
    yield from _formulas(deep, rows)
    if wording:
        count = sum(map(len, wording))
        yield f"<details><summary>{count} of wording</summary>"
        yield "\n".join(_table(wording, rows))
        yield "</details>"


def _heading(pair: Compared) -> str:
    name = code(pair.ruleset)
    if pair.after is None:
        return f"{name}: {escaped(stem(pair.before))} is gone"
    if pair.before is None:
        return f"{name} starts with {escaped(stem(pair.after))}"
    if pair.before.id == pair.after.id:
        return f"{name}: {escaped(stem(pair.after))}, edited"
    return f"{name}: {escaped(stem(pair.before))} → {escaped(stem(pair.after))}"


def _table(folded: Sequence[Folded], rows: int | None) -> Iterator[str]:
    yield from _HEAD
    kept = folded[:rows]
    yield from map(_row, kept)
    if len(kept) < len(folded):
        left = sum(map(len, folded[len(kept) :]))
        yield f"| | | … and {left} more; `--format json` has all | | |"


def _row(folded: Folded) -> str:
    change = folded[0]
    said = _shortened(folded_body(folded))
    cells = (
        _WORDS.get(change.action, ""),
        change.significance.word,
        f"{code(_name(folded))}: {prose(said)}",
        NO_SOURCE if change.citation is None else code(change.citation.source),
        instant_text(change.since),
    )
    return f"| {' | '.join(cells)} |"


def _name(folded: Folded) -> str:
    """The path inside the ruleset, whose name stands above."""
    first = folded[0]
    if len(folded) == 1:
        return "/".join(first.path) or first.ruleset
    keys = ", ".join(change.path[-1] for change in folded)
    return _shortened(f"{'/'.join(first.path[:-1])}/{{{keys}}}")


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _formulas(folded: Sequence[Folded], rows: int | None) -> Iterator[str]:
    """The formulas of which only a part differs, whole, as a diff shows them."""
    parts = [(one[0], one[0].part) for one in folded if one[0].part is not None]
    inside = [(c, p) for c, p in parts if p and not (p.before.whole and p.after.whole)]
    if inside:
        lines = [
            line
            for change, part in inside[:rows]
            for line in (
                f"@@ {'/'.join(change.path)} @@",
                f"- {visible(part.before.text)}",
                f"+ {visible(part.after.text)}",
            )
        ]
        yield "\n".join(("```diff", *lines, "```"))


def _sources(changes: Changes) -> Iterator[str]:
    named = {c.citation.source: c.source for c in changes.changes if c.citation and c.source}
    for key in sorted(named):
        source = named[key]
        listed = ", ".join(filter(None, (source.title, source.updated)))
        yield f"- {code(key)}: {inline(listed)}"
