"""Parts that several formulas of a stage have in common, made figures of their own.

Only what reads every name whatever the values are, and asks no table: a figure of such a part is
undetermined for exactly the reasons that the part is, so it can stand for it wherever it stands.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import chain

from policy_engine.language.plan import Figure, Step
from policy_engine.language.settle import is_plain
from policy_engine.model import ACCOUNT

_COMPUTED = (ast.BinOp, ast.Compare)


def with_shared(figures: Sequence[Figure], numbers: Iterator[int]) -> Iterator[Figure]:
    """The figures of a stage, each part that is met again in front of the first that needs it.

    The parts are named by `numbers`, which are those of the whole plan: a figure may be only
    another name of a part, and outlives the stage.
    """
    parts = {f.name: [*_parts(f.tree)] if isinstance(f, Step) else [] for f in figures}
    times = Counter(chain.from_iterable(parts.values()))
    shared = {part for part, count in times.items() if count > 1}
    sharing = _Sharing(shared, numbers)
    for figure in figures:
        if isinstance(figure, Step) and not shared.isdisjoint(parts[figure.name]):
            yield from sharing.apart(figure)
        else:
            yield figure


def _parts(tree: ast.expr) -> Iterator[str]:
    computed = (node for node in ast.walk(tree) if isinstance(node, _COMPUTED))
    return (ast.dump(node) for node in computed if is_plain(node))


class _Sharing(ast.NodeTransformer):
    """Puts a name in the place of each shared part, and makes a step of a part that is new."""

    def __init__(self, parts: set[str], numbers: Iterator[int]) -> None:
        self.parts, self.numbers, self.names = parts, numbers, dict[str, str]()
        self.new: list[Step] = []

    def apart(self, step: Step) -> Iterator[Step]:
        """A step that reads its shared parts by name, after those that are new."""
        self.step, self.new = step, []
        tree = self.visit(deepcopy(step.tree))
        yield from self.new
        yield _with_tree(step, tree, tuple(self.names.values()))

    def visit(self, node: ast.AST) -> ast.AST:
        """The name of a shared part; anything else as it is, with names for its parts."""
        part = ast.dump(node) if isinstance(node, _COMPUTED) else ""
        if part not in self.parts:
            return super().visit(node)  # type: ignore[no-any-return]
        if part not in self.names:
            prefix = "" if self.step.entity == ACCOUNT else f"{self.step.entity}."
            name = self.names[part] = f"{prefix}shared {next(self.numbers)}"
            self.new.append(_with_tree(replace(self.step, name=name, looks=()), node))
        return ast.copy_location(ast.Name(self.names[part], ast.Load()), node)


def _with_tree(step: Step, tree: ast.AST, more: Sequence[str] = ()) -> Step:
    """A step with another tree, of which it reads what it read before, and what is named new."""
    assert isinstance(tree, ast.expr)
    left = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    reads = tuple(name for name in (*step.reads, *more) if name in left)
    return replace(step, tree=tree, reads=reads)
