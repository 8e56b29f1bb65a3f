"""Responses of others, imported as rules or prices. Not in the package itself, so that a decision
does not wait for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from policy_engine.sources.binance.responses import recognise
from policy_engine.sources.part import Part
from policy_engine.sources.understood import Kind

IMPORTS: Mapping[str, Callable[[Sequence[Part]], Kind]] = {"binance": recognise}
"""For each source, what tells the kind of its responses. Raises SnapshotError."""
