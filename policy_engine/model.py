"""What a rule file says, as frozen values. Nothing here computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from policy_engine.errors import Place
from policy_engine.language.syntax import Expression
from policy_engine.numbers import Value

ACCOUNT = "account"
LISTS = ("assets", "orders", "loans")
"""The entities: one account in every snapshot, and its lists."""


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The value of a parameter or row that the rules themselves do not know, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a provision is written: a key of `sources`, the words that carry the figure, and the
    line of the saved text that they begin on, where they stand there more than once."""

    source: str
    quote: str | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        """The line, to be read after the quote; nothing if none is given."""
        return "" if self.line is None else f" (line {self.line})"


@dataclass(frozen=True, slots=True)
class Source:
    """A document that provisions cite."""

    title: str
    updated: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    """What every named part of a rule file carries."""

    name: str
    title: str
    citation: Citation | None = None
    note: str | None = None
    assumes: tuple[str, ...] = ()
    place: Place = field(default=Place(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Input:
    """A figure that a version reads of a snapshot, or that a request brings."""

    name: str
    entity: str
    kind: str
    unit: str | None = None
    optional: bool = False
    key: bool = False
    key_of: str | None = None
    role: str | None = None
    source: tuple[str, ...] = ()
    place: Place = field(default=Place(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter(Provision):
    """A named constant: its kind, its unit if it is a number, and which direction is tighter."""

    value: Value | NotKnown = Decimal(0)
    kind: str = "number"
    unit: str | None = None
    safer: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a table and the keys it is for."""

    value: Value | NotKnown
    keys: tuple[tuple[Value, ...], ...] = ()
    assumes: tuple[str, ...] = ()
    citation: Citation | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Table(Provision):
    """A value for each key; `by` is the kind of each part of a key."""

    by: tuple[str, ...] = ("text",)
    kind: str = "number"
    unit: str | None = None
    rows: tuple[Row, ...] = ()
    otherwise: Row = Row(NotKnown(""))
    safer: str | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A stretch of a scale up to the edge `to`, and its rate in each column."""

    to: Decimal
    rates: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class AboveLast:
    """The rates above the last edge: given, the last tier's (None), or not known."""

    rate: Decimal | NotKnown | None = None
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale(Provision):
    """Rates by tiers, one list of tiers for each key (the key None when there is one list)."""

    by: str | None = None
    unit_in: str = "ratio"
    columns: tuple[tuple[str, str], ...] = (("rate", "ratio"),)
    has_columns: bool = False
    edge_belongs_to: str = "lower"
    rates: str | None = None
    safer: Mapping[str, str] = field(default_factory=dict)
    above_last: AboveLast = AboveLast()
    tiers: Mapping[Value | None, tuple[Tier, ...]] = field(default_factory=dict)
    maintenance_amount: tuple[str, str] | None = None
    columns_rise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accrual:
    """What a figure of a line adds, every full clock hour, to a figure of another list's line.

    It adds to the input `to` of the line of the list `of` whose key is the line's `by`. `covers`
    has inputs of that line, each with one of these lines: only where theirs add up to it is all
    known that the hours add.
    """

    of: str
    by: str
    to: str
    covers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Formula(Provision):
    """A derived figure of an entity, and what it adds by the hour, if it does."""

    entity: str = ACCOUNT
    kind: str = "number"
    unit: str | None = None
    expression: Expression | None = None
    accrues: Accrual | None = None


@dataclass(frozen=True, slots=True)
class Rule(Provision):
    """A status, refusal or notice; it holds when `when` is true. The last status has none."""

    when: Expression | None = None
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permission(Provision):
    """What an account may do, unless one of its rules refuses it."""

    refuse_when: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestInput:
    """A figure that a request brings, and the values it may have."""

    name: str
    kind: str
    unit: str | None = None
    optional: bool = False
    key_of: str | None = None
    above: Decimal | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    one_of: tuple[Value, ...] = ()
    place: Place = field(default=Place(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Effect:
    """Figures that a request sets: of the account, of the line that an input names, or of a line
    that it adds to a list. One of `line` and `add` is given, or neither for the account."""

    sets: Mapping[str, Expression]
    line: str | None = None
    add: str | None = None
    place: Place = field(default=Place(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """Which input of a request can be asked for its largest permitted value, and its step."""

    input: str
    step: Decimal


@dataclass(frozen=True, slots=True)
class Request(Provision):
    """What an account may ask for, what that changes in it, and when it is refused.

    `takes` is the list of whose lines it is made with one: what it brings are figures of that line,
    which is then gone.
    """

    permission: bool = False
    takes: str | None = None
    requires: tuple[str, ...] = ()
    inputs: Mapping[str, RequestInput] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    refuse_when: tuple[Rule, ...] = ()
    limit: Limit | None = None


def _nowhere(pointer: tuple[str | int, ...] = (), key: bool = False) -> Place:
    return Place()


@dataclass(frozen=True)
class Version:
    """One rule file: what a ruleset says from `effective_from` until its next version."""

    ruleset: str
    id: str
    effective_from: datetime
    announced_at: datetime | None
    summary: str
    path: str
    make_digest: Callable[[Version], str] = field(compare=False, repr=False)
    document: Any = field(compare=False, repr=False)
    completes_within: timedelta | None = None
    corrects: str | None = None
    applies_when: Expression | None = None
    uses: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    assumptions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[str, Input]] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    formulas: Mapping[str, Mapping[str, Formula]] = field(default_factory=dict)
    statuses: tuple[Rule, ...] = ()
    notices: tuple[Rule, ...] = ()
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    requests: Mapping[str, Request] = field(default_factory=dict)
    invariants: Mapping[str, Formula] = field(default_factory=dict)
    place: Callable[..., Place] = field(default=_nowhere, compare=False, repr=False)
    """Where the value at a pointer stands in the file, such as `("uses", 0)`."""

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """The names of the permissions it tells: those it declares, and requests told as such."""
        requests = (name for name, request in self.requests.items() if request.permission)
        return (*self.permissions, *requests)

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the hash of the version's meaning."""
        return self.make_digest(self)
