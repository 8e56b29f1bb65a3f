"""A part of a document while it is read: its content, its place, and where problems go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from policy_engine.document import Document
from policy_engine.errors import Place, Problem
from policy_engine.language.syntax import Expression, Fault, parse
from policy_engine.model import Citation
from policy_engine.numbers import UNLIMITED, BadNumber, Value, instant, number

Pointer = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A scalar of a document, to find the place of a stretch of its text."""

    document: Document
    pointer: Pointer

    def __call__(self, offset: int, width: int) -> Place:
        return self.document.inside(self.pointer, offset, width)


@dataclass(frozen=True)
class Part:
    """A value of a document that the schema has found sound, and the problems found since."""

    document: Document
    content: Any
    problems: list[Problem]
    pointer: Pointer = ()

    def __contains__(self, key: str) -> bool:
        return isinstance(self.content, dict) and key in self.content

    def __getitem__(self, key: str | int) -> Part:
        return Part(self.document, self.content[key], self.problems, (*self.pointer, key))

    def get(self, key: str, default: Any = None) -> Any:
        """The plain content under a key."""
        return self.content.get(key, default)

    def items(self, key: str | None = None) -> Iterator[tuple[str, Part]]:
        """The named parts of this mapping, or of the one under a key if it is there."""
        if key is not None:
            yield from self[key].items() if key in self else ()
        else:
            for name in self.content:
                yield name, self[name]

    def each(self) -> Iterator[Part]:
        """The items of this list."""
        for position in range(len(self.content)):
            yield self[position]

    @property
    def name(self) -> str:
        """The key this part stands under."""
        return str(self.pointer[-1])

    @property
    def place(self) -> Place:
        """Where its content stands."""
        return self.document.place(self.pointer)

    @property
    def key_place(self) -> Place:
        """Where its key stands."""
        return self.document.place(self.pointer, key=True)

    def complain(self, code: str, message: str, hint: str | None = None, key: bool = False) -> None:
        """Note a problem with this part, or with its key."""
        self.problems.append(Problem(code, message, hint, self.key_place if key else self.place))

    def number(self) -> Decimal:
        """The number written here; 0 and a problem if it is none."""
        try:
            return number(self.content)
        except BadNumber as error:
            self.complain("bad-number", error.message, error.hint)
            return Decimal(0)

    def moment(self) -> datetime:
        """The instant written here. The schema has found it sound."""
        return instant(self.content)

    def value(self, kind: str) -> Value:
        """The value of a kind written here, `unlimited` included where it is a number."""
        if kind == "text":
            return str(self.content)
        if kind == "number":
            return UNLIMITED if self.content == "unlimited" else self.number()
        if kind == "truth" and self.content in ("true", "false"):
            return bool(self.content == "true")
        if kind == "instant":
            try:
                return self.moment()
            except ValueError:
                hint = "write it in UTC, as in 2025-01-21T10:00:00Z"
                self.complain("bad-instant", f"`{self.content}` is not an instant", hint)
                return False
        self.complain("invalid-value", f"`{self.content}` is not `true` or `false`")
        return False

    def expression(self, key: str) -> Expression | None:
        """The formula under a key, or None and a problem where it cannot be read."""
        if key not in self:
            return None
        part = self[key]
        place = _Spot(part.document, part.pointer)
        try:
            return Expression(part.content, parse(part.content), place)
        except Fault as fault:
            self.problems.append(
                Problem(fault.code, fault.message, fault.hint, place(fault.offset, fault.width))
            )
            return None


def provision(part: Part) -> dict[str, Any]:
    """What every provision carries, as fields."""
    return {
        "name": part.name,
        "title": part.get("title"),
        "citation": citation(part),
        "note": part.get("note"),
        "assumes": tuple(part.get("assumes", ())),
        "place": part.key_place,
    }


def citation(part: Part) -> Citation | None:
    """The citation of a provision or row, if it has one."""
    cited = part.get("citation")
    return None if cited is None else cited_in(cited)


def cited_in(cited: Mapping[str, Any]) -> Citation:
    """A citation as a rule file has it."""
    line = cited.get("line")
    return Citation(cited["source"], cited.get("quote"), None if line is None else int(line))
