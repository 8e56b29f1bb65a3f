"""The rules in force at an instant, and what they decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, getcontext, setcontext
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from policy_engine.applies import Applicable
from policy_engine.asking import Asking, asking
from policy_engine.decision import Decision
from policy_engine.errors import Place, Problem, RulesError, SnapshotError, did_you_mean
from policy_engine.layout import Assumption, Record, Rulings
from policy_engine.model import ACCOUNT, Version
from policy_engine.numbers import exact_context, instant_text
from policy_engine.policy import Compiled
from policy_engine.requests import Answer, Requested, answer
from policy_engine.snapshot import Reader, Taken, beyond_schema

if TYPE_CHECKING:
    from policy_engine.accruals import Hours
    from policy_engine.distances import Distances
    from policy_engine.limits import Limited

_MOST_REMEMBERED = 1024
_make = tuple.__new__
"""Makes a named tuple of a tuple that surely has all its parts, in a third less time."""


class Book(Protocol):
    """What rules in force ask of the rulebook they come from."""

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version."""

    @property
    def rulesets(self) -> Mapping[str, tuple[Version, ...]]:
        """The versions of each ruleset."""

    def in_force(self, at: datetime, known_at: datetime | None = None) -> Rules:
        """The rules of another instant, or of this one once more."""

    def applicable(self, version: Version) -> Applicable:
        """When a version decides; resolved once."""

    def offered(self, at: datetime, known_at: datetime | None) -> frozenset[str]:
        """The permissions that any version declares that has started by then."""

    def compiled(self, versions: tuple[Version, ...]) -> Compiled:
        """What decides under a combination of versions."""


class Rules:
    """The rules in force at an instant: one version of each ruleset that has started.

    `at` picks the rules; a snapshot's own `at` is the instant of its facts.
    """

    def __init__(
        self,
        book: Book,
        at: datetime,
        known_at: datetime | None,
        versions: Mapping[str, Version],
    ) -> None:
        self.book, self.at, self.known_at, self.versions = book, at, known_at, versions
        self._applicable = tuple(book.applicable(v) for v in versions.values() if v.applies_when)
        self._asked = tuple(
            sorted({item.source[0] for one in self._applicable for item in one.inputs})
        )
        self._ask = itemgetter(*self._asked) if self._asked else _nothing
        self._beyond = beyond_schema(versions.values())
        self._offered = tuple(sorted(book.offered(at, known_at)))
        self._chosen: dict[Any, tuple[Compiled, Reader]] = {}

    def __repr__(self) -> str:
        return f"<Rules in force at {instant_text(self.at)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _in_force, (self.book, self.at, self.known_at)

    def decide(self, snapshot: Mapping[str, Any]) -> Decision:
        """The decision on an account.

        Numbers are texts in plain notation, ints or Decimals. Raises SnapshotError with every
        problem of the snapshot, and where none or two of the rulesets apply to it.
        """
        compiled, reader = self.choice(snapshot)
        if not compiled.layout.requests:
            return self.decided(compiled, reader.read(snapshot, self.at))
        taken, kept = reader.read_and_keep(snapshot, self.at)
        asked = Requested(self, lambda: reader.as_it_was(kept), taken)
        return self.decided(compiled, taken, asked)

    def requested(
        self, compiled: Compiled, snapshot: Callable[[], Mapping[str, Any]]
    ) -> Requested | None:
        """What tells of requests as permissions, where the rules have any."""
        return Requested(self, snapshot) if compiled.layout.requests else None

    def request(self, snapshot: Mapping[str, Any], request: str, /, **given: Any) -> Answer:
        """What a request comes to, such as `rules.request(snapshot, "borrow", asset=…, amount=…)`.

        Numbers are given as in a snapshot. Raises SnapshotError for a snapshot, a request or a
        figure of it that cannot be used.
        """
        return answer(self, snapshot, request, given)

    def limit(self, snapshot: Mapping[str, Any], request: str, /, **given: Any) -> Decimal:
        """The largest value of a request such that it and every smaller one is permitted.

        On the request's step; 0 where nothing is permitted, infinite where nothing refuses. Raises
        Undetermined where it cannot be told, and SnapshotError as `request` does.
        """
        return self.limited(snapshot, request, **given).value

    def limited(self, snapshot: Mapping[str, Any], request: str, /, **given: Any) -> Limited:
        """The same with the rules that bind, and the answers at the limit and a step above it."""
        from policy_engine.limits import limited  # not needed to decide

        return limited(self, snapshot, request, given)

    def distances(
        self,
        snapshot: Mapping[str, Any],
        line: str | None = None,
        tick: str | int | Decimal = "0.01",
        hold: Collection[str] = (),
    ) -> Distances:
        """Where each status begins as the price of a line moves by ticks, the others as they are.

        Without a line: as all prices move together but those on `hold`, in percent. Raises
        SnapshotError.
        """
        from policy_engine.distances import distances  # not needed to decide

        return distances(self, snapshot, line, tick, hold)

    def hours(self, snapshot: Mapping[str, Any]) -> Hours:
        """When each status begins by what the rules say accrues by the hour, all else as it is.

        Raises SnapshotError.
        """
        from policy_engine.accruals import hours  # not needed to decide

        return hours(self, snapshot)

    def asking(self, snapshot: Mapping[str, Any], name: str) -> Asking | None:
        """A request under the rules that decide on a snapshot; None where they do not offer it.

        Raises SnapshotError for a name that no rules know as a request.
        """
        compiled = self.compiled_for(snapshot)
        main = compiled.plan.main
        if name in main.requests:
            return self._asking(compiled, name)
        known = {*self._offered, *(r for v in self.book.versions for r in v.requests)}
        if name in known:
            return None
        hint = did_you_mean(name, known) or f"these rules know {', '.join(sorted(main.requests))}"
        place = Place(pointer="request")
        raise SnapshotError(
            [Problem("unknown-request", f"there is no request `{name}`", hint, place)]
        )

    def _asking(self, compiled: Compiled, name: str) -> Asking:
        """A request under a combination, kept with it for all rules with the same versions."""
        key = (name, *self._combination)
        if key not in compiled.askings:
            scopes = [one.plan.scope for one in self._deciding]
            figures = (scope.formulas[ACCOUNT] for scope in scopes)
            afterwards = {name: item for of_account in figures for name, item in of_account.items()}
            compiled.askings[key] = asking(compiled, name, afterwards)
        made: Asking = compiled.askings[key]
        return made

    @cached_property
    def _combination(self) -> tuple[str, ...]:
        """All versions in force that decide, and those they use."""
        return tuple(v.id for one in self._deciding for v in one.plan.scope.versions)

    @cached_property
    def _deciding(self) -> tuple[Compiled, ...]:
        """What decides under each of the rulesets that do."""
        return tuple(self.compiled(one.version.ruleset) for one in self._applicable)

    def decided(
        self, compiled: Compiled, taken: Taken, requested: Rulings | None = None
    ) -> Decision:
        """The decision on a snapshot as read; `requested` tells of requests as permissions."""
        callers = getcontext()
        setcontext(exact_context())
        try:
            figures, columns, reached = compiled.program.run(taken.inputs, *taken.lists)
        finally:
            setcontext(callers)
        window = self._window(compiled) if self._windows else ()
        asked = (self.at, self.known_at, window, self._offered, requested)
        made = (*taken, figures, columns, reached, *asked)
        return Decision(compiled.layout, _make(Record, made))

    def compiled_for(self, snapshot: Mapping[str, Any]) -> Compiled:
        """What decides on a snapshot. Raises SnapshotError if nothing or two rulesets would."""
        return self.choice(snapshot)[0]

    def read(self, snapshot: Mapping[str, Any]) -> Taken:
        """A snapshot as the rules that decide on it read it. Raises SnapshotError."""
        return self.choice(snapshot)[1].read(snapshot, self.at)

    def choice(self, snapshot: Mapping[str, Any]) -> tuple[Compiled, Reader]:
        """What decides on a snapshot, and what reads it. Raises SnapshotError."""
        try:
            return self._chosen[self._ask(snapshot)]
        except (KeyError, TypeError, AttributeError):
            pass
        compiled = self._choose(snapshot)
        choice = compiled, compiled.readers.beyond(self._beyond)
        asked = [snapshot.get(name) for name in self._asked]
        if len(self._chosen) < _MOST_REMEMBERED and all(isinstance(part, str) for part in asked):
            self._chosen[self._ask(snapshot)] = choice
        return choice

    def compiled(self, ruleset: str) -> Compiled:
        """What decides under a ruleset in force and those it uses. Raises RulesError."""
        names = with_used(self.versions, ruleset)
        waiting = [name for name in names if name not in self.versions]
        if waiting:
            raise RulesError([self._not_started(waiting)])
        return self.book.compiled(tuple(self.versions[name] for name in names))

    def _choose(self, snapshot: Any) -> Compiled:
        found = [
            one.version for one in self._applicable if one.applies(snapshot, self.at, self._beyond)
        ]
        if len(found) != 1:
            raise SnapshotError([self._not_one(snapshot, found)])
        return self.compiled(found[0].ruleset)

    def _not_one(self, snapshot: Mapping[str, Any], found: list[Version]) -> Problem:
        place = Place(pointer=", ".join(self._asked))
        given = ", ".join(f"`{name}` {_shown(snapshot.get(name))}" for name in self._asked)
        when = instant_text(self.at)
        if not found:
            names = ", ".join(f"`{one.version.ruleset}`" for one in self._applicable) or "none"
            message = f"no rules in force at {when} apply to an account with {given}"
            return Problem("no-rules-apply", message, f"the rulesets that decide: {names}", place)
        both = " and ".join(f"`{version.id}`" for version in found)
        message = f"{both} both apply to an account with {given}"
        return Problem("two-rules-apply", message, "their `applies_when` must not overlap", place)

    def _not_started(self, names: Iterable[str]) -> Problem:
        shown = ", ".join(f"`{name}`" for name in sorted(names))
        message = f"{shown} had not started, or was not announced, at {instant_text(self.at)}"
        return Problem("uses-not-started", message, "ask of a later instant, or of later knowledge")

    @cached_property
    def _windows(self) -> Mapping[str, Assumption]:
        """Versions whose change may not be complete yet, by ruleset."""
        return {
            name: Assumption(
                f"completes_within.{name}",
                f"The change of {instant_text(v.effective_from)} is taken to be complete;"
                f" it may take until {instant_text(v.effective_from + v.completes_within)}.",
            )
            for name, v in self.versions.items()
            if v.completes_within and self.at < v.effective_from + v.completes_within
        }

    def _window(self, compiled: Compiled) -> tuple[Assumption, ...]:
        used = {item.ruleset for item in compiled.layout.rulesets}
        return tuple(one for name, one in self._windows.items() if name in used)


def with_used(held: Mapping[str, Version], ruleset: str) -> list[str]:
    """A ruleset and all it uses, each once, in the order met; not all need be in force."""
    names = [ruleset]
    for name in names:  # the list grows as it is walked
        used = held[name].uses if name in held else ()
        names += [other for other in used if other not in names]
    return names


def _nothing(snapshot: Mapping[str, Any]) -> tuple[()]:
    return ()


def _shown(value: Any) -> str:
    return "missing" if value is None else f"`{value}`"


def _in_force(book: Book, at: datetime, known_at: datetime | None) -> Rules:
    return book.in_force(at, known_at)
