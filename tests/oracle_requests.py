"""What a request comes to, as the oracle reads the rules.

A request changes a copy of the snapshot; what it would lead to is asked of that copy as of any
account.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from oracle_account import read_account
from oracle_case import Books, Case, Document, Snapshot, Watch, case, silent
from oracle_effects import Effects, Nowhere, changed
from oracle_figures import Provision, World
from oracle_language import Place, evaluate, key_field, parsed
from oracle_values import OracleError, Unknown, Value, number, stated

NOT_OFFERED = "not-offered"
NOT_ENOUGH = "not-enough"


class Ruling(NamedTuple):
    """Whether something is permitted, None where that cannot be told, and the rules against it."""

    permitted: bool | None
    reasons: frozenset[str] = frozenset()


class Answer(NamedTuple):
    """What a request comes to; `after` is the account it leads to, None where it is none.

    `known` is false where what it changes cannot be told.
    """

    ruling: Ruling
    after: Snapshot | None = None
    known: bool = True


REFUSED_AS_UNKNOWN = Answer(Ruling(False, frozenset([NOT_OFFERED])))


@dataclass(frozen=True)
class Asked(Place):
    """A place from which a request's inputs are seen, and the account that it leads to."""

    inputs: Mapping[str, Value] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    later: "Later | None" = None

    def asked(self, name: str) -> Value | None:
        """The request's input of that name; unknown where the request may lack it and does."""
        if name in self.optional - self.inputs.keys():
            return self.world.unknown("input not given", f"{name} is not given")
        return self.inputs.get(name)

    def has(self, name: str) -> bool:
        """Whether an optional input is there: the line's own, the request's, the account's."""
        own = self.entity != "account" and name in self.world.rules.inputs[self.entity]
        if not own and name in self.inputs.keys() | self.optional:
            return name in self.inputs
        return super().has(name)

    def afterwards(self, name: str) -> Value:
        """What an account figure would be after what is asked for."""
        if self.later is None:
            raise TypeError("an effect cannot ask for what comes after it")
        return self.later.figure(name)


@dataclass
class Later:
    """The account that a request leads to, read when a figure of it is first asked for."""

    there: Books
    watch: Watch
    effects: Effects
    read: Case | None = None

    def figure(self, name: str) -> Value:
        """A figure of the account afterwards, under the rules that apply to it then."""
        if not isinstance(self.effects, Mapping):
            self.watch("nothing afterwards")
            return Unknown(frozenset(self.effects.reasons))
        try:
            self.read = self.read or case(self.there, self.effects, self.watch)
        except OracleError as error:
            self.watch("no rules afterwards")
            return Unknown(frozenset([str(error)]))
        if name not in self.read.world.rules.formulas.get("account", {}):
            return self.read.world.unknown("no such figure", f"{name} is no figure afterwards")
        return Place(self.read.world).formula(name)


@dataclass(frozen=True)
class Asking:
    """A request that the rules which apply to an account declare."""

    account: Case
    request: Document

    @property
    def inputs(self) -> dict[str, Provision]:
        """The inputs that the request declares."""
        return self.request.get("inputs") or {}

    @property
    def optional(self) -> frozenset[str]:
        """The inputs that the request may lack."""
        return frozenset(n for n, said in self.inputs.items() if said.get("optional") == "true")

    def answer(self, facts: Mapping[str, Any]) -> Answer:
        """What the request comes to with these inputs, as they are written. Raises OracleError."""
        account, taken = self.account, ""
        if "takes" in self.request:
            facts, taken = taken_line(account.snapshot, self.request["takes"], facts, self.inputs)
        inputs = read_inputs(self.inputs, facts, account)
        self.on_step(inputs)
        named = {name: said["key_of"] for name, said in self.inputs.items() if "key_of" in said}
        self.each_once(inputs, named)
        asked = [(entity, inputs[name]) for name, entity in named.items() if name in inputs]
        rules, watch = account.world.rules, account.world.watch
        lines = read_account(rules, account.snapshot, account.books.moment, asked)
        place = Asked(World(rules, lines, watch), inputs=inputs, optional=self.optional)
        effects = changed(account.snapshot, self.request.get("effects") or (), place, named)
        if taken and isinstance(effects, Mapping):
            del effects[self.request["takes"]][int(taken)]
        place = replace(place, later=Later(account.books, watch, effects))
        ruling = combined(self.conditions(place, effects))
        after = effects if isinstance(effects, Mapping) else None
        return Answer(ruling, after, not isinstance(effects, Unknown))

    def each_once(self, inputs: Mapping[str, Value], named: Mapping[str, str]) -> None:
        """No figure of one line is set twice, by inputs that name it both. Raises OracleError."""
        effects = [one for one in self.request.get("effects") or () if "line" in one]
        told = [(one["line"], figure) for one in effects for figure in one["set"]]
        lines = [(named[line], inputs[line], figure) for line, figure in told if line in inputs]
        if len({*lines}) < len(lines):
            raise OracleError("same-line", self.request.get("title", ""))

    def on_step(self, inputs: Mapping[str, Value]) -> None:
        """A figure that has a limit is asked for in steps of it. Raises OracleError."""
        limit = self.request.get("limit", {"input": ""})
        value = inputs.get(limit["input"])
        if isinstance(value, Fraction) and value % number(limit["step"]):
            raise OracleError("invalid-value", f"{value} is not on the step")

    def conditions(self, place: Place, effects: Effects) -> Iterator[tuple[str, Value]]:
        """Each rule that refuses the request, and whether it holds."""
        for name in self.request.get("requires") or ():
            permitted, reasons = permission(self.account, name)
            yield from ((reason, True) for reason in reasons if permitted is False)
            if permitted is None:
                yield name, Unknown(frozenset([name]))
        if isinstance(effects, Nowhere):
            yield NOT_ENOUGH, True
        elif isinstance(effects, Unknown):
            yield NOT_ENOUGH, effects
        for name, said in (self.request.get("refuse_when") or {}).items():
            yield name, evaluate(parsed(said["when"]), place)


def combined(conditions: Iterator[tuple[str, Value]]) -> Ruling:
    """Refused by all that surely holds; else not known if one condition is not; else permitted."""
    met = list(conditions)
    reasons = frozenset(rule for rule, holds in met if holds is True)
    if reasons:
        return Ruling(False, reasons)
    return Ruling(None if any(isinstance(holds, Unknown) for _, holds in met) else True)


def taken_line(
    snapshot: Snapshot, entity: str, facts: Mapping[str, Any], names: Collection[str]
) -> tuple[dict[str, Any], str]:
    """The figures of the line that a request takes, and its position. Raises OracleError."""
    if entity not in facts:
        raise OracleError("missing-key", entity)
    written, lines = str(facts[entity]), snapshot.get(entity) or ()
    if not written.isdecimal() or int(written) >= len(lines):
        raise OracleError("unknown-line", written)
    if twice := (facts.keys() - {entity}) & set(names):
        raise OracleError("given-twice", min(twice))
    own = {name: lines[int(written)][name] for name in names}
    return own | {name: fact for name, fact in facts.items() if name != entity}, written


def read_inputs(
    declared: Mapping[str, Provision], facts: Mapping[str, Any], account: Case
) -> dict[str, Value]:
    """The inputs that a request brings. Raises OracleError for one that cannot be."""
    if unknown := facts.keys() - declared.keys():
        raise OracleError("unknown-key", ", ".join(unknown))
    read: dict[str, Value] = {}
    for name, said in declared.items():
        if facts.get(name) is not None:
            read[name] = stated(said["type"], facts[name])
            if not allowed(said, read[name], account):
                raise OracleError("invalid-value", name)
        elif said.get("optional") != "true":
            raise OracleError("missing-key", name)
    return read


def allowed(said: Provision, value: Any, account: Case) -> bool:
    """Whether a request's input may have the value."""
    kind = said["type"]
    among = [stated(kind, one) for one in said.get("one_of", ())]
    return (
        (not among or value in among)
        and ("above" not in said or value > stated(kind, said["above"]))
        and ("at_least" not in said or value >= stated(kind, said["at_least"]))
        and ("at_most" not in said or value <= stated(kind, said["at_most"]))
        and ("key_of" not in said or value in keys(account, said["key_of"]))
    )


def keys(account: Case, entity: str) -> set[Any]:
    """The keys of a list that have a line, whatever it holds, or a price."""
    rules, snapshot = account.world.rules, account.snapshot
    field = key_field(rules, entity)
    priced = any(said.get("role") == "price" for said in rules.inputs[entity].values())
    lines = {line[field] for line in snapshot.get(entity) or ()}
    return lines | set((snapshot.get("prices") or ()) if priced else ())


def permission(account: Case, name: str) -> Ruling:
    """Whether the rules permit something to the account as it is."""
    said = (account.main.get("permissions") or {}).get(name)
    if said is not None:
        rules = (said.get("refuse_when") or {}).items()
        place = Place(account.world)
        return combined((rule, evaluate(parsed(one["when"]), place)) for rule, one in rules)
    request = (account.main.get("requests") or {}).get(name)
    if request is None:
        return REFUSED_AS_UNKNOWN.ruling
    return told(Asking(account, request))


def permissions(account: Case) -> dict[str, Ruling]:
    """Everything that a decision tells to be permitted or not."""
    requests = account.main.get("requests") or {}
    asked = [name for name, said in requests.items() if said.get("permission") == "true"]
    names = [*(account.main.get("permissions") or ()), *asked]
    return {name: permission(account, name) for name in sorted(names)}


def told(asking: Asking) -> Ruling:
    """Whether a request is permitted for any of the values that its inputs may have."""
    choices = [
        [(name, one) for one in said["one_of"]]
        for name, said in asking.inputs.items()
        if "one_of" in said
    ]
    rulings = [asking.answer(dict(chosen)).ruling for chosen in product(*choices)]
    if any(ruling.permitted for ruling in rulings):
        return Ruling(True)
    if any(ruling.permitted is None for ruling in rulings):
        return Ruling(None)
    return Ruling(False, frozenset[str]().union(*(ruling.reasons for ruling in rulings)))


def asking(there: Books, snapshot: Snapshot, name: str, watch: Watch = silent) -> Asking | None:
    """The request as the rules that apply to the account declare it; None if they do not.

    Raises `OracleError` for an account without a decision and a request that no rules know.
    """
    account = case(there, snapshot, watch)
    declared = account.main.get("requests") or {}
    if name in declared:
        return Asking(account, declared[name])
    if any(name in (document.get("requests") or {}) for document in there.documents):
        return None
    raise OracleError("unknown-request", name)


def request(
    there: Books, snapshot: Snapshot, name: str, facts: Mapping[str, Any], watch: Watch = silent
) -> Answer:
    """What a request comes to under what is in force. Raises `OracleError`."""
    asked = asking(there, snapshot, name, watch)
    return REFUSED_AS_UNKNOWN if asked is None else asked.answer(facts)
