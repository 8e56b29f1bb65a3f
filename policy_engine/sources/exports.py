"""Rules as others' APIs give them: the other way of `imports`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from policy_engine.model import Version
from policy_engine.sources.binance.back import response

EXPORTS: Mapping[str, Callable[[Version], str]] = {"binance": response}
"""For each source, the text of the response that a version would have been imported from. Raises
RulesError for a version of another form."""
