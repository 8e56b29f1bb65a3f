"""Laws of time: one version in force at each instant, and none acts before its instant.

They hold with corrections, and as known at every instant: on generated timelines, on generated
rules, and on the shipped ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

import oracle
from agreement import rulebook
from generator import account, file_names, rule_files, to_yaml
from generator_timelines import (
    ACCOUNT,
    MOMENT,
    Dated,
    book_of,
    documents_of,
    moments_of,
    timelines,
)
from policy_engine import PolicyError, Rulebook, RulesError
from policy_engine.history import State
from policy_engine.history import timelines as histories
from policy_engine.model import Version
from policy_engine.numbers import instant_text

RULES = Path(__file__).parent.parent / "rules"
Knowledge = datetime | None
laws = settings(max_examples=40, deadline=None)


def known_to(version: Version | Dated, known_at: Knowledge) -> bool:
    """Whether a version had been announced by then; one without a date always had."""
    told = version.told if isinstance(version, Dated) else version.announced_at
    return known_at is None or told is None or told <= known_at


def holding(versions: Iterable[Version], at: datetime, known_at: Knowledge) -> list[Version]:
    """The versions that have started and are known, and that no other such version follows."""
    begun = [v for v in versions if v.effective_from <= at and known_to(v, known_at)]
    return [v for v in begun if not any(_follows(other, v) for other in begun)]


def _follows(other: Version, version: Version) -> bool:
    """Whether another version takes over from a version, or corrects it."""
    if other.effective_from != version.effective_from:
        return other.effective_from > version.effective_from
    if other.announced_at is None or version.announced_at is None:
        return version.announced_at is None and other.announced_at is not None
    return other.announced_at > version.announced_at


def said(book: Rulebook, snapshot: Any, at: datetime, known_at: Knowledge = None) -> str:
    """The bytes of a decision, or the words of the refusal."""
    try:
        return book.in_force(at, known_at).decide(snapshot).to_json()
    except PolicyError as error:
        return str(error)


def known_ats(versions: Sequence[Dated]) -> list[Knowledge]:
    """Every instant of knowledge that tells something else, and none."""
    return [None, *sorted({at for v in versions if v.told for at in (v.told, v.told - MOMENT)})]


def books() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The documents of the shipped rules, and of some generated ones."""
    shipped = [(path.as_posix(), path.read_text("utf-8")) for path in RULES.glob("*/*.yaml")]
    yield "shipped", shipped
    for seed in range(6):
        documents = rule_files(Random(f"laws {seed}"))
        texts = map(to_yaml, documents)
        yield f"seed {seed}", list(zip(file_names(documents), texts, strict=True))


BOOKS = dict(books())


# One version is in force at each instant


@laws
@given(timelines())
def test_one_version_is_in_force_and_it_decides(versions: list[Dated]) -> None:
    book, documents = book_of(versions), documents_of(versions)
    figures = {path.removesuffix(".yaml"): v.figure for v in versions for path, _ in [v.document()]}
    for known_at in known_ats(versions):
        for at in moments_of(versions):
            if at < min(version.start for version in versions):
                continue
            held = book.in_force(at, known_at).versions
            for ruleset, all_of_it in book.rulesets.items():
                wanted = holding(all_of_it, at, known_at)
                assert wanted == ([held[ruleset]] if ruleset in held else [])
            others = oracle.in_force(documents, at, known_at)
            assert {name: one["effective_from"] for name, one in others.items()} == {
                name: instant_text(version.effective_from) for name, version in held.items()
            }
            if "desk" in held:
                values = book.in_force(at, known_at).decide(ACCOUNT).values
                decided = [values["own"], values["other"]]
                assert decided == [figures[held[n].id.replace("@", "/")] for n in ("desk", "used")]


@laws
@given(timelines())
def test_the_history_covers_time_without_gap_or_overlap(versions: list[Dated]) -> None:
    book = book_of(versions)
    for known_at in known_ats(versions)[:6]:
        for at in moments_of(versions):
            for line in histories(book, at, known_at):
                held = holding(book.rulesets[line.ruleset], at, known_at)
                assert ([line.in_force] if line.in_force else []) == held
                assert line.left_out + len(line.stretches) == len(book.rulesets[line.ruleset])
                valid = [one for one in line.stretches if one.state is not State.CORRECTED]
                starts = [one.version.effective_from for one in valid]
                assert starts == sorted(set(starts))
                assert [one.until for one in valid] == [*starts, None][1:]
                states = [one.state for one in valid if one.version.effective_from <= at]
                assert states == [State.PAST] * (len(states) - 1) + [State.IN_FORCE] * len(held)
                later = {one.state for one in valid if one.version.effective_from > at}
                assert later <= {State.ANNOUNCED, State.UNANNOUNCED}
                for one in line.stretches:
                    assert known_to(one.version, known_at)
                    assert (one.state is State.CORRECTED) == (one.corrected_by is not None)
                    assert (one.version.corrects is not None) == (one.corrects is not None)


@pytest.mark.parametrize("name", BOOKS)
def test_one_version_of_each_started_ruleset_is_in_force(name: str) -> None:
    book = Rulebook(BOOKS[name])
    starts = {version.effective_from for version in book.versions}
    told = {version.announced_at for version in book.versions if version.announced_at}
    for known_at in [None, *sorted(at + n * MOMENT for at in told for n in (-1, 0))]:
        for moment in sorted(at + n * MOMENT for at in starts for n in (-1, 0, 1)):
            wanted = {
                ruleset: begun
                for ruleset, versions in book.rulesets.items()
                if (begun := holding(versions, moment, known_at))
            }
            if not wanted:
                with pytest.raises(RulesError):
                    book.in_force(moment, known_at)
                continue
            held = book.in_force(moment, known_at).versions
            assert wanted == {ruleset: [version] for ruleset, version in held.items()}


# Nothing acts before its instant, or before it is known


@laws
@given(timelines())
def test_a_future_version_changes_nothing_before_its_instant(versions: list[Dated]) -> None:
    book = book_of(versions)
    for start in sorted({version.start for version in versions})[1:]:
        before = book_of(version for version in versions if version.start < start)
        for known_at in known_ats(versions):
            for at in [at for at in moments_of(versions) if at < start]:
                assert said(before, ACCOUNT, at, known_at) == said(book, ACCOUNT, at, known_at)


@laws
@given(timelines())
def test_a_later_announcement_changes_nothing_that_was_known(versions: list[Dated]) -> None:
    book = book_of(versions)
    for told in {version.told for version in versions if version.told}:
        before = book_of(v for v in versions if v.told is None or v.told < told)
        for at in moments_of(versions):
            known_at = told - MOMENT
            assert said(before, ACCOUNT, at, known_at) == said(book, ACCOUNT, at, known_at)
            assert histories(book, at, known_at, before.rulesets) == tuple(
                replace(line, left_out=len(book.rulesets[line.ruleset]) - len(line.stretches))
                for line in histories(before, at, known_at)
            )


@laws
@given(timelines().filter(lambda versions: any(version.file > 1 for version in versions)))
def test_a_correction_changes_its_own_stretch_only(versions: list[Dated]) -> None:
    book = book_of(versions)
    for correction in [version for version in versions if version.file > 1]:
        others = [v for v in versions if not _is_of(v, correction) or v.file < correction.file]
        without = book_of(others)
        (line,) = histories(book, correction.start, None, [correction.ruleset])
        end = next(
            one.until for one in line.stretches if one.version.effective_from == correction.start
        )
        for at in moments_of(versions):
            inside = correction.start <= at and (end is None or at < end)
            same = said(without, ACCOUNT, at) == said(book, ACCOUNT, at)
            decides = not said(book, ACCOUNT, at).startswith("input")
            assert same is not (inside and decides)


def _is_of(version: Dated, other: Dated) -> bool:
    """Whether two files are of one ruleset and one instant."""
    return (version.ruleset, version.start) == (other.ruleset, other.start)


@laws
@given(timelines())
def test_who_knows_everything_is_told_the_same(versions: list[Dated]) -> None:
    book = book_of(versions)
    told = max((version.told for version in versions if version.told), default=versions[0].start)
    for at in moments_of(versions):
        knowing = said(book, ACCOUNT, at, told)
        told_at = f'"known_at":"{instant_text(told)}"'
        assert knowing.replace(told_at, '"known_at":null') == said(book, ACCOUNT, at)


@pytest.mark.parametrize("seed", range(8))
def test_on_generated_rules_a_future_version_changes_nothing_before_its_instant(seed: int) -> None:
    rng = Random(f"future {seed}")
    documents = rule_files(rng)
    book = rulebook(documents)
    told = sorted({version.announced_at for version in book.versions if version.announced_at})
    for start in sorted({version.effective_from for version in book.versions})[1:]:
        present = [d for d in documents if d["effective_from"] < instant_text(start)]
        before, moment = rulebook(present), start - MOMENT
        for _ in range(20):
            snapshot, known_at = account(rng, present), rng.choice([None, *told])
            assert said(before, snapshot, moment, known_at) == said(
                book, snapshot, moment, known_at
            )
