"""What a change does to a book of accounts: laws, counts, and causes against brute force."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import chain, combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book_of_accounts import accounts
from policy_engine import Rulebook, Rules
from policy_engine.books import Row
from policy_engine.decision import Decision
from policy_engine.diff import compare
from policy_engine.impact.attribution import told
from policy_engine.impact.causes import MOST_COMBINED
from policy_engine.impact.measure import MOST_KEPT, impact
from policy_engine.impact.model import ERROR, Impact
from policy_engine.numbers import EXACT, text_of

FILE = Path(__file__).parent / "impact/rules/house/2025-01-01.yaml"
TEXT = FILE.read_text(encoding="utf-8")
SHIPPED = Rulebook.load()
BEFORE, AFTER = "2025-01-21T09:59:59Z", "2025-01-21T10:00:00Z"

Edit = Callable[[str], str]


def put(old: str, new: str) -> Edit:
    """An edit of a rule file; what it replaces must be there once."""

    def edit(text: str) -> str:
        assert text.count(old) == 1, old
        return text.replace(old, new)

    return edit


def adding(formula: str, parameter: str) -> Edit:
    """An edit that adds a parameter and a formula that asks for it."""

    def edit(text: str) -> str:
        text = put("  letter_level:\n", f"{parameter}  letter_level:\n")(text)
        return put("sum(assets, held_value)", formula)(text)

    return edit


CUT = """  kept_share:
    title: Share of what is held that counts
    value: 80%
    unit: ratio
    citation: {source: house_rules}
"""

FOUR: Mapping[str, Edit] = {
    "house/parameters/sale_level": put("value: 1\n", "value: 1.2\n"),
    "house/formulas/account/held": adding("sum(assets, held_value) * kept_share", CUT),
    "house/formulas/assets/owed_value": put("(borrowed + interest)", "borrowed"),
    "house/statuses/letter": put("cover < letter_level", "cover <= letter_level"),
}
"""Four changes: one brings a parameter along, one works against the others."""


@cache
def rules(text: str) -> Rules:
    """The rules of one file, in force."""
    return Rulebook([("house/2025-01-01.yaml", text)]).in_force("2025-06-01")


def edited(edits: Iterable[Edit], text: str = TEXT) -> str:
    for edit in edits:
        text = edit(text)
    return text


def subsets(names: Iterable[str]) -> list[frozenset[str]]:
    """Every set of the names, the smallest first."""
    known = sorted(names)
    sizes = (combinations(known, size) for size in range(len(known) + 1))
    return [frozenset(chosen) for chosen in chain.from_iterable(sizes)]


def snapshot(rng: Random, number: int) -> dict[str, Any]:
    """An account near one of the thresholds, sometimes on it, seldom with what has no weight."""
    cover = rng.choice(("0.9", "1", "1.2", "1.25", "1.3", "1.5", "1.6", "1.875", "1.9", "2", "5"))
    debt = rng.choice(("0", "100", "100", "200"))
    interest = rng.choice(("0", "0", "5", "20"))
    asset = "DUST" if rng.random() < 0.03 else "GOLD"
    worth = int(Decimal(cover) * 1000 * (int(debt) or 10)) + rng.choice((0, 0, 0, -20000, 20000))
    free = str(max(worth, 0))
    columns = ("asset", "free", "locked", "borrowed", "interest", "price")
    held = (asset, free, "0", "0", "0", "0.001")
    owed = ("SAND", "0", "0", debt, interest if debt != "0" else "0", "1")
    lines = [dict(zip(columns, line, strict=True)) for line in (held, owed)]
    return {"account": f"A-{number}", "mode": "pro", "assets": lines}


def rows(snapshots: Iterable[Mapping[str, Any]]) -> list[Row]:
    return [Row(at, one, one["account"]) for at, one in enumerate(snapshots, 1)]


def measured(old: Rules, new: Rules, book: list[Row]) -> Impact:
    changes = compare(old.versions.values(), new.versions.values())
    return impact(old, new, changes, book)


SNAPSHOTS = [snapshot(Random(f"7/{number}"), number) for number in range(200)]
BOOK = rows(SNAPSHOTS)


# --- causes ---------------------------------------------------------------------------------------


def smallest(decided: Mapping[frozenset[str], Decision], outcome: str) -> set[frozenset[str]]:
    """The smallest sets of changes that give what all of them give, by trying them all."""
    every = max(decided, key=len)
    now = told(decided[every], outcome)
    enough = [made for made, decision in decided.items() if told(decision, outcome) == now]
    return {made for made in enough if not any(less < made for less in enough)}


@pytest.mark.parametrize("left_out", [None, *FOUR])
def test_causes_agree_with_brute_force(left_out: str | None) -> None:
    """Each set of changes written as a rule file of its own and decided for real."""
    edits = {name: edit for name, edit in FOUR.items() if name != left_out}
    worlds = {
        made: rules(edited(edit for name, edit in edits.items() if name in made))
        for made in subsets(edits)
    }
    every = frozenset(edits)
    found = measured(worlds[frozenset()], worlds[every], BOOK)
    assert {group.id for group in found.groups} == every
    assert len(found.flips) >= 20
    for flip in found.flips:
        of = SNAPSHOTS[flip.line - 1]
        decided = {made: world.decide(of) for made, world in worlds.items()}
        for cause in flip.causes:
            assert cause.complete
            enough = {frozenset(made) for made in cause.enough}
            assert enough == smallest(decided, cause.outcome)
            now = told(decided[every], cause.outcome)
            without = {n for n in every if told(decided[every - {n}], cause.outcome) != now}
            assert set(cause.needed) == without


def test_causes_of_all_kinds_were_met() -> None:
    """The brute force above says something: changes alone, together, one for another."""
    found = measured(rules(TEXT), rules(edited(FOUR.values())), BOOK)
    kinds = {tuple(map(len, cause.enough)) for flip in found.flips for cause in flip.causes}
    assert {(1,), (2,), (1, 1)} <= kinds


def test_a_change_brings_what_it_names() -> None:
    found = measured(rules(TEXT), rules(edited(FOUR.values())), BOOK)
    needs = {group.id: group.needs for group in found.groups}
    assert needs["house/formulas/account/held"] == ("house/parameters/kept_share",)
    assert not any(needs[name] for name in FOUR if name != "house/formulas/account/held")


def test_changes_that_do_not_stand_alone_are_one() -> None:
    """A figure that becomes a number of coins where it was money, and what is compared with it."""
    both = (
        put(
            'unit: ratio\n      expression: "held / debt if debt > 0 else unlimited"',
            "unit: USDT\n      expression: held - debt",
        ),
        put("value: 1\n    unit: ratio\n    safer", "value: 3\n    unit: USDT\n    safer"),
        put("value: 1.5\n    unit: ratio", "value: 60\n    unit: USDT"),
    )
    found = measured(rules(TEXT), rules(edited(both)), BOOK)
    assert found.not_apart is None
    (group,) = found.groups
    parts = {part for name in group.changes for part in name.split("/")}
    assert parts >= {"cover", "sale_level", "letter_level"}
    assert {cause.enough for flip in found.flips for cause in flip.causes} == {((group.id,),)}


def many(count: int) -> tuple[str, str]:
    """Rules with so many changes that matter: each adds a little to the debt."""
    names = [f"fee_{at}" for at in range(count)]
    parameters = "".join(
        f"  {name}:\n    title: A fee\n    value: 0\n    unit: USDT\n"
        "    citation: {source: house_rules}\n"
        for name in names
    )
    text = put("  letter_level:\n", f"{parameters}  letter_level:\n")(TEXT)
    text = put("sum(assets, owed_value)", " + ".join(["sum(assets, owed_value)", *names]))(text)
    return text, text.replace("value: 0\n    unit: USDT", "value: 10\n    unit: USDT")


@pytest.mark.parametrize("count", [MOST_COMBINED, MOST_COMBINED + 1, 12])
def test_more_changes_than_can_be_combined_give_one_way(count: int) -> None:
    old, new = many(count)
    found = measured(rules(old), rules(new), BOOK[:40])
    causes = [cause for flip in found.flips for cause in flip.causes]
    assert causes
    assert {cause.complete for cause in causes} == {count <= MOST_COMBINED}
    for flip in found.flips:
        for cause in flip.causes:
            for made in cause.enough:
                text = old
                for name in made:
                    own = name.rpartition("/")[2]
                    text = put(
                        f"  {own}:\n    title: A fee\n    value: 0\n",
                        f"  {own}:\n    title: A fee\n    value: 10\n",
                    )(text)
                decision = rules(text).decide(SNAPSHOTS[flip.line - 1])
                now = rules(new).decide(SNAPSHOTS[flip.line - 1])
                assert told(decision, cause.outcome) == told(now, cause.outcome)


def test_rows_of_a_table_are_told_by_the_keys_held() -> None:
    new = put("when: [GOLD, SAND]}", "when: [SAND]}, {value: 10%, when: [GOLD]}")(TEXT)
    found = measured(rules(TEXT), rules(new), BOOK)
    assert found.flips
    assert {cause.keys for flip in found.flips for cause in flip.causes} == {("GOLD",)}


def test_an_added_status_and_permission_are_changes() -> None:
    new = edited(
        (
            put(
                "  letter: {",
                "  watch: {title: Watched, when: cover <= 1.3, citation: "
                "{source: house_rules}}\n  letter: {",
            ),
            put("  trade:\n    title", "  lend:\n    title: Lending is open\n  trade:\n    title"),
        )
    ).replace("cover <= 1.3", "cover <= watch_level")
    parameter = CUT.replace("kept_share", "watch_level").replace("80%", "1.3")
    new = put("  letter_level:\n", f"{parameter}  letter_level:\n")(new)
    found = measured(rules(TEXT), rules(new), BOOK)
    ids = {group.id for group in found.groups}
    assert ids == {"house/statuses", "house/permissions/lend"}
    assert found.statuses.names[:4] == ("sale", "watch", "letter", "calm")
    lend = next(one for one in found.permissions if one.name == "lend")
    assert lend.gained == len(BOOK) - found.statuses.before(ERROR)


# --- laws -----------------------------------------------------------------------------------------

SHIPPED_PAIRS = [
    (BEFORE, AFTER),
    ("2024-08-01", "2025-01-16"),
    ("2025-08-01", "2026-01-15"),
    ("2026-01-20", "2026-02-01"),
    ("2022-06-01", "2026-02-01"),
]
SHIPPED_BOOK = rows(accounts(250))


def between(old: str, new: str, book: list[Row] = SHIPPED_BOOK) -> Impact:
    sides = SHIPPED.in_force(old), SHIPPED.in_force(new)
    return impact(*sides, SHIPPED.diff(old, new), book, (old, new))


def adds_up(found: Impact, count: int) -> None:
    counts = found.counts
    assert counts.accounts == count
    assert count == (
        counts.identical + counts.reworded + counts.figures + counts.decided + counts.errors
    )
    assert sum(map(sum, found.statuses.cells)) == count
    assert counts.decided == len(found.flips)
    for one in found.permissions:
        told_of = one.gained + one.lost + one.to_undetermined + one.from_undetermined
        assert told_of + one.kept + one.still_refused + one.still_undetermined == (
            count - counts.errors
        )
    for group in found.groups:
        assert group.alone <= group.flips
        assert group.accounts <= len(found.flips)


@pytest.mark.parametrize("pair", SHIPPED_PAIRS, ids="-".join)
def test_the_way_back_is_the_transpose(pair: tuple[str, str]) -> None:
    there, back = between(*pair), between(pair[1], pair[0])
    adds_up(there, len(SHIPPED_BOOK))
    adds_up(back, len(SHIPPED_BOOK))
    names = there.statuses.names
    assert set(names) == set(back.statuses.names)
    for a in names:
        for b in names:
            assert there.statuses.matrix[a][b] == back.statuses.matrix[b][a]
    assert replace(back.counts) == there.counts
    moved = {one.name: one for one in back.permissions}
    for one in there.permissions:
        assert (one.gained, one.lost) == (moved[one.name].lost, moved[one.name].gained)


@pytest.mark.parametrize("at", ["2021-01-01", BEFORE, AFTER, "2026-02-01"])
def test_of_a_version_on_itself_there_is_none(at: str) -> None:
    found = between(at, at)
    assert found.counts.identical + found.counts.errors == len(SHIPPED_BOOK)
    assert (found.flips, found.groups, found.assumptions) == ((), (), ())
    assert all(one.fell == one.rose == 0 for one in found.distributions)
    assert all(one.change in (0, None) for one in found.totals)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(range(len(SNAPSHOTS))), max_size=12), st.sampled_from(subsets(FOUR))
)
def test_counts_add_up_whatever_the_book(chosen: list[int], made: frozenset[str]) -> None:
    new = rules(edited(edit for name, edit in FOUR.items() if name in made))
    found = measured(rules(TEXT), new, rows(SNAPSHOTS[at] for at in chosen))
    adds_up(found, len(chosen))


@pytest.mark.parametrize("pair", SHIPPED_PAIRS, ids="-".join)
def test_of_every_flip_the_causes_are_found(pair: tuple[str, str]) -> None:
    found = between(*pair)
    assert found.not_apart is None
    for flip in found.flips:
        for cause in flip.causes:
            assert cause.enough, (flip.account, cause)


def test_outputs_said_to_be_the_same_are() -> None:
    """Counted from the bytes of every decision."""
    sides = SHIPPED.in_force("2026-01-20"), SHIPPED.in_force("2026-02-01")
    identical = figures = 0
    for row in SHIPPED_BOOK:
        told_of = [side.decide(row.snapshot).to_dict() for side in sides]
        for one in told_of:
            for name in ("rules_at", "known_at", "rulesets", "engine"):
                del one[name]
        identical += told_of[0] == told_of[1]
        parts = ("values", "assets", "orders", "loans")
        figures += any(told_of[0][name] != told_of[1][name] for name in parts)
    counts = between("2026-01-20", "2026-02-01").counts
    assert counts.identical == identical
    assert counts.figures <= figures


# --- figures --------------------------------------------------------------------------------------


def test_figures_are_summed_and_ranked_exactly() -> None:
    new = rules(FOUR["house/formulas/account/held"](TEXT))
    old = rules(TEXT)
    found = measured(old, new, BOOK)
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]]
    pairs = [(old.decide(one).values, new.decide(one).values) for one in SNAPSHOTS]
    held = next(one for one in found.totals if one.figure == "held")
    known = [(a["held"], b["held"]) for a, b in pairs if a["held"] is not None]
    assert held.before == sum(a for a, _ in known)
    assert held.after == sum(b for _, b in known)
    assert held.change == held.after - held.before
    assert held.accounts_before == len(known) < len(SNAPSHOTS)
    assert {one.figure for one in found.totals} == {"held", "debt"}
    cover = next(one for one in found.distributions if one.figure == "cover")
    rises = sorted(
        EXACT.subtract(b["cover"], a["cover"])
        for a, b in pairs
        if a["cover"] is not None and a["cover"].is_finite()
    )
    assert cover.accounts == len(rises)
    assert text_of(cover.least) == text_of(rises[0])
    assert text_of(cover.median) == text_of(rises[-(-len(rises) // 2) - 1])
    assert text_of(cover.greatest) == text_of(rises[-1])


def test_the_worst_come_first() -> None:
    found = measured(rules(TEXT), rules(edited(FOUR.values())), BOOK)
    kinds = [flip.kind for flip in found.flips]
    assert kinds == sorted(kinds, key=("worse", "untold", "lost", "better").index)
    worse = [flip for flip in found.flips if flip.kind == "worse" and flip.after == "sale"]
    distances = [flip.stands.distance for flip in worse if flip.stands]
    assert len(distances) == len(worse) > 1
    assert distances == sorted(distances, key=lambda one: one if one is not None else 0)
    assert worse[0].stands is not None
    assert (
        worse[0].stands.threshold
        == rules(edited(FOUR.values())).versions["house"].parameters["sale_level"].value
    )


# --- books ----------------------------------------------------------------------------------------


def test_a_row_that_cannot_be_decided_is_counted_apart() -> None:
    spoilt = [{**SNAPSHOTS[0], "mode": "other"}, {**SNAPSHOTS[1], "assets": None}, SNAPSHOTS[2]]
    found = measured(rules(TEXT), rules(edited(FOUR.values())), rows(spoilt))
    adds_up(found, 3)
    assert found.counts.errors == 2
    assert [one.side for one in found.failures] == ["both", "both"]
    assert [one.line for one in found.failures] == [1, 2]
    assert found.statuses.matrix[ERROR][ERROR] == 2


def test_a_side_that_cannot_decide_is_told() -> None:
    new = put('applies_when: mode == "pro"', 'applies_when: mode == "classic"')(TEXT)
    found = measured(rules(TEXT), rules(new), BOOK[:5])
    assert {one.side for one in found.failures} == {"new"}
    assert {one.problems[0].code for one in found.failures} == {"no-rules-apply"}
    assert found.statuses.after(ERROR) == found.statuses.new(ERROR) == 5
    assert found.statuses.flipped == 0


def test_names_that_stand_twice_are_told() -> None:
    same = [SNAPSHOTS[0]] * 9 + [SNAPSHOTS[1]]
    found = measured(rules(TEXT), rules(TEXT), rows(same))
    (one,) = found.repeated
    assert (one.account, one.times, one.lines[:2], found.repeats) == ("A-0", 9, (1, 2), 1)


def test_of_many_failures_the_first_are_kept() -> None:
    found = measured(rules(TEXT), rules(TEXT), rows([{"account": "x"}] * (MOST_KEPT + 5)))
    assert found.counts.errors == MOST_KEPT + 5
    assert len(found.failures) == MOST_KEPT


def test_an_account_without_an_instant_has_the_same_on_both_sides() -> None:
    """Else the hours of its loans would pass for a change."""
    book = [{k: v for k, v in row.snapshot.items() if k != "at"} for row in SHIPPED_BOOK[:40]]
    found = between("2025-02-01", "2025-07-01", rows(book))
    assert found.counts.identical == 40


def test_an_impact_pickles() -> None:
    found = measured(rules(TEXT), rules(edited(FOUR.values())), BOOK)
    copy = pickle.loads(pickle.dumps(found))
    assert replace(copy, changes=found.changes) == found
    assert copy.changes.changes[0].id == found.changes.changes[0].id
