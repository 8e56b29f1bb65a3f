"""Scenarios: named changes of an account as data, and the files that people write them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from policy_engine.document import Document, Pointer, pointer_text, read_yaml
from policy_engine.errors import Place, Problem, RulesError
from policy_engine.numbers import EXACT, BadNumber, number
from policy_engine.schema import problems as schema_problems
from policy_engine.schema import shaped

UNCHANGED = Decimal(1)


@dataclass(frozen=True, slots=True)
class Shift:
    """How a price changes: to `factor` times itself, or to a price of its own."""

    text: str
    factor: Decimal | None = None
    price: Decimal | None = None

    def of(self, price: Decimal) -> Decimal:
        """The changed price, exact. To be called inside `localcontext(EXACT)`."""
        if self.price is not None:
            return self.price
        return price if self.factor is None else EXACT.multiply(price, self.factor)


def shift(text: str) -> Shift:
    """The change that a text such as `-20%` or `+5%`, or the price that one such as `2500` spells.

    Raises BadNumber for another text, for a fall of 100% or more, and for a price of 0 or less.
    """
    value = number(text.removeprefix("+") if text.endswith("%") else text)
    if text.endswith("%"):
        factor = EXACT.add(UNCHANGED, value)
        if factor <= 0:
            raise BadNumber(f"a price that changes by {text} is gone", "prices stay above 0")
        return Shift(text, factor=factor)
    if value <= 0:
        hint = f"a price is above 0; for a change write it with a percent sign: `{text}%`"
        raise BadNumber(f"`{text}` is no price", hint)
    return Shift(text, price=value)


def _nowhere(pointer: Pointer, key: bool = False) -> Place:
    return Place(pointer=pointer_text(pointer))


@dataclass(frozen=True)
class Scenario:
    """Changes of an account: fields that are set, prices, then requests one after another.

    A request is its name with what it brings; with the name of a list and a position in it
    instead, it is made with the figures of that line, which is then gone.
    """

    name: str
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Shift] = field(default_factory=dict)
    all_prices: Shift | None = None
    requests: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    place: Callable[..., Place] = field(default=_nowhere, compare=False, repr=False)
    """Where a part of it is written, such as `("prices", "BTC")`; with `key`, where its name is."""

    @property
    def changes_nothing(self) -> bool:
        """Whether it names nothing that changes."""
        return not (self.settings or self.prices or self.all_prices or self.requests)


def names_nothing(scenario: Scenario) -> Problem:
    """The problem of a scenario that changes nothing."""
    message = f"`{scenario.name}` names nothing that changes"
    hint = "say what changes, such as `prices: {BTC: -20%}`"
    return Problem("empty-scenario", message, hint, scenario.place((), key=True))


# --- files ----------------------------------------------------------------------------------------


def read_scenarios(text: str, path: str) -> tuple[Scenario, ...]:
    """The scenarios that the text of a file spells. Raises RulesError with every problem."""
    document = read_yaml(text, path)
    if problems := schema_problems(document, "scenarios"):
        raise RulesError(problems)
    written = shaped(document, "scenarios")["scenarios"]
    made = [_Written(document, name, item) for name, item in written.items()]
    scenarios = tuple(one.scenario() for one in made)
    problems = [problem for one in made for problem in one.problems]
    if problems:
        raise RulesError(problems)
    return scenarios


class _Written:
    """One scenario of a file."""

    def __init__(self, document: Document, name: str, written: Mapping[str, Any]) -> None:
        self.document, self.name, self.written = document, name, written
        self.problems: list[Problem] = []

    def scenario(self) -> Scenario:
        """The scenario; what is wrong with it is in `problems`."""
        requests = (next(iter(one.items())) for one in self.written.get("requests", ()))
        prices = self.written.get("prices", {})
        everywhere = self.written.get("all_prices")
        made = Scenario(
            self.name,
            self.written.get("title", ""),
            self.written.get("set", {}),
            {key: self._shift(("prices", key), text) for key, text in prices.items()},
            None if everywhere is None else self._shift(("all_prices",), everywhere),
            tuple(requests),
            self._place,
        )
        if made.changes_nothing:
            self.problems.append(names_nothing(made))
        return made

    def _place(self, pointer: Pointer, key: bool = False) -> Place:
        return self.document.place(("scenarios", self.name, *pointer), key=key)

    def _shift(self, pointer: Pointer, text: str) -> Shift:
        try:
            return shift(text)
        except BadNumber as bad:
            place = self._place(pointer)
            self.problems.append(Problem("bad-number", bad.message, bad.hint, place))
            return Shift(text)
