"""A figure's change taken apart: everything that moved is moved one by one, in both orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from policy_engine.causes.model import NO_FIGURE, WIDE, Causes, Corner, Split
from policy_engine.causes.moved import between, keys_of, moved, plainly
from policy_engine.causes.shares import shares_of, texts_in, walked
from policy_engine.causes.ways import Step, Ways, rule_steps
from policy_engine.decision import Decision
from policy_engine.diff import Changes, compare
from policy_engine.errors import Place, PolicyError, Problem, SnapshotError
from policy_engine.impact.apart import stood
from policy_engine.impact.mixture import Mixture
from policy_engine.impact.reach import Reach
from policy_engine.impact.units import Divided, Unit, divided
from policy_engine.model import ACCOUNT, LISTS, Version
from policy_engine.numbers import instant_text
from policy_engine.rules import Rules, with_used

Snapshot = Mapping[str, Any]


def causes(old: Rules, before: Snapshot, new: Rules, after: Snapshot, name: str) -> Causes:
    """What the change of a figure came from, between two rules and two snapshots of an account.

    `name` is as for `Decision.explain`. Facts without an instant of their own are those of the
    instant of the rules (`before` of `old`, `after` of `new`). Raises SnapshotError for a snapshot
    that cannot be used, or one of another account, and PolicyError for a figure that neither end
    has.
    """
    ends = _dated(before, old), _dated(after, new)
    decisions = old.decide(ends[0]), new.decide(ends[1])
    _check_account(*decisions)
    _check_name(name, *decisions)
    made = _Splitting(old, ends[0], new, ends[1], name, decisions)
    return made.causes()


def _dated(snapshot: Snapshot, rules: Rules) -> dict[str, Any]:
    rules.read(snapshot)  # one that is not sound is refused as it was written
    return {"at": instant_text(rules.at), **plainly(snapshot)}


def _check_account(old: Decision, new: Decision) -> None:
    if old.account != new.account:
        message = f"`{new.account}` is another account than `{old.account}`"
        hint = "give two snapshots of one account, with the same name in `account`"
        raise SnapshotError([Problem("other-account", message, hint, Place(pointer="account"))])


def _check_name(name: str, old: Decision, new: Decision) -> None:
    """Raise PolicyError for a figure that neither of two decisions has."""
    if all(_told(name, one).reason == NO_FIGURE for one in (old, new)):
        new.explain(name)  # raises, and says what there is


def _told(name: str, decision: Decision) -> Corner:
    """A figure, the status or whether something is permitted, as a decision tells it."""
    kind, _, rest = name.partition(".")
    unknown = "; ".join(decision.undetermined.get(name, ()))
    if name in decision.values:
        return Corner(decision.values[name], unknown)
    if name == "status":
        return Corner(decision.status, unknown)
    if kind == "permissions" and rest in decision.permissions:
        return Corner(decision.permissions[rest].permitted, unknown)
    if kind in LISTS:
        return _of_line(kind, rest, decision, unknown)
    return Corner(None, NO_FIGURE)


def _of_line(entity: str, rest: str, decision: Decision, unknown: str) -> Corner:
    label, _, figure = rest.rpartition(".")
    key = decision.workings()[0].scope.key(entity)
    for n, line in enumerate(getattr(decision, entity) or ()):
        if figure in line and label == (str(n) if key is None else line[key]):
            return Corner(line[figure], unknown)
    return Corner(None, NO_FIGURE)


@dataclass
class _Splitting:
    """One account at two instants, and every account and rules in between."""

    old: Rules
    before: Snapshot
    new: Rules
    after: Snapshot
    name: str
    decisions: tuple[Decision, Decision]

    def causes(self) -> Causes:
        """What the change came from."""
        start, end = (_told(self.name, one) for one in self.decisions)
        only_rules = self._under(self.new, self.before)
        only_inputs = self._under(self.old, self.after)
        corners = (start, only_rules, only_inputs, end)
        formula = self._formula()
        found: dict[str, Any] = {}
        if all(corner.number is not None for corner in corners):
            found = self._split(*(corner.number or Decimal(0) for corner in corners))
        return Causes(
            self.name,
            formula.title if formula else None,
            formula.unit if formula else None,
            self.decisions[0].account,
            (self.old.at, self.new.at),
            (self.decisions[0].at, self.decisions[1].at),
            *corners,
            **found,
        )

    def _formula(self) -> Any:
        entity, _, figure = self.name.rpartition(".")
        of = entity.partition(".")[0] if entity else ACCOUNT
        scopes = (rules.compiled_for(one).plan.scope for rules, one in self._ends())
        held = (scope.formulas.get(of, {}).get(figure) for scope in scopes)
        return next((one for one in held if one is not None), None)

    def _ends(self) -> tuple[tuple[Rules, Snapshot], tuple[Rules, Snapshot]]:
        return (self.new, self.after), (self.old, self.before)

    def _under(self, rules: Rules, snapshot: Snapshot) -> Corner:
        """The figure of an account under rules; why not, where they do not decide on it."""
        try:
            return _told(self.name, rules.decide(snapshot))
        except PolicyError as error:
            return Corner(None, "; ".join(problem.message for problem in error.problems))

    def _split(
        self, start: Decimal, rules: Decimal, inputs: Decimal, end: Decimal
    ) -> dict[str, Any]:
        ways, not_apart, changes = self._ways()
        readers = [side.choice(one)[1] for side, one in self._ends()]
        keys = {name: key for reader in readers for name, key in keys_of(reader).items()}
        inputs_moved = [Step(input=one) for one in moved(self.before, self.after, keys)]
        steps = [*ways.steps, *inputs_moved]

        def figure(made: Sequence[Step]) -> Decimal | None:
            some = [step.input for step in made if step.input is not None]
            rules = self._rules(ways, [step for step in made if step.unit is not None])
            if rules is None:
                return None
            return self._under(rules, between(self.before, some, keys)).number

        forth = walked(steps, figure, {0: start, len(ways.steps): rules, len(steps): end})
        turned = {0: start, len(inputs_moved): inputs, len(steps): end}
        back = walked(steps[::-1], figure, turned)
        shares = shares_of(steps, forth, back[::-1], changes, self._texts())
        idle = [one for one in shares if not (one.split.rules_first or one.split.inputs_first)]
        subtract = WIDE.subtract
        return {
            "rules": Split(subtract(rules, start), subtract(end, inputs)),
            "inputs": Split(subtract(end, rules), subtract(inputs, start)),
            "shares": tuple(one for one in shares if one not in idle),
            "idle": tuple(name for one in idle for name in one.names),
            "not_apart": not_apart,
        }

    def _rules(self, ways: Ways, taken: Sequence[Step]) -> Rules | None:
        """The rules with some steps taken; the real ones where none or all are."""
        if not taken:
            return self.old
        return self.new if len(taken) == len(ways.steps) else ways.rules(taken)

    def _texts(self) -> frozenset[str]:
        """Every text in either snapshot: what tables can be asked for."""
        return frozenset((*texts_in(self.before), *texts_in(self.after)))

    def _ways(self) -> tuple[Ways, str | None, Changes]:
        """The changes of the rules that decide on the account, as far as they can be told apart."""
        families = [_family(rules, (self.before, self.after)) for rules in (self.old, self.new)]
        names = families[0] | families[1]
        of, to = (_among(rules, names) for rules in (self.old, self.new))
        changes = compare(of.values(), to.values())
        parts = divided(of, to, changes)
        reached = _reached(parts, self.name.rpartition(".")[2], frozenset(names))
        units, not_apart = self._apart(reached)
        if not_apart is None:
            parts = reached
        else:
            units, not_apart = self._apart(parts)
        steps = rule_steps(units, changes, self._texts())
        return Ways(parts, units, steps, self.new.at), not_apart, changes

    def _apart(self, parts: Divided) -> tuple[tuple[Unit, ...], str | None]:
        return stood(parts, Mixture(parts, (), self.new.at))


def _reached(parts: Divided, figure: str, names: frozenset[str]) -> Divided:
    """The changes that a figure can depend on; all others are left as they were."""
    units = Reach(parts).units(figure, names)
    shared = dict(parts.shared)
    for unit in parts.units:
        shared |= {} if unit in units else unit.old
    return replace(parts, shared=shared, units=units)


def _family(rules: Rules, accounts: Sequence[Snapshot]) -> set[str]:
    """The rulesets that rules use to decide on some accounts."""
    found: set[str] = set()
    for snapshot in accounts:
        main = rules.compiled_for(snapshot).plan.main.ruleset
        found |= {*with_used(rules.versions, main)}
    return found


def _among(rules: Rules, names: set[str]) -> dict[str, Version]:
    return {name: version for name, version in rules.versions.items() if name in names}
