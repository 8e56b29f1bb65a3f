"""Cases: snapshots, and the decision or answer that the rules must give for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from policy_engine.document import Document, Pointer, pointer_text, read_text, read_yaml
from policy_engine.errors import Place, PolicyError, Problem, RulesError
from policy_engine.expectations import Unlike, of_answer, of_decision, of_error, written_as
from policy_engine.requests import answer
from policy_engine.rulebook import Rulebook
from policy_engine.schema import problems as schema_problems
from policy_engine.schema import shaped


@dataclass(frozen=True)
class Case:
    """A snapshot, the instants it is decided at, and what the decision must be.

    With a `request`, its name and what it brings, the answer to it must be so. `name` tells the
    instant and the values of `each` that this case has, where it is written for several; `place`
    is that of the written case.
    """

    name: str
    file: str
    place: Place
    at: str
    known_at: str | None
    snapshot: Mapping[str, Any]
    request: tuple[str, Mapping[str, Any]] | None
    expect: Mapping[str, Any]
    because: str
    _document: Document = field(repr=False, compare=False)
    _pointer: Pointer = field(repr=False, compare=False)

    def place_of(self, expectation: Pointer) -> Place:
        """Where a part of `expect` stands in the file."""
        return self._document.place((*self._pointer, "expect", *expectation))


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that came out otherwise than expected; `about` is its path under `expect`."""

    place: Place
    case: str
    about: str
    expected: str
    found: str

    def __str__(self) -> str:
        said = f"expected {self.expected}, is {self.found}"
        return f'{self.place}: case "{self.case}": {self.about}: {said}'


def load_cases(folder: str | Path) -> list[Case]:
    """The cases of every YAML file in a folder and those below it, in file order.

    A case with `each` or several instants is one for every combination. Raises RulesError with
    every problem of every file, and where the folder has no cases.
    """
    root = Path(folder)
    cases: list[Case] = []
    problems: list[Problem] = []
    for path in sorted(root.rglob("*.yaml")):
        try:
            cases += read_cases(read_text(path), path.as_posix())
        except RulesError as error:
            problems += error.problems
    if not cases and not problems:
        problems.append(_no_cases(root))
    if problems:
        raise RulesError(problems)
    return cases


def read_cases(text: str, path: str) -> list[Case]:
    """The cases that the text of a case file spells. Raises RulesError with every problem."""
    document = read_yaml(text, path)
    if problems := schema_problems(document, "case"):
        raise RulesError(problems)
    content = shaped(document, "case")
    base = content.get("base", {})
    return [
        case
        for number, written in enumerate(content["cases"])
        for case in _combinations(document, ("cases", number), base, written)
    ]


def run(book: Rulebook, case: Case) -> list[Difference]:
    """Everything in which what came differs from what the case expects, in file order."""
    about = "decision" if case.request is None else "answer"
    made = [
        Difference(case.place_of(at), case.name, pointer_text(at) or about, expected, found)
        for at, expected, found in _unlike(book, case)
    ]
    return sorted(made, key=lambda one: (one.place.line, one.place.column))


def _unlike(book: Rulebook, case: Case) -> Iterable[Unlike]:
    try:
        rules = book.in_force(case.at, case.known_at)
        if case.request is None:
            return of_decision(case.expect, rules.decide(case.snapshot))
        name, given = case.request
        return of_answer(case.expect, answer(rules, case.snapshot, name, given))
    except PolicyError as error:
        return of_error(case.expect, error)


def _no_cases(root: Path) -> Problem:
    if not root.is_dir():
        return Problem("no-cases", "there is no such folder", "check the path", Place(str(root)))
    hint = "name a folder that holds case files"
    return Problem("no-cases", "there are no cases here", hint, Place(str(root)))


# --- reading -------------------------------------------------------------------------------------


def _combinations(
    document: Document, pointer: Pointer, base: Mapping[str, Any], written: Mapping[str, Any]
) -> Iterator[Case]:
    """The written case, or one for every combination of its instants and the values of `each`."""
    several = isinstance(written["at"], list)
    instants = [(f"at {at}", at) for at in written["at"]] if several else [("", written["at"])]
    fields = [
        [(f"{key} {_label(value, n)}", (key, value)) for n, value in enumerate(values)]
        for key, values in written.get("each", {}).items()
    ]
    for (when, at), *chosen in product(instants, *fields):
        told = ", ".join(filter(None, [when, *(label for label, _ in chosen)]))
        yield Case(
            name=f"{written['name']} ({told})" if told else written["name"],
            file=document.path,
            place=document.place(pointer),
            at=at,
            known_at=written.get("known_at"),
            snapshot={**base, **written.get("snapshot", {}), **dict(v for _, v in chosen)},
            request=next(iter(written.get("request", {}).items()), None),
            expect=written["expect"],
            because=written["because"],
            _document=document,
            _pointer=pointer,
        )


def _label(value: Any, number: int) -> str:
    """A value as the name of a case tells it; a list or mapping by its position, from 1."""
    return f"#{number + 1}" if isinstance(value, dict | list) else written_as(value, "null")
