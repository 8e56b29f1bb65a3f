"""Which mistakes no case notices, and the cases that are missing, ready to be put in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.mutation import Mutation, Survivor
from policy_engine.mutation.missing import Missing
from policy_engine.render.layout import Page, table
from policy_engine.render.yaml import member_lines

CONFIRM = "# to confirm"
_UNSEEN = "no account was found on which it can be seen"


def render(found: Mutation, page: Page) -> str:
    """The counts by operator, the score, and each survivor with what is missing."""
    paragraphs = ["\n".join(table(_rows(found))), page.bold(score(found))]
    paragraphs += ["\n".join(_alike(alike, page)) for alike in _by_case(found)]
    if equal := [one for one in found.survivors if one.why_equal is not None]:
        paragraphs.append("\n".join(_equal(equal, page)))
    return "\n\n".join(paragraphs)


def score(found: Mutation) -> str:
    """How many mistakes that change a decision some case notices."""
    return f"{found.noticed} of {found.tried} mistakes are noticed: {found.percent}%"


def _rows(found: Mutation) -> Iterator[tuple[str, ...]]:
    yield "mistake", "noticed", "survive", "change nothing", "cannot be loaded"
    for name, counts in found.counts.items():
        yield name, *map(str, counts)
    totals = zip(*found.counts.values(), strict=True)
    yield "all", *(str(sum(column)) for column in totals)


def _by_case(found: Mutation) -> list[list[Survivor]]:
    """The survivors that change a decision, those together that one case would notice."""
    groups: dict[str, list[Survivor]] = {}
    for at, one in enumerate(found.survivors):
        if one.why_equal is None:
            case = one.missing
            key = str(at) if case is None else repr((case.at, case.snapshot, case.request))
            groups.setdefault(key, []).append(one)
    return list(groups.values())


def _alike(found: list[Survivor], page: Page) -> Iterator[str]:
    for one in found:
        yield page.bold(f"{one.mutant.place}: {one.mutant.operator}: {one.mutant.name}")
        if not one.read:
            yield "  no case reads it"
    cases = [one.missing for one in found if one.missing is not None]
    if not cases:
        yield f"  {_UNSEEN}"
        return
    expect: dict[str, Any] = {}
    for case in cases:
        expect = _merged(expect, case.expect)
    name = found[0].mutant.name + (f", and {len(found) - 1} more" if len(found) > 1 else "")
    yield from (f"  {line}" for line in case_lines(replace(cases[0], expect=expect), name))


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both of two expectations of one outcome."""
    made = dict(one)
    for name, value in other.items():
        held = made.get(name)
        both = isinstance(held, Mapping) and isinstance(value, Mapping)
        made[name] = _merged(held, value) if both else value  # type: ignore[arg-type]
    return made


def _equal(found: list[Survivor], page: Page) -> Iterator[str]:
    yield page.bold(f"{len(found)} change no decision")
    reasons = dict.fromkeys(one.why_equal for one in found)
    for reason in reasons:
        alike = [one for one in found if one.why_equal == reason]
        yield f"  {reason}: {len(alike)}"
        yield from (page.dim(f"    {one.mutant.name}") for one in alike)


def case_lines(one: Missing, name: str) -> Iterator[str]:
    """A missing case as the lines of a case file, its expected values to be confirmed."""
    yield "- name: " + json.dumps(f"Notices {name}", ensure_ascii=False)
    yield from _member("at", one.at)
    if one.known_at is not None:
        yield from _member("known_at", one.known_at)
    yield from _member("snapshot", _plain(one.snapshot))
    if one.request is not None:
        yield from _member("request", {one.request[0]: _plain(one.request[1])})
    yield from _member("because", "to be worked out by hand")
    first, *others = _member("expect", _plain(one.expect))
    yield from (f"{first}  {CONFIRM}", *others)


def _member(key: str, value: Any) -> list[str]:
    return [f"  {line}" for line in member_lines(key, value, 0)]


def _plain(value: Any) -> Any:
    """Data as a case file spells it: mappings and lists, all else as it is."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def to_json(found: Mutation) -> str:
    """The same as one line of JSON."""
    words = ("noticed", "survive", "change_nothing", "cannot_be_loaded")
    held = {
        "operators": {n: dict(zip(words, c, strict=True)) for n, c in found.counts.items()},
        "noticed": found.noticed,
        "of": found.tried,
        "percent": found.percent,
        "survivors": [_json(one) for one in found.survivors],
    }
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _json(one: Survivor) -> dict[str, Any]:
    missing = one.missing
    case = None
    if missing is not None:
        request = {missing.request[0]: _plain(missing.request[1])} if missing.request else None
        case = {
            "at": missing.at,
            "known_at": missing.known_at,
            "snapshot": _plain(missing.snapshot),
            "request": request,
            "expect_to_confirm": _plain(missing.expect),
        }
    return {
        "operator": one.mutant.operator,
        "version": one.mutant.version,
        "part": ".".join(one.mutant.path),
        "place": str(one.mutant.place),
        "before": one.mutant.before,
        "after": one.mutant.after,
        "read_by_cases": one.read,
        "changes_nothing_because": one.why_equal,
        "missing_case": case,
    }
