"""The timeline of each ruleset, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from policy_engine.__about__ import ENGINE
from policy_engine.history import State, Stretch, Timeline
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.layout import Page, table

SHORT_DIGEST = len("sha256:") + 12
_HEADS = ("version", "state", "from", "until")
_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def render(lines: Sequence[Timeline], at: datetime, known_at: datetime | None, page: Page) -> str:
    """Each ruleset with its versions in time order, and what is to be said of each."""
    known = f", as announced by {instant_text(known_at)}" if known_at else ""
    heading = page.bold("History") + f" seen from {instant_text(at)}{known}"
    return "\n\n".join([heading, *("\n".join(_ruleset(one, page)) for one in lines)])


def to_json(lines: Sequence[Timeline], at: datetime, known_at: datetime | None) -> str:
    """The same as one line of JSON, with the sources and whole digests."""
    held = {
        "at": instant_text(at),
        "known_at": _text(known_at),
        "rulesets": [
            {
                "ruleset": one.ruleset,
                "versions": [_plain(stretch) for stretch in one.stretches],
                "left_out": one.left_out,
            }
            for one in lines
        ],
        "engine": ENGINE,
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _ruleset(line: Timeline, page: Page) -> Iterator[str]:
    yield page.bold(line.ruleset)
    if line.stretches:
        head, *rows = table([_HEADS, *(_row(one) for one in line.stretches)])
        yield page.dim(head)
        for one, row in zip(line.stretches, rows, strict=True):
            yield page.bold(row) if one.state is State.IN_FORCE else row
            yield from _said(one, page)
    if line.left_out:
        versions = "1 version" if line.left_out == 1 else f"{line.left_out} versions"
        yield f"  {versions} announced later left out"


def _row(one: Stretch) -> tuple[str, ...]:
    until = "—" if one.until is None else _short(one.until)
    state = one.state.replace("_", " ")
    return _stem(one.version), state, _short(one.version.effective_from), until


def _said(one: Stretch, page: Page) -> Iterator[str]:
    """The lines under a version: its summary, its corrections, when it was announced."""
    version = one.version
    yield from _paragraph(version.summary, page)
    if one.corrects:
        yield from _paragraph(f"corrects {_stem(one.corrects)}: {version.corrects}", page)
    if one.corrected_by:
        told = _announced(one.corrected_by.announced_at)
        by = f"corrected by {_stem(one.corrected_by)}, {told}: {one.corrected_by.corrects}"
        yield from _paragraph(by, page)
    parts = [_announced(version.announced_at) + _lead(version), _window(version), _digest(version)]
    late = version.announced_at is not None and version.announced_at > version.effective_from
    for line in _paragraph("; ".join(part for part in parts if part), page):
        yield page.colour(line, "yellow") if late else page.dim(line)


def _paragraph(text: str, page: Page) -> list[str]:
    """Wrapped for a terminal; in a pipe each stays on a line of its own, for what reads on."""
    return [f"    {text}"] if page.terminal is None else page.wrapped(text, 4)


def _announced(moment: datetime | None) -> str:
    return f"announced {_short(moment)}" if moment else "when it was announced is not known"


def _lead(version: Version) -> str:
    """How long before it took effect a version was announced, or how long after."""
    if version.announced_at is None:
        return ""
    lead = version.effective_from - version.announced_at
    if not lead:
        return ", as it took effect"
    after = lead < timedelta()
    return f", {_length(abs(lead))} {'after it took effect' if after else 'before'}"


def _length(time: timedelta) -> str:
    """A length of time in its two largest units."""
    parts = []
    for unit, name in _UNITS:
        count, time = divmod(time, unit)
        if count:
            parts.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
    return " ".join(parts[:2]) or "less than a second"


def _window(version: Version) -> str:
    if version.completes_within is None:
        return ""
    return f"complete by {_short(version.effective_from + version.completes_within)}"


def _digest(version: Version) -> str:
    return version.digest[:SHORT_DIGEST]


def _short(moment: datetime) -> str:
    """An instant; a day for its midnight in UTC, as `--at` takes it."""
    return instant_text(moment).removesuffix("T00:00:00Z")


def _stem(version: Version) -> str:
    return version.id.partition("@")[2]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else instant_text(moment)


def _plain(one: Stretch) -> dict[str, Any]:
    version = one.version
    corrects = one.corrects and {"version": _stem(one.corrects), "reason": version.corrects}
    return {
        "version": _stem(version),
        "effective_from": instant_text(version.effective_from),
        "until": _text(one.until),
        "announced_at": _text(version.announced_at),
        "state": one.state,
        "summary": version.summary,
        "digest": version.digest,
        "corrects": corrects,
        "corrected_by": one.corrected_by and _stem(one.corrected_by),
        "completes_within": version.document.get("completes_within"),
        "sources": [{"name": name, **asdict(source)} for name, source in version.sources.items()],
    }
