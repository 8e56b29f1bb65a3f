"""What changed between two states of the rules: by name, graded, dated and with its source."""

from policy_engine.diff.change import Change, Significance
from policy_engine.diff.compare import Changes, Compared, compare

__all__ = ["Change", "Changes", "Compared", "Significance", "compare"]
