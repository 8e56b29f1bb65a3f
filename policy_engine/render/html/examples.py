"""A worked example on a page: the account, what is decided of it, and every step to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.book import Example
from policy_engine.decision import Decision
from policy_engine.explain import Entry
from policy_engine.ladder import Ladder
from policy_engine.model import LISTS, Version
from policy_engine.numbers import text_of
from policy_engine.render.html.ladder import ladder_picture
from policy_engine.render.html.page import drawn
from policy_engine.render.layout import figure_text

_RULINGS = {True: "open", False: "refused", None: "cannot be told"}
_ANSWERS = {True: "permitted", False: "refused", None: "cannot be told"}


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a list of the account, as a table."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Worked:
    """An example as a page shows it; `moved` are the figures that the request moves."""

    number: int
    version: Version
    example: Example
    title: str
    fields: tuple[tuple[str, str], ...]
    lists: tuple[Lines, ...]
    status: str
    ladders: tuple[tuple[Ladder, Any], ...]
    permissions: tuple[tuple[str, str, str], ...]
    asked: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, str, str], ...]
    steps: tuple[Entry, ...]


def worked(number: int, version: Version, example: Example) -> Worked:
    """The example for a page."""
    decision, answer = example.decision, example.answer
    titles = {f"statuses/{one.name}": one.title for one in version.statuses}
    pictures = ((one, drawn(ladder_picture(one, titles))) for one in example.ladders if one.rungs)
    return Worked(
        number,
        version,
        example,
        _title(version, example),
        tuple(_fields(example.snapshot)),
        tuple(_lists(example.snapshot)),
        titles.get(f"statuses/{decision.status}", "cannot be told"),
        tuple(pictures),
        tuple(_permissions(version, decision)),
        () if answer is None else tuple((n, figure_text(v)) for n, v in answer.inputs.items()),
        () if answer is None else tuple(_moved(version, decision, answer.after)),
        tuple(one for one in example.trace.entries if one.expression is not None),
    )


def _title(version: Version, example: Example) -> str:
    if example.answer is None:
        status = next(s.title for s in version.statuses if s.name == example.decision.status)
        return f"Status: {status}"
    request = version.requests[example.answer.request]
    return f"{request.title}: {_ANSWERS[example.answer.permitted]}"


def _fields(snapshot: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """The account's own figures; those within others with the name of what they are in."""
    for name, value in snapshot.items():
        words = f"{before}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _fields(value, f"{words}, ")
        elif name not in LISTS and name != "account":
            yield words, _text(value)


def _lists(snapshot: Mapping[str, Any]) -> Iterator[Lines]:
    for name in LISTS:
        lines: Sequence[Mapping[str, Any]] = snapshot.get(name) or ()
        heads = tuple(dict.fromkeys(key for line in lines for key in line))
        if heads:
            rows = tuple(tuple(_text(line.get(key)) for key in heads) for line in lines)
            yield Lines(name, tuple(head.replace("_", " ") for head in heads), rows)


def _text(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool | Decimal):
        return figure_text(value)
    return str(text_of(value)) if not isinstance(value, str) else value


def _permissions(version: Version, decision: Decision) -> Iterator[tuple[str, str, str]]:
    """Each permission of the version: of what, how it stands, and why."""
    for name in version.offers:
        item = version.permissions.get(name) or version.requests[name]
        ruling = decision.permissions[name]
        why = "; ".join(reason.title for reason in ruling.reasons)
        if ruling.permitted is None:
            why = "; ".join(decision.undetermined.get(f"permissions.{name}", ()))
        yield item.title.removesuffix(" is open"), _RULINGS[ruling.permitted], why


def _moved(
    version: Version, before: Decision, after: Decision | None
) -> Iterator[tuple[str, str, str]]:
    """The account's figures that a request moves, before and afterwards."""
    formulas = version.formulas.get("account", {})
    for name, value in before.values.items() if after is not None else ():
        assert after is not None
        later = after.values.get(name)
        if later != value and name in formulas:
            yield formulas[name].title, figure_text(value), figure_text(later)
