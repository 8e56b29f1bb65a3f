"""The same snapshot under the same rules gives the same bytes, wherever and however it is asked."""

from __future__ import annotations

import copy
import decimal
import os
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal
from functools import partial
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from policy_engine import Decision, PolicyError, Rulebook, Rules
from policy_engine.cases import Case, load_cases

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases"
OTHER_PYTHONS = ("3.12", "3.13")

PRINT_ALL = f"""
import sys
from policy_engine import PolicyError, Rulebook
from policy_engine.cases import load_cases

def answer(case):
    try:
        return book.in_force(case.at, case.known_at).decide(case.snapshot).to_json()
    except PolicyError as error:
        return str(error)

book = Rulebook.load({str(ROOT / "rules")!r})
lines = [version.id + " " + version.digest for version in book.versions]
lines += map(answer, load_cases({str(CASES)!r}))
sys.stdout.buffer.write("\\0".join(lines).encode())
"""


def answer(book: Rulebook, case: Case) -> str:
    """The decision's bytes as text, or the problems of a snapshot that cannot be decided."""
    try:
        return book.in_force(case.at, case.known_at).decide(case.snapshot).to_json()
    except PolicyError as error:
        return str(error)


def answers(book: Rulebook, cases: list[Case]) -> list[str]:
    """The version digests and the decision on every case."""
    digests = [f"{version.id} {version.digest}" for version in book.versions]
    return digests + [answer(book, case) for case in cases]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load(ROOT / "rules")


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return load_cases(CASES)


@pytest.fixture(scope="module")
def expected(book: Rulebook, cases: list[Case]) -> list[str]:
    return answers(book, cases)


@pytest.fixture(scope="module")
def decisions(book: Rulebook, cases: list[Case]) -> list[Decision]:
    decidable = [case for case in cases if "error" not in case.expect]
    return [book.in_force(case.at, case.known_at).decide(case.snapshot) for case in decidable]


def printed(command: list[str], folder: Path, **environment: str) -> list[str]:
    """What a fresh process answers."""
    held = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    ran = subprocess.run(
        [*command, "-c", PRINT_ALL], cwd=folder, env=held, capture_output=True, check=True
    )
    return ran.stdout.decode().split("\0")


# Processes


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "random", "TZ": "America/St_Johns"},
        {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONOPTIMIZE": "2"},
    ],
    ids=str,
)
def test_the_surroundings_change_nothing(
    environment: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    assert printed([sys.executable], tmp_path, **environment) == expected


@pytest.mark.slow
@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_the_version_of_python_changes_nothing(
    version: str, expected: list[str], tmp_path: Path
) -> None:
    python = next(other_pythons(version), None)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pip = [tmp_path / "venv" / "bin" / "pip", "install", "--quiet", *project["dependencies"]]
    if subprocess.run(pip, capture_output=True).returncode:
        pytest.skip(f"the dependencies cannot be installed for Python {version} here")
    assert printed([str(tmp_path / "venv" / "bin" / "python")], tmp_path) == expected


def other_pythons(version: str) -> Iterator[str]:
    """Interpreters of that version: on the path, or installed beside the one that runs."""
    named = f"python{version}"
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}*/bin/{named}"))
    for found in (which(named), *map(str, beside)):
        if found and not subprocess.run([found, "-c", ""], capture_output=True).returncode:
            yield found


# The caller's decimal context

HOSTILE = [
    Context(prec=6),
    Context(prec=1, rounding=decimal.ROUND_UP),
    Context(prec=28, rounding=decimal.ROUND_FLOOR, traps=[decimal.Inexact, decimal.Rounded]),
    Context(prec=3, Emin=-2, Emax=2, traps=[decimal.Overflow, decimal.Subnormal]),
    Context(prec=9, traps=[decimal.FloatOperation, decimal.Clamped]),
    Context(prec=50, rounding=decimal.ROUND_05UP, traps=[], capitals=0, clamp=1),
    Context(prec=decimal.MAX_PREC, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX),
    Context(prec=2, rounding=decimal.ROUND_CEILING, traps=list(decimal.Context().traps)),
]


@pytest.mark.parametrize("context", HOSTILE, ids=range(len(HOSTILE)))
def test_the_callers_context_changes_nothing_and_is_not_changed(
    context: Context, cases: list[Case], expected: list[str]
) -> None:
    with decimal.localcontext(context) as held:
        before = repr(held)
        said = answers(Rulebook.load(ROOT / "rules"), cases)
        assert repr(held) == before
    assert said == expected


def test_threads_with_contexts_of_their_own_change_nothing(
    book: Rulebook, cases: list[Case], expected: list[str]
) -> None:
    def in_context(context: Context) -> list[str]:
        with decimal.localcontext(context):
            return answers(book, cases)

    with ThreadPoolExecutor(len(HOSTILE)) as pool:
        assert all(said == expected for said in pool.map(in_context, HOSTILE * 2))


def test_threads_that_first_ask_at_the_same_time_agree(
    cases: list[Case], expected: list[str]
) -> None:
    """Plans are made when first asked for; here all ask at once."""
    for _ in range(5):
        book = Rulebook.load(ROOT / "rules")
        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(partial(answer, book), cases))
        assert said == expected[len(book.versions) :]


# The snapshot


def with_zeros(value: Any) -> Any:
    """The same with a zero more after the point of every number."""
    if isinstance(value, dict):
        return {key: with_zeros(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_zeros(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d{1,17})?", value):
        return f"{value}0" if "." in value else f"{value}.0"
    return value


def test_figures_print_as_people_write_them() -> None:
    """Neither an exponent nor a zero at the end tells how a figure was come by."""
    line = {"asset": "BTC", "locked": "0", "borrowed": "1.000", "interest": "0", "price": "10000.0"}
    snapshot = {"account": "A-1", "mode": "classic", "assets": [{**line, "free": "20"}]}
    decision = Rulebook.load(ROOT / "rules").in_force("2025-02-01").decide(snapshot)
    assert str(decision.values["margin_level"]) == "20"
    assert str(decision.values["total_asset_value"]) == "200000"
    assert decision.assets is not None
    assert str(decision.assets[0]["equity"]) == "19"


def with_decimals(value: Any) -> Any:
    """The same with numbers as decimals, those without a point as ints."""
    if isinstance(value, dict):
        return {key: with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_decimals(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return Decimal(value) if "." in value else int(value)
    return value


def backwards(value: Any) -> Any:
    """The same with the keys of every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("otherwise", [with_zeros, with_decimals, backwards])
def test_how_the_snapshot_is_written_changes_nothing(
    otherwise: Any, book: Rulebook, cases: list[Case]
) -> None:
    decided = [case for case in cases if "error" not in case.expect]
    assert any(otherwise(case.snapshot) != case.snapshot for case in decided) or (
        otherwise is backwards
    )
    for case in decided:
        rules = book.in_force(case.at, case.known_at)
        other = rules.decide(otherwise(case.snapshot)).to_json()
        assert other == rules.decide(case.snapshot).to_json(), case.name


def test_deciding_leaves_the_snapshot_as_it_was(book: Rulebook, cases: list[Case]) -> None:
    before = copy.deepcopy([case.snapshot for case in cases])
    answers(book, cases)
    assert [case.snapshot for case in cases] == before


# Pickles


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_decisions_pickle(decisions: list[Decision], protocol: int) -> None:
    loaded = pickle.loads(pickle.dumps(decisions, protocol))
    assert loaded == decisions
    assert [one.to_json() for one in loaded] == [one.to_json() for one in decisions]


def test_rulebooks_pickle(book: Rulebook, cases: list[Case], expected: list[str]) -> None:
    assert answers(pickle.loads(pickle.dumps(book)), cases) == expected


def test_rules_pickle(book: Rulebook, cases: list[Case]) -> None:
    case = next(case for case in cases if "error" not in case.expect)
    rules = book.in_force(case.at, case.known_at)
    loaded: Rules = pickle.loads(pickle.dumps(rules))
    assert (loaded.at, loaded.known_at) == (rules.at, rules.known_at)
    assert loaded.versions.keys() == rules.versions.keys()
    assert loaded.decide(case.snapshot) == rules.decide(case.snapshot)
