"""What requests, limits and distances ask of the rules in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from policy_engine.asking import Asking
from policy_engine.decision import Decision
from policy_engine.layout import Rulings
from policy_engine.policy import Compiled
from policy_engine.snapshot import Reader, Taken


class Deciding(Protocol):
    """The rules in force at an instant, as those need them."""

    @property
    def at(self) -> datetime:
        """The instant whose rules these are."""

    def decide(self, snapshot: Mapping[str, Any], /) -> Decision:
        """The decision on an account."""

    def choice(self, snapshot: Mapping[str, Any], /) -> tuple[Compiled, Reader]:
        """What decides on a snapshot, and what reads it."""

    def decided(
        self, compiled: Compiled, taken: Taken, requested: Rulings | None = None, /
    ) -> Decision:
        """The decision on a snapshot as read; `requested` tells of requests as permissions."""

    def requested(
        self, compiled: Compiled, snapshot: Callable[[], Mapping[str, Any]], /
    ) -> Rulings | None:
        """What tells of requests as permissions, where the rules have any."""

    def asking(self, snapshot: Mapping[str, Any], name: str, /) -> Asking | None:
        """A request under the rules that decide on a snapshot; None where they do not offer it."""
