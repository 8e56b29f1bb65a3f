"""A rules-as-data policy engine: exact, dated, explained decisions from versioned rule files."""

from policy_engine.__about__ import ENGINE as __version__
from policy_engine.decision import Decision
from policy_engine.errors import (
    Place,
    PolicyError,
    Problem,
    RulesError,
    SnapshotError,
    Undetermined,
)
from policy_engine.layout import Assumption, InForce, Notice, Reason, Ruling
from policy_engine.requests import Answer
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules

__all__ = [
    "Answer",
    "Assumption",
    "Decision",
    "InForce",
    "Notice",
    "Place",
    "PolicyError",
    "Problem",
    "Reason",
    "Rulebook",
    "Rules",
    "RulesError",
    "Ruling",
    "SnapshotError",
    "Undetermined",
    "__version__",
]
