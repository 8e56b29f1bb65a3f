"""Books of accounts: batches decided account for account as `rules.decide` would."""

from policy_engine.portfolio.batches import decide

__all__ = ["decide"]
