"""A request under one combination of versions: its plan, and the programs made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policy_engine.errors import RulesError
from policy_engine.language.asked import Asked, after_name, asked, input_name, line_name
from policy_engine.language.code import Program, generate
from policy_engine.language.plan import Plan, assumed_by, only, plan
from policy_engine.language.units import kind_problems
from policy_engine.language.values import Undetermined
from policy_engine.layout import Reason
from policy_engine.model import ACCOUNT, Formula, Request
from policy_engine.policy import Compiled
from policy_engine.probing import Probing

_NOT_YET = Undetermined(["this is not asked yet"])


@dataclass(frozen=True)
class Asking:
    """A request, its figures as a plan, and what decides on the account as it is."""

    request: Request
    asked: Asked
    plan: Plan
    compiled: Compiled
    later: dict[str, Probing] = field(default_factory=dict, compare=False, repr=False)
    granted: dict[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def probing(self) -> Probing:
        """What the request sets and the reasons to refuse it, with all at which they turn."""
        names = {name for one in self.asked.sets for name in one.values()}
        return Probing(self.plan, {*names, *self.asked.refusals}, self.compiled.lookups)

    def probing_later(self, after: Compiled) -> Probing:
        """What the request asks for of the changed account, under what then decides on it."""
        name = after.plan.main.id
        if name not in self.later:
            self.later[name] = Probing(after.plan, set(self.asked.after), after.lookups)
        return self.later[name]

    def assumed_later(self, after: Plan) -> Mapping[str, str]:
        """What those figures of the changed account take for granted under the plan that decides
        on it: titles by name."""
        name = after.main.id
        if name not in self.granted:
            self.granted[name] = assumed_by(after, {*self.asked.after})
        return self.granted[name]

    @cached_property
    def reasons(self) -> tuple[tuple[str, Reason], ...]:
        """The figure of each reason to refuse, with the reason."""
        return tuple(
            (name, Reason(rule.name, rule.title, rule.citation or self.request.citation))
            for name, rule in sorted(self.asked.refusals.items())
        )

    @cached_property
    def assumed(self) -> Mapping[str, str]:
        """What every answer to the request takes for granted: titles by name."""
        provisions = (self.request, *self.request.refuse_when)
        named = {*self.plan.assumed, *(name for one in provisions for name in one.assumes)}
        return {name: self.compiled.layout.titles.get(name, "") for name in named}

    @cached_property
    def effects(self) -> Program:
        """What the request sets."""
        names = {name for one in self.asked.sets for name in one.values()}
        return generate(only(self.plan, names), self.compiled.lookups)

    @cached_property
    def refusals(self) -> Program:
        """Whether each reason to refuse holds."""
        return generate(only(self.plan, set(self.asked.refusals)), self.compiled.lookups)

    def set_values(
        self, inputs: Sequence[Any], lists: Sequence[Any], given: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], set[str]]:
        """What the request sets, by figure (on lists: a value for each line), and the assumptions
        reached on the way."""
        return named_figures(self.effects, self.inputs(inputs, given, {}), lists)

    def refused(
        self,
        inputs: Sequence[Any],
        lists: Sequence[Any],
        given: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> tuple[Mapping[str, Any], set[str]]:
        """Whether each reason to refuse holds, by figure, and the assumptions reached."""
        return named_figures(self.refusals, self.inputs(inputs, given, after), lists)

    def inputs(
        self, inputs: Sequence[Any], given: Mapping[str, Any], after: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """The inputs of the request's plan, from those of the account and what the request brings
        and asks for after it."""
        brought = [given.get(name, _NOT_YET) for name in self.request.inputs]
        later = [after.get(name, _NOT_YET) for name in self.asked.after]
        sources = (*inputs, *brought, *later)
        return tuple([sources[at] for at in self._sources])

    @cached_property
    def _sources(self) -> tuple[int, ...]:
        """Where each input of the request's plan comes from: the position among the account's
        inputs, what the request brings, and what it asks for after it, one after the other."""
        own = [item.name for item in self.compiled.plan.inputs[ACCOUNT]]
        brought, later = [*self.request.inputs], [*self.asked.after]
        known = {name: at for at, name in enumerate(own)}
        for at, name in enumerate(brought, len(own)):
            known |= {input_name(name): at, line_name(name): at}
        known |= {after_name(n): at for at, n in enumerate(later, len(own) + len(brought))}
        return tuple(known[item.name] for item in self.plan.inputs[ACCOUNT])


def named_figures(
    program: Program, inputs: tuple[Any, ...], lists: Sequence[Any]
) -> tuple[Mapping[str, Any], set[str]]:
    """What a program computes, by figure, and the assumptions reached."""
    figures, columns, reached = program.run(inputs, *lists)
    named = dict(zip(program.figures, figures, strict=True))
    return {**named, **dict(zip(program.columns, columns, strict=True))}, reached


def asking(compiled: Compiled, name: str, afterwards: Mapping[str, Formula]) -> Asking:
    """A request of the deciding version; `afterwards` are the account's figures that the rules in
    force may give after it. Raises RulesError."""
    scope = compiled.plan.scope
    request = scope.main.requests[name]
    made = asked(scope, request, afterwards)
    whole = plan((made.version, *scope.versions[1:]))
    problems = list(kind_problems(whole))
    if problems:
        raise RulesError(problems)
    return Asking(request, made, whole, compiled)
