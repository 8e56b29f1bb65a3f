"""What changed between two states of the rules, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from policy_engine.diff import Change, Changes, Compared, Significance
from policy_engine.diff.change import ADDED, REMOVED
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.change import body
from policy_engine.render.layout import Page

NO_CHANGE = "no change"
NO_SOURCE = "no source"
_SIGNS = {ADDED: "+", REMOVED: "-"}
_COLOURS = {ADDED: "green", REMOVED: "red"}
_GRADE_WIDTH = max(len(grade.word) for grade in Significance)


def render(changes: Changes, page: Page | None = None) -> str:
    """The changes by ruleset, the deepest first, each with its source and since when it holds."""
    if not changes.changes:
        return NO_CHANGE
    drawn = page or Page()
    blocks = ["\n".join(_block(pair, changes, drawn)) for pair in changes.rulesets]
    if sources := "\n".join(_sources(changes)):
        blocks.append(sources)
    return "\n\n".join([*blocks, summary(changes)])


def _block(pair: Compared, changes: Changes, page: Page) -> Iterator[str]:
    yield page.bold(heading(pair))
    if pair.after is not None:
        yield f"  {pair.after.summary}"
    for folded in fold(changes.of(pair.ruleset)):
        yield from _lines(folded, page)


def heading(pair: Compared) -> str:
    """Which version follows which, and since when."""
    old, new = pair.before, pair.after
    if new is None:
        return f"{pair.ruleset}: {stem(old)} is gone"
    if old is None:
        return f"{pair.ruleset}: starts with {stem(new)}, {since(new)}"
    if old.id == new.id:
        return f"{pair.ruleset}: {stem(new)}, edited, {since(new)}"
    return f"{pair.ruleset}: {stem(old)} -> {stem(new)}, {since(new)}"


def stem(version: Version | None) -> str:
    """A version's name inside its ruleset."""
    return "" if version is None else version.id.partition("@")[2]


def since(version: Version) -> str:
    """When a version takes effect, and when it was announced."""
    announced = version.announced_at
    known = "announcement not known" if announced is None else f"announced {_text(announced)}"
    return f"in force from {_text(version.effective_from)}, {known}"


_text = instant_text


# --- folding --------------------------------------------------------------------------------------

Folded = tuple[Change, ...]
"""Changes that differ in nothing but the last part of their id."""


def fold(changes: Iterable[Change]) -> Iterator[Folded]:
    """The changes in their order; those that say the same of several keys stand together."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault(_said(change), []).append(change)
    return map(tuple, groups.values())


def _said(change: Change) -> tuple[object, ...]:
    """Equal for changes that can stand in one line."""
    alone = change.id if change.part is not None else change.path[:-1]
    return (change.significance, change.action, alone, body(change), brackets(change))


def folded_body(folded: Folded) -> str:
    """What they all say; of a single key, with the key in its place."""
    said = body(folded[0])
    single = len(folded) == 1 and folded[0].kind == "row"
    return said.replace("{key}", folded[0].path[-1]) if single else said


def name(folded: Folded) -> str:
    """The id of a change, or of several with one parent."""
    first = folded[0]
    if len(folded) == 1:
        return first.id
    parent = "/".join((first.ruleset, *first.path[:-1]))
    return f"{parent}/{{{', '.join(change.path[-1] for change in folded)}}}"


def brackets(change: Change) -> str:
    """The source of a change and the instant since which it holds."""
    cited = NO_SOURCE if change.citation is None else change.citation.source
    return f"{cited}, {instant_text(change.since)}"


# --- lines ----------------------------------------------------------------------------------------


def _lines(folded: Folded, page: Page) -> Iterator[str]:
    change = folded[0]
    sign = _SIGNS.get(change.action, "~")
    coloured = page.colour(sign, _COLOURS.get(change.action, "yellow"))
    grade = change.significance.word.ljust(_GRADE_WIDTH)
    bracketed = page.dim(f"[{brackets(change)}]")
    yield f"  {coloured} {grade} {name(folded)}: {folded_body(folded)}  {bracketed}"
    if change.part is not None and not (change.part.before.whole and change.part.after.whole):
        for word, side in (("before", change.part.before), ("after ", change.part.after)):
            yield f"      {word}  {side.text}".rstrip()
            if carets := underline(side.spans):
                yield f"              {carets}"


def underline(spans: Iterable[tuple[int, int]]) -> str:
    """Carets under stretches of a line."""
    line = ""
    for start, end in spans:
        line = line.ljust(start) + "^" * (end - start)
    return line


def _sources(changes: Changes) -> Iterator[str]:
    named = {c.citation.source: c.source for c in changes.changes if c.citation and c.source}
    width = max(map(len, named), default=0)
    if named:
        yield "sources"
    for key in sorted(named):
        source = named[key]
        yield f"  {key.ljust(width)}  {', '.join(filter(None, (source.title, source.updated)))}"


def summary(changes: Changes) -> str:
    """The significance of the whole, and how many changes there are of each."""
    grade = changes.significance
    assert grade is not None
    counts = Counter(change.significance for change in changes.changes)
    listed = ", ".join(f"{counts[one]} {one.word}" for one in reversed(Significance) if counts[one])
    total = len(changes.changes)
    return f"significance: {grade.word}; {total} change{'' if total == 1 else 's'}: {listed}"
