"""From a rule file to a version: what it says, as frozen values, and its digest."""

from policy_engine.versions.read import formula_problems, read_version

__all__ = ["formula_problems", "read_version"]
