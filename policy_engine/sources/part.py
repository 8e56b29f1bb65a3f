"""A part of a JSON file, which knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.document import Pointer, pointer_text
from policy_engine.errors import Place, Problem
from policy_engine.numbers import BadNumber, number, plain, within_digits


@dataclass(frozen=True, slots=True)
class Part:
    """A JSON value with its file's name and its path in the file; `value` is None where it lacks.

    Numbers are exact Decimals, as `document.read_json` gives them.
    """

    value: Any
    path: str = "input"
    at: Pointer = ()

    @property
    def given(self) -> bool:
        """Whether there is a value, and it is not null."""
        return self.value is not None

    def member(self, key: str | int) -> Part:
        """The part under a key, or at a position, of this one."""
        if isinstance(key, str):
            value = self.value.get(key) if isinstance(self.value, dict) else None
        else:
            value = self.value[key]
        return Part(value, self.path, (*self.at, key))

    def items(self) -> list[Part]:
        """The parts of a list, and none of anything else."""
        count = len(self.value) if isinstance(self.value, list) else 0
        return [self.member(n) for n in range(count)]

    @property
    def place_text(self) -> str:
        """Where this stands: its path, with the file's name."""
        return f"{pointer_text(self.at)} of {self.path}" if self.at else self.path

    def problem(self, code: str, message: str, hint: str) -> Problem:
        """A problem with this part."""
        return Problem(code, message, hint, Place(path=self.path, pointer=pointer_text(self.at)))

    def amount(self, problems: list[Problem], signed: bool = False) -> Decimal | None:
        """The number, written as text or bare; None, and a problem, where it is none."""
        try:
            value = self._number()
        except BadNumber as bad:
            hint = bad.hint or "write it as digits with an optional point"
            problems.append(self.problem("bad-number", bad.message, hint))
            return None
        if value < 0 and not signed:
            hint = "an amount is 0 or more; what is owed has a field of its own"
            message = f"`{plain(value)}` is below 0"
            problems.append(self.problem("invalid-value", message, hint))
            return None
        return value

    def _number(self) -> Decimal:
        """The exact number that stands here. Raises BadNumber."""
        if isinstance(self.value, str):
            return number(self.value, percent=False)
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return within_digits(Decimal(self.value), str(self.value))
        if isinstance(self.value, Decimal) and self.value.is_finite():
            return within_digits(self.value, str(self.value))
        name = self.at[-1] if self.at else "this"
        hint = 'write it as text such as "1.25"'
        if not self.given:
            raise BadNumber(f"`{name}` is missing", hint)
        raise BadNumber(f"`{name}` is not a number", hint)
