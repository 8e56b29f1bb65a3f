"""Mistakes made in rules on purpose: which are noticed, which change nothing, what is missing."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import cast

import pytest

from policy_engine import Rulebook
from policy_engine.cases import load_cases, read_cases
from policy_engine.cases import run as run_case
from policy_engine.cli import run
from policy_engine.mutation import mutation
from policy_engine.mutation.book import AlteredBook
from policy_engine.mutation.missing import Searching
from policy_engine.mutation.trial import NOTICED, SURVIVES, Trial, prepared, tried, wanted
from policy_engine.render.mutation import case_lines

ROOT = Path(__file__).parent.parent
SMALL = Path("tests/coverage")
SEED = int(os.environ.get("MUTATION_SEED", "20250121"))
SAMPLE = int(os.environ.get("MUTATION_SAMPLE", "60"))
"""How many mistakes in the shipped rules are tried; all of them: `policy-engine test --mutate`."""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def shipped() -> Trial:
    return prepared(Rulebook.load(ROOT / "rules"), load_cases(ROOT / "tests" / "cases"))


@pytest.fixture(scope="module")
def with_worked() -> Trial:
    """The shipped rules with the cases and the worked examples."""
    folders = (ROOT / "tests" / "cases", ROOT / "tests" / "worked")
    cases = [case for folder in folders for case in load_cases(folder)]
    return prepared(Rulebook.load(ROOT / "rules"), cases)


@pytest.fixture(scope="module")
def small() -> Trial:
    return prepared(Rulebook.load(ROOT / SMALL / "rules"), load_cases(ROOT / SMALL / "cases"))


def sample(trial: Trial, count: int) -> list[int]:
    every = range(len(trial.mutants))
    return sorted(random.Random(SEED).sample(every, min(count, len(every))))


# Small rules


def test_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["test", "--mutate", "--rules", f"{SMALL}/rules", "--cases", f"{SMALL}/cases"]
    assert run([*command, "--fail-under", "77"]) == 0
    text = capsys.readouterr().out
    golden = Path("tests/mutation/mutation.txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert run([*command, "--fail-under", "78"]) == 1


def test_a_missing_case_passes_and_notices_its_mistake(small: Trial) -> None:
    found = mutation(small, [small.outcome(at) for at in range(len(small.mutants))])
    missing = [one for one in found.survivors if one.why_equal is None]
    assert len(missing) > 5
    for one in missing:
        assert one.missing is not None, one.mutant.name
        text = "cases:\n" + "\n".join(f"  {line}" for line in case_lines(one.missing, "this"))
        (case,) = read_cases(text, "missing.yaml")
        assert run_case(small.book, case) == []
        assert run_case(cast("Rulebook", AlteredBook(small.book, one.mutant.make())), case) != []


@pytest.mark.parametrize("options", [["--operators", "bondary"], ["--only", "fees@2024-01-01"]])
def test_an_unknown_name_is_refused_with_a_hint(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["test", "--mutate", "--rules", f"{SMALL}/rules", "--cases", f"{SMALL}/cases"]
    assert run([*command, *options]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_every_mistake_is_another_version(small: Trial) -> None:
    for mutant in small.mutants:
        before = next(v for v in small.book.versions if v.id == mutant.version)
        assert mutant.make() != before, mutant.name


# The shipped rules


def test_cases_and_worked_examples_notice_a_sample_of_mistakes(with_worked: Trial) -> None:
    outcomes = [with_worked.outcome(at) for at in sample(with_worked, SAMPLE)]
    found = mutation(with_worked, outcomes, search=False)
    assert [one.mutant.name for one in found.survivors if one.why_equal is None] == []
    assert found.noticed * 100 >= 80 * len(outcomes)


def test_the_cases_alone_notice_most_of_a_sample_of_mistakes(shipped: Trial) -> None:
    outcomes = [shipped.outcome(at) for at in sample(shipped, SAMPLE)]
    assert mutation(shipped, outcomes, search=False).percent >= 90


def test_cases_that_are_not_tried_could_not_have_told(shipped: Trial) -> None:
    """A case left out decides as before, down to every figure of it."""
    for at in sample(shipped, 8):
        mutant = shipped.mutants[at]
        altered = cast("Rulebook", AlteredBook(shipped.book, mutant.make()))
        left = set(range(len(shipped.cases))) - set(shipped.telling(mutant))
        for number in random.Random(at).sample(sorted(left), 150):
            assert run_case(altered, shipped.cases[number]) == [], mutant.name


def test_what_is_said_to_change_nothing_changes_no_outcome_of_any_case(
    with_worked: Trial,
) -> None:
    equal = [at for at, one in enumerate(with_worked.mutants) if one.operator == "boundary"]
    outcomes = [with_worked.outcome(at) for at in random.Random(SEED).sample(equal, 40)]
    survivors = [one for one in outcomes if one.word == SURVIVES]
    found = mutation(with_worked, survivors, search=False)
    assert len(found.survivors) > 3
    searching = Searching(with_worked)
    for one in found.survivors:
        assert one.why_equal is not None
        assert searching.on_cases(one.mutant) is None


def test_the_outcome_is_the_same_for_any_number_of_processes(shipped: Trial) -> None:
    version = shipped.book.version("cross_margin_classic@2019-07-05")
    positions = wanted(shipped, [version])
    folder = ROOT / "tests" / "cases"
    assert len(positions) > 60
    one, two = (list(tried(shipped, positions, folder, jobs)) for jobs in (1, 2))
    assert one == two
    assert {outcome.word for outcome in one} == {NOTICED, SURVIVES}


@pytest.mark.slow
@pytest.mark.skipif("MUTATION_ALL" not in os.environ, reason="all mistakes take minutes")
def test_the_cases_alone_notice_19_in_20_mistakes_and_with_worked_examples_all(
    shipped: Trial, with_worked: Trial
) -> None:
    positions = range(len(shipped.mutants))
    folder = ROOT / "tests" / "cases"
    outcomes = list(tried(shipped, positions, folder, os.cpu_count() or 1))
    found = mutation(shipped, outcomes, search=False)
    assert found.percent >= 95
    missed = {one.mutant.name for one in found.survivors if one.why_equal is None}
    again = [at for at, one in enumerate(with_worked.mutants) if one.name in missed]
    assert {with_worked.outcome(at).word for at in again} <= {NOTICED}
