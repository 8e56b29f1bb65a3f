"""Whether provisions cite their sources, and whether the sources say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from policy_engine.checks.subject import Saved, Subject
from policy_engine.document import Pointer
from policy_engine.errors import Place, Problem
from policy_engine.model import Citation, Provision, Version
from policy_engine.numbers import text_of
from policy_engine.versions.part import cited_in

_SHOWN = 5
"""So many lines are named."""


class Cited(NamedTuple):
    """A citation, where it stands, and the numbers that its quote carries, if it must."""

    version: Version
    pointer: Pointer
    citation: Citation
    values: tuple[Decimal, ...] = ()


def missing_citation(subject: Subject) -> Iterator[Problem]:
    """A provision that tells neither where it is written nor that it is not.

    Why: A rule that cannot be traced to its source cannot be reviewed. Where the source is silent,
    a `note` or an assumption says so.
    Avoid: lowest_ratio: {title: Lowest ratio, value: 1.3, unit: ratio}
    Prefer: lowest_ratio: {title: …, value: 1.3, citation: {source: faq, quote: at least 1.3}}
    """
    for version in subject.book.versions:
        for item in _provisions(version):
            if item.citation is None and item.note is None and not item.assumes:
                message = f"`{item.name}` cites no source"
                hint = "add a `citation`; where the source is silent, a `note` or an assumption"
                yield Problem("missing-citation", message, hint, item.place)


def _provisions(version: Version) -> Iterator[Provision]:
    """What must be traced to a source: a table may be so row by row, and one rule needs none."""
    yield from version.parameters.values()
    yield from version.scales.values()
    for table in version.tables.values():
        if any(row.citation is None and row.note is None and not row.assumes for row in table.rows):
            yield table
    for formulas in version.formulas.values():
        yield from formulas.values()
    yield from (rule for rule in version.statuses if rule.when is not None)
    yield from version.notices
    for permission in version.permissions.values():
        yield from permission.refuse_when
    for request in version.requests.values():
        yield from (request, *request.refuse_when)


def quote_not_found(subject: Subject) -> Iterator[Problem]:
    """A quote that its saved source does not have. Needs `--sources`.

    Why: A quote is the proof that the figure is the source's own. If the text does not have it, the
    source has changed or was never read so.
    Avoid: quote: the minimum MCR is 1.3
    Prefer: quote: between 1.3 and 2
    """
    for cited, saved in _quoted(subject):
        line, lines = cited.citation.line, _lines(cited, saved)
        if not lines:
            message = f"`{cited.citation.quote}` does not stand in `{saved.path}`"
            hint = "quote the source letter by letter: the fewest words that carry the figure"
            yield _at(cited, "quote-not-found", message, hint)
        elif line is not None and line not in lines:
            message = f"`{cited.citation.quote}` does not begin on line {line} of `{saved.path}`"
            hint = f"it begins on {_listed(lines)}"
            yield _at(cited, "quote-not-found", message, hint, "line")


def quote_not_once(subject: Subject) -> Iterator[Problem]:
    """A quote that its saved source has in several places. Needs `--sources`.

    Why: Whoever looks it up does not know which of the places is meant, and when the source changes
    one of them the quote still seems to stand.
    Avoid: quote: the level
    Prefer: quote: closed at a level of 1.0, or quote: the level with line: 214
    """
    for cited, saved in _quoted(subject):
        line, lines = cited.citation.line, _lines(cited, saved)
        count = len(lines) if line is None else lines.count(line)
        if count > 1:
            on = "" if line is None else f"on line {line} of "
            message = f"`{cited.citation.quote}` stands {on or 'in '}`{saved.path}` {count} times"
            lead = "quote a few words more, so that it stands there once"
            hint = lead if on else f"{lead}, or name its line: it begins on {_listed(lines)}"
            yield _at(cited, "quote-not-once", message, hint)


def value_not_in_quote(subject: Subject) -> Iterator[Problem]:
    """A quote with figures, among which that of the provision is not.

    Why: The quote is there to carry the figure. With another one, one of the two was changed and
    the other forgotten, or mistyped.
    Avoid: value: 1.4 with quote: between 1.3 and 2
    Prefer: value: 1.3 with quote: between 1.3 and 2
    """
    for version in subject.book.versions:
        for cited in _citations(version):
            written = _numbers(cited.citation.quote or "")
            for value in cited.values if written else ():
                if value not in written:
                    message = f"the value {text_of(value)} does not stand in its quote"
                    hint = "one of the two is mistyped, or was changed alone"
                    yield _at(cited, "value-not-in-quote", message, hint)


# --- quotes --------------------------------------------------------------------------------------


def _quoted(subject: Subject) -> Iterator[tuple[Cited, Saved]]:
    """Every quote of a source that is saved, with its text."""
    for version in subject.book.versions:
        for cited in _citations(version):
            saved = (subject.sources or {}).get(cited.citation.source)
            if saved is not None and cited.citation.quote is not None:
                yield cited, saved


def _citations(version: Version) -> Iterator[Cited]:
    """Every citation of a version, wherever it stands."""
    for pointer, part in _parts(version.document, ()):
        said = part.get("citation")
        if isinstance(said, dict):
            yield Cited(version, pointer, cited_in(said), tuple(_values(version, pointer)))


def _parts(content: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    if isinstance(content, dict):
        yield pointer, content
        for name, part in content.items():
            yield from _parts(part, (*pointer, name))
    elif isinstance(content, list):
        for at, part in enumerate(content):
            yield from _parts(part, (*pointer, at))


def _values(version: Version, pointer: Pointer) -> Iterator[Decimal]:
    """The number of a parameter or a row; other provisions have none of their own, or several."""
    match pointer:
        case ("parameters", str(name)):
            value = version.parameters[name].value
        case ("tables", str(name), "rows", int(at)):
            value = version.tables[name].rows[at].value
        case _:
            return
    if isinstance(value, Decimal) and value.is_finite():
        yield value


def _lines(cited: Cited, saved: Saved) -> list[int]:
    """The line of each place where the source has the quote, which may run over a line's end."""
    words = (cited.citation.quote or "").split()
    spelled = r"\s+".join(map(re.escape, words))
    found = re.finditer(spelled, saved.text)
    return [saved.text.count("\n", 0, match.start()) + 1 for match in found]


def _listed(lines: list[int]) -> str:
    """Some lines in words, the first few by their numbers."""
    told = [str(line) for line in dict.fromkeys(lines)]
    more = ["others"] if len(told) > _SHOWN else []
    *first, last = [*told[:_SHOWN], *more]
    return f"lines {', '.join(first)} and {last}" if first else f"line {last}"


_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})+(?:\.\d+)?\s*%?|(?<![\w.])\d+(?:\.\d+)?\s*%?")


def _numbers(quote: str) -> set[Decimal]:
    """The numbers of a quote: `1,000,000` is a million, `3%` is 0.03."""
    found = set()
    for match in _NUMBER.finditer(quote):
        digits = match[0].replace(",", "").strip()
        number = Decimal(digits.rstrip("% "))
        found.add(number / 100 if digits.endswith("%") else number)
    return found


def _at(cited: Cited, code: str, message: str, hint: str, key: str = "quote") -> Problem:
    place: Place = cited.version.place((*cited.pointer, "citation", key))
    return Problem(code, message, hint, place)
