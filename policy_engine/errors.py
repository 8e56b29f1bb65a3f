"""Problems a person can cause: where, what is wrong in their words, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem is: a file with line and column (from 1), or a JSON path in a mapping."""

    path: str | None = None
    line: int = 0
    column: int = 0
    width: int = 1
    source: str = field(default="", compare=False)
    pointer: str = ""

    def __str__(self) -> str:
        parts = [self.path or "", *(str(n) for n in (self.line, self.column) if n)]
        where = ":".join(part for part in parts if part)
        return where or self.pointer or "input"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable code, a place, a message in the person's words, a hint."""

    code: str
    message: str
    hint: str | None = None
    place: Place = Place()

    def __str__(self) -> str:
        at = f" (at {self.place.pointer})" if self.place.pointer and self.place.path else ""
        return f"{self.place}: {self.code}: {self.message}{at}"


def in_file_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repeats, by file, line and column."""

    def key(problem: Problem) -> tuple[str, int, int]:
        return problem.place.path or "", problem.place.line, problem.place.column

    return tuple(sorted(dict.fromkeys(problems), key=key))


class PolicyError(Exception):
    """Input that cannot be used. `problems` holds everything found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_file_order(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(_with_hint(problem) for problem in self.problems)

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code if self.problems else ""


class RulesError(PolicyError):
    """Rule files that cannot be loaded, or that do not fit together."""


class SnapshotError(PolicyError):
    """A snapshot, or the question asked of it, that cannot be decided."""


class Undetermined(Exception):
    """What was asked for cannot be told. `reasons` say why, and what would settle it."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(self.reasons)

    def __str__(self) -> str:
        return "; ".join(self.reasons)


def _with_hint(problem: Problem) -> str:
    return f"{problem}\n  hint: {problem.hint}" if problem.hint else str(problem)


MOST_PROBLEMS = 100
"""Looking for more stops here: nobody reads a hundred and first problem."""

MOST_COMPARED = 1_000
"""Names among which the one that was meant is looked for; among more it would take long."""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the known word nearest to `word`, or None if none is near."""
    from difflib import get_close_matches  # only what is wrong needs it

    known = frozenset(known)
    if len(known) > MOST_COMPARED:
        return None
    near = get_close_matches(word.lower(), {name.lower(): name for name in sorted(known)}, 1)
    names = [name for name in sorted(known) if near and name.lower() == near[0]]
    return f"did you mean `{names[0]}`?" if names else None
