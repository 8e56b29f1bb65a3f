"""The parts of a decision, and where each stands among the computed figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.language.plan import Plan
from policy_engine.language.values import is_undetermined, together
from policy_engine.model import LISTS, Citation
from policy_engine.numbers import Value

Line = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that decided something: its name, its title, and where it is written."""

    rule: str
    title: str
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether something is permitted (None: cannot be told), and every rule that refuses it."""

    permitted: bool | None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told with a decision that decides nothing; `shows` are the figures named."""

    rule: str
    title: str
    citation: Citation | None
    shows: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the decision takes for granted because the sources are silent."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class InForce:
    """A ruleset that the decision rests on: the version in force and the digest of its meaning."""

    ruleset: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Deciding:
    """A rule, and where its condition stands among the computed figures (None: it has none)."""

    reason: Reason
    at: int | None = None
    shows: tuple[str, ...] = ()


class Told(NamedTuple):
    """A ruling, why it cannot be told where it cannot, and what else it takes for granted."""

    ruling: Ruling
    unknown: tuple[str, ...] = ()
    assumes: Mapping[str, str] = MappingProxyType({})
    """Assumptions beside those of the figures of the decision, with their titles."""


REFUSED = Told(Ruling(False, (Reason("not-offered", "the rules in force do not offer this"),)))
PERMITTED = Told(Ruling(True))


@dataclass(frozen=True, slots=True)
class Answered:
    """Rulings on requests that have been asked for already."""

    rulings: Mapping[str, Told]

    def __call__(self, decision: Any, name: str) -> Told:
        """The ruling on a request."""
        return self.rulings[name]


@dataclass(frozen=True)
class Layout:
    """Where each part of a decision stands among the computed figures. Shared by decisions.

    `values` gives the position of the account's figures, rules have that of their conditions;
    `texts` and `columns` that of each list's text inputs in a line and of its figures; `inputs` and
    `constants` are the account's other figures, which notices may show.
    """

    rulesets: tuple[InForce, ...]
    values: Mapping[str, int]
    statuses: tuple[Deciding, ...]
    notices: tuple[Deciding, ...]
    permissions: Mapping[str, tuple[Deciding, ...]]
    texts: Mapping[str, Mapping[str, int]]
    columns: Mapping[str, Mapping[str, int]]
    keys: Mapping[str, int]
    assumed: Mapping[str, str]
    titles: Mapping[str, str]
    inputs: Mapping[str, int]
    constants: Mapping[str, Value | None]
    requests: tuple[str, ...] = ()
    conditions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Where the conditions of each permission stand whose rules all have one."""
    plan: Plan | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without the plan: what explains a decision stays where it was made."""
        return {**self.__dict__, "plan": None}


def told(layout: Layout, name: str, figures: Sequence[Any]) -> Told:
    """Whether something is permitted, by the conditions of all the rules that may refuse it."""
    if name in layout.conditions:
        for at in layout.conditions[name]:
            if figures[at] is not False:
                break
        else:
            return PERMITTED
    rules = layout.permissions[name]
    held = [(rule.reason, True if rule.at is None else figures[rule.at]) for rule in rules]
    refusing = tuple(reason for reason, flag in held if flag is True)
    unknown = None if refusing else together(flag for _, flag in held)
    if unknown is not None:
        return Told(Ruling(None), unknown.reasons)
    return Told(Ruling(not refusing, refusing))


Rulings = Callable[[Any, str], Told]
"""The ruling on a request, from the decision that tells it and its name."""


class Record(NamedTuple):
    """A decision as computed: the inputs as read and every figure, as tuples."""

    account: str
    at: datetime
    inputs: tuple[Any, ...]
    lists: tuple[Any, ...]
    figures: tuple[Any, ...]
    columns: tuple[Any, ...]
    reached: Collection[str]
    rules_at: datetime
    known_at: datetime | None
    window: tuple[Assumption, ...]
    offered: tuple[str, ...]
    requested: Rulings | None = None
    """What tells whether a request may be made, where requests are told as permissions."""


def line_figures(layout: Layout, record: Record) -> Iterator[tuple[str, Any]]:
    """Every figure of every line, by list, key (or position) and name."""
    for entity, lines in zip(LISTS, record.lists, strict=True):
        known = () if is_undetermined(lines) else lines
        key = layout.keys.get(entity)
        for n, line in enumerate(known):
            label = n if key is None else line[key]
            for name, at in layout.columns[entity].items():
                yield f"{entity}.{label}.{name}", record.columns[at][n]
