"""A program with the figures at which it can turn, and where each of them does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.language.code import Program, generate
from policy_engine.language.plan import Plan, only
from policy_engine.language.probes import Probe, probed, targets
from policy_engine.language.values import Lists, Rows
from policy_engine.model import ACCOUNT
from policy_engine.numbers import exactly

Figures = Mapping[str, Any]
"""Figures by name, those of lists for each line."""


class Probing:
    """Some figures of a plan, with everything at which they can turn."""

    def __init__(self, plan: Plan, names: set[str], lookups: Mapping[str, Rows | Lists]) -> None:
        made, self.probes = probed(only(plan, names))
        self.lookups = lookups
        self.program: Program = generate(made, lookups)

    def figures(self, inputs: tuple[Any, ...], lists: Sequence[Any]) -> Figures:
        """All of them for an account, as `Program.run` takes it."""
        figures, columns, _ = exactly(self.program.run, inputs, *lists)
        named = dict(zip(self.program.figures, figures, strict=True))
        return {**named, **dict(zip(self.program.columns, columns, strict=True))}

    def values(self, figures: Figures) -> Iterator[Decimal | None]:
        """The figures at which something turns, line by line; None for what is no number."""
        for probe in self.probes:
            yield from (finite(value) for value in _column(probe, figures[probe.name]))

    def targets(self, figures: Figures) -> Iterator[tuple[Decimal, ...]]:
        """Where each of those turns."""
        for probe in self.probes:
            values = _column(probe, figures[probe.name])
            keys = _column(probe, figures[probe.key]) if probe.key else [None] * len(values)
            yield from (targets(probe, key, self.lookups) for key in keys)


def _column(probe: Probe, value: Any) -> Sequence[Any]:
    if probe.entity == ACCOUNT:
        return [value]
    return value if isinstance(value, tuple | list) else ()


def finite(value: Any) -> Decimal | None:
    """A figure that is a number, and none that is unlimited or not known."""
    return value if isinstance(value, Decimal) and value.is_finite() else None
