"""A value moved by the last digit that is written of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from policy_engine.model import NotKnown
from policy_engine.numbers import EXACT, Value, plain, text_of


def nudged(
    value: Value | NotKnown | None, others: Sequence[Value | NotKnown] = ()
) -> Iterator[Value]:
    """The values beside one: a number a digit up and a digit down, a truth turned, a text another.

    A text becomes the next different one of `others`. What is unlimited, an instant or not known
    has no value beside it.
    """
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Decimal) and value.is_finite():
        step = Decimal(1).scaleb(int(value.as_tuple().exponent))
        yield from (EXACT.add(value, step), EXACT.subtract(value, step))
    elif isinstance(value, str):
        texts = [other for other in others if isinstance(other, str)]
        after = [*texts[texts.index(value) :], *texts] if value in texts else texts
        yield from [other for other in after if other != value][:1]


def shown(value: object) -> str:
    """A value as a rule file would write it, without percent signs."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NotKnown):
        return "undetermined"
    return "last" if value is None else str(text_of(value))  # type: ignore[arg-type]
