"""What a figure's change came from, as a person reads it or a program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.causes import Causes, Corner, Share, Split
from policy_engine.causes.model import INPUTS, NO_FIGURE
from policy_engine.fields import ABSENT
from policy_engine.numbers import instant_text, plain, text_of
from policy_engine.render.layout import (
    CANNOT_BE_TOLD,
    Page,
    columns_of,
    figure_text,
    number_text,
    on_the_point,
    padded,
    table,
)

_LABEL = 14
_MOST_IDLE = 8
_MOST_TEXT = 40
_CUT = re.compile(r"(\.\d{6})\d+…?$", re.ASCII)


def render(found: Causes, page: Page) -> str:
    """The figure at both instants and in between, and what brought how much of its change."""
    parts = (_head(found, page), _corners(found), _split(found, page), _idle(found, page))
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _head(found: Causes, page: Page) -> Iterator[str]:
    yield page.bold(found.name) + (page.dim(f"   {found.title}") if found.title else "")
    yield page.dim(padded("Account", _LABEL)) + found.account
    for word, moments in (("Facts of", found.facts), ("Rules of", found.instants)):
        old, new = map(instant_text, moments)
        yield page.dim(padded(word, _LABEL)) + (old if old == new else f"{old} -> {new}")


def _corners(found: Causes) -> Iterator[str]:
    """The figure under each account and each rules."""
    rows = [
        ("", "old rules", "new rules"),
        ("old account", _corner(found.start), _corner(found.only_rules)),
        ("new account", _corner(found.only_inputs), _corner(found.end)),
    ]
    yield from table(rows)


def _corner(corner: Corner) -> str:
    if corner.reason == NO_FIGURE:
        return NO_FIGURE
    if corner.value is None:
        return f"{CANNOT_BE_TOLD} ({corner.reason})" if corner.reason else CANNOT_BE_TOLD
    return figure_text(corner.value)


def _split(found: Causes, page: Page) -> Iterator[str]:
    if found.rules is None or found.inputs is None or found.whole is None:
        yield from page.wrapped(_no_numbers(found))
        return
    unit = "" if found.unit in (None, "ratio") else f" {found.unit}"
    yield page.bold(f"Changed by {_signed(found.whole)}{unit}")
    head = ("", "mean", "rules first", "inputs first")
    yield from table([head, *_aligned(list(_own(found)))])
    both = _signed(found.interaction or Decimal(0))
    yield from page.wrapped(
        "Rules first moves the rules on the old account and then the account; inputs first the "
        f"other way round. What comes only as both move ({both}) goes to whichever moves last.",
        2,
    )
    if found.not_apart:
        yield from page.wrapped(f"the changes of the rules are one: {found.not_apart}", 2)


def _own(found: Causes) -> Iterator[tuple[str, Split]]:
    """The parts and their shares, the largest first, each with its name."""
    assert found.rules is not None
    assert found.inputs is not None
    assert found.whole is not None
    for kind, word, whole in (("rules", "rules", found.rules), (INPUTS, "inputs", found.inputs)):
        yield word, whole
        own = [share for share in found.shares if share.kind == kind]
        for share in sorted(own, key=lambda one: -abs(one.split.mean)):
            yield f"  {_named(share)}", share.split
    yield "all", Split(found.whole, found.whole)


def _aligned(own: Sequence[tuple[str, Split]]) -> list[tuple[str, ...]]:
    columns = (
        [split.mean for _, split in own],
        [split.rules_first for _, split in own],
        [split.inputs_first for _, split in own],
    )
    texts = [on_the_point([_signed(value) for value in column]) for column in columns]
    names = [name for name, _ in own]
    width = max(map(columns_of, names))
    return list(zip([padded(name, width) for name in names], *texts, strict=True))


def _named(share: Share) -> str:
    name = " with ".join(share.names)
    if share.kind != INPUTS:
        return name
    if len(share.names) > 1:
        return name
    return f"{name}: {_said(share.before)} -> {_said(share.after)}"


def _said(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _signed(value: Decimal) -> str:
    """A change with its sign, cut after six decimals."""
    text = _CUT.sub(r"\1…", number_text(value))
    return f"+{text}" if value > 0 else text


def _no_numbers(found: Causes) -> str:
    """Why there are no shares, in words."""
    corners = {_corner(one) for one in (found.start, found.only_rules, found.only_inputs)}
    if corners == {_corner(found.end)}:
        return "It is the same under all four: nothing moved it."
    return (
        "How much came from the rules and how much from the account cannot be told in numbers: "
        "not all four are finite numbers."
    )


def _idle(found: Causes, page: Page) -> Iterator[str]:
    """What moved and brought nothing."""
    if found.idle:
        more = len(found.idle) - _MOST_IDLE
        listed = ", ".join(found.idle[:_MOST_IDLE]) + (f" and {more} more" if more > 0 else "")
        yield from page.wrapped(f"Moved, and brought nothing: {listed}")


# --- json -----------------------------------------------------------------------------------------


def to_json(found: Causes) -> str:
    """The same as one line of JSON, numbers as text; what cannot be told is null."""
    rules_at, facts_at = ([*map(instant_text, two)] for two in (found.instants, found.facts))
    said = {
        "account": found.account,
        "name": found.name,
        "title": found.title,
        "unit": found.unit,
        "rules_at": rules_at,
        "facts_at": facts_at,
        "start": _corner_json(found.start),
        "only_rules": _corner_json(found.only_rules),
        "only_inputs": _corner_json(found.only_inputs),
        "end": _corner_json(found.end),
        "change": text_of(found.whole),
        "rules": _split_json(found.rules),
        "inputs": _split_json(found.inputs),
        "interaction": text_of(found.interaction),
        "shares": [_share_json(share) for share in found.shares],
        "idle": list(found.idle),
        "not_apart": found.not_apart,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _corner_json(corner: Corner) -> dict[str, Any]:
    return {"value": text_of(corner.value), "reason": corner.reason or None}


def _split_json(split: Split | None) -> dict[str, str] | None:
    if split is None:
        return None
    sides = {"rules_first": split.rules_first, "inputs_first": split.inputs_first}
    return {"mean": plain(split.mean)} | {name: plain(value) for name, value in sides.items()}


def _share_json(share: Share) -> dict[str, Any]:
    values = (None if one is ABSENT else one for one in (share.before, share.after))
    return {
        "kind": share.kind,
        "names": list(share.names),
        "titles": list(share.titles),
        "before": next(values),
        "after": next(values),
        **(_split_json(share.split) or {}),
    }
