"""The words for names that a formula uses and nobody has declared."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.errors import did_you_mean
from policy_engine.language.fault import Fault
from policy_engine.language.scope import RESERVED, Scope
from policy_engine.model import ACCOUNT


def unknown_name(name: str, entity: str, scope: Scope) -> Fault:
    """No such figure, or none that this entity sees; names the nearest."""
    known = {*scope.figures(ACCOUNT), *scope.figures(entity)}
    functions = {*scope.tables, *scope.scales, *RESERVED}
    if name in functions:
        what = "a scale" if name in scope.scales else "a function"
        form = f"slices({name}, …)" if name in scope.scales else f"{name}(…)"
        return Fault("unknown-name", f"`{name}` is {what}, not a figure", f"write `{form}`")
    where = "the account" if entity == ACCOUNT else f"a line of `{entity}` or the account"
    others = (e for e in scope.entities if e not in (entity, ACCOUNT))
    elsewhere = next((other for other in others if name in scope.figures(other)), None)
    hint = did_you_mean(name, known) or "declare it under `inputs`, `parameters` or `formulas`"
    if elsewhere:
        hint = f"it is a figure of `{elsewhere}`: use `sum({elsewhere}, {name})` or `at`"
    return Fault("unknown-name", f"no figure `{name}` is known for {where}", hint)


def unknown_function(name: str, scope: Scope) -> Fault:
    """No such table or built-in; a scale or a figure is told apart."""
    known = {*scope.tables, *RESERVED}
    if name in scope.scales:
        return Fault(
            "unknown-function", f"`{name}` is a scale", f"write `slices({name}, …)` or `tier`"
        )
    if name == "after":
        hint = "write the figure's name alone: here it is that of the snapshot"
        message = "`after` is known only where a request is refused"
        return Fault("unknown-function", message, hint)
    if name in set(scope.figures(ACCOUNT)):
        return Fault("unknown-function", f"`{name}` is a figure, not a function", "leave `(…)` out")
    hint = did_you_mean(name, known) or "declare a table of that name, or use one that is there"
    return Fault("unknown-function", f"no function `{name}` is known", hint)


def unknown_scale(name: str, scope: Scope) -> Fault:
    """The first argument names no scale."""
    hint = did_you_mean(name, scope.scales) or "the first argument names one of `scales`"
    said = f"`{name}` is not a scale" if name else "no scale is named"
    return Fault("unknown-name", said, hint)


def bad_column(name: str, column: str, known: Sequence[str]) -> Fault:
    """A column that the scale does not have, or one that is missing."""
    if not known:
        return Fault("unknown-name", f"`{name}` has no columns here", f"write `{name}` alone")
    hint = did_you_mean(column, known) if column else None
    listed = ", ".join(f"`{name}.{k}`" for k in known)
    said = f"no column `{column}`" if column else "several columns"
    return Fault("unknown-name", f"`{name}` has {said}", hint or f"write one of {listed}")
