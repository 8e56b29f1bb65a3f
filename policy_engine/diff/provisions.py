"""What every provision carries, parameters, formulas and inputs, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.diff.change import (
    CHANGED,
    INPUTS,
    LOGIC,
    VALUE,
    WORDING,
    Change,
    Names,
    Path,
    Significance,
    Words,
    differing,
)
from policy_engine.diff.formulas import Difference, Marked, difference, whole
from policy_engine.language.syntax import Expression
from policy_engine.model import Formula, Input, NotKnown, Parameter, Provision

NOTHING = Marked("", "", ())


def aspects(path: Path, old: Provision, new: Provision) -> Iterator[Change]:
    """The changes in what a provision says to its readers."""
    said = {
        "title": (words(old.title), words(new.title)),
        "note": (words(old.note), words(new.note)),
        "citation": (old.citation, new.citation),
        "assumes": (names(old.assumes), names(new.assumes)),
    }
    for kind, (before, after) in said.items():
        cited = new.citation or (old.citation if kind == "citation" else None)
        more = {"citation": cited, "name": new.name}
        yield from differing((*path, kind), kind, before, after, WORDING, **more)


def words(text: str | None) -> Words | None:
    """A sentence for people, where there is one."""
    return None if text is None else Words(text)


def names(listed: tuple[str, ...]) -> Names | None:
    """Names listed, in no order; None where there are none."""
    return Names(tuple(sorted(listed))) if listed else None


def figure(path: Path, kind: str, before: Any, after: Any, **more: Any) -> Iterator[Change]:
    """The change of a value; another reason why it is not known is another wording."""
    reasons = isinstance(before, NotKnown) and isinstance(after, NotKnown)
    yield from differing(path, kind, before, after, WORDING if reasons else VALUE, **more)


def parameter(path: Path, old: Parameter, new: Parameter) -> Iterator[Change]:
    """The changes of a parameter."""
    more = {"citation": new.citation, "name": new.name}
    safer = new.safer or old.safer
    yield from figure(path, "parameter", old.value, new.value, unit=new.unit, safer=safer, **more)
    yield from kinds(path, "parameter", old, new)
    yield from differing((*path, "safer"), "parameter", old.safer, new.safer, WORDING, **more)
    yield from aspects(path, old, new)


def kinds(path: Path, kind: str, old: Any, new: Any) -> Iterator[Change]:
    """A change of what the values are: their kind, or their unit."""
    for aspect in ("kind", "unit"):
        sides = getattr(old, aspect), getattr(new, aspect)
        more = {"citation": new.citation, "name": new.name}
        yield from differing((*path, aspect), kind, *sides, LOGIC, **more)


def formula(path: Path, old: Formula, new: Formula) -> Iterator[Change]:
    """The changes of a formula."""
    yield from condition((*path, "expression"), "formula", old, new, "expression")
    yield from kinds(path, "formula", old, new)
    more = {"citation": new.citation, "name": new.name}
    yield from differing((*path, "accrues"), "formula", old.accrues, new.accrues, LOGIC, **more)
    yield from aspects(path, old, new)


def invariant(path: Path, old: Formula, new: Formula) -> Iterator[Change]:
    """The changes of a truth to prove."""
    yield from condition((*path, "expression"), "invariant", old, new, "expression")
    yield from aspects(path, old, new)


def condition(path: Path, kind: str, old: Any, new: Any, attribute: str) -> Iterator[Change]:
    """The change of a formula that a provision holds under an attribute."""
    more = {"citation": new.citation, "name": new.name}
    sides = getattr(old, attribute), getattr(new, attribute)
    yield from expression(path, kind, *sides, **more)


def expression(
    path: Path,
    kind: str,
    before: Expression | None,
    after: Expression | None,
    significance: Significance = LOGIC,
    **more: Any,
) -> Iterator[Change]:
    """The change of a formula, with the smallest part that differs."""
    part = _part(before, after)
    if part is not None:
        name = more.pop("name", path[-1])
        sides = before, after
        yield Change(path, kind, name, CHANGED, significance, *sides, part=part, **more)


def _part(before: Expression | None, after: Expression | None) -> Difference | None:
    if before is not None and after is not None:
        return difference(before, after)
    if before is None and after is None:
        return None
    sides = (NOTHING if side is None else whole(side) for side in (before, after))
    return Difference(*sides)


def read_input(path: Path, old: Input, new: Input) -> Iterator[Change]:
    """The changes of what is read of a snapshot."""
    for aspect, attribute in _READ:
        sides = getattr(old, attribute), getattr(new, attribute)
        yield from differing((*path, aspect), "input", *sides, INPUTS, name=new.name)
    read_from = ".".join(old.source), ".".join(new.source)
    yield from differing((*path, "from"), "input", *read_from, INPUTS, name=new.name)


_READ = tuple(
    (name if name != "kind" else "type", name)
    for name in ("kind", "unit", "optional", "key", "key_of", "role")
)
