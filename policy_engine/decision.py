"""What is decided of an account, with its reasons: the answer of the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policy_engine.__about__ import ENGINE
from policy_engine.errors import PolicyError, Problem
from policy_engine.json_values import json_value, lines_text, texts
from policy_engine.language.values import Undetermined
from policy_engine.layout import (
    REFUSED,
    Answered,
    Assumption,
    Deciding,
    InForce,
    Layout,
    Line,
    Notice,
    Reason,
    Record,
    Ruling,
    Told,
    line_figures,
    told,
)
from policy_engine.model import LISTS
from policy_engine.numbers import Value, instant_text, tidy

if TYPE_CHECKING:
    from policy_engine.explain import Trace
    from policy_engine.language.plan import Plan


class Decision:
    """An account decided under the rules in force at an instant. Immutable.

    Figures are `Decimal`; `Decimal("Infinity")` is unlimited and None cannot be told, and then
    `undetermined` has the reasons.
    """

    __slots__ = ("__dict__", "_layout", "_record")

    _layout: Layout
    _record: Record

    def __init__(self, layout: Layout, record: Record) -> None:
        _put_layout(self, layout)
        _put_record(self, record)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a decision cannot be changed")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        rulings = {name: self._rulings[name] for name in self._layout.requests}
        asked = Answered(rulings) if self._record.requested else None
        return Decision, (self._layout, self._record._replace(requested=asked))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return f"<Decision {self.account}: {self.status or 'undetermined'}>"

    @property
    def account(self) -> str:
        """The account's name, as the snapshot gives it."""
        return self._record.account

    @property
    def at(self) -> datetime:
        """The instant of the facts."""
        return self._record.at

    @property
    def rules_at(self) -> datetime:
        """The instant whose rules decided."""
        return self._record.rules_at

    @property
    def known_at(self) -> datetime | None:
        """The instant of the knowledge of the rules; None if all that is known now."""
        return self._record.known_at

    @property
    def rulesets(self) -> tuple[InForce, ...]:
        """The versions that the decision rests on."""
        return self._layout.rulesets

    @property
    def engine(self) -> str:
        """The version of the engine that decided."""
        return ENGINE

    @property
    def status(self) -> str | None:
        """The name of the first status that holds; None where that cannot be told."""
        found = self._status()
        return found.rule if found.__class__ is Reason else None

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """The rule that gives the account its status."""
        found = self._status()
        return () if isinstance(found, Undetermined) else (found,)

    @cached_property
    def values(self) -> Mapping[str, Value | None]:
        """The account's figures by name."""
        figures = self._record.figures
        return MappingProxyType(
            {name: _known(figures[at]) for name, at in self._layout.values.items()}
        )

    @property
    def assets(self) -> tuple[Line, ...] | None:
        """The figures of each asset line."""
        return self._lines[0]

    @property
    def orders(self) -> tuple[Line, ...] | None:
        """The figures of each open order; None where the orders are not known."""
        return self._lines[1]

    @property
    def loans(self) -> tuple[Line, ...] | None:
        """The figures of each loan."""
        return self._lines[2]

    @cached_property
    def permissions(self) -> Mapping[str, Ruling]:
        """What the account may do, by name; what these rules do not offer is refused."""
        found = self._rulings
        names = sorted({*found, *self._record.offered})
        return MappingProxyType({name: found.get(name, REFUSED).ruling for name in names})

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What the rules tell of this account beside deciding, by name."""
        held = (rule for rule in self._layout.notices if self._condition(rule) is True)
        return tuple(
            Notice(
                rule.reason.rule,
                rule.reason.title,
                rule.reason.citation,
                MappingProxyType({name: self._figure(name) for name in rule.shows}),
            )
            for rule in held
        )

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the decision takes for granted, by name."""
        named = dict(self.granted)
        for one in self._rulings.values():
            named |= one.assumes
        return tuple(Assumption(name, title) for name, title in sorted(named.items()))

    @cached_property
    def granted(self) -> Mapping[str, str]:
        """The same, titles by name, without what only permissions told by requests rest on."""
        return {**self._layout.assumed, **self.reached}

    @cached_property
    def reached(self) -> Mapping[str, str]:
        """What it takes for granted because of this account's figures, or of the instant."""
        reached = {name: self._layout.titles.get(name, "") for name in self._record.reached}
        return {**reached, **{one.name: one.title for one in self._record.window}}

    @cached_property
    def undetermined(self) -> Mapping[str, tuple[str, ...]]:
        """Everything that cannot be told, with the reasons and what would settle it."""
        return MappingProxyType(dict(sorted(self._unknown())))

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain JSON values, numbers as text."""
        return {
            "account": self.account,
            "at": instant_text(self.at),
            "rules_at": instant_text(self.rules_at),
            "known_at": instant_text(self.known_at) if self.known_at else None,
            "status": self.status,
            "rulesets": [json_value(item) for item in self.rulesets],
            "values": texts(self.values),
            **{name: lines_text(lines) for name, lines in zip(LISTS, self._lines, strict=True)},
            "permissions": {name: json_value(ruling) for name, ruling in self.permissions.items()},
            "reasons": [json_value(reason) for reason in self.reasons],
            "notices": [{**json_value(item), "shows": texts(item.shows)} for item in self.notices],
            "assumptions": [json_value(assumption) for assumption in self.assumptions],
            "undetermined": {name: list(why) for name, why in self.undetermined.items()},
            "engine": self.engine,
        }

    def to_json(self) -> str:
        """The decision as one line of JSON: equal decisions give equal bytes."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    def explain(self, name: str) -> Trace:
        """Why a figure, the status or a permission is what it is, down to the inputs.

        `name` is one of `values`, `assets.BTC.<figure>`, `orders.0.<figure>`, `status`,
        `permissions.<name>` or `notices.<name>`. Raises PolicyError for another name, and for a
        decision that was pickled: the rules did not travel with it.
        """
        from policy_engine.explain import explain  # most decisions are never explained

        return explain(*self.workings(), name)

    def workings(self) -> tuple[Plan, tuple[Any, ...], tuple[Any, ...]]:
        """The plan that made it, and the account's inputs and lists. Raises as `explain` does."""
        if self._layout.plan is None:
            message, hint = "this decision was stored without its rules", "decide it again by them"
            raise PolicyError([Problem("no-rules-with-decision", message, hint)])
        return self._layout.plan, self._record.inputs, self._record.lists

    def ruling(self, name: str) -> Told:
        """One permission, why it cannot be told where it cannot, and what it rests on."""
        layout, record = self._layout, self._record
        if name in layout.permissions:
            return told(layout, name, record.figures)
        if record.requested is not None and name in layout.requests:
            return record.requested(self, name)
        return REFUSED

    def figure(self, name: str) -> Any:
        """A figure of the account as it was computed: undetermined ones carry their reasons."""
        at = self._layout.values.get(name)
        if at is None:
            return Undetermined([f"the rules that then apply give no figure `{name}`"])
        return self._record.figures[at]

    # --- how it is read ---------------------------------------------------------------------

    def _condition(self, rule: Deciding) -> Any:
        return True if rule.at is None else self._record.figures[rule.at]

    def _figure(self, name: str) -> Value | None:
        """A figure of the account by name: a formula's, an input or a parameter."""
        layout, record = self._layout, self._record
        if name in layout.values:
            return self.values[name]
        if name in layout.inputs:
            value: Value | None = _known(record.inputs[layout.inputs[name]])
            return value
        return layout.constants[name]

    def _status(self) -> Reason | Undetermined:
        """The first status that holds, or what keeps it from being told."""
        figures = self._record.figures
        for rule in self._layout.statuses:
            held = rule.at is None or figures[rule.at]
            if held is not False:
                return rule.reason if held is True else held
        raise AssertionError("the last status has no condition")

    @cached_property
    def _lines(self) -> tuple[tuple[Line, ...] | None, ...]:
        return tuple(
            self._entity_lines(entity, lines)
            for entity, lines in zip(LISTS, self._record.lists, strict=True)
        )

    def _entity_lines(self, entity: str, lines: Any) -> tuple[Line, ...] | None:
        if isinstance(lines, Undetermined):
            return None
        texts, columns = self._layout.texts[entity], self._layout.columns[entity]
        return tuple(
            MappingProxyType(
                {
                    **{name: line[at] for name, at in texts.items()},
                    **{name: _known(self._record.columns[at][n]) for name, at in columns.items()},
                }
            )
            for n, line in enumerate(lines)
        )

    def _unknown(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        layout = self._layout
        named = {name: self._record.figures[at] for name, at in layout.values.items()}
        named |= {f"notices.{rule.reason.rule}": self._condition(rule) for rule in layout.notices}
        named |= dict(line_figures(layout, self._record))
        named["status"] = self._status()
        for name, value in named.items():
            if isinstance(value, Undetermined):
                yield name, value.reasons
        for name, one in self._rulings.items():
            if one.ruling.permitted is None:
                yield f"permissions.{name}", one.unknown

    @cached_property
    def _rulings(self) -> Mapping[str, Told]:
        """Every permission that the rules tell."""
        return {n: self.ruling(n) for n in (*self._layout.permissions, *self._layout.requests)}


_put_layout, _put_record = Decision._layout.__set__, Decision._record.__set__  # type: ignore
"""What sets the parts of a decision, once: cheaper than `object.__setattr__`."""


def _known(value: Any) -> Any:
    """A figure as callers see it: None where it cannot be told, numbers in their plain form."""
    if isinstance(value, Undetermined):
        return None
    return tidy(value) if isinstance(value, Decimal) else value


__all__ = ["Assumption", "Decision", "InForce", "Notice", "Reason", "Ruling"]
