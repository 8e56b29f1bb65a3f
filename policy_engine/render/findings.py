"""What a check found, as a person, a program or GitHub reads it, and what the checks look for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy_engine.errors import Problem, in_file_order
from policy_engine.render.problems import render as render_problems

if TYPE_CHECKING:
    from policy_engine.checks import Page


@dataclass(frozen=True)
class Findings:
    """What was found, and how much was looked at: None where it was not reached.

    `recorded` are the files that are as they were when they were recorded as sound, `case_files`
    those of cases that are.
    """

    problems: tuple[Problem, ...] = ()
    files: int = 0
    versions: int | None = None
    deciding: int | None = None
    combinations: int | None = None
    cases: int | None = None
    case_files: int | None = None
    recorded: int = 0

    def and_of(self, cases: Findings) -> Findings:
        """These, with what was found in cases."""
        problems = (*self.problems, *cases.problems)
        return replace(self, problems=problems, cases=cases.cases, case_files=cases.case_files)


def render(found: Findings) -> str:
    """The problems in file order, and a last line that counts what was looked at."""
    shown = render_problems(in_file_order(found.problems))
    last = f"{', '.join(_looked_at(found))}: {_counted(len(found.problems), 'finding')}"
    if found.versions is None and not found.recorded:
        last += "; how the versions fit together is checked when each file is sound"
    return f"{shown}\n\n{last}" if shown else last


def _looked_at(found: Findings) -> Iterator[str]:
    yield _counted(found.files, "file") + (_AS_RECORDED if found.recorded else "")
    if found.versions is not None:
        yield _counted(found.versions, "version")
    if found.deciding is not None:
        decide = "decides" if found.deciding == 1 else "decide"
        yield f"{_counted(found.deciding, 'ruleset')} that {decide}"
    if found.combinations is not None:
        yield _counted(found.combinations, "combination")
    if found.case_files is not None:
        yield _counted(found.case_files, "file") + " of cases" + _AS_RECORDED
    if found.cases is not None:
        yield _counted(found.cases, "other case" if found.case_files else "case")


_AS_RECORDED = " as recorded sound"


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


# --- annotations ---------------------------------------------------------------------------------


def to_github(found: Findings) -> str:
    """The problems in file order as GitHub's workflow commands, which annotate a pull request."""
    return "\n".join(map(_annotation, in_file_order(found.problems)))


def _annotation(problem: Problem) -> str:
    place = problem.place
    where = {
        "file": place.path,
        "line": place.line or None,
        "col": place.column or None,
        "endColumn": place.column + place.width if place.column else None,
        "title": problem.code,
    }
    said = ",".join(f"{key}={_property(str(one))}" for key, one in where.items() if one is not None)
    text = f"{problem.message}\nhint: {problem.hint}" if problem.hint else problem.message
    return f"::error {said}::{_escaped(text)}"


def _escaped(text: str) -> str:
    """A text in which nothing ends the command or starts another."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


# --- pages ---------------------------------------------------------------------------------------


def render_page(page: Page) -> str:
    """All that is told of a check."""
    parts = (("why", page.why), ("avoid", page.avoid), ("prefer", page.prefer))
    told = "\n\n".join(f"{name}: {text}" for name, text in parts)
    return f"{page.code} ({page.when})\n\n{page.finds}\n\n{told}"


def render_codes(pages: Iterable[Page]) -> str:
    """A Markdown table of all checks: the code, when it is looked for, and what it finds."""
    rows = (f"| `{one.code}` | {one.when} | {one.finds} |" for one in pages)
    return "\n".join(("| code | looked for | what it finds |", "|---|---|---|", *rows))
