"""Mistakes that change no decision, told by an argument and not by trying."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from policy_engine.coverage.items import row_what
from policy_engine.coverage.marks import kinds_of, possible_marks, where
from policy_engine.coverage.plans import combinations, plans
from policy_engine.coverage.possible import FALSE, LIMITLESS, UNKNOWN, Kinds, allows, has_value
from policy_engine.coverage.written import expressions
from policy_engine.language.interpreter import dotted
from policy_engine.language.plan import Plan, Step
from policy_engine.language.scope import SCALE_READINGS
from policy_engine.model import NotKnown
from policy_engine.mutation.book import AlteredBook
from policy_engine.mutation.mutants import OWNER, RATE, Mutant
from policy_engine.mutation.terms import BOUNDARY, EXTREME, NEGATION, ORDER, SIGN
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules

NOTHING_READS_IT = "no formula reads it"
MEETS_AT_EDGES = "only sums of slices read the scale, and they meet at every edge"
NO_EDGE = "one side is never a number, so the two are never equal"
NEVER_HOLDS = "the rules supply no figure by which the rule could hold"
NEVER_ASKED = "no formula can ask for it"
NO_FIGURE = "the rules supply no figure by which the comparison could come out otherwise"
NEVER_TOLD = "the rules supply no figure by which the comparison could be told"
SAME_UNTOLD = "another refusal of the request can never be told either, for the same reason"
NO_ROWS = "it is looked up only in a table without rows"


@dataclass
class Meaning:
    """A rulebook whose mistakes are looked at, with the plans by which each version decides."""

    book: Rulebook
    known: dict[tuple[str, str], list[Plan]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.where = where(self.book.versions)

    def why_equal(self, mutant: Mutant) -> str | None:
        """Why a mutant decides every account as its version does; None where it may not."""
        if mutant.path[0] == "parameters":
            return self._of_parameter(mutant)
        if mutant.path[0] == "tables":
            return self._of_table(mutant)
        if mutant.path[0] == "scales":
            return self._of_scale(mutant)
        if mutant.path[0] in ("statuses", "notices", "permissions", "requests", "formulas"):
            return self._of_formula(mutant)
        return None

    def _plans(self, mutant: Mutant) -> list[Plan]:
        request = mutant.path[1] if mutant.path[0] == "requests" else ""
        whole = mutant.path[0] in ("parameters", "scales", "tables")
        key = (mutant.version, "*" if whole else request)
        if key not in self.known:
            names = None if whole else (request,)
            self.known[key] = _plans(combinations(self.book), mutant.version, names)
        return self.known[key]

    def _of_parameter(self, mutant: Mutant) -> str | None:
        name = mutant.path[1]
        if not any(name in names for names in self._read(mutant)):
            return NOTHING_READS_IT
        uses = {use for plan in self._plans(mutant) for use in _uses(plan, name)}
        return NO_ROWS if uses == {NO_ROWS} else None

    def _read(self, mutant: Mutant) -> Iterator[set[str]]:
        """The names that each plan reads, with what notices show and what chooses the rules."""
        for plan in self._plans(mutant):
            yield {name for step in _steps(plan) for name in step.reads}
            for version in plan.scope.versions:
                yield {name for notice in version.notices for name in notice.shows}
                when = version.applies_when
                yield (
                    {n.id for n in ast.walk(when.tree) if isinstance(n, ast.Name)}
                    if when
                    else set()
                )

    # --- scales ---------------------------------------------------------------------------------

    def _of_scale(self, mutant: Mutant) -> str | None:
        calls = {call for plan in self._plans(mutant) for call in _calls(plan, mutant.path[1])}
        if not calls:
            return NOTHING_READS_IT
        if mutant.operator == OWNER:
            return None if any(function == "tier" for function, _ in calls) else MEETS_AT_EDGES
        if mutant.operator == RATE:
            column = mutant.before.rpartition(", ")[2].partition(" ")[0]
            read = any(name == column and function != "top" for function, name in calls)
            return None if read else NOTHING_READS_IT
        return None

    # --- formulas and conditions ----------------------------------------------------------------

    def _of_formula(self, mutant: Mutant) -> str | None:
        """The comparison that was changed, or changed in, has the one outcome before and after."""
        if mutant.span is None:
            return self._of_rule(mutant)
        plans_before = self._plans(mutant)
        before = [_compared(mutant, *one) for one in self._kinds(plans_before, mutant)]
        if mutant.operator == BOUNDARY and not any(
            _meet(*one) for found in before for one in found
        ):
            return NO_EDGE
        if mutant.operator not in (BOUNDARY, SIGN, ORDER, EXTREME, NEGATION):
            return None
        after = [_compared(mutant, *one) for one in self._altered(mutant)]
        outcomes = {kinds[node] for found in (*before, *after) for node, kinds in found}
        if not any(before) or len(outcomes) != 1:
            return None
        only = next(iter(outcomes))
        if mutant.operator == NEGATION:
            return NEVER_TOLD if only == {UNKNOWN} else None
        return NEVER_TOLD if only == {UNKNOWN} else NO_FIGURE if len(only) == 1 else None

    def _of_rule(self, mutant: Mutant) -> str | None:
        """Why a rule can be dropped: it never holds and brings no assumption, or another refusal
        of its request can never be told for the same reason."""
        found = list(self._kinds(self._plans(mutant), mutant))
        never = bool(found) and all(kinds[step.tree] == {FALSE} for step, kinds in found)
        if never and not any(
            _assumes(plan, step) for plan in self._plans(mutant) for step, _ in found
        ):
            return NEVER_HOLDS
        if mutant.path[0] != "requests":
            return None
        figure = ".".join(mutant.path)
        told = [_never_told(plan, ".".join(mutant.path[:2])) for plan in self._plans(mutant)]
        asked = [one for one in told if figure in one]
        alike = [any(n != figure and w == one[figure] for n, w in one.items()) for one in asked]
        return SAME_UNTOLD if asked and all(alike) else None

    def _of_table(self, mutant: Mutant) -> str | None:
        """Whether no formula can ask for what is changed."""
        name, asked = mutant.path[1], mutant.read
        if asked is None or asked == ("row", "otherwise"):
            marks = (
                mark for plan in self._plans(mutant) for mark in possible_marks(plan, self.where)
            )
            reached = asked is None or (mutant.version, mutant.path, asked) in set(marks)
            return None if reached else NEVER_ASKED
        held = next(v for v in self.book.versions if v.id == mutant.version).tables[name]
        row = next((row for row in held.rows if row.keys and asked == row_what(row)), None)
        keys = row.keys if row else (asked[1],)
        for plan in self._plans(mutant):
            if any(all(map(allows, one, key)) for one in _asked(plan, name) for key in keys):
                return None
        return NEVER_ASKED

    def _kinds(
        self, found: list[Plan], mutant: Mutant
    ) -> Iterator[tuple[Step, dict[ast.expr, Kinds]]]:
        version = next(one for one in self.book.versions if one.id == mutant.version)
        place = {path: id(one.place) for path, one in expressions(version)}.get(mutant.path)
        for plan in found:
            for step, kinds in kinds_of(plan):
                if id(step.expression.place) == place:
                    yield step, dict(kinds)

    def _altered(self, mutant: Mutant) -> Iterator[tuple[Step, dict[ast.expr, Kinds]]]:
        altered = AlteredBook(self.book, mutant.make())
        starts = tuple(altered.in_force(rules.at) for rules in combinations(self.book))
        request = mutant.path[1] if mutant.path[0] == "requests" else ""
        return self._kinds(_plans(starts, mutant.version, (request,)), mutant)


def _plans(starts: tuple[Rules, ...], version: str, names: tuple[str, ...] | None) -> list[Plan]:
    found: dict[tuple[str, ...], list[Plan]] = {}
    for rules in starts:
        key = tuple(held.id for held in rules.versions.values())
        if any(held == version for held in key) and key not in found:
            found[key] = list(plans(rules, version, names))
    return [plan for made in found.values() for plan in made]


def _steps(plan: Plan) -> Iterator[Step]:
    return (figure for figure in plan.figures() if isinstance(figure, Step))


def _asked(plan: Plan, table: str) -> Iterator[list[Kinds]]:
    """The kinds of the keys that a table is asked for."""
    for step, kinds in kinds_of(plan):
        for node in ast.walk(step.tree):
            if isinstance(node, ast.Call) and node in kinds and dotted(node.func) == table:
                yield [kinds[part] for part in node.args]


def _assumes(plan: Plan, step: Step) -> bool:
    """Whether a condition, or a table or scale that it asks, brings assumptions of its own."""
    own = step.provision is not None and bool(step.provision.assumes)
    names = {node.id for node in ast.walk(step.tree) if isinstance(node, ast.Name)}
    tables = [plan.scope.tables[name] for name in names if name in plan.scope.tables]
    rows = [row for table in tables for row in (*table.rows, table.otherwise)]
    scales = [plan.scope.scales[name] for name in names if name in plan.scope.scales]
    assumed = [*(one.assumes for one in (*tables, *scales)), *(row.assumes for row in rows)]
    return own or any(assumed)


def _never_told(plan: Plan, request: str) -> dict[str, frozenset[str]]:
    """The refusals of a request that can never be told, each with all the reasons for it."""
    held = plan.scope.parameters
    unknown = {name: p.value.because for name, p in held.items() if isinstance(p.value, NotKnown)}
    return {
        step.name: frozenset(unknown[name] for name in step.reads if name in unknown)
        for step, kinds in kinds_of(plan)
        if step.name.startswith(f"{request}.") and kinds[step.tree] == {UNKNOWN}
        if all(n in unknown or n.endswith(" of the request") for n in step.reads) and not step.looks
    }


def _uses(plan: Plan, name: str) -> Iterator[str]:
    """How a parameter is used: as the key of a table without rows, or otherwise."""
    tables = {key for key, table in plan.scope.tables.items() if not table.rows}
    for step in _steps(plan):
        calls = [n for n in ast.walk(step.tree) if isinstance(n, ast.Call)]
        keys = [part for call in calls if dotted(call.func) in tables for part in call.args]
        for node in ast.walk(step.tree):
            if isinstance(node, ast.Name) and node.id == name:
                yield NO_ROWS if node in keys else "otherwise"


def _calls(plan: Plan, scale: str) -> Iterator[tuple[str, str]]:
    """How a scale is read: the function, and the column."""
    for step in _steps(plan):
        for node in ast.walk(step.tree):
            function = dotted(node.func) if isinstance(node, ast.Call) else ""
            if function in SCALE_READINGS and isinstance(node, ast.Call):
                name, _, column = dotted(node.args[0]).partition(".")
                if name == scale:
                    yield function, column


Compared = tuple[ast.Compare, Mapping[ast.expr, Kinds]]


def _compared(mutant: Mutant, step: Step, kinds: Mapping[ast.expr, Kinds]) -> list[Compared]:
    """The comparison of a figure in which something was changed, with the kinds of its parts."""
    start, end = mutant.span or (0, 0)
    found = [
        node
        for node in ast.walk(step.tree)
        if isinstance(node, ast.Compare) and node in kinds
        if node.col_offset <= start and end <= (node.end_col_offset or 0)
    ]
    return [(node, kinds) for node in found[-1:]]


def _meet(node: ast.Compare, kinds: Mapping[ast.expr, Kinds]) -> bool:
    """Whether the two sides could be equal."""
    sides = (kinds[node.left], kinds[node.comparators[0]])
    return all(map(has_value, sides)) or all(LIMITLESS in side for side in sides)
