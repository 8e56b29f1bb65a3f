"""A decision as a person reads it: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.decision import Decision
from policy_engine.errors import Place, Problem
from policy_engine.language.plan import Plan
from policy_engine.layout import Assumption, Notice, Ruling
from policy_engine.model import ACCOUNT, Citation, Formula
from policy_engine.numbers import Value, instant_text, text_of
from policy_engine.render.layout import (
    CANNOT_BE_TOLD,
    Page,
    figure_text,
    on_the_point,
    padded,
    table,
)

HINT = "; hint: "
"""Stands between the reason of an undetermined figure and what would settle it."""

_LABEL = 14


def render(decision: Decision, plan: Plan, page: Page) -> str:
    """The decision as text; `plan` is what it was made by."""
    view = _View(decision, plan, page)
    parts = (
        view.head(),
        view.permissions(),
        view.notices(),
        view.figures(),
        view.undetermined(),
        assumed(decision.assumptions, page),
        view.rules(),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def undetermined(decision: Decision) -> list[Problem]:
    """What cannot be told as problems: one for each reason, with all that waits for it."""
    problems = []
    for reason, names in by_reason(decision).items():
        why, _, hint = reason.partition(HINT)
        waiting = ", ".join(f"`{name}`" for name in names)
        message = f"{why}: {waiting} cannot be told"
        place = Place(pointer=decision.account)
        problems.append(Problem("undetermined", message, hint or None, place))
    return problems


def by_reason(decision: Decision) -> dict[str, list[str]]:
    """The names of what cannot be told, under each reason that keeps them from it."""
    found: dict[str, list[str]] = {}
    for name, reasons in decision.undetermined.items():
        for reason in reasons:
            found.setdefault(reason, []).append(name)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class _View:
    decision: Decision
    plan: Plan
    page: Page

    def head(self) -> Iterator[str]:
        """The account, its status, and the rule that gives it."""
        yield self._label("Account", self.page.bold(self.decision.account))
        yield self._label("Facts of", instant_text(self.decision.at))
        yield self._label("Status", self._status())
        for reason in self.decision.reasons:
            if reason.title.lower() != reason.rule.replace("_", " "):
                yield from self.page.wrapped(reason.title, _LABEL)
            yield from cited(self.plan, reason.citation, _LABEL, self.page)
        yield from self._worse()

    def _worse(self) -> Iterator[str]:
        """For the best status, which has no condition: what does not hold."""
        *worse, best = self.plan.main.statuses
        if worse and self.decision.status == best.name:
            names = ", ".join(rule.name for rule in worse)
            yield from self.page.wrapped(f"no other status holds: {names}", _LABEL)

    def _label(self, label: str, text: str) -> str:
        return self.page.dim(padded(label, _LABEL)) + text

    def _status(self) -> str:
        status = self.decision.status
        if status is None:
            return self.page.colour(CANNOT_BE_TOLD, "yellow")
        names = [rule.name for rule in self.plan.main.statuses]
        colours = {names[0]: "red", names[-1]: "green"}
        return self.page.colour(status, colours.get(status, "yellow"))

    def permissions(self) -> Iterator[str]:
        """Each permission, and every rule that refuses it."""
        if self.decision.permissions:
            yield self.page.bold("Permissions")
        width = max(map(len, self.decision.permissions), default=0) + 4
        for name, ruling in self.decision.permissions.items():
            yield "  " + padded(name, width) + self._ruling(ruling)
            for reason in ruling.reasons:
                yield from self.page.wrapped(reason.title, width + 4, " " * (width + 2) + "- ")
                yield from cited(self.plan, reason.citation, width + 4, self.page)

    def _ruling(self, ruling: Ruling) -> str:
        if ruling.permitted is None:
            return self.page.colour(CANNOT_BE_TOLD, "yellow")
        if ruling.permitted:
            return self.page.colour("open", "green")
        return self.page.colour("refused", "red")

    def notices(self) -> Iterator[str]:
        """What the rules tell beside deciding."""
        if self.decision.notices:
            yield self.page.bold("Notices")
        for notice in self.decision.notices:
            yield from self.page.wrapped(notice.title + _shows(notice), 2)
            yield from cited(self.plan, notice.citation, 4, self.page)

    def figures(self) -> Iterator[str]:
        """The account's figures, in the order in which the rules write them."""
        formulas = self.plan.scope.formulas[ACCOUNT]
        values = self.decision.values
        yield self.page.bold("Figures")
        texts = on_the_point([figure_text(values[name]) for name in formulas])
        names = max(map(len, formulas), default=0)
        units = [_unit_text(formula, values[name]) for name, formula in formulas.items()]
        widest = max(map(len, units), default=0)
        for (name, formula), text, unit in zip(formulas.items(), texts, units, strict=True):
            row = f"  {padded(name, names)}  {text} {padded(unit, widest)}  "
            first, *rest = self.page.wrapped(formula.title, len(row), row)
            yield row + self.page.dim(first[len(row) :])
            yield from map(self.page.dim, rest)

    def undetermined(self) -> Iterator[str]:
        """What cannot be told: under each reason what would settle it, and what waits for it."""
        reasons = by_reason(self.decision)
        if reasons:
            yield self.page.bold("Cannot be told")
        for reason, names in reasons.items():
            why, _, hint = reason.partition(HINT)
            yield from self.page.wrapped(why, 2)
            if hint:
                yield from self.page.wrapped(hint, 18, "    to settle it:")
            yield from self.page.wrapped(", ".join(names), 18, "    waiting:")

    def rules(self) -> Iterator[str]:
        """The versions the decision rests on, since when they hold, and their digests."""
        known = self.decision.known_at
        announced = f", as announced by {instant_text(known)}" if known else ""
        at = instant_text(self.decision.rules_at)
        yield self.page.bold("Rules in force") + f" at {at}{announced}"
        since = {v.id: instant_text(v.effective_from) for v in self.plan.scope.versions}
        ids = [f"{item.ruleset}@{item.version}" for item in self.decision.rulesets]
        lines = table((name, f"since {since[name]}") for name in ids)
        for line, item in zip(lines, self.decision.rulesets, strict=True):
            yield line
            yield self.page.dim(f"    {item.digest}")
        yield self.page.dim(f"  engine {self.decision.engine}")


def cited(plan: Plan, citation: Citation | None, indent: int, page: Page) -> Iterator[str]:
    """Where a rule is written: title and date of the source, and the words that carry it."""
    if citation is None:
        return
    source = plan.main.sources[citation.source]
    date = f" ({source.updated})" if source.updated else ""
    quote = f': "{citation.quote}"{citation.where}' if citation.quote else ""
    for line in page.wrapped(f"{source.title}{date}{quote}", indent):
        yield page.dim(line)


def assumed(assumptions: Sequence[Assumption], page: Page) -> Iterator[str]:
    """What is taken for granted."""
    if assumptions:
        yield page.bold("Assumed")
    for assumption in assumptions:
        yield f"  {assumption.name}"
        yield from page.wrapped(assumption.title, 4)


def _unit_text(formula: Formula, value: Value | None) -> str:
    """The unit of an amount; a plain number, and what is not known, has none."""
    amount = isinstance(value, Decimal) and value.is_finite()
    return formula.unit if amount and formula.unit and formula.unit != "ratio" else ""


def _shows(notice: Notice) -> str:
    shown = ", ".join(f"{name} {figure_text(value)}" for name, value in notice.shows.items())
    return f" ({shown})" if shown else ""


def asked_text(request: str, inputs: Mapping[str, Value | None]) -> str:
    """A request as one asks it on the command line."""
    given = (f"{name}={text_of(value)}" for name, value in inputs.items() if value is not None)
    return " ".join([request, *given])
