"""What a check found, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from policy_engine.errors import Problem, in_file_order
from policy_engine.render.problems import render as render_problems


@dataclass(frozen=True)
class Findings:
    """What was found, and how much was looked at: None where it was not reached."""

    problems: tuple[Problem, ...] = ()
    files: int = 0
    versions: int | None = None
    deciding: int | None = None
    combinations: int | None = None
    cases: int | None = None

    def and_of(self, cases: Findings) -> Findings:
        """These, with what was found in cases."""
        return replace(self, problems=(*self.problems, *cases.problems), cases=cases.cases)


def render(found: Findings) -> str:
    """The problems in file order, and a last line that counts what was looked at."""
    shown = render_problems(in_file_order(found.problems))
    last = f"{', '.join(_looked_at(found))}: {_counted(len(found.problems), 'finding')}"
    if found.versions is None:
        last += "; how the versions fit together is checked when each file is sound"
    return f"{shown}\n\n{last}" if shown else last


def _looked_at(found: Findings) -> Iterator[str]:
    yield _counted(found.files, "file")
    if found.versions is not None:
        yield _counted(found.versions, "version")
    if found.deciding is not None:
        decide = "decides" if found.deciding == 1 else "decide"
        yield f"{_counted(found.deciding, 'ruleset')} that {decide}"
    if found.combinations is not None:
        yield _counted(found.combinations, "combination")
    if found.cases is not None:
        yield _counted(found.cases, "case")


def _counted(count: int, what: str) -> str:
    number = count if count or what != "finding" else "no"
    return f"{number} {what}" if count == 1 else f"{number} {what}s"


def to_json(found: Findings) -> str:
    """The problems in file order as one line of JSON, a list of objects."""
    held = [_plain(problem) for problem in in_file_order(found.problems)]
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _plain(problem: Problem) -> dict[str, str | int | None]:
    place = problem.place
    return {
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "path": place.path,
        "line": place.line or None,
        "column": place.column or None,
        "pointer": place.pointer or None,
    }
