"""A formula on a page: as mathematics, in words, and as the rule file writes it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from policy_engine.diff import Change
from policy_engine.diff.formulas import Marked, whole
from policy_engine.language.marking import Span
from policy_engine.language.markup import mathml
from policy_engine.language.phrases import Piece, Pieces, joined
from policy_engine.language.syntax import spelled
from policy_engine.language.terms import Terms, terms_of, untitled
from policy_engine.language.wording import in_words, sentences
from policy_engine.model import ACCOUNT, LISTS, Formula, Request, Rule, Version
from policy_engine.render.html.page import drawn


@dataclass(frozen=True, slots=True)
class Shown:
    """A formula in its three forms; `code` are its stretches, each marked or not."""

    math: Any
    words: Pieces
    code: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Reader:
    """Reads the formulas of a version, among others whose titles it may need."""

    version: Version | None
    others: tuple[Version, ...] = ()

    def of_change(self, change: Change, side: Marked) -> Shown:
        """One side of the change of a formula, with the part that differs marked."""
        spans = () if side.whole else side.spans
        return self._shown(change, spelled(side.text), side.text, spans)

    def of_item(self, change: Change, item: Formula | Rule) -> Shown | None:
        """The formula of what was added or removed, if it has one."""
        expression = item.expression if isinstance(item, Formula) else item.when
        if expression is None:
            return None
        text = whole(expression).text
        return self._shown(change, spelled(text), text, ())

    def _shown(self, change: Change, tree: ast.expr, text: str, spans: tuple[Span, ...]) -> Shown:
        terms, entity = self._terms(change.path), self._entity(change.path)
        of = terms.figure(entity, change.name) if change.kind == "formula" else None
        made = drawn(mathml(tree, terms, entity, spans, of))
        return Shown(made, _said(change, tree, terms, entity, spans), tuple(_cut(text, spans)))

    def _terms(self, path: tuple[str, ...]) -> Terms:
        own = () if self.version is None else (self.version,)
        terms = terms_of((*own, *self.others))
        request = self._request(path)
        return terms if request is None else terms.of_request(request.inputs.values())

    def _request(self, path: tuple[str, ...]) -> Request | None:
        if self.version is None or len(path) < 2 or path[0] != "requests":
            return None
        return self.version.requests.get(path[1])

    def _entity(self, path: tuple[str, ...]) -> str:
        """Whose formula stands at a path."""
        if len(path) > 2 and path[0] == "formulas":
            return path[1]
        request = self._request(path)
        if request is None or len(path) < 4 or not path[3].startswith("line-"):
            return ACCOUNT
        named = request.inputs.get(path[3].removeprefix("line-"))
        return named.key_of or ACCOUNT if named else ACCOUNT


_LEADS = {
    "status": "It holds when ",
    "refusal": "It is refused when ",
    "notice": "It is told when ",
    "scope": "These rules apply when ",
}


def _said(
    change: Change, tree: ast.expr, terms: Terms, entity: str, spans: Iterable[Span]
) -> Pieces:
    """The formula in whole sentences."""
    if change.kind in _LEADS:
        return joined(_LEADS[change.kind], in_words(tree, terms, entity, spans), ".")
    name = change.name.partition("[")[0]
    if change.kind == "invariant":
        return joined("It always holds that ", in_words(tree, terms, entity, spans), ".")
    of = terms.figure(entity, name)
    if change.kind == "effect":
        becomes = Piece((of if entity in LISTS else untitled(name)).text.capitalize(), name)
        return joined((becomes,), " becomes ", in_words(tree, terms, entity, spans), ".")
    return sentences(of, tree, terms, entity, spans)


def _cut(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, bool]]:
    """A text in stretches, marked and not."""
    last = 0
    for start, end in sorted(spans):
        yield from ((text[last:start], False),) if start > last else ()
        yield text[start:end], True
        last = end
    yield from ((text[last:], False),) if last < len(text) else ()


def runs(pieces: Pieces) -> list[tuple[bool, tuple[Piece, ...]]]:
    """Pieces that are marked, and that are not, together."""
    key: Callable[[Piece], bool] = lambda piece: piece.marked  # noqa: E731
    return [(marked, tuple(run)) for marked, run in groupby(pieces, key)]
