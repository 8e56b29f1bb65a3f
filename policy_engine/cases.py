"""Cases: snapshots with the decision that the rules must give for them, read and run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from policy_engine.decision import Decision
from policy_engine.document import Document, Pointer, pointer_text, read_text, read_yaml
from policy_engine.errors import Place, PolicyError, Problem, RulesError, did_you_mean
from policy_engine.layout import Line
from policy_engine.numbers import EXACT, NUMBER, Value, text_of
from policy_engine.rulebook import Rulebook
from policy_engine.schema import problems as schema_problems
from policy_engine.schema import shaped


@dataclass(frozen=True)
class Case:
    """A snapshot, the instants it is decided at, and what the decision must be.

    `name` tells the values of `each` that this case has; `place` is that of the written case.
    """

    name: str
    file: str
    place: Place
    at: str
    known_at: str | None
    snapshot: Mapping[str, Any]
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

    A case with `each` is one for every combination. Raises RulesError with every problem of every
    file, and where the folder has no cases.
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
    """Everything in which the decision differs from what the case expects, in file order."""
    try:
        decision = book.in_force(case.at, case.known_at).decide(case.snapshot)
    except PolicyError as error:
        unlike = _of_error(case.expect, error)
    else:
        unlike = _of_decision(case.expect, decision)
    made = [
        Difference(case.place_of(at), case.name, pointer_text(at) or "decision", expected, found)
        for at, expected, found in unlike
    ]
    return sorted(made, key=lambda one: (one.place.line, one.place.column))


def _no_cases(root: Path) -> Problem:
    if not root.is_dir():
        return Problem("no-cases", "there is no such folder", "check the path", Place(str(root)))
    hint = "name a folder that holds case files"
    return Problem("no-cases", "there are no cases here", hint, Place(str(root)))


# --- reading -------------------------------------------------------------------------------------


def _combinations(
    document: Document, pointer: Pointer, base: Mapping[str, Any], written: Mapping[str, Any]
) -> Iterator[Case]:
    """The written case, or one for every combination of the values in its `each`."""
    each = written.get("each", {})
    labelled = [[(_label(v, n), v) for n, v in enumerate(values)] for values in each.values()]
    for chosen in product(*labelled):
        told = ", ".join(f"{key} {label}" for key, (label, _) in zip(each, chosen, strict=True))
        fields = {key: value for key, (_, value) in zip(each, chosen, strict=True)}
        yield Case(
            name=f"{written['name']} ({told})" if told else written["name"],
            file=document.path,
            place=document.place(pointer),
            at=written["at"],
            known_at=written.get("known_at"),
            snapshot={**base, **written.get("snapshot", {}), **fields},
            expect=written["expect"],
            because=written["because"],
            _document=document,
            _pointer=pointer,
        )


def _label(value: Any, number: int) -> str:
    """A value as the name of a case tells it; a list or mapping by its position, from 1."""
    return f"#{number + 1}" if isinstance(value, dict | list) else _said(value, "null")


# --- comparing -----------------------------------------------------------------------------------

Unlike = tuple[Pointer, str, str]
"""Where an expectation stands under `expect`, what it is, and what came instead."""


def _of_error(expect: Mapping[str, Any], error: PolicyError) -> Iterator[Unlike]:
    codes = dict.fromkeys(problem.code for problem in error.problems)
    if "error" not in expect:
        told = "; ".join(f"{problem.code} ({problem.message})" for problem in error.problems)
        yield (), "a decision", f"the error {told}"
    elif expect["error"] not in codes:
        yield ("error",), expect["error"], ", ".join(codes)


def _of_decision(expect: Mapping[str, Any], decision: Decision) -> Iterator[Unlike]:
    if "error" in expect:
        came = f"a decision with the status {_said(decision.status)}"
        yield ("error",), expect["error"], came
        return
    for section, wanted in expect.items():
        yield from _SECTIONS[section](section, wanted, decision)


def _status(section: str, wanted: str, decision: Decision) -> Iterator[Unlike]:
    yield from _figure((section,), wanted, decision.status, decision)


def _values(section: str, wanted: Mapping[str, str], decision: Decision) -> Iterator[Unlike]:
    yield from _figures((section,), wanted, decision.values, decision)


def _by_key(section: str, wanted: Mapping[str, Any], decision: Decision) -> Iterator[Unlike]:
    """Lines that are named by their asset."""
    lines = {line.get("asset"): line for line in decision.assets or ()}
    for key, figures in wanted.items():
        if key in lines:
            yield from _figures((section, key), figures, lines[key], decision)
        else:
            yield (section, key), "a line", "absent"


def _by_position(section: str, wanted: list[Any], decision: Decision) -> Iterator[Unlike]:
    """Lines that are told apart by their order: as many as are expected."""
    lines: tuple[Line, ...] | None = getattr(decision, section)
    if lines is None or len(lines) != len(wanted):
        came = "unknown" if lines is None else _counted(len(lines))
        yield (section,), _counted(len(wanted)), came
        return
    for number, (figures, line) in enumerate(zip(wanted, lines, strict=True)):
        yield from _figures((section, number), figures, line, decision)


def _permissions(section: str, wanted: Mapping[str, str], decision: Decision) -> Iterator[Unlike]:
    for name, expected in wanted.items():
        ruling = decision.permissions.get(name)
        word = "absent" if ruling is None else _RULINGS[ruling.permitted]
        if word != expected:
            rules = ", ".join(reason.rule for reason in ruling.reasons) if ruling else ""
            came = f"{word} ({rules})" if rules else word + _why((section, name), decision)
            yield (section, name), expected, came


def _reasons(section: str, wanted: Mapping[str, Any], decision: Decision) -> Iterator[Unlike]:
    for name, rules in wanted.items():
        ruling = decision.permissions.get(name)
        found = [reason.rule for reason in ruling.reasons] if ruling else []
        yield from _names((section, name), rules, found)


def _set(section: str, wanted: list[str], decision: Decision) -> Iterator[Unlike]:
    yield from _names((section,), wanted, _SETS[section](decision))


_SETS: Mapping[str, Callable[[Decision], Iterable[str]]] = {
    "notices": lambda decision: [notice.rule for notice in decision.notices],
    "assumptions": lambda decision: [assumption.name for assumption in decision.assumptions],
    "undetermined": lambda decision: decision.undetermined,
}
_SECTIONS: Mapping[str, Callable[[str, Any, Decision], Iterator[Unlike]]] = {
    "status": _status,
    "values": _values,
    "assets": _by_key,
    "orders": _by_position,
    "loans": _by_position,
    "permissions": _permissions,
    "reasons": _reasons,
    **dict.fromkeys(_SETS, _set),
}
_RULINGS = {True: "permitted", False: "refused", None: "undetermined"}


def _figures(
    at: Pointer, wanted: Mapping[str, str], line: Line, decision: Decision
) -> Iterator[Unlike]:
    for name, expected in wanted.items():
        if name in line:
            yield from _figure((*at, name), expected, line[name], decision)
        else:
            meant = did_you_mean(name, line)
            yield (*at, name), expected, f"absent ({meant})" if meant else "absent"


def _figure(
    at: Pointer, expected: str, value: Value | None, decision: Decision
) -> Iterator[Unlike]:
    if not _same(expected, value):
        yield at, expected, _found(expected, value) + (_why(at, decision) if value is None else "")


def _same(expected: str, value: Value | None) -> bool:
    """Whether a figure is what is written; a number exactly, with every digit it has."""
    if isinstance(value, Decimal) and NUMBER.fullmatch(expected):
        written = Decimal(expected.removesuffix("%"))
        return value == (written.scaleb(-2, EXACT) if expected.endswith("%") else written)
    return expected == _said(value)


def _names(at: Pointer, wanted: Iterable[str], found: Iterable[str]) -> Iterator[Unlike]:
    """Names compared as sets."""
    if set(wanted) != set(found):
        yield at, _listed(wanted), _listed(found)


# --- words ---------------------------------------------------------------------------------------


def _said(value: Value | None, nothing: str = "undetermined") -> str:
    """A figure as a case file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return nothing if value is None else str(text_of(value))


def _found(expected: str, value: Value | None) -> str:
    """A figure that differs; with all its digits where the shown ones are those expected."""
    shown = _said(value)
    return f"{value:f}" if shown == expected and isinstance(value, Decimal) else shown


def _why(at: Pointer, decision: Decision) -> str:
    """What keeps a figure from being told, in brackets."""
    path = at[1:] if at[0] == "values" else at
    reasons = decision.undetermined.get(".".join(map(str, path)), ())
    return f" ({reasons[0]})" if reasons else ""


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(sorted(names))}]"


def _counted(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"
