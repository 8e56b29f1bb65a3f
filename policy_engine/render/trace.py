"""Why a figure is what it is, as a person or a program reads it: down to the inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from policy_engine.decision import Decision
from policy_engine.explain import Entry, Looked, Slice, Trace
from policy_engine.json_values import cited
from policy_engine.language.plan import Plan
from policy_engine.model import LISTS, Citation
from policy_engine.numbers import text_of
from policy_engine.render.decision import HINT
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, figure_text, on_the_point, padded

_LABEL = 9
_GUIDE = "│ "
_COIN = re.compile(r"\bcoin of (\w+)")
_STATUS, _PERMISSION = "status", "permissions."
_FIRST = "The first of these that holds, from the top; if none does, the last status of the rules."
_ANY = "Refused if any of these holds."


def render(trace: Trace, decision: Decision, plan: Plan, page: Page) -> str:
    """The trace as a tree: each entry in full where it is first met, by name and value after."""
    return "\n".join(_Tree(trace, decision, _Sources(plan), page).lines())


def to_json(trace: Trace, decision: Decision, plan: Plan) -> str:
    """The same as one line of JSON: every entry once, readers before what they read."""
    sources = _Sources(plan)
    held = {
        "account": decision.account,
        "name": trace.name,
        "answer": _answer(trace.name, decision),
        "entries": [_plain(entry, sources) for entry in trace.entries],
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _answer(name: str, decision: Decision) -> str | bool | None:
    """What was asked for where it is more than one figure: the status, or a permission."""
    if name == _STATUS:
        return decision.status
    ruling = decision.permissions.get(name.removeprefix(_PERMISSION))
    if name.startswith(_PERMISSION) and ruling is not None:
        return {True: "permitted", False: "refused", None: None}[ruling.permitted]
    return None


@dataclass(frozen=True)
class _Sources:
    """The documents that the versions of a plan cite, by version and name."""

    plan: Plan

    def title(self, version: str | None, citation: Citation) -> str:
        """The title of a cited document, with the day it was updated."""
        held = (v.sources for v in self.plan.scope.versions if v.id == version)
        source = next(held, {}).get(citation.source)
        if source is None:
            return citation.source
        return source.title + (f" ({source.updated})" if source.updated else "")

    def text(self, version: str | None, citation: Citation) -> str:
        """The document and the words that carry the figure."""
        quote = f': "{citation.quote}"{citation.where}' if citation.quote else ""
        return self.title(version, citation) + quote


# --- for a person --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tree:
    trace: Trace
    decision: Decision
    sources: _Sources
    page: Page

    def lines(self) -> Iterator[str]:
        """Every entry: in full under the first that reads it, by name and value under others."""
        read = {name for entry in self.trace.entries for name in entry.reads}
        roots = [entry for entry in self.trace.entries if entry.name not in read]
        yield from self._head()
        shown: set[str] = set()
        for number, entry in enumerate(roots):
            if number:
                yield ""
            yield from self._branch(entry, shown, 0)

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        return {entry.name: entry for entry in self.trace.entries}

    def _head(self) -> Iterator[str]:
        """The answer, where the question is about several conditions."""
        name = self.trace.name
        if name == _STATUS or name.startswith(_PERMISSION):
            answer = _answer(name, self.decision) or CANNOT_BE_TOLD
            yield self.page.bold(f"{name} = {answer}")
            how = _FIRST if name == _STATUS else _ANY
            yield from map(self.page.dim, self.page.wrapped(how, 2))
            yield ""

    def _branch(self, entry: Entry, shown: set[str], depth: int) -> Iterator[str]:
        """An entry and, under it, what it was made from: what is short first."""
        guide = self.page.dim(_GUIDE * depth)
        shown.add(entry.name)
        yield guide + self._value(entry)
        about = self._about(entry, _Narrow(self.page, self.page.width - len(_GUIDE) * depth))
        yield from (guide + line for line in about)
        read = [self._entries[name] for name in entry.reads]
        longer = [one for one in read if one.expression is not None and one.name not in shown]
        for one in read:
            if one not in longer:
                yield from self._short(one, shown, depth + 1)
        for one in longer:
            yield (guide + self.page.dim(_GUIDE)).rstrip()
            yield from self._again_or(one, shown, depth + 1)

    def _again_or(self, entry: Entry, shown: set[str], depth: int) -> Iterator[str]:
        if entry.name in shown:
            return self._short(entry, shown, depth)
        return self._branch(entry, shown, depth)

    def _short(self, entry: Entry, shown: set[str], depth: int) -> Iterator[str]:
        """What was given, or was shown in full before."""
        if entry.name not in shown:
            yield from self._branch(entry, shown, depth)
        else:
            above = self.page.dim(", as above")
            yield self.page.dim(_GUIDE * depth) + self._value(entry) + above

    def _value(self, entry: Entry) -> str:
        given = entry.expression is None
        name = entry.name if given else self.page.bold(entry.name)
        if given and entry.version is None and entry.value is None:
            return f"{name} = not given"
        return f"{name} = {self._amount(entry)}"

    def _amount(self, entry: Entry) -> str:
        """The value with its unit; `coin of asset` is shown as the coin that the line is of."""
        text = figure_text(entry.value)
        unit = entry.unit or "ratio"
        if not isinstance(entry.value, Decimal) or not entry.value.is_finite() or unit == "ratio":
            return text
        line = entry.name.rpartition(".")[0]
        return f"{text} {_COIN.sub(lambda found: self._coin(line, found[1]) or found[0], unit)}"

    def _coin(self, line: str, name: str) -> str | None:
        entry = self._entries.get(f"{line}.{name}")
        entity, _, key = line.partition(".")
        if entry is not None and entry.value is not None:
            return figure_text(entry.value)
        return key if name == self.sources.plan.scope.key(entity) else None

    def _about(self, entry: Entry, page: _Narrow) -> Iterator[str]:
        if entry.title and entry.title.lower() != _words(entry.name):
            yield from page.wrapped(entry.title, 2)
        for reason in entry.reasons if entry.expression or entry.version else ():
            why, _, hint = reason.partition(HINT)
            yield from page.labelled("because", why)
            if hint:
                yield from page.labelled("", f"to settle it: {hint}")
        if entry.expression is not None:
            yield from page.labelled("formula", entry.expression)
        yield from self._lists_without_lines(entry, page)
        for looked in entry.looked:
            yield from self._looked(looked, page)
        yield from map(self.page.dim, self._written(entry, page))

    def _lists_without_lines(self, entry: Entry, page: _Narrow) -> Iterator[str]:
        """A sum over no lines reads nothing: it should not look forgotten."""
        for entity in LISTS:
            lines = getattr(self.decision, entity)
            if f"({entity}, " in (entry.expression or "") and not lines:
                known = "has no lines" if lines is not None else "is not known"
                yield from page.labelled("", f"`{entity}` {known}")

    def _looked(self, looked: Looked, page: _Narrow) -> Iterator[str]:
        key = "" if looked.key is None else f" for {looked.key}"
        label = "tiers" if looked.slices else "table"
        yield from page.labelled(label, f"{looked.name}{key} gives {figure_text(looked.answer)}")
        yield from (" " * (_LABEL + 2) + line for line in _slices(looked.slices))
        if looked.citation is not None:
            text = f"{self.sources.text(looked.version, looked.citation)}; {looked.version}"
            yield from map(self.page.dim, page.labelled("", text))

    def _written(self, entry: Entry, page: _Narrow) -> Iterator[str]:
        """Where a figure is written, what is said about it, and in which version."""
        if entry.citation is not None:
            yield from page.labelled("source", self.sources.text(entry.version, entry.citation))
        if entry.note:
            yield from page.labelled("note", " ".join(entry.note.split()))
        if entry.version is not None:
            yield from page.labelled("rules", entry.version)


@dataclass(frozen=True)
class _Narrow:
    """A page with part of its width taken by guides."""

    page: Page
    width: int

    def wrapped(self, text: str, indent: int, first: str = "") -> list[str]:
        narrow = Page(max(self.width, indent + 30))
        return narrow.wrapped(text, indent, first)

    def labelled(self, label: str, text: str) -> list[str]:
        return self.wrapped(text, _LABEL + 2, f"  {label}" if label else "")


def _words(name: str) -> str:
    """The last part of a figure's name as words."""
    return name.rpartition(".")[2].replace("_", " ")


def _slices(slices: tuple[Slice, ...]) -> Iterator[str]:
    """Each slice as a row: its tier, its part, the rate, and what they make."""
    if not slices:
        return
    columns = (
        ["from", *(figure_text(one.above) for one in slices)],
        ["to", *("and above" if one.upto is None else figure_text(one.upto) for one in slices)],
        ["part", *(figure_text(one.part) for one in slices)],
        ["x rate", *(figure_text(one.rate) for one in slices)],
        ["= gives", *(figure_text(one.gives) for one in slices)],
    )
    aligned = [_column(column) for column in columns]
    for row in zip(*aligned, strict=True):
        yield "  ".join(row).rstrip()


def _column(cells: list[str]) -> list[str]:
    head, *numbers = cells
    texts = on_the_point(numbers)
    width = max(len(head), *map(len, texts))
    return [head.rjust(width), *(padded(text.rjust(width), width) for text in texts)]


# --- for a program -------------------------------------------------------------------------------


def _plain(entry: Entry, sources: _Sources) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "value": text_of(entry.value),
        "unit": entry.unit,
        "expression": entry.expression,
        "reads": list(entry.reads),
        "looked": [_plain_looked(looked, sources) for looked in entry.looked],
        "reasons": list(entry.reasons),
        "version": entry.version,
        "citation": _cited(entry.version, entry.citation, sources),
        "note": entry.note,
    }


def _plain_looked(looked: Looked, sources: _Sources) -> dict[str, Any]:
    names = ("above", "upto", "part", "rate", "gives")
    return {
        "name": looked.name,
        "key": looked.key,
        "answer": text_of(looked.answer),
        "slices": [{name: text_of(getattr(one, name)) for name in names} for one in looked.slices],
        "version": looked.version,
        "citation": _cited(looked.version, looked.citation, sources),
    }


def _cited(
    version: str | None, citation: Citation | None, sources: _Sources
) -> dict[str, str | None] | None:
    if citation is None:
        return None
    said, title = cited(citation), sources.title(version, citation)
    return {"source": said.pop("source"), "title": title, **said}
