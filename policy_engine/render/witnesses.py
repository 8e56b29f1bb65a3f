"""Boundary witnesses as a person reads them, or a program, and as files to decide again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from policy_engine.model import LISTS
from policy_engine.numbers import plain, text_of
from policy_engine.render.layout import Page, figure_text, on_the_point, table
from policy_engine.witnesses import Boundary, Told, Witness

TITLE = "Boundary witnesses"
_EXPLAINED = (
    "For each test that changed, accounts at its old and its new edge and a step to either side, "
    "decided by both rules; `*` where the outcome, or what is read from a scale, differs."
)
_UNTOLD = "cannot be told"
_MOVES = "…"
_MOST_ALIKE = 6


def render(found: Sequence[Boundary], page: Page) -> str:
    """A small table for each boundary; where there are no witnesses, why."""
    lines = [page.bold(TITLE), *page.wrapped(_EXPLAINED, 2)]
    for at, one in enumerate(found):
        last = found[at - 1] if at else None
        if last is None or (last.changes, last.alike) != (one.changes, one.alike):
            lines += ["", *_changes(one, page)]
        elif one.witnesses:
            lines.append("")
        lines += _boundary(one, page)
    if not found:
        lines += ["  nothing that changed is tested against anything"]
    return "\n".join(lines)


def markdown(found: Sequence[Boundary]) -> str:
    """The same for a pull request: as it stands, in a fence that nothing inside can close."""
    body = render(found, Page())
    fence = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 3)
    return f"### {TITLE}\n\n{fence}text\n{body}\n{fence}"


def _changes(one: Boundary, page: Page) -> Iterator[str]:
    """The changes that a boundary is about."""
    for change in one.changes:
        yield from page.wrapped(change, 4, "  ~")
    if one.alike:
        keys = [change.rpartition("/")[2] for change in one.alike]
        more = len(keys) - _MOST_ALIKE
        listed = ", ".join(keys[:_MOST_ALIKE]) + (f" and {more} more" if more > 0 else "")
        yield from page.wrapped(f"with the same result: {listed}", 4)


def _boundary(one: Boundary, page: Page) -> Iterator[str]:
    if not one.witnesses:
        about = f"{_test(one)}: " if one.tested else ""
        yield from page.wrapped(f"{about}no witness found: {one.reason}", 4)
        return
    yield from page.wrapped(f"{_test(one)}; {one.moves} moves by {plain(one.step)}{_near(one)}", 4)
    yield from _given(one, page)
    yield from (f"  {line}" for line in table(_rows(one)))


def _test(one: Boundary) -> str:
    """What is tested, in the words of a rule's path."""
    return f"{one.ruleset}: {one.tested} ({one.figure})"


def _near(one: Boundary) -> str:
    if one.exact:
        return ""
    return f"; no such value meets every edge exactly, the nearest lie within {plain(one.step)}"


def _given(one: Boundary, page: Page) -> Iterator[str]:
    """The account but for what moves, in one line, and the request that is made of it."""
    first = one.witnesses[0]
    yield from page.wrapped(f"account: {account_text(first.snapshot, one.moves)}", 4)
    if first.given:
        name = one.tested.split(".")[1]
        brought = (
            f"{k}={text_of(v)}" for k, v in first.given.items() if f"request.{k}" != one.moves
        )
        yield from page.wrapped(" ".join((f"request: {name}", *brought)), 4)


def account_text(snapshot: Any, moving: str) -> str:
    """An account in few words: what is not 0, without its name, and `…` for what moves."""
    parts = []
    for name, value in snapshot.items():
        if isinstance(value, list):
            parts += [f"{name} {n}: {_line(name, line, moving)}" for n, line in enumerate(value)]
        elif name not in ("account", "at"):
            parts.append(f"{name} {_MOVES if name == moving else _word(value)}")
    return "; ".join(parts)


def _line(entity: str, line: Any, moving: str) -> str:
    moves = {name for name in line for key in line.values() if f"{entity}.{key}.{name}" == moving}
    told = {name: _MOVES if name in moves else value for name, value in line.items()}
    return " ".join(f"{name} {value}" for name, value in told.items() if value not in ("0", None))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- rows -----------------------------------------------------------------------------------------


def _rows(one: Boundary) -> Iterator[Sequence[str]]:
    found = one.witnesses
    yield (
        "edge",
        one.moves.rpartition(".")[2],
        "old figure",
        "old outcome",
        "new figure",
        "new outcome",
    )
    values = on_the_point([plain(witness.value) for witness in found])
    old = on_the_point([figure_text(witness.old.figure) for witness in found])
    new = on_the_point([figure_text(witness.new.figure) for witness in found])
    for n, witness in enumerate(found):
        outcomes = _outcomes(one, witness)
        yield (_edge(witness), values[n], old[n], outcomes[0], new[n], outcomes[1])


def _edge(witness: Witness) -> str:
    edge = "both" if witness.edge == "both" else witness.edge
    return f"{witness.side} {edge}" if witness.side != "at" else f"= {edge}"


def _outcomes(one: Boundary, witness: Witness) -> tuple[str, str]:
    old, new = witness.old, witness.new
    differing = sorted({*old.refused} ^ {*new.refused} | ({*old.untold} ^ {*new.untold}))
    told = [_outcome(one, side, differing) for side in (old, new)]
    read = one.tested.partition(".")[0] in LISTS and witness.figures_differ
    return told[0], f"{told[1]} *" if witness.differs or read else told[1]


def _outcome(one: Boundary, told: Told, differing: Iterable[str]) -> str:
    """The status, the answer that is tested, and whatever the other side permits otherwise."""
    kind, _, rest = one.tested.partition(".")
    named = [rest.partition(".")[0]] if kind == "permissions" else []
    rulings = [f"{name} {_ruling(told, name)}" for name in dict.fromkeys([*named, *differing])]
    if kind == "requests":
        rulings.insert(0, _PERMITTED[told.permitted])
    return ", ".join([told.status or f"status {_UNTOLD}", *rulings])


def _ruling(told: Told, name: str) -> str:
    if name in told.untold:
        return _UNTOLD
    return "refused" if name in told.refused else "open"


_PERMITTED = {True: "permitted", False: "refused", None: _UNTOLD}


# --- json -----------------------------------------------------------------------------------------


def to_mapping(found: Iterable[Boundary]) -> list[dict[str, Any]]:
    """The boundaries as plain JSON, snapshots and all."""
    return [_mapping(one) for one in found]


def _mapping(one: Boundary) -> dict[str, Any]:
    return {
        "changes": list(one.changes),
        "alike": list(one.alike),
        "ruleset": one.ruleset,
        "tested": one.tested or None,
        "figure": one.figure,
        "moves": one.moves or None,
        "step": text_of(one.step) if one.witnesses else None,
        "exact": one.exact if one.witnesses else None,
        "reason": one.reason or None,
        "witnesses": [_witness(witness) for witness in one.witnesses],
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "edge": witness.edge,
        "side": witness.side,
        "value": text_of(witness.value),
        "differs": witness.differs,
        "old": _told(witness.old),
        "new": _told(witness.new),
        "snapshot": witness.snapshot,
        "given": {name: _json(value) for name, value in witness.given.items()},
    }


def _json(value: Any) -> Any:
    return value if isinstance(value, bool) else text_of(value)


def _told(told: Told) -> dict[str, Any]:
    return {
        "figure": text_of(told.figure),
        "limit": text_of(told.limit),
        "status": told.status,
        "refused": list(told.refused),
        "undetermined": list(told.untold),
        "permitted": told.permitted,
    }


def files(found: Iterable[Boundary]) -> Iterator[tuple[str, str]]:
    """Each witness as a snapshot file: its name, and its text."""
    for number, one in enumerate((one for one in found if one.witnesses), 1):
        for count, witness in enumerate(one.witnesses, 1):
            name = (
                f"{number:03}-{one.tested.replace('.', '-')}-{count}-{witness.side}-{witness.edge}"
            )
            yield f"{name}.json", json.dumps(witness.snapshot, ensure_ascii=False, indent=2) + "\n"
