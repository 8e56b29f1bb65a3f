"""The case that is missing: an account on which a mistake can be seen, with what must come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy_engine.cases import Case
from policy_engine.decision import Decision
from policy_engine.diff import compare
from policy_engine.errors import PolicyError
from policy_engine.expectations import written_as
from policy_engine.layout import Line
from policy_engine.mutation.book import AlteredBook
from policy_engine.mutation.moves import moved
from policy_engine.mutation.mutants import Mutant
from policy_engine.mutation.trial import Trial
from policy_engine.numbers import instant_text
from policy_engine.requests import Answer, answer
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules
from policy_engine.witnesses import witnesses

MOST_ACCOUNTS = 40
"""Accounts of cases from which the search for an edge starts."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A case that would notice a mistake, as its file would hold it.

    `expect` is what the rules give as they are; whether it should be so is for a person to say.
    `like` is the case whose account it is, None where the account was made.
    """

    at: str
    known_at: str | None
    snapshot: Mapping[str, Any]
    request: tuple[str, Mapping[str, Any]] | None
    expect: Mapping[str, Any]
    like: str | None = None


@dataclass
class Searching:
    """A trial whose survivors are looked at; what each case gives is worked out once."""

    trial: Trial
    given: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def missing(self, mutant: Mutant) -> Missing | None:
        """A case that would notice a mutant.

        On the account of a case, at an edge of what the mutant moves, or a step away from a case's.
        """
        altered = AlteredBook(self.trial.book, mutant.make())
        found = self.on_cases(mutant) or next(self._made(mutant, altered), None)
        return found or self._moved(mutant, altered)

    def on_cases(self, mutant: Mutant) -> Missing | None:
        """The first case of which anything comes out otherwise, with all that does."""
        altered = AlteredBook(self.trial.book, mutant.make())
        asks = mutant.path[0] == "requests"
        cases, telling = self.trial.cases, self.trial.telling(mutant)
        for number in sorted(telling, key=lambda n: (cases[n].request is not None) != asks):
            case = cases[number]
            if expect := differing(self._outcome(number), _outcome(altered, case)):
                like = case.name
                return Missing(case.at, case.known_at, case.snapshot, case.request, expect, like)
        return None

    def _outcome(self, number: int) -> Mapping[str, Any]:
        if number not in self.given:
            self.given[number] = _outcome(self.trial.book, self.trial.cases[number])
        return self.given[number]

    def _moved(self, mutant: Mutant, altered: AlteredBook) -> Missing | None:
        """A case on an account a step away from that of a case."""
        trial = self.trial
        version = next(one for one in trial.book.versions if one.id == mutant.version)
        key = mutant.read[1] if mutant.read and isinstance(mutant.read[1], tuple) else ()
        for case in [trial.cases[n] for n in trial.resting[mutant.version][:MOST_ACCOUNTS]]:
            rules = trial.book.in_force(case.at, case.known_at)
            new = altered.in_force(case.at, case.known_at)
            for snapshot in moved(case.snapshot, version, key):
                told = [_told(side, snapshot, case.request) for side in (rules, new)]
                if "error" not in told[0] and (expect := differing(*told)):
                    return Missing(case.at, case.known_at, snapshot, case.request, expect)
        return None

    def _made(self, mutant: Mutant, altered: AlteredBook) -> Iterator[Missing]:
        """Cases on accounts made to stand at the edges of what a mutant moves."""
        book = self.trial.book
        before = next(version for version in book.versions if version.id == mutant.version)
        rules = book.in_force(before.effective_from)
        new = altered.in_force(before.effective_from)
        changes = compare([before], [altered.version])
        accounts = [self.trial.cases[n].snapshot for n in self.trial.telling(mutant)]
        try:
            found = witnesses(rules, new, changes, accounts[:MOST_ACCOUNTS])
        except PolicyError:
            return
        for boundary in found:
            for one in boundary.witnesses:
                name = boundary.tested.split(".")[1] if one.given else ""
                request = (name, one.given) if one.given else None
                expect = differing(*(_told(r, one.snapshot, request) for r in (rules, new)))
                if expect:
                    at = instant_text(before.effective_from)
                    yield Missing(at, None, one.snapshot, request, expect)


def _outcome(book: Rulebook | AlteredBook, case: Case) -> Mapping[str, Any]:
    try:
        rules = book.in_force(case.at, case.known_at)
    except PolicyError as error:
        return {"error": error.problems[0].code}
    return _told(rules, case.snapshot, case.request)


def _told(
    rules: Rules, snapshot: Mapping[str, Any], request: tuple[str, Mapping[str, Any]] | None
) -> Mapping[str, Any]:
    """All that comes of a case, as a case could expect it."""
    try:
        if request is None:
            return _of_decision(rules.decide(snapshot))
        return _of_answer(answer(rules, snapshot, *request))
    except PolicyError as error:
        return {"error": error.problems[0].code}


# --- what could be expected ----------------------------------------------------------------------

_RULINGS = {True: "permitted", False: "refused", None: "undetermined"}


def _of_decision(decision: Decision) -> dict[str, Any]:
    """A decision as the sections of a case's `expect`."""
    permissions = decision.permissions
    reasons = {name: [r.rule for r in one.reasons] for name, one in permissions.items()}
    return {
        "status": written_as(decision.status),
        "values": _figures(decision.values),
        "assets": {str(line["asset"]): _figures(line) for line in decision.assets or ()},
        **{name: _lines(getattr(decision, name)) for name in ("orders", "loans")},
        "permissions": {name: _RULINGS[one.permitted] for name, one in permissions.items()},
        "reasons": {name: rules for name, rules in reasons.items() if rules},
        "notices": [notice.rule for notice in decision.notices],
        "assumptions": [one.name for one in decision.assumptions],
        "undetermined": list(decision.undetermined),
    }


def _of_answer(told: Answer) -> dict[str, Any]:
    """An answer in the same way, with the decisions on the account as it is and as it would be."""
    before = _of_decision(told.before)
    own = {
        "permitted": told.permitted,
        "reasons": [reason.rule for reason in told.reasons],
        "undetermined": list(told.undetermined),
        "assumptions": [one.name for one in told.assumptions],
    }
    after = {} if told.after is None else {"after": _of_decision(told.after)}
    return {**before, **own, **after}


def _figures(line: Line) -> dict[str, str]:
    return {name: written_as(value) for name, value in line.items()}


def _lines(lines: tuple[Line, ...] | None) -> list[dict[str, str]]:
    return [_figures(line) for line in lines or ()]


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What of an outcome is another in a second one; of mappings, only what differs."""
    found: dict[str, Any] = {}
    for name, value in before.items():
        other = after.get(name)
        if value == other:
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            value = differing(value, other)
        if value not in ({}, "absent"):
            found[name] = value
    return found
