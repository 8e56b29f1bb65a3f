"""Mistakes made in rules on purpose: which of them no case notices, and what case is missing."""

from policy_engine.mutation.mutants import Mutant, mutants
from policy_engine.mutation.report import Mutation, Survivor, mutation

__all__ = ["Mutant", "Mutation", "Survivor", "mutants", "mutation"]
