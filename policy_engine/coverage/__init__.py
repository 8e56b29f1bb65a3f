"""Coverage of rules by cases: what each case makes happen, and what none does."""

from policy_engine.coverage.items import GROUPS, Item
from policy_engine.coverage.measure import Coverage, Covered, coverage

__all__ = ["GROUPS", "Coverage", "Covered", "Item", "coverage"]
