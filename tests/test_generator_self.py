"""Generated rules and accounts run through the oracle and cover everything they must."""

import ast
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import yaml

from generator import Coverage, account, file_names, moments, rule_files, to_yaml
from generator_coverage import expressions
from oracle import OracleError, decide

SEED = 20250121
FILES, ACCOUNTS = 60, 40
PRINT_GENERATED = """
from random import Random
from generator import account, moments, rule_files
rng = Random(5)
for documents in [rule_files(rng) for _ in range(5)]:
    print(documents, account(rng, documents), moments(rng, documents))
"""


def test_generated_rules_say_the_same_as_yaml() -> None:
    for seed in range(FILES):
        documents = rule_files(Random(f"{SEED} {seed}"))
        for document in documents:
            assert yaml.load(to_yaml(document), yaml.BaseLoader) == document
        paths = file_names(documents)
        assert len(set(paths)) == len(paths)


def test_generated_formulas_are_short_and_shallow() -> None:
    for seed in range(FILES):
        for document in rule_files(Random(f"{SEED} {seed}")):
            for text in expressions(document):
                assert len(text) < 1000
                assert depth(ast.parse(text, mode="eval").body) < 25


def depth(node: ast.AST) -> int:
    """How deep the tree is."""
    below = [depth(child) for child in ast.iter_child_nodes(node)]
    return 1 + max(below, default=0)


def test_a_seed_repeats_its_rules_and_accounts_for_every_hash_seed() -> None:
    assert len({printed(hash_seed) for hash_seed in ("0", "7", "random")}) == 1


def printed(hash_seed: str) -> str:
    """What a fresh interpreter generates from one seed."""
    here = Path(__file__).parent
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(here)}
    ran = [sys.executable, "-c", PRINT_GENERATED]
    return subprocess.run(ran, env=environment, check=True, capture_output=True, text=True).stdout


def test_generated_rules_and_accounts_cover_everything() -> None:
    print("seed", SEED)
    coverage = Coverage()
    for seed in range(FILES):
        rng = Random(f"{SEED} {seed}")
        documents = rule_files(rng)
        coverage.read(documents)
        for _ in range(ACCOUNTS):
            coverage.update(tried(rng, documents, coverage))
    assert coverage.missing() == []
    decided = coverage["decided"]
    assert decided > FILES * ACCOUNTS * 0.75
    outcomes = ("line skipped", "line from prices", "status None", "status normal")
    assert all(coverage[outcome] for outcome in outcomes)
    assert all(coverage[f"permitted {answer}"] > decided / 20 for answer in (True, False, None))


def tried(rng: Random, documents: list[dict[str, Any]], coverage: Coverage) -> list[str]:
    """What came of deciding on one random account."""
    snapshot = account(rng, documents)
    try:
        decision = decide(documents, snapshot, *moments(rng, documents), coverage.note)
    except OracleError as error:
        return [f"error {error.code}"]
    before = {line["asset"] for line in snapshot["assets"]}
    after = {line["asset"] for line in decision["assets"]}
    return [
        "decided",
        f"status {decision['status']}",
        *(f"permitted {one['permitted']}" for one in decision["permissions"].values()),
        *(["line skipped"] if before - after else []),
        *(["line from prices"] if after - before else []),
    ]
