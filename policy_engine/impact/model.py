"""What a change of the rules does to a book of accounts, as frozen values. Nothing here computes
more than sums and differences of what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from policy_engine.diff import Changes
from policy_engine.errors import Problem
from policy_engine.numbers import exact_context

UNDETERMINED, ERROR = "undetermined", "error"
"""What stands in place of a status that cannot be told, and of that of an account that cannot be
decided at all."""

STATUS = "status"
"""The outcome that is the account's status; the others are `permissions.<name>`."""

WORSE, UNTOLD, LOST, BETTER = "worse", "untold", "lost", "better"
"""How a flip goes, worst first: to a worse status; something cannot be told any more; a permission
lost at a status no worse; none of these."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two states of the rules: how it was named, and what was in force in it.

    `at` is the instant of the rules, and that of the facts where an account has none of its own;
    `versions` are the ids of all that was in force.
    """

    name: str
    at: datetime
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The accounts of the book, each counted once; they add up to `accounts`.

    `identical`: the outputs are the same byte for byte, but for naming the rules. `reworded`: only
    titles, sources, notices or assumptions differ. `figures`: figures differ, nothing decided does.
    `decided`: the status or a permission differs, or can be told on one side only. `errors`: a row
    that cannot be read, or an account that a side cannot decide. `alike`: nothing decided differs,
    and nothing else was compared.
    """

    accounts: int = 0
    identical: int = 0
    reworded: int = 0
    figures: int = 0
    decided: int = 0
    errors: int = 0
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Statuses:
    """How many accounts went from which status to which.

    `names` are worst first, then `undetermined` and `error`; `cells[i][j]` is the number of
    accounts from `names[i]` to `names[j]`. All cells add up to the accounts of the book.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    @property
    def matrix(self) -> Mapping[str, Mapping[str, int]]:
        """The same by name: before, then after."""
        rows = zip(self.names, self.cells, strict=True)
        return {name: dict(zip(self.names, row, strict=True)) for name, row in rows}

    @property
    def flipped(self) -> int:
        """Accounts with another status, told on both sides."""
        told = range(len(self.names) - 2)
        return sum(self.cells[i][j] for i in told for j in told if i != j)

    def before(self, name: str) -> int:
        """Accounts that had a status."""
        return sum(self.cells[self.names.index(name)])

    def after(self, name: str) -> int:
        """Accounts that have a status now."""
        at = self.names.index(name)
        return sum(row[at] for row in self.cells)

    def new(self, name: str) -> int:
        """Accounts that have a status now and had another."""
        at = self.names.index(name)
        return self.after(name) - self.cells[at][at]


@dataclass(frozen=True, slots=True)
class Movement:
    """What became of a permission: accounts that gained or lost it, or for which it can be told on
    one side only."""

    name: str
    gained: int = 0
    lost: int = 0
    to_undetermined: int = 0
    from_undetermined: int = 0
    kept: int = 0
    still_refused: int = 0
    still_undetermined: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: the figure that a status tests, and the value at which it begins.

    The status holds where the figure is `sign` (`<` `<=` `>` `>=`) the `threshold`. Infinite is
    unlimited; None cannot be told.
    """

    status: str
    figure: str
    title: str
    unit: str | None
    sign: str
    value: Decimal | None
    threshold: Decimal | None

    @property
    def distance(self) -> Decimal | None:
        """How far the figure is above the threshold, below 0 if it is under it."""
        value, threshold = self.value, self.threshold
        if value is None or threshold is None or not (value.is_finite() and threshold.is_finite()):
            return None
        return exact_context().subtract(value, threshold)


@dataclass(frozen=True, slots=True)
class Cause:
    """Which changes make an account flip, in its status or in a permission.

    Each of `enough` are the ids of changes that suffice together while none can be left out: one
    set of one change is that change alone, one of two needs both, and two sets are two ways that
    each suffice. `needed` are those without any of which it does not happen. `complete` tells that
    every combination was tried; else each alone, all but each, and one set found by leaving out
    what can be. `keys` are those that the account holds of the changed rows of tables.
    """

    outcome: str
    enough: tuple[tuple[str, ...], ...]
    needed: tuple[str, ...]
    complete: bool = True
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flip:
    """An account with another status or permission. `before` and `after` may be `undetermined`.

    `line` is its place in the book. `lost_sight` and `found_out` are permissions that can be told
    on the old side only and on the new side only. The standings are those against the threshold of
    the worse of the two statuses, on each side; None where there is none.
    """

    account: str
    line: int
    kind: str
    before: str
    after: str
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    lost_sight: tuple[str, ...] = ()
    found_out: tuple[str, ...] = ()
    stood: Standing | None = None
    stands: Standing | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A change that can be made apart from the others, with what it needs.

    `changes` are the ids of its own changes in the diff, `needs` those of what comes or goes with
    it because it alone names it. `flips` counts the outcomes (a status or a permission of an
    account) that it is part of a cause of, `alone` those for which it suffices, `needed` those that
    do not happen without it, also where others that it works against would do. `accounts` are those
    with a flip it is part of a cause of.
    """

    id: str
    title: str
    changes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    accounts: int = 0
    flips: int = 0
    alone: int = 0
    needed: int = 0


@dataclass(frozen=True, slots=True)
class Distribution:
    """By how much a figure changed that statuses or permissions test, over the accounts that tell
    it on both sides as a finite number. The quartiles are nearest ranks: each is an account's.

    `unlimited` are accounts for which it is unlimited on either side, `untold` those for which a
    side does not tell it.
    """

    figure: str
    title: str
    unit: str | None
    accounts: int
    fell: int
    rose: int
    unlimited: int
    untold: int
    least: Decimal | None = None
    lower_quartile: Decimal | None = None
    median: Decimal | None = None
    upper_quartile: Decimal | None = None
    greatest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """A figure in money summed over the accounts that tell it, on each side; None where none does.

    `change` is the sum of the changes of the accounts that tell it on both sides.
    """

    figure: str
    title: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    change: Decimal | None
    accounts_before: int
    accounts_after: int


@dataclass(frozen=True, slots=True)
class Resting:
    """An assumption that accounts rest on now and did not, or no longer do."""

    name: str
    title: str
    newly: int
    no_longer: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that cannot be read (`side` is `row`), or that `old`, `new` or `both` cannot decide."""

    line: int
    account: str | None
    side: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """An account name that stands in the book more than once, and on which lines (the first)."""

    account: str
    times: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change of the rules does to a book of accounts.

    `flips` are all accounts of which anything decided differs, worst first. `groups` are the
    changes that can be made apart, those with most flips first; `not_apart` tells why none could
    be, where the changes were not taken apart. `failures` and `repeated` hold the first of theirs,
    whose numbers are in `counts.errors` and `repeats`. `undetermined_before` and `_after` count
    the accounts of which anything cannot be told. `changes` is the whole diff. Where figures and
    wordings were not `compared` there are no distributions, totals and assumptions, and the
    accounts that are decided the same are `alike`.
    """

    book: str
    old: Side
    new: Side
    known_at: datetime | None
    changes: Changes
    counts: Counts
    statuses: Statuses
    permissions: tuple[Movement, ...]
    flips: tuple[Flip, ...]
    distributions: tuple[Distribution, ...]
    totals: tuple[Total, ...]
    groups: tuple[Group, ...]
    assumptions: tuple[Resting, ...]
    failures: tuple[Failure, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    repeats: int = 0
    undetermined_before: int = 0
    undetermined_after: int = 0
    not_apart: str | None = None
    compared: bool = True
