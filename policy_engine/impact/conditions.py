"""Conditions on an impact, such as `new <status> > 0`: what must not come of a change."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.errors import Place, PolicyError, Problem, did_you_mean
from policy_engine.impact.model import ERROR, UNDETERMINED, Impact
from policy_engine.numbers import BadNumber, exact_context, number
from policy_engine.rules import Rules

_SIGNS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_FORM = re.compile(
    r"\s*(?P<what>[a-z_]+)(?:\s+(?P<name>\w+))?\s*(?P<sign>[<>=!]+)\s*(?P<to>\S+)\s*"
)
_COUNTS = ("flipped", "errors", "undetermined")
_NAMED = ("new", "lost", "gained")
_OF_ALL = Decimal(100)


@dataclass(frozen=True, slots=True)
class Condition:
    """A count of accounts compared with a number, or with a share of all accounts.

    `what` is `new` (a status), `lost` or `gained` (a permission), `flipped` (another status),
    `errors`, or `undetermined` (accounts of which something cannot be told after the change).
    """

    text: str
    what: str
    name: str
    sign: str
    bound: Decimal
    share: bool

    def count(self, impact: Impact) -> int:
        """The accounts that it counts."""
        if self.what == "new":
            return impact.statuses.new(self.name)
        if self.what in ("lost", "gained"):
            moved = (one for one in impact.permissions if one.name == self.name)
            return sum(one.lost if self.what == "lost" else one.gained for one in moved)
        if self.what == "errors":
            return impact.counts.errors
        if self.what == "undetermined":
            return impact.undetermined_after
        return impact.statuses.flipped

    def holds(self, impact: Impact) -> bool:
        """Whether it holds."""
        exact = exact_context()
        count, bound = Decimal(self.count(impact)), self.bound
        if self.share:
            count = exact.multiply(count, _OF_ALL)
            bound = exact.multiply(bound, Decimal(impact.counts.accounts))
        return _SIGNS[self.sign](count, bound)


def check_names(conditions: Iterable[Condition], old: Rules, new: Rules) -> None:
    """Raise PolicyError for statuses and permissions that neither side knows."""
    versions = [version for side in (old, new) for version in side.versions.values()]
    statuses = {rule.name for version in versions for rule in version.statuses}
    permissions = {name for one in (old, new) for name in one.book.offered(one.at, one.known_at)}
    kinds = {
        "new": ("status", {*statuses, UNDETERMINED, ERROR}),
        "lost": ("permission", permissions),
    }
    kinds["gained"] = kinds["lost"]
    problems = []
    for one in conditions:
        kind, known = kinds.get(one.what, ("", {one.name}))
        if one.name not in known:
            message = f"`{one.text}`: neither side knows a {kind} `{one.name}`"
            hint = did_you_mean(one.name, known) or f"there are {', '.join(sorted(known))}"
            problems.append(Problem("unknown-name", message, hint, Place("--fail-on")))
    if problems:
        raise PolicyError(problems)


def condition(text: str) -> Condition:
    """The condition that a text spells, such as `lost borrow > 5%`. Raises PolicyError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise _refused(f"`{text}` is no condition")
    what, name, sign, to = found["what"], found["name"] or "", found["sign"], found["to"]
    if sign == "=":
        raise _refused(f"`{text}`: one `=` compares nothing", "write `==`")
    if sign not in _SIGNS:
        raise _refused(f"`{text}`: `{sign}` is no sign", f"there are {' '.join(_SIGNS)}")
    if what not in (*_COUNTS, *_NAMED):
        near = did_you_mean(what, (*_COUNTS, *_NAMED))
        raise _refused(f"`{text}`: `{what}` is nothing that is counted", near)
    if (what in _NAMED) != bool(name):
        kind = "a status" if what == "new" else "a permission"
        wants = f"needs {kind}" if what in _NAMED else "takes no name"
        raise _refused(f"`{text}`: `{what}` {wants}")
    return Condition(text, what, name, sign, _bound(text, to), to.endswith("%"))


def _bound(text: str, to: str) -> Decimal:
    try:
        return number(to.removesuffix("%"), percent=False)
    except BadNumber as bad:
        raise _refused(f"`{text}`: {bad.message}", bad.hint) from None


def _refused(message: str, hint: str | None = None) -> PolicyError:
    usual = (
        "write `new <status>`, `lost <permission>`, `gained <permission>`, `flipped`, `errors` or "
        "`undetermined`, a sign, and a number or percentage: `flipped > 1%`"
    )
    return PolicyError([Problem("bad-condition", message, hint or usual, Place("--fail-on"))])
