"""Generated rules and accounts, decided by the engine's two readings and by the oracle."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import localcontext
from fractions import Fraction
from random import Random
from typing import Any

import oracle
from generator import Coverage, account, file_names, moments, rule_files, to_yaml
from policy_engine import Decision, PolicyError, Rulebook
from policy_engine.language.compute import compute, start
from policy_engine.language.values import Undetermined
from policy_engine.model import ACCOUNT
from policy_engine.numbers import EXACT

SEED = int(os.environ.get("AGREEMENT_SEED", "20250121"))
FOLDERS = int(os.environ.get("AGREEMENT_FOLDERS", "200"))
ACCOUNTS = int(os.environ.get("AGREEMENT_ACCOUNTS", "200"))
_LISTS = ("assets", "orders", "loans")


def rulebook(documents: list[dict[str, Any]]) -> Rulebook:
    """The engine's rulebook of generated documents."""
    names = file_names(documents)
    return Rulebook(
        (name, to_yaml(document)) for name, document in zip(names, documents, strict=True)
    )


def engine_decides(
    book: Rulebook, snapshot: dict[str, Any], at: str, known_at: str | None
) -> Decision | str:
    """The engine's decision, or the code of its refusal."""
    try:
        return book.in_force(at, known_at).decide(snapshot)
    except PolicyError as error:
        return error.code


def oracle_decides(
    documents: list[dict[str, Any]],
    snapshot: dict[str, Any],
    at: str,
    known_at: str | None,
    coverage: Coverage,
) -> dict[str, Any] | str:
    """The oracle's decision, or the code of its refusal."""
    try:
        return oracle.decide(documents, snapshot, at, known_at, watch=coverage.note)
    except oracle.OracleError as error:
        return error.code


def shown(value: Any) -> Any:
    """An oracle's value as the engine's JSON has it."""
    return oracle.rounded(value) if isinstance(value, Fraction) else value


def expected(decided: dict[str, Any]) -> dict[str, Any]:
    """The oracle's decision in the engine's JSON, as far as the two speak of the same."""
    lines = {
        name: None
        if decided[name] is None
        else [{key: shown(value) for key, value in line.items()} for line in decided[name]]
        for name in _LISTS
        if name in decided
    }
    return {
        "status": decided["status"],
        "values": {name: shown(value) for name, value in decided["values"].items()},
        **lines,
        "permissions": {
            name: (ruling["permitted"], sorted(ruling["reasons"]))
            for name, ruling in decided["permissions"].items()
        },
        "notices": sorted(decided["notices"]),
        "assumptions": sorted(decided["assumptions"]),
        "undetermined": sorted(decided["undetermined"]),
    }


def given(decision: Decision, like: dict[str, Any]) -> dict[str, Any]:
    """The engine's decision, cut to what the oracle speaks of.

    It says nothing of what only permissions rest on that are told by requests.
    """
    said = json.loads(decision.to_json())
    return {
        "status": said["status"],
        "values": said["values"],
        **{name: _alike(said[name], like[name]) for name in _LISTS if name in like},
        "permissions": {
            name: (ruling["permitted"], sorted(reason["rule"] for reason in ruling["reasons"]))
            for name, ruling in said["permissions"].items()
            if [reason["rule"] for reason in ruling["reasons"]] != ["not-offered"]
        },
        "notices": [notice["rule"] for notice in said["notices"]],
        "assumptions": sorted(decision.granted),
        "undetermined": sorted(said["undetermined"]),
    }


def _alike(lines: Any, like: Any) -> Any:
    if lines is None or like is None or len(lines) != len(like):
        return lines
    return [
        {name: line.get(name) for name in other} for line, other in zip(lines, like, strict=True)
    ]


def exactly(book: Rulebook, snapshot: dict[str, Any], at: str, known_at: str | None) -> Any:
    """All figures by the exact reading, in the shape the code reading returns."""
    rules = book.in_force(at, known_at)
    compiled = rules.compiled_for(snapshot)
    taken = rules.read(snapshot)
    with localcontext(EXACT):
        made = compute(
            compiled.plan, compiled.lookups, start(compiled.plan, taken.inputs, taken.lists)
        )
    names = [(figure.name, figure.entity) for figure in compiled.plan.figures()]
    figures = [made.figures[name] for name, entity in names if entity == ACCOUNT]
    columns = [made.columns[name] for name, entity in names if entity != ACCOUNT]
    return [comparable(figures), comparable(columns), sorted(made.reached)]


def comparable(value: Any) -> Any:
    """Figures that can be compared: an undetermined one by its reasons."""
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    return ("undetermined", *value.reasons) if isinstance(value, Undetermined) else value


def code_reads(decision: Decision) -> Any:
    """The same of a decision, which the code reading computed."""
    record = decision._record
    return [comparable(record.figures), comparable(record.columns), sorted(record.reached)]


@dataclass
class Comparison:
    """What came of one folder: what it covered, the outcomes counted, and what disagreed first."""

    coverage: Coverage = field(default_factory=Coverage)
    outcomes: Counter[str] = field(default_factory=Counter)
    engine: Any = None
    other: Any = None
    where: str = "everywhere"

    def agree(self, engine: Any, other: Any, where: str) -> bool:
        """Whether the engine says the same as another; keeps what both said if not."""
        if engine != other:
            self.engine, self.other, self.where = engine, other, where
        return bool(engine == other)


def outcome(answer: Any) -> str:
    """`decided`, or the code of the refusal."""
    return answer if isinstance(answer, str) else "decided"


def compare(number: int) -> Comparison:
    """A generated folder of rules on its accounts, up to the first disagreement."""
    rng = Random(f"{SEED}-{number}")
    documents = rule_files(rng)
    comparison = Comparison()
    comparison.coverage.read(documents)
    book = rulebook(documents)
    for turn in range(ACCOUNTS):
        where = f"AGREEMENT_SEED={SEED}, folder {number}, account {turn}"
        if not compared(comparison, rng, documents, book, where):
            break
    return comparison


def compared(
    comparison: Comparison, rng: Random, documents: list[dict[str, Any]], book: Rulebook, where: str
) -> bool:
    """Whether all agree on one generated account."""
    snapshot = account(rng, documents)
    at, known_at = moments(rng, documents)
    where = f"{where}, {at}, {known_at}"
    return all_agree(comparison, documents, book, snapshot, at, known_at, where) is not None


def all_agree(
    comparison: Comparison,
    documents: list[dict[str, Any]],
    book: Rulebook,
    snapshot: dict[str, Any],
    at: str,
    known_at: str | None,
    where: str,
) -> Decision | str | None:
    """What all say of an account, a decision or the code of a refusal; None where they differ."""
    engine = engine_decides(book, snapshot, at, known_at)
    said = oracle_decides(documents, snapshot, at, known_at, comparison.coverage)
    comparison.outcomes[outcome(engine)] += 1
    if isinstance(engine, str) or isinstance(said, str):
        if not (isinstance(engine, str) and isinstance(said, str)):
            comparison.agree(outcome(engine), outcome(said), where)
            return None
        return engine
    wanted = expected(said)
    agreed = comparison.agree(given(engine, wanted), wanted, where) and comparison.agree(
        code_reads(engine), exactly(book, snapshot, at, known_at), where
    )
    return engine if agreed else None
