"""How much of a figure's change came from the account moving, and how much from the rules."""

from policy_engine.causes.model import Causes, Corner, Share, Split
from policy_engine.causes.split import causes

__all__ = ["Causes", "Corner", "Share", "Split", "causes"]
