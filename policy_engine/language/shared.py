"""Parts that several formulas of a stage have in common, made figures of their own.

Only what reads every name whatever the values are, and asks no table: a figure of such a part is
undetermined for exactly the reasons that the part is, so it can stand for it wherever it stands.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from policy_engine.language.plan import Figure, Step
from policy_engine.language.settle import is_plain
from policy_engine.model import ACCOUNT

_COMPUTED = (ast.BinOp, ast.Compare)


def with_shared(figures: Sequence[Figure], numbers: Iterator[int]) -> Iterator[Figure]:
    """The figures of a stage, each part that is met again in front of the first that needs it.

    The parts are named by `numbers`, which are those of the whole plan: a figure may be only
    another name of a part, and outlives the stage.
    """
    parts = {f.name: _parts(f.tree) if isinstance(f, Step) else {} for f in figures}
    times = Counter(chain.from_iterable(of.values() for of in parts.values()))
    shared = {part for part, count in times.items() if count > 1}
    if not shared:
        yield from figures
        return
    spelled = {node: part for of in parts.values() for node, part in of.items() if part in shared}
    sharing = _Sharing(spelled, numbers)
    for figure in figures:
        if isinstance(figure, Step) and not shared.isdisjoint(parts[figure.name].values()):
            yield from sharing.apart(figure)
        else:
            yield figure


def _parts(tree: ast.expr) -> dict[ast.AST, str]:
    """The parts of a formula that may be shared, spelled so that equal ones are spelled alike."""
    computed = [node for node in ast.walk(tree) if isinstance(node, _COMPUTED)]
    if not computed:
        return {}
    plain = is_plain(tree)
    return {node: ast.dump(node) for node in computed if plain or is_plain(node)}


class _Sharing:
    """Puts a name in the place of each shared part, and makes a step of a part that is new."""

    def __init__(self, parts: Mapping[ast.AST, str], numbers: Iterator[int]) -> None:
        self.parts, self.numbers, self.names = parts, numbers, dict[str, str]()
        self.new: list[Step] = []

    def apart(self, step: Step) -> Iterator[Step]:
        """A step that reads its shared parts by name, after those that are new."""
        self.step, self.new = step, []
        tree = self.named(step.tree)
        yield from self.new
        yield _with_tree(step, tree, tuple(self.names.values()))

    def named(self, node: Any) -> Any:
        """The name of a shared part; anything else as it is, with names for its parts."""
        if isinstance(node, list):
            return [*map(self.named, node)]
        if not isinstance(node, ast.AST):
            return node
        part = self.parts.get(node)
        if part is None:
            fields = [(name, old, self.named(old)) for name, old in ast.iter_fields(node)]
            changed = any(new is not old and new != old for _, old, new in fields)
            return _made_of(node, {name: new for name, _, new in fields}) if changed else node
        if part not in self.names:
            prefix = "" if self.step.entity == ACCOUNT else f"{self.step.entity}."
            name = self.names[part] = f"{prefix}shared {next(self.numbers)}"
            self.new.append(_with_tree(replace(self.step, name=name, looks=()), node))
        return ast.copy_location(ast.Name(self.names[part], ast.Load()), node)


def _made_of(node: ast.AST, fields: Mapping[str, Any]) -> ast.AST:
    return ast.copy_location(type(node)(**fields), node)


def _with_tree(step: Step, tree: ast.AST, more: Sequence[str] = ()) -> Step:
    """A step with another tree, of which it reads what it read before, and what is named new."""
    assert isinstance(tree, ast.expr)
    left = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    reads = tuple(name for name in (*step.reads, *more) if name in left)
    return replace(step, tree=tree, reads=reads)
