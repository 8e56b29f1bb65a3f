"""Figures of an account's settings alone, which are computed once for each setting."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from policy_engine.language.plan import Figure, Plan, Step
from policy_engine.model import ACCOUNT


class Remembered(dict[tuple[Any, ...], tuple[Any, ...]]):
    """What `settings` gives, by its arguments, up to a bound."""

    most = 1024
    settings: Callable[..., tuple[Any, ...]]

    def make(self, asked: tuple[Any, ...]) -> tuple[Any, ...]:
        """Ask `settings` anew, without remembering."""
        return self.settings(*asked)

    def __missing__(self, asked: tuple[Any, ...]) -> tuple[Any, ...]:
        made = self.make(asked)
        if len(self) < self.most:
            self[asked] = made
        return made


def alias_of(figure: Figure) -> str | None:
    """The figure of the same entity that a figure is only another name of."""
    if not isinstance(figure, Step) or not isinstance(figure.tree, ast.Name):
        return None
    name = figure.tree.id
    entity = name.partition(".")[0] if "." in name and "(" not in name else ACCOUNT
    return name if name in figure.reads and entity == figure.entity else None


def of_settings(plan: Plan) -> tuple[list[Step], set[str]]:
    """The account's figures made of parameters, texts and truths alone, and those inputs."""
    settings = {item.name for item in plan.inputs[ACCOUNT] if item.kind in ("text", "truth")}
    known = {*plan.scope.parameters, *settings}
    figures = []
    for figure in plan.figures():
        if not isinstance(figure, Step) or figure.entity != ACCOUNT or figure.looks:
            continue
        if known.issuperset(figure.reads) and alias_of(figure) is None:
            figures.append(figure)
            known.add(figure.name)
    return figures, settings & {name for figure in figures for name in figure.reads}
