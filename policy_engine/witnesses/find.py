"""Finds accounts at the edges of what changed, and has both sides decide on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from policy_engine.asking import Asking
from policy_engine.diff import Changes
from policy_engine.errors import PolicyError, Undetermined
from policy_engine.model import RequestInput
from policy_engine.numbers import instant_text
from policy_engine.rules import Rules, with_used
from policy_engine.witnesses.axes import Axis, axes
from policy_engine.witnesses.boundary import BOTH, NEW, OLD, Boundary, Snapshot
from policy_engine.witnesses.changed import Sought, Tests, counts, sought, tests
from policy_engine.witnesses.search import Line, boundary
from policy_engine.witnesses.seeds import AMOUNTS, NO_PINS, Pins, seeds
from policy_engine.witnesses.sides import Place, Side

MOST_SEEDS, MOST_LINES, MOST_ASKED = 400, 16, 40
"""Accounts that are looked at for one test, inputs that are moved in search of its edges, and
accounts that are asked why it cannot be told."""

NO_ACCOUNT = "no account was found for which it can be told"
NO_EDGE = "no account was found on which it turns as one amount or price moves"
NO_DIFFERENCE = "on every account that was found, old and new rules come to the same"
NO_TEST = "no status, permission or request tests a figure that rests on it"


def witnesses(
    old: Rules, new: Rules, changes: Changes, accounts: Iterable[Snapshot] = ()
) -> tuple[Boundary, ...]:
    """Accounts at the old and the new edge of each test that changes moved, and beside them.

    In the order of the changes. `accounts` are tried before those made from the rules. Each
    witness is decided by both sides; where there is none, the boundary has the reason.
    """
    given = tuple(accounts)
    found = [one for name in _deciding(old, new) for one in _of(name, old, new, changes, given)]
    met = {change for one in found for change in (*one.changes, *one.alike)}
    for change in changes.changes:
        if counts(change) and change.id not in met:
            found.append(Boundary((change.id,), change.ruleset, "", change.name, reason=NO_TEST))
    order = {change.id: at for at, change in enumerate(changes.changes)}
    return tuple(sorted(found, key=lambda one: order[one.changes[0]]))


def _deciding(old: Rules, new: Rules) -> list[str]:
    """The rulesets that decide, on either side."""
    sides = (side.versions.values() for side in (old, new))
    return sorted({v.ruleset for versions in sides for v in versions if v.applies_when})


def _of(
    name: str, old: Rules, new: Rules, changes: Changes, accounts: Sequence[Snapshot]
) -> Iterator[Boundary]:
    """The boundaries of the changes that can reach the accounts of one deciding ruleset."""
    sides = [side if name in side.versions else None for side in (old, new)]
    known = {one for side in sides if side for one in with_used(side.versions, name)}
    told = [change for change in changes.changes if change.ruleset in known and counts(change)]
    if not told or None in sides:
        return
    search = _Search(name, old, new, tuple(accounts))
    for group in _groups(sought(told, *search.tests()), changes):
        yield from search.boundaries(group)


@dataclass
class _Search:
    """The accounts of one ruleset, under the rules of both sides."""

    ruleset: str
    old: Rules
    new: Rules
    accounts: tuple[Snapshot, ...]
    made: dict[Any, list[Snapshot]] = field(default_factory=dict)

    def tests(self) -> tuple[Tests, Tests]:
        """What each side tests; requests are asked of the first account there is."""
        first = next(iter(self._seeds(NO_PINS)), None)
        old, new = (tests(side, self.ruleset, first) for side in (self.old, self.new))
        self.askings = ({**old.askings}, {**new.askings})
        return old, new

    def boundaries(self, group: Sequence[Sought]) -> Iterator[Boundary]:
        """The witnesses of tests that differ in a key only: those that come out alike as one."""
        first, *others = group
        found = self.boundary(first)
        alike: list[str] = []
        for one in others:
            if (found.witnesses and self._is_like(found, first, one)) or (
                not found.witnesses and (own := self.boundary(one)).reason == found.reason
            ):
                alike += one.changes
            else:
                yield own if not found.witnesses else self.boundary(one)
        yield replace(found, alike=tuple(alike))

    def _is_like(self, found: Boundary, first: Sought, one: Sought) -> bool:
        """Whether the same is told of the accounts with another key in place of the first."""
        key, other = _key_of(first), _key_of(one)
        sides = self._sides(one)
        for witness in found.witnesses:
            place = Place(_renamed(witness.snapshot, key, other), witness.given)
            try:
                if tuple(side.told(place) for side in sides) != (witness.old, witness.new):
                    return False
            except PolicyError:
                return False
        return True

    def boundary(self, one: Sought) -> Boundary:
        """The best witnesses that are found for a test."""
        empty = Boundary(one.changes, self.ruleset, one.tested, one.figure, reason=NO_ACCOUNT)
        sides = self._sides(one)
        best, tried = empty, 0
        for place in self._places(one, sides):
            best = best if best.witnesses else replace(empty, reason=NO_EDGE)
            for axis in self._axes(sides, place):
                made = boundary(empty, Line(place, axis, sides))
                best = max(best, made, key=_worth)
                tried += 1
                if _worth(best) == _BEST or tried >= MOST_LINES:
                    return best
        if best.witnesses or not one.pins.keys:
            return best
        return replace(best, reason="; ".join((best.reason, *self._why(one, sides))))

    def _why(self, one: Sought, sides: tuple[Side, Side]) -> Iterator[str]:
        """The first reason for which the test cannot be told."""
        places = (
            Place(snapshot, given)
            for snapshot in self._seeds(one.pins)[:MOST_ASKED]
            for given in self._given(sides, snapshot)
        )
        reasons = (why for place in places for side in sides for why in side.unknown(place))
        yield from islice(reasons, 1)

    def _sides(self, one: Sought) -> tuple[Side, Side]:
        held = []
        for at, (rules, test) in enumerate(zip((self.old, self.new), one.tests, strict=True)):
            name = one.tested.split(".")[1] if one.tested.startswith("requests.") else None
            asking = self.askings[at].get(name) if name else None
            held.append(Side(rules, self.ruleset, test, asking, one.key, one.edges[at]))
        return held[0], held[1]

    # --- accounts -------------------------------------------------------------------------------

    def _seeds(self, pins: Pins) -> list[Snapshot]:
        """Accounts that both sides decide on by this ruleset."""
        key = repr(pins)
        if key not in self.made:
            plans = [side.compiled(self.ruleset).plan for side in (self.new, self.old)]
            at = {"at": instant_text(self.new.at)}
            own = (one for one in self.accounts if _meets(one, pins))
            found = ({**at, **one} for one in (*own, *seeds(plans, pins)))
            self.made[key] = [one for one in islice(found, MOST_SEEDS) if self._applies(one)]
        return self.made[key]

    def _applies(self, snapshot: Snapshot) -> bool:
        try:
            for side in (self.old, self.new):
                if side.compiled_for(snapshot).plan.main.ruleset != self.ruleset:
                    return False
                side.read(snapshot)
        except PolicyError:
            return False
        return True

    def _places(self, one: Sought, sides: tuple[Side, Side]) -> Iterator[Place]:
        """The accounts for which the test can be told; first those that the change tells apart."""
        untold = []
        for snapshot in self._seeds(one.pins):
            for given in self._given(sides, snapshot):
                place = Place(snapshot, given)
                found = _own(sides, place)
                if found is not None and None in found:
                    untold.append(place)
                elif found is not None and (one.moved or found[0] != found[1]):
                    yield place
        yield from untold[:2]

    def _given(self, sides: tuple[Side, Side], snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
        asking = next((side.asking for side in reversed(sides) if side.asking), None)
        yield from [{}] if asking is None else _brought(asking, sides, snapshot)

    def _axes(self, sides: tuple[Side, Side], place: Place) -> Iterator[Axis]:
        side = next(side for side in reversed(sides) if side.test is not None)
        return axes(side, place)


_BEST = (True, True, True, True)


def _worth(one: Boundary) -> tuple[bool, bool, bool, bool]:
    """How much a boundary shows: edges, other outcomes, the edges of both sides, each met."""
    edges = {witness.edge for witness in one.witnesses}
    both = BOTH in edges or {OLD, NEW} <= edges
    return bool(one.witnesses), one.differing, both, one.exact


def _own(sides: tuple[Side, Side], place: Place) -> tuple[Any, ...] | None:
    """What each side that has the test finds there; None where none can tell."""
    try:
        found = tuple(side.sample(place).own for side in sides if side.test is not None)
    except (PolicyError, Undetermined):
        return None
    return None if set(found) == {None} else (*found, *found)[:2]


def _meets(account: Snapshot, pins: Pins) -> bool:
    """Whether an account has what is wanted of it: lines of those keys, and those values."""
    lines = [line for name in pins.keys for line in account.get(name) or ()]
    held = {value for line in lines for value in line.values() if isinstance(value, str)}
    named = all(held & {*keys} for keys in pins.keys.values())
    return named and all(str(account.get(n)) == value for n, value in pins.inputs.items())


def _key_of(one: Sought) -> str:
    return next(iter(one.pins.keys.values()))[0]


def _renamed(snapshot: Snapshot, key: str, other: str) -> Snapshot:
    """The account with another key wherever its lines have that one."""
    return {
        name: [{k: other if v == key else v for k, v in line.items()} for line in value]
        if isinstance(value, list)
        else value
        for name, value in snapshot.items()
    }


def _groups(found: Iterable[Sought], changes: Changes) -> list[list[Sought]]:
    """Tests with one key each that changed alike, together; every other one by itself."""
    by_id = {change.id: change for change in changes.changes}
    groups: dict[Any, list[Sought]] = {}
    for one in found:
        change = by_id[one.changes[0]]
        alone = change.kind != "row" or len(one.changes) > 1 or not one.pins.keys
        of = one.changes if alone else (change.path[:3], str(change.before), str(change.after))
        groups.setdefault((one.tested, one.figure, of), []).append(one)
    return list(groups.values())


def _brought(
    asking: Asking, sides: tuple[Side, Side], snapshot: Snapshot
) -> Iterator[Mapping[str, Any]]:
    """What a request can bring: a value of each input, a line of the account where it names one."""
    reader = sides[1].rules.choice(snapshot)[1]
    given: list[dict[str, Any]] = [{}]
    for name, item in asking.request.inputs.items():
        values = list(_values(item, reader, snapshot))
        given = [{**one, name: value} for one in given for value in values]
    yield from given[:8]


def _values(item: RequestInput, reader: Any, snapshot: Snapshot) -> Sequence[Any]:
    if item.one_of:
        return item.one_of
    if item.key_of:
        name = reader.lines[item.key_of].inputs[reader.lines[item.key_of].key].name
        return [line[name] for line in snapshot.get(item.key_of) or ()]
    if item.kind == "truth":
        return [True, False]
    return [AMOUNTS[0] if item.kind == "number" else "witness"]
