"""What is wrong with a formula, as the language itself says it."""

from __future__ import annotations

import ast


class Fault(Exception):
    """What is wrong with a formula, `width` characters from `offset` of its text on."""

    def __init__(
        self, code: str, message: str, hint: str | None = None, offset: int = -1, width: int = 1
    ) -> None:
        self.code, self.message, self.hint = code, message, hint
        self.offset, self.width = offset, width
        super().__init__(message)

    def at(self, node: ast.AST) -> Fault:
        """This fault, at the place of a node unless it has one already."""
        if self.offset < 0 and isinstance(node, ast.expr):
            self.offset = node.col_offset
            self.width = max(1, (node.end_col_offset or 0) - node.col_offset)
        return self
