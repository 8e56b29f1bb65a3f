"""Each flip put down to the changes that cause it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from policy_engine.decision import Decision
from policy_engine.diff import Changes
from policy_engine.impact.apart import stood
from policy_engine.impact.causes import Same, Tried, found
from policy_engine.impact.mixture import Made, Mixture
from policy_engine.impact.model import STATUS, Cause, Group
from policy_engine.impact.reach import PERMISSION, Reach
from policy_engine.impact.row import Decided, Permissions
from policy_engine.impact.units import Unit, changes_of, divided, needs
from policy_engine.rules import Rules, with_used

_ROWS = ("tables", "rows")

Ask = Callable[[Made, str], Any]
"""An outcome of an account when some changes are made, by name; `...` where there is none."""


class Attribution:
    """Puts flips down to changes, and counts them by change."""

    def __init__(self, old: Rules, new: Rules, changes: Changes) -> None:
        self._old, self._new, self._changes = old, new, changes
        self._parts = divided(old.versions, new.versions, changes)
        offered = {name for one in (old, new) for name in one.book.offered(one.at, one.known_at)}
        self._mixture = Mixture(self._parts, offered, new.at)
        self.units, self.not_apart = stood(self._parts, self._mixture)
        self._reach = Reach(replace(self._parts, units=self.units))
        self._families: dict[tuple[str, str], frozenset[str]] = {}
        self._keys = {unit.id: _row_keys(unit, changes) for unit in self.units}
        self._counts = {name: Counter[str]() for name in ("accounts", "flips", "alone", "needed")}

    def rules(self, made: Made) -> Rules | None:
        """The old rules with some of the units made; None where those do not go together."""
        return self._mixture.rules(self.units, made)

    def asked_of(self, snapshot: Mapping[str, Any]) -> Ask:
        """Tells the outcomes of an account under mixtures by deciding it by each."""
        tried = Tried(self._mixture, self.units, snapshot)
        return lambda made, outcome: tried.outcome(made, lambda one: told(one, outcome))

    def causes(
        self, row: Decided, snapshot: Mapping[str, Any], outcomes: Mapping[str, Any], ask: Ask
    ) -> tuple[Cause, ...]:
        """What causes each of the `outcomes` that differ of an account: as they are now, by name.

        `ask` tells them under mixtures.
        """
        family = self._family(row)
        made = tuple(
            self._cause(snapshot, family, outcome, _same_as(ask, outcome, now))
            for outcome, now in outcomes.items()
        )
        self._count(made)
        return made

    def _cause(
        self, snapshot: Mapping[str, Any], family: frozenset[str], outcome: str, same: Same
    ) -> Cause:
        ids = [unit.id for unit in self._reach.units(outcome, family)]
        causes = found(ids, same)
        enough = tuple(tuple(sorted(made)) for made in causes.enough)
        keys = frozenset().union(*(self._keys[one] for made in enough for one in made))
        held = tuple(sorted(keys & _texts(snapshot))) if keys else ()
        return Cause(outcome, enough, tuple(sorted(causes.needed)), causes.complete, held)

    def _family(self, row: Decided) -> frozenset[str]:
        """The rulesets that decide an account on either side."""
        sides = [(self._old, row.old), (self._new, row.new)]
        names = tuple(decision.workings()[0].main.ruleset for _, decision in sides)
        if names not in self._families:
            read = [
                with_used(rules.versions, name)
                for (rules, _), name in zip(sides, names, strict=True)
            ]
            self._families[names[0], names[1]] = frozenset(read[0]) | frozenset(read[1])
        return self._families[names[0], names[1]]

    # --- counts ----------------------------------------------------------------------------------

    def _count(self, causes: Sequence[Cause]) -> None:
        parts = [{one for made in cause.enough for one in made} for cause in causes]
        self._counts["accounts"].update(frozenset[str]().union(*parts))
        for cause, part in zip(causes, parts, strict=True):
            self._counts["flips"].update(part)
            self._counts["alone"].update(made[0] for made in cause.enough if len(made) == 1)
            self._counts["needed"].update(cause.needed)

    def groups(self) -> tuple[Group, ...]:
        """The changes that can be made apart, those with most accounts first."""
        made = sorted(map(self._group, self.units), key=lambda group: (-group.accounts, group.id))
        return tuple(made)

    def _group(self, unit: Unit) -> Group:
        own = changes_of(unit.pieces, self._changes)
        brought = tuple(dict.fromkeys(needs(unit, self._parts)))
        coming = [change.id for change in changes_of(brought, self._changes)]
        counts = {name: of[unit.id] for name, of in self._counts.items()}
        return Group(
            unit.id,
            _title(unit),
            tuple(change.id for change in own),
            tuple(name for name in coming if name not in {change.id for change in own}),
            **counts,
        )


def _same_as(ask: Ask, outcome: str, now: Any) -> Same:
    return lambda made: bool(ask(made, outcome) == now)


def told(decision: Decision, outcome: str) -> Any:
    """An outcome of a decision: its status, or whether something is permitted."""
    if outcome == STATUS:
        return decision.status
    return decision.ruling(outcome.removeprefix(f"{PERMISSION}."))[0].permitted


def outcomes_of(pair: Decided, permitted: Permissions) -> dict[str, Any]:
    """The outcomes that differ of an account, as they are now."""
    before, after = pair.old.status, pair.new.status
    changed: dict[str, Any] = {STATUS: after} if before != after else {}
    for name, (was, is_now) in sorted(permitted.items()):
        if was is not is_now:
            changed[f"{PERMISSION}.{name}"] = is_now
    return changed


def _title(unit: Unit) -> str:
    """The title of its first piece that has one, as the newer side gives it."""
    items = [unit.new.get(piece, unit.old.get(piece)) for piece in unit.pieces]
    titles = (getattr(item, "title", "") for item in items)
    return next((title for title in titles if title), "")


def _row_keys(unit: Unit, changes: Changes) -> frozenset[str]:
    """The keys of the rows of tables that it changes."""
    own = changes_of(unit.pieces, changes)
    return frozenset(one.path[3] for one in own if one.path[0::2][:2] == _ROWS and one.path[3:])


def _texts(snapshot: Mapping[str, Any]) -> frozenset[str]:
    """Every text of an account and of its lines."""
    lists = [value for value in snapshot.values() if isinstance(value, list)]
    lines = [line for items in lists for line in items if isinstance(line, dict)]
    values = [value for part in (snapshot, *lines) for value in part.values()]
    return frozenset(value for value in values if isinstance(value, str))
