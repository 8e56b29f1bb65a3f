"""Binance's formats: accounts read into snapshots, and responses imported as rules or prices."""

from policy_engine.sources.binance.account import is_account, snapshot

__all__ = ["is_account", "snapshot"]
