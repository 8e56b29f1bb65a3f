"""Pages to look at: of the pairs of rulebooks, of wild names, and of an impact made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from differences import PAIRS, Pair
from policy_engine import Rulebook
from policy_engine.diff import Changes, compare
from policy_engine.errors import Problem
from policy_engine.impact.model import (
    Cause,
    Counts,
    Distribution,
    Failure,
    Flip,
    Group,
    Impact,
    Movement,
    Repeated,
    Resting,
    Side,
    Standing,
    Statuses,
    Total,
)
from policy_engine.model import Citation, Source
from policy_engine.render.html import State, diff_page, impact_page

COMMAND = "policy-engine diff old new --at 2030-01-01T00:00:00Z --format html"
WILD = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; \"quoted\" 'too'",
    "*bold* [link](javascript:alert(1)) `code`",
    '=HYPERLINK("http://evil.example","x")',
    "\x1b[31mred\x1b[0m",
    "safe\u202eelif.exe",
    "\u2066isolated\u2069 \u200bnothing\ufeff",
    "{{ 7 * 7 }} {% raw %}",
    "שלום 123",
)


def page_of(pair: Pair) -> str:
    """The page of what changed between a pair of rulebooks."""
    old, new = pair.versions(pair.old), pair.versions(pair.new)
    return diff_page(pair.compared(), State("old", tuple(old)), State("new", tuple(new)), COMMAND)


def wild_page(wild: str) -> str:
    """A page on which everything that a rule file can word is one text."""
    book = Rulebook.load()
    old, new = (book.version(f"cross_margin_pro@{day}") for day in ("2025-01-15", "2025-01-21"))
    parameters = {
        name: replace(one, title=wild, note=wild, citation=Citation(wild, wild))
        for name, one in new.parameters.items()
    }
    formulas = {
        entity: {name: replace(one, title=wild) for name, one in named.items()}
        for entity, named in new.formulas.items()
    }
    made = replace(
        new,
        summary=wild,
        sources={**new.sources, wild: Source(wild, wild, wild)},
        parameters=parameters,
        formulas=formulas,
        statuses=tuple(replace(one, title=wild) for one in new.statuses),
    )
    changes = compare([old], [made], dates=True)
    return diff_page(changes, State(wild, (old,)), State(wild, (made,)), wild)


def of_the_update() -> tuple[Pair, Changes]:
    """The pair of the tests that is most like a real update, and what it changes."""
    pair = PAIRS["a-real-update"]
    return pair, pair.compared()


def standing(value: str | None, threshold: str = "1.5") -> Standing:
    held = None if value is None else Decimal(value)
    return Standing("letter", "level", "Level", "ratio", "<=", held, Decimal(threshold))


def impact(account: str = "A-1") -> Impact:
    """An impact with something in every part of it; `account` is the name of an account."""
    _, changes = of_the_update()
    first, second = changes.changes[0].id, changes.changes[1].id
    at = datetime(2025, 1, 21, tzinfo=UTC)
    alone = Cause("status", ((first,), (second,)), ())
    both = Cause("permissions.borrow", ((first, second),), (first, second))
    return Impact(
        book="book.jsonl",
        old=Side("old", at, ()),
        new=Side("new", at, ()),
        known_at=at,
        changes=changes,
        counts=Counts(1234, 900, 100, 200, 30, 4),
        statuses=Statuses(
            ("sale", "letter", "calm", "undetermined", "error"),
            ("Sale", "Letter", "Calm", "undetermined", "error"),
            (
                (40, 0, 0, 0, 0),
                (12, 160, 5, 0, 0),
                (1, 11, 1000, 1, 0),
                (0, 0, 0, 0, 0),
                (0, 0, 0, 0, 4),
            ),
        ),
        permissions=(Movement("borrow", 2, 17, 3, 1, 900, 300, 11), Movement("trade", kept=1234)),
        flips=(
            Flip(
                *(account, 7, "worse", "letter", "sale"),
                lost=("borrow", "trade"),
                stood=standing("1.6875", "1"),
                stands=standing("0.33333333333333333333", "1"),
                causes=(alone, both),
            ),
            Flip(
                *("A-2", 9, "untold", "calm", "undetermined"),
                lost_sight=("trade",),
                stood=standing("2"),
                stands=standing(None),
            ),
            Flip("A-3", 12, "better", "calm", "calm", gained=("borrow",), found_out=("trade",)),
        ),
        distributions=(
            Distribution("level", "Level", "ratio", 1200, 40, 60, 20, 14, *map(Decimal, "01234")),
        ),
        totals=(Total("held", "Held", "USD", Decimal("1234567.5"), None, None, 1200, 0),),
        groups=(Group(first, "Level", (first,), (), 24, 30, 10, 20),),
        assumptions=(Resting("as_before", "The rest is as before.", 30, 2),),
        failures=(Failure(3, "B-1", "row", (Problem("missing-key", "`price` is missing"),)),),
        repeated=(Repeated("A-1", 2, (7, 8)),),
        repeats=1,
        undetermined_before=3,
        undetermined_after=5,
    )


def page_of_impact(account: str = "A-1") -> str:
    """The page of the impact."""
    pair, _ = of_the_update()
    old, new = pair.versions(pair.old), pair.versions(pair.new)
    command = "policy-engine impact old new --accounts book.jsonl --format html"
    states = State("old", tuple(old)), State("new", tuple(new))
    return impact_page(impact(account), *states, command)
