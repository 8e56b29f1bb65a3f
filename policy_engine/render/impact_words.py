"""The parts of a report on a change's impact: tables of plain cells, in the fixed order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from policy_engine.impact.model import Impact
from policy_engine.numbers import instant_text
from policy_engine.render.impact_causes import causes, changes, flips_of, ways_of
from policy_engine.render.impact_parts import ABSENT, Name, Part, counted, share, short


def heading(impact: Impact) -> str:
    """What is compared, and on which accounts."""
    count = counted(impact.counts.accounts, "account")
    return f"Impact on {count} of {impact.book}: {impact.old.name} -> {impact.new.name}"


def states(impact: Impact) -> Iterator[str]:
    """The instants of the two states of the rules, and which versions differ."""
    known = f", as known at {instant_text(impact.known_at)}" if impact.known_at else ""
    sides = (instant_text(side.at) for side in (impact.old, impact.new))
    yield f"Rules of {' and of '.join(dict.fromkeys(sides))}{known}."
    pairs = [
        f"{pair.ruleset} {_stem(pair.before)} -> {_stem(pair.after)}"
        for pair in impact.changes.rulesets
    ]
    yield f"Versions that differ: {'; '.join(pairs)}." if pairs else "No version differs."


def _stem(version: object) -> str:
    return "none" if version is None else str(getattr(version, "id", "")).partition("@")[2]


def parts(impact: Impact, most: int) -> Iterator[Part]:
    """The parts in their order; of what there may be many of, `most` rows."""
    ways = ways_of(impact)
    yield _accounts(impact)
    yield _statuses(impact)
    yield _permissions(impact)
    yield causes(ways, impact)
    yield changes(impact.groups)
    yield flips_of(impact.flips, ways, most)
    if impact.compared:
        yield _distributions(impact)
        yield _totals(impact)
    else:
        yield Part("Figures", notes=(_NOT_COMPARED,))
    yield from (part for part in (_assumptions(impact),) if part.rows)
    yield from (part for part in (_failures(impact, most), _repeated(impact, most)) if part.rows)


_NOT_COMPARED = (
    "Figures and wordings were not compared: there are no distributions of tested figures, no "
    "totals and no assumptions. `--figures` compares them, account by account, which takes longer."
)


# --- counts ---------------------------------------------------------------------------------------


def _accounts(impact: Impact) -> Part:
    counts = impact.counts
    same = {
        "other figures, decided the same": counts.figures,
        "the same but for titles, sources, notices or assumptions": counts.reworded,
        "the same byte for byte": counts.identical,
    }
    said = {
        "decided otherwise: another status or permission": counts.decided,
        **(same if impact.compared else {"decided the same; figures not compared": counts.alike}),
        "in error: the row cannot be read, or a side cannot decide it": counts.errors,
    }
    rows = tuple((f"{n:,}", share(n, counts.accounts), what) for what, n in said.items())
    untold = impact.undetermined_before, impact.undetermined_after
    note = f"Something cannot be told of {untold[0]:,} accounts before and of {untold[1]:,} after."
    return Part("Accounts", ("accounts", "share", "what comes of them"), rows, (note,))


def _statuses(impact: Impact) -> Part:
    statuses = impact.statuses
    shown = [
        at
        for at, name in enumerate(statuses.names)
        if at < len(statuses.names) - 2 or statuses.before(name) or statuses.after(name)
    ]
    names = [statuses.names[at] for at in shown]
    rows = [
        (
            names[n],
            *(f"{statuses.cells[at][to]:,}" for to in shown),
            _sum(statuses.before(names[n])),
        )
        for n, at in enumerate(shown)
    ]
    totals = ("in all, after", *(_sum(statuses.after(name)) for name in names))
    flipped = f"{counted(statuses.flipped, 'account')} of {impact.counts.accounts:,}"
    note = f"{flipped} have another status ({share(statuses.flipped, impact.counts.accounts)})."
    head = ("before, and after to the right", *names, "in all, before")
    return Part("Statuses", head, (*rows, (*totals, _sum(impact.counts.accounts))), (note,))


def _sum(count: int) -> str:
    return f"{count:,}"


def _permissions(impact: Impact) -> Part:
    rows = tuple(
        (one.name, *map(_sum, (one.lost, one.gained, one.to_undetermined, one.from_undetermined)))
        for one in impact.permissions
    )
    head = ("permission", "lost", "gained", "can no longer be told", "can now be told")
    return Part("Permissions", head, rows)


def _absent_or(value: Decimal | None) -> str:
    return ABSENT if value is None else short(value)


# --- figures --------------------------------------------------------------------------------------


def _unit(unit: str | None) -> str:
    return "" if unit in (None, "ratio") else str(unit)


def _distributions(impact: Impact) -> Part:
    rows = tuple(
        (
            one.figure,
            _unit(one.unit),
            *map(_sum, (one.accounts, one.fell, one.rose)),
            *map(_absent_or, (one.least, one.lower_quartile, one.median)),
            *map(_absent_or, (one.upper_quartile, one.greatest)),
        )
        for one in impact.distributions
    )
    head = ("figure", "unit", "accounts", "fell", "rose", "least", "1st quartile", "median")
    note = "Each account's figure after, less before; where both are told and finite."
    return Part(
        "By how much tested figures changed", (*head, "3rd quartile", "greatest"), rows, (note,)
    )


def _totals(impact: Impact) -> Part:
    rows = tuple(
        (
            one.figure,
            one.unit,
            *map(_absent_or, (one.before, one.after, one.change)),
            f"{one.accounts_before:,}",
            f"{one.accounts_after:,}",
        )
        for one in impact.totals
    )
    head = ("figure", "unit", "before", "after", "change", "accounts before", "accounts after")
    note = "The change is summed over the accounts that tell the figure on both sides."
    return Part("Totals", head, rows, (note,))


def _assumptions(impact: Impact) -> Part:
    rows = tuple(
        (one.name, f"{one.newly:,}", f"{one.no_longer:,}", one.title) for one in impact.assumptions
    )
    return Part("Assumptions", ("name", "newly", "no longer", "what is assumed"), rows, folded=True)


# --- what is wrong with the book ------------------------------------------------------------------

_SIDES = {"row": "cannot be read", "old": "before", "new": "after", "both": "on both sides"}


def _failures(impact: Impact, most: int) -> Part:
    rows = tuple(
        (
            f"{one.line:,}",
            Name(one.account or ABSENT),
            _SIDES[one.side],
            problem.code,
            problem.place.pointer or ABSENT,
            problem.message,
        )
        for one in impact.failures[:most]
        for problem in one.problems
    )
    left = impact.counts.errors - len(impact.failures[:most])
    head = ("line", "account", "", "code", "at", "what is wrong")
    return Part("In error", head, rows, (), left)


def _repeated(impact: Impact, most: int) -> Part:
    rows = tuple(
        (Name(one.account), f"{one.times:,}", _lines(one.lines, one.times))
        for one in impact.repeated[:most]
    )
    note = "Each of their rows is counted as an account of its own."
    left = impact.repeats - len(rows)
    return Part("Names that stand twice", ("account", "times", "lines"), rows, (note,), left)


def _lines(lines: Sequence[int], times: int) -> str:
    return ", ".join(f"{line:,}" for line in lines) + (", …" if times > len(lines) else "")
