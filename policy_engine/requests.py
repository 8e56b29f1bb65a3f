"""What a request comes to: permitted or refused, why, and the account before and after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any

from policy_engine.asking import Asking
from policy_engine.deciding import Deciding
from policy_engine.decision import Assumption, Decision, Reason, Ruling
from policy_engine.effects import Effects, changed, effects_of
from policy_engine.errors import SnapshotError
from policy_engine.json_values import json_value, texts
from policy_engine.language.values import Undetermined, is_undetermined, together
from policy_engine.layout import REFUSED, Told
from policy_engine.model import Request
from policy_engine.numbers import Value, exactly
from policy_engine.request_inputs import brought, of_line
from policy_engine.snapshot import Taken

NOT_ENOUGH = "not-enough"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request comes to under the rules in force. Immutable.

    `permitted` is None where that cannot be told, and then `undetermined` has the reasons.
    `reasons` are all the rules that refuse. `after` is the decision on the account as the request
    would leave it; None where that is no account, or not known.
    """

    request: str
    inputs: Mapping[str, Value | None]
    permitted: bool | None
    reasons: tuple[Reason, ...]
    undetermined: tuple[str, ...]
    before: Decision
    after: Decision | None
    assumptions: tuple[Assumption, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        inputs, *others = (getattr(self, name) for name in self.__slots__[1:])
        return _answer, (self.request, dict(inputs), *others)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values, numbers as text."""
        return {
            "request": self.request,
            "inputs": texts(self.inputs),
            "permitted": self.permitted,
            "reasons": [json_value(reason) for reason in self.reasons],
            "undetermined": list(self.undetermined),
            "before": self.before.to_dict(),
            "after": None if self.after is None else self.after.to_dict(),
            "assumptions": [json_value(one) for one in self.assumptions],
        }

    def to_json(self) -> str:
        """The answer as one line of JSON: equal answers give equal bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))


def _answer(request: str, inputs: Mapping[str, Value | None], *others: Any) -> Answer:
    return Answer(request, MappingProxyType(inputs), *others)


@dataclass(frozen=True)
class Found:
    """What speaks against a request: rules that refuse, and what keeps others from being told."""

    refusing: tuple[Reason, ...]
    unknown: Undetermined | None
    reached: frozenset[str] = frozenset()

    @property
    def permitted(self) -> bool | None:
        """Whether nothing refuses; None where that cannot be told."""
        if self.refusing:
            return False
        return True if self.unknown is None else None


def answer(
    rules: Deciding,
    snapshot: Mapping[str, Any],
    name: str,
    given: Mapping[str, Any],
    before: Decision | None = None,
) -> Answer:
    """What a request comes to. Raises SnapshotError for a request or figure that is not known.

    `before` is the decision on the account as it is, where it has been made.
    """
    return answered(rules, snapshot, name, given, before)[0]


def answered(
    rules: Deciding,
    snapshot: Mapping[str, Any],
    name: str,
    given: Mapping[str, Any],
    before: Decision | None = None,
) -> tuple[Answer, Effects | None]:
    """The same with what the request changes; None where it is not offered."""
    before = before or rules.decide(snapshot)
    asking = rules.asking(snapshot, name)
    if asking is None:
        reasons = REFUSED.ruling.reasons
        return Answer(name, {}, False, reasons, (), before, None, before.assumptions), None
    given, gone = of_line(asking.request, given, snapshot)
    values = brought(asking.request, given)
    effects = effects_of(rules, asking, snapshot, values, gone=gone)
    later = changed(rules, effects)
    after = later if isinstance(later, Decision) else None
    found = judged(asking, effects, before, later)
    made = Answer(
        name,
        MappingProxyType({n: None if is_undetermined(v) else v for n, v in values.items()}),
        found.permitted,
        found.refusing,
        () if found.permitted is not None or found.unknown is None else found.unknown.reasons,
        before,
        after,
        _assumptions(asking, found, before, after),
    )
    return made, effects


class Requested:
    """The account of a decision, to be asked which requests it may make."""

    __slots__ = ("rules", "snapshot", "taken")

    def __init__(
        self,
        rules: Deciding,
        snapshot: Callable[[], Mapping[str, Any]],
        taken: Taken | None = None,
    ) -> None:
        """`taken` is the snapshot as the rules read it, where they have."""
        self.rules, self.snapshot, self.taken = rules, snapshot, taken

    def __call__(self, before: Decision, name: str) -> Told:
        """Whether a request is permitted with any of the values it can be asked with.

        `before` is the decision on the account.
        """
        snapshot = self.snapshot()
        self.snapshot = lambda: snapshot  # made once, however many requests are asked for
        asking = self.rules.asking(snapshot, name)
        assert asking is not None
        found: list[Found] = []
        granted: dict[str, str] = {}
        taken = self.taken
        for given in _choices(asking.request):
            try:
                effects = effects_of(self.rules, asking, snapshot, given, taken)
            except SnapshotError as error:  # a changed account that no snapshot could describe
                unknown = Undetermined(problem.message for problem in error.problems)
                return Told(Ruling(None), unknown.reasons)
            after, taken = changed(self.rules, effects), effects.taken
            found.append(judged(asking, effects, before, after))
            granted |= _granted(asking, found[-1], after)
            if found[-1].permitted:
                break
        ruling, reasons = _any_of(found)
        return Told(ruling, reasons, granted)


def _choices(request: Request) -> Iterator[Mapping[str, Any]]:
    """Every combination of the values that the inputs of a request may have."""
    lists = [
        item.one_of or (Undetermined([f"`{name}` is not given"]),)
        for name, item in request.inputs.items()
    ]
    return (dict(zip(request.inputs, values, strict=True)) for values in product(*lists))


def _any_of(found: Sequence[Found]) -> tuple[Ruling, tuple[str, ...]]:
    """Permitted if any is; refused if all are, for all their reasons."""
    rulings = [one.permitted for one in found]
    if True in rulings:
        return Ruling(True), ()
    if None in rulings:
        unknown = together(one.unknown for one in found if one.permitted is None)
        return Ruling(None), () if unknown is None else unknown.reasons
    return Ruling(False, tuple(dict.fromkeys(r for one in found for r in one.refusing))), ()


def judged(
    asking: Asking, effects: Effects, before: Decision, after: Decision | Undetermined
) -> Found:
    """Everything that speaks against a request, worst first: what must be open and is not, what
    the account has not enough of, and the rules that refuse."""
    later = {
        name: after.figure(name) if isinstance(after, Decision) else after
        for name in asking.asked.after
    }
    taken = effects.taken
    held, reached = exactly(asking.refused, taken.inputs, taken.lists, effects.given, later)
    return weighed(asking, effects, before, held, reached)


def weighed(
    asking: Asking,
    effects: Effects,
    before: Decision,
    held: Mapping[str, Any],
    reached: Collection[str] = (),
) -> Found:
    """The same from the conditions of the rules that may refuse, as they were computed."""
    conditions = [(reason, held[name]) for name, reason in asking.reasons]
    required = [before.ruling(name) for name in asking.request.requires]
    refusing = (
        *(reason for told in required for reason in told.ruling.reasons),
        *(_not_enough(*short) for short in effects.short),
        *(reason for reason, flag in conditions if flag is True),
    )
    reasons = [Undetermined(t.unknown) for t in required if t.ruling.permitted is None]
    unknown = together([*reasons, *effects.unknown, *(flag for _, flag in conditions)])
    return Found(tuple(dict.fromkeys(refusing)), unknown, frozenset({*reached, *effects.reached}))


def _not_enough(name: str, key: str) -> Reason:
    return Reason(NOT_ENOUGH, f"there is not enough: `{name}` of {key} would fall below 0")


def _assumptions(
    asking: Asking, found: Found, before: Decision, after: Decision | None
) -> tuple[Assumption, ...]:
    """Everything that the answer, with both decisions, takes for granted, by name."""
    decided = {**before.granted, **(after.granted if after else {})}
    named = {**_granted(asking, found, after), **decided}
    return tuple(Assumption(name, title) for name, title in sorted(named.items()))


def _granted(asking: Asking, found: Found, after: Decision | Undetermined | None) -> dict[str, str]:
    """What a ruling on a request takes for granted, of the account as it is and as it would be."""
    titles = asking.compiled.layout.titles
    own = {**asking.assumed, **{name: titles.get(name, "") for name in found.reached}}
    if not isinstance(after, Decision) or not asking.asked.after:
        return own
    return {**own, **asking.assumed_later(after.workings()[0]), **after.reached}
