"""What a case expects, compared with what came: a decision, the answer to a request, an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.decision import Decision
from policy_engine.document import Pointer
from policy_engine.errors import PolicyError, did_you_mean
from policy_engine.layout import Line
from policy_engine.numbers import EXACT, NUMBER, Value, text_of
from policy_engine.requests import Answer

Unlike = tuple[Pointer, str, str]
"""Where an expectation stands under `expect`, what it is, and what came instead."""


def of_error(expect: Mapping[str, Any], error: PolicyError) -> Iterator[Unlike]:
    """How an error differs from what is expected."""
    codes = dict.fromkeys(problem.code for problem in error.problems)
    if "error" not in expect:
        told = "; ".join(f"{problem.code} ({problem.message})" for problem in error.problems)
        what = "an answer" if "permitted" in expect else "a decision"
        yield (), what, f"the error {told}"
    elif expect["error"] not in codes:
        yield ("error",), expect["error"], ", ".join(codes)


def of_decision(expect: Mapping[str, Any], decision: Decision) -> Iterator[Unlike]:
    """How a decision differs from what is expected."""
    if "error" in expect:
        came = f"a decision with the status {written_as(decision.status)}"
        yield ("error",), expect["error"], came
        return
    for section, wanted in expect.items():
        yield from _SECTIONS[section](section, wanted, decision)


def of_answer(expect: Mapping[str, Any], answer: Answer) -> Iterator[Unlike]:
    """How the answer to a request differs from what is expected.

    What an answer does not have of its own is expected of the decision on the account as it is.
    """
    if "error" in expect:
        yield ("error",), expect["error"], f"an answer, {_RULINGS[answer.permitted]}"
        return
    for section, wanted in expect.items():
        if section in _OF_ANSWER:
            yield from _OF_ANSWER[section](section, wanted, answer)
        else:
            yield from _SECTIONS[section](section, wanted, answer.before)


# --- the sections of a decision ------------------------------------------------------------------


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


# --- the sections of an answer -------------------------------------------------------------------


def _permitted(section: str, wanted: bool | None, answer: Answer) -> Iterator[Unlike]:
    if wanted is not answer.permitted:
        told = [reason.rule for reason in answer.reasons] or answer.undetermined
        came = written_as(answer.permitted, "null") + (f" ({', '.join(told)})" if told else "")
        yield (section,), written_as(wanted, "null"), came


def _refusing(section: str, wanted: list[str], answer: Answer) -> Iterator[Unlike]:
    yield from _names((section,), wanted, [reason.rule for reason in answer.reasons])


def _assumed(section: str, wanted: list[str], answer: Answer) -> Iterator[Unlike]:
    yield from _names((section,), wanted, [assumption.name for assumption in answer.assumptions])


def _untold(section: str, wanted: list[str], answer: Answer) -> Iterator[Unlike]:
    """Each reason that it cannot be told, by words of it: none more, none missing."""
    met = [any(words in reason for reason in answer.undetermined) for words in wanted]
    named = [any(words in reason for words in wanted) for reason in answer.undetermined]
    if not (all(met) and all(named)):
        yield (section,), _listed(wanted), _listed(answer.undetermined)


def _after(section: str, wanted: Mapping[str, Any], answer: Answer) -> Iterator[Unlike]:
    if answer.after is None:
        yield (section,), "an account", "not known"
        return
    for at, expected, found in of_decision(wanted, answer.after):
        yield (section, *at), expected, found


_OF_ANSWER: Mapping[str, Callable[[str, Any, Answer], Iterator[Unlike]]] = {
    "permitted": _permitted,
    "reasons": _refusing,
    "undetermined": _untold,
    "assumptions": _assumed,
    "after": _after,
}


# --- figures and names ---------------------------------------------------------------------------


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
    return expected == written_as(value)


def _names(at: Pointer, wanted: Iterable[str], found: Iterable[str]) -> Iterator[Unlike]:
    """Names compared as sets."""
    if set(wanted) != set(found):
        yield at, _listed(wanted), _listed(found)


# --- words ---------------------------------------------------------------------------------------


def written_as(value: Value | None, nothing: str = "undetermined") -> str:
    """A figure as a case file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return nothing if value is None else str(text_of(value))


def _found(expected: str, value: Value | None) -> str:
    """A figure that differs; with all its digits where the shown ones are those expected."""
    shown = written_as(value)
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
