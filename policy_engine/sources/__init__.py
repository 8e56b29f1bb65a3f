"""Accounts as others write them, read into snapshots: a module or package for each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.sources import binance
from policy_engine.sources.part import Part

Source = Callable[[Part, Part | None, str], dict[str, Any]]
"""Takes an account, its prices (or None) and the account's name, and gives a snapshot."""

SOURCES: Mapping[str, Source] = {"binance": binance.snapshot}


def recognised(value: Any) -> str | None:
    """The source whose format a JSON value is in; None for a snapshot or anything else."""
    return "binance" if binance.is_account(Part(value)) else None


__all__ = ["SOURCES", "Part", "Source", "recognised"]
