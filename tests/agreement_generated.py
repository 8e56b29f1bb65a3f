"""Requests and limits under generated rules, answered by the engine and by the oracle."""

from __future__ import annotations

from random import Random
from typing import Any

from agreement import SEED, rulebook
from agreement_requests import (
    Compared,
    Point,
    answered,
    engine_after,
    limits_agree,
    oracle_after,
    word,
)
from generator import account, moments
from generator_asked import facts
from generator_jumps import AT, POINTS, small_rules
from generator_requests import folder_with_requests
from policy_engine import PolicyError

Document = dict[str, Any]


def compare_jumps(number: int) -> Compared:
    """The limit of a request whose figures jump."""
    documents, snapshot = small_rules(Random(f"jumps {SEED}-{number}"))
    compared, point = Compared(), Point(documents, rulebook(documents), snapshot, AT)
    asked = {"asset": snapshot["assets"][0]["asset"]}
    limits_agree(point, "ask", asked, POINTS, compared, f"jumps {number}", beyond=20)
    return compared


def compare_folder(number: int, accounts: int, most: int) -> Compared:
    """Requests of random accounts under a generated folder, up to the first disagreement."""
    rng = Random(f"requests {SEED}-{number}")
    documents = folder_with_requests(rng)
    compared, book = Compared(), rulebook(documents)
    for turn in range(accounts):
        snapshot = account(rng, documents)
        at, known_at = moments(rng, documents)
        point = Point(documents, book, snapshot, at, known_at)
        where = f"AGREEMENT_SEED={SEED}, folder {number}, account {turn}, {at}, {known_at}"
        if not all_requests_agree(point, rng, most, compared, where):
            break
    return compared


def all_requests_agree(
    point: Point, rng: Random, most: int, compared: Compared, where: str
) -> bool:
    """Whether both say the same of every request of the rules, with random inputs."""
    if not decisions_agree(point, compared, where):
        return False
    for name, said in declared(point, rng):
        asked = facts(rng, said, point.snapshot, point.documents)
        spot = f"{where}, {name} {asked}"
        outcome = answered(point, name, asked, compared, spot)
        compared.reached[outcome] += 1
        if not outcome:
            return False
        if "limit" in said and rng.random() < 0.5:
            rest = {key: one for key, one in asked.items() if key != said["limit"]["input"]}
            if not limits_agree(point, name, rest, most, compared, f"{spot}, limit"):
                return False
    return True


def decisions_agree(point: Point, compared: Compared, where: str) -> bool:
    """Whether both decide the same on the account as it is, and tell the same of its requests."""
    said = oracle_after(point, point.snapshot)
    try:
        decided: Any = engine_after(point.rules.decide(point.snapshot), said)
    except PolicyError:
        decided = None
    except Exception as error:  # whatever else the engine ends in is a disagreement
        decided = f"ended in {error!r}"
    for name, (permitted, _) in (said or {"permissions": {}})["permissions"].items():
        compared.reached[f"told {word(permitted)}"] += name.startswith("ask_")
    return compared.agree(decided, said, where)


def declared(point: Point, rng: Random) -> list[tuple[str, Document]]:
    """Every request of the folder by name, as the rules that apply declare it if they do."""
    found: dict[str, Document] = {}
    for document in rng.sample(point.documents, len(point.documents)):
        found |= document.get("requests", {})
    for document in point.there.started.values():
        if document.get("applies_when") == f'mode == "{point.snapshot.get("mode")}"':
            found |= document.get("requests", {})
    return sorted(found.items())
