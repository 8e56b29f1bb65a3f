"""Why a figure is what it is: every step from the question down to the inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from policy_engine.errors import Place, PolicyError, Problem, did_you_mean
from policy_engine.language.compute import Computed, compute, sight_of, start
from policy_engine.language.exact import ExactReading, Use
from policy_engine.language.interpreter import Interpreter
from policy_engine.language.plan import Figure, Gather, Plan, Step
from policy_engine.language.text import to_text
from policy_engine.language.values import Lists, Rows, Steps, Undetermined, is_undetermined, lookups
from policy_engine.model import ACCOUNT, LISTS, Citation, Formula, Input, Provision, Scale, Table
from policy_engine.numbers import EXACT, Value


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a figure that lies in one tier, its rate, and their product.

    `upto` None is the part above the last edge.
    """

    above: Decimal
    upto: Decimal | None
    part: Decimal
    rate: Decimal
    gives: Decimal


@dataclass(frozen=True, slots=True)
class Looked:
    """A table's row or a scale's tiers that a figure was read from, and where they are written."""

    name: str
    key: str | None
    answer: Value | None
    slices: tuple[Slice, ...]
    version: str
    citation: Citation | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of a trace: its value, and what it was made from.

    `expression` is the formula, None for what is given: an input or a parameter. `reads` names the
    entries it was made from; `reasons` say why it cannot be told, where `value` is None.
    """

    name: str
    title: str | None
    value: Value | None
    unit: str | None
    expression: str | None = None
    reads: tuple[str, ...] = ()
    looked: tuple[Looked, ...] = ()
    reasons: tuple[str, ...] = ()
    version: str | None = None
    citation: Citation | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """A question and its entries: the first answers it, each other is read by one before it."""

    name: str
    entries: tuple[Entry, ...]

    def __getitem__(self, name: str) -> Entry:
        """The entry of that name. Raises KeyError."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)


_At = tuple[str, int]
"""A figure by its full name, and the index of its line (-1: the account's)."""


def explain(plan: Plan, inputs: tuple[Any, ...], lists: tuple[Any, ...], name: str) -> Trace:
    """The trace of a figure of an account, by the exact reading.

    `name` is an account's figure, `<list>.<key or position>.<figure>`, `status`,
    `permissions.<name>` or `notices.<name>`. Raises PolicyError (`unknown-name`).
    """
    with localcontext(EXACT):
        known = lookups(plan.scope)
        computed = compute(plan, known, start(plan, inputs, lists))
        explainer = _Explainer(plan, known, computed)
        return Trace(name, tuple(explainer.entries(explainer.find(name))))


class _Explainer:
    def __init__(self, plan: Plan, known: Mapping[str, Rows | Lists], computed: Computed) -> None:
        self.plan, self.lookups, self.computed = plan, known, computed
        self.figures = {figure.name: figure for figure in plan.figures()}
        self.labels = {entity: self._line_labels(entity) for entity in LISTS}

    def _line_labels(self, entity: str) -> list[str]:
        lines = self.computed.lines.get(entity)
        if isinstance(lines, dict):
            return [str(key) for key in lines]
        count = self.computed.counts[entity]
        return [] if is_undetermined(count) else [str(n) for n in range(count)]

    # --- names ----------------------------------------------------------------------------------

    def find(self, name: str) -> list[_At]:
        """The figures that a question is about; of a rule with conditions, all of them."""
        account = dict.fromkeys(self.computed.figures, -1)
        if name in account:
            return [(name, -1)]
        under = [(at, -1) for at in account if at.startswith(f"{name}.")]
        if name == "status" or name.startswith("permissions."):
            return under or [self._refuse(name)]
        lines = {self.label(at): at for at in self._line_figures()}
        return [lines[name]] if name in lines else [self._refuse(name)]

    def _refuse(self, name: str) -> _At:
        known = {*self.computed.figures, *map(self.label, self._line_figures()), "status"}
        known |= {at.rpartition(".")[0] for at in known if at.startswith("permissions.")}
        shown = {at for at in known if "(" not in at}
        hint = did_you_mean(name, shown) or "the figures of a decision are its `values`"
        message = f"`{name}` is no figure of this decision"
        raise PolicyError([Problem("unknown-name", message, hint, Place(pointer="explain"))])

    def _line_figures(self) -> Iterator[_At]:
        for column in self.computed.columns:
            entity = column.partition(".")[0]
            yield from ((column, line) for line in range(len(self.labels[entity])))

    def label(self, at: _At) -> str:
        """How a figure is called in a trace: `assets.BTC.price`."""
        name, line = at
        if line < 0:
            return name
        entity, _, figure = name.partition(".")
        return f"{entity}.{self.labels[entity][line]}.{figure}"

    # --- entries --------------------------------------------------------------------------------

    def entries(self, asked: list[_At]) -> Iterator[Entry]:
        """The entries of some figures and of all they rest on, each once, readers first."""
        waiting, seen = list(asked), set(asked)
        while waiting:
            at = waiting.pop(0)
            entry, reads = self._entry(at)
            yield entry
            new = [read for read in reads if read not in seen]
            seen |= set(new)
            waiting = new + waiting

    def _entry(self, at: _At) -> tuple[Entry, list[_At]]:
        figure = self.figures.get(at[0])
        if figure is None:
            return self._given(at), []
        reads, uses = self._read(figure, at[1])
        return self._made(at, figure, reads, uses), reads

    def _value(self, at: _At) -> Any:
        name, line = at
        return self.computed.figures[name] if line < 0 else self.computed.columns[name][line]

    def _read(self, figure: Figure, line: int) -> tuple[list[_At], list[Use]]:
        """What a figure was made from. A plain name for a sum is explained as the sum."""
        if isinstance(figure, Gather):
            return self._lines_of(figure), []
        sight = sight_of(figure.entity, self.lookups, self.computed, line)
        Interpreter(ExactReading(sight)).read(figure.tree)
        reads = [self._of_line(read, figure.entity, line) for read in sight.read]
        flat: list[_At] = []
        for read in reads:
            gather = self.figures.get(read[0])
            flat += self._lines_of(gather) if isinstance(gather, Gather) else [read]
        return list(dict.fromkeys(flat)), sight.uses

    def _of_line(self, read: _At, entity: str, line: int) -> _At:
        name, other = read
        own = other < 0 and entity != ACCOUNT and name.startswith(f"{entity}.")
        return (name, line) if own else read

    def _lines_of(self, gather: Gather) -> list[_At]:
        return [(gather.column, line) for line in range(len(self.labels[gather.over]))]

    def _made(self, at: _At, figure: Figure, reads: list[_At], uses: list[Use]) -> Entry:
        provision = figure.provision
        value = self._value(at)
        return Entry(
            self.label(at),
            None if provision is None else provision.title,
            _known(value),
            provision.unit if isinstance(provision, Formula) else None,
            to_text(figure.expression.tree) if isinstance(figure, Step) else figure.name,
            tuple(self.label(read) for read in reads),
            tuple(self._looked(use) for use in uses),
            _reasons(value),
            None if provision is None else self._version_of(provision),
            None if provision is None else provision.citation,
            None if provision is None else provision.note,
        )

    def _given(self, at: _At) -> Entry:
        """An input or a parameter."""
        entity, _, name = at[0].rpartition(".")
        parameter = self.plan.scope.parameters.get(at[0])
        value = self._value(at)
        label = self.label(at)
        if parameter is not None:
            version, cited = self._version_of(parameter), parameter.citation
            return Entry(
                label,
                parameter.title,
                _known(value),
                parameter.unit,
                reasons=_reasons(value),
                version=version,
                citation=cited,
                note=parameter.note,
            )
        item = self.plan.scope.inputs[entity or ACCOUNT][name]
        return Entry(label, None, _known(value), _unit(item), reasons=_reasons(value))

    def _version_of(self, provision: Provision) -> str | None:
        """The version whose file declares a provision."""
        path = provision.place.path
        return next((v.id for v in self.plan.scope.versions if v.path == path), None)

    # --- tables and tiers -----------------------------------------------------------------------

    def _looked(self, use: Use) -> Looked:
        name = use.name.partition(".")[0]
        scope = self.plan.scope
        provision: Table | Scale = (
            scope.tables[name] if name in scope.tables else scope.scales[name]
        )
        return Looked(
            use.name.removesuffix(".rate"),
            None if use.key is None else _key_text(use.key),
            _known(use.answer),
            tuple(self._slices(use)),
            self._version_of(provision) or "",
            provision.citation,
        )

    def _slices(self, use: Use) -> Iterator[Slice]:
        lists = self.lookups[use.name]
        if isinstance(lists, Lists) and use.asked and not is_undetermined(use.answer):
            yield from slices(lists[use.key], *use.asked)


def slices(steps: Steps, x: Decimal, least: Decimal | None = None) -> Iterator[Slice]:
    """The tiers that a figure fills, in whole or in part."""
    tiers = [(upper, lower, rate) for upper, lower, rate, _ in steps.tiers]
    for upper, lower, rate in (*tiers, (None, steps.top, steps.above)):
        part = (x if upper is None else min(x, upper)) - lower
        if part > 0:
            used = rate if least is None else max(rate, least)
            yield Slice(lower, upper, part, used, part * used)


def _known(value: Any) -> Any:
    return None if is_undetermined(value) else value


def _reasons(value: Any) -> tuple[str, ...]:
    return value.reasons if isinstance(value, Undetermined) else ()


def _unit(item: Input) -> str | None:
    return item.unit or (None if item.kind == "number" else item.kind)


def _key_text(key: Any) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join(str(part) for part in parts)
