"""What a boundary witness is: an account at the edge of what changed, with both outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.numbers import Value

OLD, NEW, BOTH = "old", "new", "both"
BELOW, AT, ABOVE = "below", "at", "above"

Snapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What the rules of one side say of a witness.

    `figure` is what is tested and `limit` what it is tested against (in a scale: the figure read
    from it, and the edge); None where the side does not test it, or it cannot be told. `permitted`
    is the answer to the request, where one is asked. `refused` and `untold` are permissions.
    """

    figure: Value | None
    limit: Value | None
    status: str | None
    refused: tuple[str, ...]
    untold: tuple[str, ...]
    permitted: bool | None = None

    @property
    def outcome(self) -> tuple[Any, ...]:
        """What counts as the same or another outcome, figures apart."""
        return (self.status, self.refused, self.untold, self.permitted)


@dataclass(frozen=True, slots=True)
class Witness:
    """A snapshot at an edge (`at`), or a step `below` or `above` it, and what both sides say.

    `edge` tells whose it is: `old`, `new`, or `both`. `value` is that of the input that moves.
    `given` is what the request brings, where one is asked.
    """

    edge: str
    side: str
    value: Decimal
    snapshot: Snapshot
    given: Mapping[str, Any]
    old: Told
    new: Told

    @property
    def differs(self) -> bool:
        """Whether old and new rules come to different outcomes."""
        return self.old.outcome != self.new.outcome

    @property
    def figures_differ(self) -> bool:
        """Whether at least what is tested comes out differently."""
        return self.old.figure != self.new.figure


@dataclass(frozen=True, slots=True)
class Boundary:
    """The witnesses of some changes at one test of the rules, or at the edges of some tiers.

    `ruleset` decides; `tested` is the figure of the rule (`status.<name>`,
    `permissions.<name>.<rule>`, `requests.<name>.<rule>`) or what is read from a scale, and
    `figure` what is compared there. `moves` is the input that moves, by `step`. `exact` tells that
    every edge is met exactly; otherwise the accounts a step apart enclose it. `alike` are changes
    of which the same was found with their key in the account. With no witnesses, `reason` says why.
    """

    changes: tuple[str, ...]
    ruleset: str
    tested: str
    figure: str
    moves: str = ""
    step: Decimal = Decimal(0)
    exact: bool = False
    witnesses: tuple[Witness, ...] = ()
    reason: str = ""
    alike: tuple[str, ...] = ()

    @property
    def differing(self) -> bool:
        """Whether some witness tells old from new rules by its outcome."""
        return any(one.differs for one in self.witnesses)
