"""One side of a comparison: its rules at work on an account, with the test that is looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from policy_engine.asking import Asking
from policy_engine.effects import changed_account, effects_of
from policy_engine.errors import PolicyError, SnapshotError
from policy_engine.language.values import Undetermined, is_undetermined
from policy_engine.lines import known_rows
from policy_engine.model import LISTS
from policy_engine.numbers import Value, tidy
from policy_engine.probing import Figures, Probing, finite
from policy_engine.request_inputs import brought
from policy_engine.rules import Rules
from policy_engine.witnesses.boundary import Snapshot, Told
from policy_engine.witnesses.tests_of import Test

ZERO = (Decimal(0),)


@dataclass(frozen=True)
class Place:
    """An account with what a request brings to it, if one is asked."""

    snapshot: Snapshot
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """The probes at a place: those of everything that turns, and the test's own.

    `own` is None where the test's figure is no number there.
    """

    probes: tuple[Decimal | None, ...]
    own: Decimal | None


class Side:
    """The rules of one side and a test of theirs, or none where they do not have it.

    `key` is the line that is looked at, where the test is one of lines; `edges` are then the edges
    of its tiers, else 0 is: what is compared less what it is compared with.
    """

    def __init__(
        self,
        rules: Rules,
        ruleset: str,
        test: Test | None,
        asking: Asking | None = None,
        key: str | None = None,
        edges: Sequence[Decimal] = ZERO,
    ) -> None:
        self.rules, self.ruleset, self.test, self.asking = rules, ruleset, test, asking
        self.key, self.edges = key, tuple(sorted(edges))
        self.compiled = rules.compiled(ruleset)
        plan = self.compiled.plan if asking is None else asking.plan
        self.probing = Probing(plan, {test.rule}, self.compiled.lookups) if test else None

    def applies(self, place: Place) -> bool:
        """Whether these rules decide on the account."""
        try:
            return self.rules.compiled_for(place.snapshot) is self.compiled
        except SnapshotError:
            return False

    def targets(self, place: Place) -> list[tuple[Decimal, ...]]:
        """Where each of the probes turns something."""
        if self.probing is None:
            return []
        own, later = self._figures(place)
        found = [*self.probing.targets(own)]
        return [*found, *later[0].targets(later[1])] if later is not None else found

    def sample(self, place: Place) -> Sample:
        """The probes at a place. Raises SnapshotError."""
        if self.probing is None or self.test is None:
            return Sample((), None)
        own, later = self._figures(place)
        probes = (*self.probing.values(own), *(later[0].values(later[1]) if later else ()))
        return Sample(probes, finite(self._of_line(own[self.test.probe], place)))

    def unknown(self, place: Place) -> Iterator[str]:
        """Why the test cannot be told of a place."""
        if self.probing is not None and self.test is not None:
            try:
                value = self._of_line(self._figures(place)[0][self.test.probe], place)
            except PolicyError as error:
                yield str(error.problems[0].message)
                return
            if isinstance(value, Undetermined):
                yield from value.reasons

    def _figures(self, place: Place) -> tuple[Figures, tuple[Probing, Figures] | None]:
        assert self.probing is not None
        if self.asking is None:
            taken = self.rules.read(place.snapshot)
            return self.probing.figures(taken.inputs, taken.lists), None
        values = brought(self.asking.request, place.given)
        effects = effects_of(self.rules, self.asking, place.snapshot, values)
        compiled, reader, taken = changed_account(self.rules, effects)
        held, later = reader.held(taken), self.asking.probing_later(compiled)
        decided = later.figures(held.inputs, held.lists)
        after = {name: decided[name] for name in self.asking.asked.after}
        inputs = self.asking.inputs(effects.taken.inputs, effects.given, after)
        found = self.probing.figures(inputs, effects.taken.lists)
        return found, (later, later.figures(taken.inputs, taken.lists))

    def _of_line(self, value: Any, place: Place) -> Any:
        """A figure of the line that is looked at."""
        if self.key is None or self.test is None:
            return value
        entity = self.test.rule.partition(".")[0]
        reader = self.rules.choice(place.snapshot)[1]
        column = reader.lines[entity].key
        rows = known_rows(self.rules.read(place.snapshot).lists[LISTS.index(entity)])
        found = [n for n, row in enumerate(rows) if column is not None and row[column] == self.key]
        return value[found[0]] if found and isinstance(value, tuple | list) else None

    # --- what is told ---------------------------------------------------------------------------

    def told(self, place: Place) -> Told:
        """What these rules decide of a place. Raises SnapshotError."""
        decision = self.rules.decide(place.snapshot)
        rulings = {name: ruling.permitted for name, ruling in decision.permissions.items()}
        permitted = None
        if self.asking is not None:
            name = self.asking.request.name
            permitted = self.rules.request(place.snapshot, name, **place.given).permitted
        return Told(
            *self._tested(place),
            decision.status,
            tuple(name for name, one in rulings.items() if one is False),
            tuple(name for name, one in rulings.items() if one is None),
            permitted,
        )

    def _tested(self, place: Place) -> tuple[Value | None, Value | None]:
        """What is tested, and against what."""
        if self.probing is None or self.test is None:
            return None, None
        own, _ = self._figures(place)
        if self.key is not None:
            read = own[self.test.rule]
            return _known(self._of_line(read, place)), _known(self.sample(place).own)
        sides = (own[f"{self.test.probe} {word}"] for word in ("left", "right"))
        return _known(next(sides)), _known(next(sides))


def _known(value: Any) -> Value | None:
    if is_undetermined(value):
        return None
    known: Value = tidy(value) if isinstance(value, Decimal) else value
    return known
