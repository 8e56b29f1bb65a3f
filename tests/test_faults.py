"""Faults planted in the engine, one at a time: the comparison with the oracle catches each.

A fault is put into both readings where it can be, so that only the oracle can tell. The first
folders of the comparison are enough: they catch every fault here, and none without a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any

import pytest

import agreement
from generator import rule_files
from policy_engine import lines, quick, rulebook, snapshot
from policy_engine.decision import Decision
from policy_engine.language import code_reading, compute, exact, settle, values
from policy_engine.language.code_reading import CodeReading
from policy_engine.language.exact import ExactReading
from policy_engine.language.values import Rows, Steps, Undetermined, is_undetermined
from policy_engine.numbers import EXACT

FOLDERS, ACCOUNTS = 24, 40
Patch = pytest.MonkeyPatch
Planted = Callable[[Patch], None]


def wrap(patch: Patch, holder: Any, name: str, made: Callable[[Any], Any]) -> None:
    """Put what `made` makes of a function or method in its place."""
    patch.setattr(holder, name, made(getattr(holder, name)))


def in_readings(patch: Patch, name: str, made: Callable[[Any], Any]) -> None:
    """Put a fault into a method of the code reading and of the exact reading alike."""
    for reading in (CodeReading, ExactReading):
        wrap(patch, reading, name, made)


def built_in(patch: Patch, name: str, function: Callable[..., Any]) -> None:
    """Put a fault into a built-in of both readings."""
    patch.setitem(code_reading.GLOBALS, name, function)
    patch.setitem(exact._BUILT_INS, name, function)


# The faults


def at_most_is_below(patch: Patch) -> None:
    """`<=` is read as `<`."""

    def faulty(compare: Any) -> Any:
        return lambda self, sign, a, b: compare(self, "<" if sign == "<=" else sign, a, b)

    in_readings(patch, "compare", faulty)


def equal_is_not_above(patch: Patch) -> None:
    """`>=` is read as `>`."""

    def faulty(compare: Any) -> Any:
        return lambda self, sign, a, b: compare(self, ">" if sign == ">=" else sign, a, b)

    in_readings(patch, "compare", faulty)


def other_branch(patch: Patch) -> None:
    """`if` reads the branch not taken."""

    def faulty(choose: Any) -> Any:
        return lambda self, test, then, otherwise: choose(self, test, otherwise, then)

    in_readings(patch, "choose", faulty)


def unknown_is_false(patch: Patch) -> None:
    """`and` takes what cannot be told for false."""

    def faulty(logic: Any) -> Any:
        def read(self: Any, word: str, operands: Any) -> Any:
            found = logic(self, word, operands)
            return False if word == "and" and is_undetermined(found) else found

        return read

    wrap(patch, ExactReading, "logic", faulty)


def always_given(patch: Patch) -> None:
    """`given` says yes."""

    def faulty(call: Any) -> Any:
        def read(self: Any, function: str, arguments: Any) -> Any:
            if function == "given":
                return True if isinstance(self, ExactReading) else "(1 == 1)"
            return call(self, function, arguments)

        return read

    in_readings(patch, "call", faulty)


def edge_without_owner(patch: Patch) -> None:
    """An edge belongs to the tier below it, whatever the scale says."""

    def faulty(init: Any) -> Any:
        return lambda self, tiers, above, assumes, upper: init(self, tiers, above, assumes, False)

    wrap(patch, Steps, "__init__", faulty)


def least_rate_ignored(patch: Patch) -> None:
    """`slices` does not raise rates to the least one."""
    wrap(patch, CodeReading, "_slices", lambda slices: lambda self, tiers, x, *least: slices(
        self, tiers, x
    ))  # fmt: skip
    wrap(patch, exact, "slices_read", lambda read: lambda steps, reached, x, least=None: read(
        steps, reached, x
    ))  # fmt: skip


def last_rate_above(patch: Patch) -> None:
    """Above the last edge the last tier goes on, whatever the scale says."""
    patch.setattr(values, "_above", lambda last, steps, name, key: steps[-1][-1])


def above_last_lists_nothing(patch: Patch) -> None:
    """What `above_last` assumes is not listed."""

    def faulty(init: Any) -> Any:
        return lambda self, tiers, above, assumes, upper: init(self, tiers, above, (), upper)

    wrap(patch, Steps, "__init__", faulty)


def absent_is_zero(patch: Patch) -> None:
    """An optional number that is not given is 0."""

    def faulty(not_given: Any) -> Any:
        def read(item: Any, field: Any) -> Any:
            return Decimal(0) if item.kind == "number" else not_given(item, field)

        return read

    for module in (lines, quick, snapshot):
        wrap(patch, module, "not_given", faulty)


def last_line_left_out(patch: Patch) -> None:
    """`sum` leaves out the last line."""
    patch.setitem(
        code_reading.GLOBALS,
        "sum",
        lambda column, start=0: sum(list(column)[: -1 if start is values.ZERO else None], start),
    )
    patch.setitem(
        exact._GATHERED,
        "sum",
        lambda column: sum(column[:-1], values.ZERO),
    )


def empty_is_zero(patch: Patch) -> None:
    """`largest` and `smallest` of no lines are 0."""

    def faulty(gathered: Any) -> Any:
        def read(function: str, column: Any) -> Any:
            found = gathered(function, column)
            return Decimal(0) if found is None else found

        return read

    for module in (compute, settle):
        wrap(patch, module, "gathered", faulty)


def row_lists_nothing(patch: Patch) -> None:
    """What a table's row assumes is not listed."""

    def faulty(add: Any) -> Any:
        return lambda self, key, row: add(self, key, replace(row, assumes=()))

    wrap(patch, Rows, "_add", faulty)


def otherwise_ignored(patch: Patch) -> None:
    """A key without a row cannot be told, whatever `otherwise` says."""

    def faulty(missing: Any) -> Any:
        return lambda self, key: Undetermined([f"no row for {key}"])

    wrap(patch, Rows, "__missing__", faulty)


def number_keys_as_text(patch: Patch) -> None:
    """Number keys are the same only when they are spelled the same."""

    class Spelled(Rows):
        def __getitem__(self, key: Any) -> Any:
            found = [held for held in self if str(held) == str(key)]
            return super().__getitem__(found[0]) if found else self.__missing__(key)

    patch.setattr(values, "Rows", Spelled)


def worst_status_last(patch: Patch) -> None:
    """Statuses are read from the bottom."""

    def status(self: Any) -> Any:
        rules = self._layout.statuses
        held = [rule.reason for rule in reversed(rules[:-1]) if self._condition(rule) is True]
        return held[0] if held else rules[-1].reason

    patch.setattr(Decision, "_status", status)


def unknown_permits(patch: Patch) -> None:
    """A refusal that cannot be told permits."""

    def faulty(ruling: Any) -> Any:
        def read(self: Any, name: str) -> Any:
            made = ruling(self, name)
            unknown = made.ruling.permitted is None
            return made._replace(ruling=replace(made.ruling, permitted=True)) if unknown else made

        return read

    wrap(patch, Decision, "ruling", faulty)


def held(patch: Patch, counts: Callable[[Any, Any, Any], bool]) -> None:
    """Let only some versions be in force."""

    def faulty(held_at: Any) -> Any:
        def read(rulesets: Mapping[str, Any], moment: Any, known_at: Any) -> Any:
            some = {
                name: tuple(version for version in versions if counts(version, moment, known_at))
                for name, versions in rulesets.items()
            }
            return held_at(some, moment, known_at)

        return read

    wrap(patch, rulebook, "held_at", faulty)


def correction_ignored(patch: Patch) -> None:
    """A correction does not replace what it corrects."""
    held(patch, lambda version, moment, known_at: "+" not in version.id)


def starts_late(patch: Patch) -> None:
    """A version is not in force at its very instant."""
    held(patch, lambda version, moment, known_at: version.effective_from < moment)


def knowledge_ignored(patch: Patch) -> None:
    """What was announced later is in force before."""
    wrap(patch, rulebook, "held_at", lambda held_at: lambda rulesets, moment, known_at: held_at(
        rulesets, moment, None
    ))  # fmt: skip


def few_digits(patch: Patch) -> None:
    """Figures are worked out to 28 digits."""
    patch.setattr(EXACT, "prec", 28)


def ties_to_even(patch: Patch) -> None:
    """A tie is rounded to the even multiple."""
    patch.setattr(values, "ROUND_HALF_UP", ROUND_HALF_EVEN)


def hours_by_length(patch: Patch) -> None:
    """Hours are counted by their length and not by the clock."""

    def faulty(start: Any, end: Any) -> Any:
        if end < start:
            return values.clock_hours(start, end)
        return Decimal((end - start) // values._HOUR)

    built_in(patch, "clock_hours", faulty)


FAULTS: tuple[Planted, ...] = (
    at_most_is_below,
    equal_is_not_above,
    other_branch,
    unknown_is_false,
    always_given,
    edge_without_owner,
    least_rate_ignored,
    last_rate_above,
    above_last_lists_nothing,
    absent_is_zero,
    last_line_left_out,
    empty_is_zero,
    row_lists_nothing,
    otherwise_ignored,
    number_keys_as_text,
    worst_status_last,
    unknown_permits,
    correction_ignored,
    starts_late,
    knowledge_ignored,
    few_digits,
    ties_to_even,
    hours_by_length,
)


def disagreement(number: int) -> str | None:
    """Where the engine and the oracle first disagree on the accounts of a folder."""
    rng = Random(f"{agreement.SEED}-{number}")
    documents = rule_files(rng)
    comparison = agreement.Comparison()
    book = agreement.rulebook(documents)
    for turn in range(ACCOUNTS):
        if not agreement.compared(comparison, rng, documents, book, f"folder {number}, {turn}"):
            return comparison.where
    return None


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) > 10


def test_without_a_fault_nothing_is_caught() -> None:
    assert [number for number in range(FOLDERS) if disagreement(number) is not None] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_caught(fault: Planted, monkeypatch: Patch) -> None:
    fault(monkeypatch)
    assert any(disagreement(number) for number in range(FOLDERS)), fault.__doc__
