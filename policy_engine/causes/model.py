"""What a figure's change is put down to, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from policy_engine.numbers import Value

WIDE = Context(prec=2_000, Emin=-999_999, Emax=999_999)
"""Digits in which sums and differences of figures of 200 digits come out exactly."""

_TWO = Decimal(2)
INPUTS, RULES = "inputs", "rules"
NO_FIGURE = "no such figure"
"""Why a figure cannot be told that the rules do not have."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A figure under some facts and some rules. `value` None: `reason` says why it cannot be told.

    An infinite value is unlimited.
    """

    value: Value | None
    reason: str = ""

    @property
    def number(self) -> Decimal | None:
        """The figure, where it is a finite number."""
        value = self.value
        return value if isinstance(value, Decimal) and value.is_finite() else None


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a change as it comes out in each of the two orders: the rules move `rules_first`,
    or `inputs_first`."""

    rules_first: Decimal
    inputs_first: Decimal

    @property
    def mean(self) -> Decimal:
        """The mean of both, exactly."""
        return WIDE.divide(WIDE.add(self.rules_first, self.inputs_first), _TWO)


@dataclass(frozen=True, slots=True)
class Share:
    """What one thing that moved brought, or several that only together leave a figure that can be
    told.

    `kind` is `inputs` or `rules`; `names` are inputs such as `assets.BTC.price` or ids of changes,
    `before` and `after` what the first was, in a snapshot's words. Of a rule `titles` say what it
    is.
    """

    kind: str
    names: tuple[str, ...]
    split: Split
    titles: tuple[str, ...] = ()
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Causes:
    """A figure of one account at two instants, and what its change came from.

    `start` and `end` are what it was and is; `only_rules` is the old account under the new rules,
    `only_inputs` the new account under the old ones. The splits and `shares` are None and empty
    where one of the four is no finite number. Otherwise the rules' and the inputs' parts add up to
    the change in either order and in their mean, and so do the shares; `interaction` is what comes
    only as both move. `idle` are things that moved and brought nothing, `not_apart` why changes of
    rules could not be told from one another.
    """

    name: str
    title: str | None
    unit: str | None
    account: str
    instants: tuple[datetime, datetime]
    facts: tuple[datetime, datetime]
    start: Corner
    only_rules: Corner
    only_inputs: Corner
    end: Corner
    rules: Split | None = None
    inputs: Split | None = None
    shares: tuple[Share, ...] = ()
    idle: tuple[str, ...] = ()
    not_apart: str | None = None

    @property
    def whole(self) -> Decimal | None:
        """The change, where both ends are finite numbers."""
        if self.start.number is None or self.end.number is None:
            return None
        return WIDE.subtract(self.end.number, self.start.number)

    @property
    def interaction(self) -> Decimal | None:
        """What comes only as both move: how much more the rules bring on the new account."""
        if self.rules is None:
            return None
        return WIDE.subtract(self.rules.inputs_first, self.rules.rules_first)
