"""Columns of texts and of instants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from policy_engine.columns.digits import of_whole_floats
from policy_engine.columns.numbers import Array, Number, either
from policy_engine.columns.truths import Truth, of_flags

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A column of texts: each element is the code of one of a few `texts`.

    `unknown` marks the elements that are undetermined, `doubt` those of which nothing is known.
    """

    codes: Array
    texts: tuple[str, ...]
    unknown: Array | None = None
    doubt: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instant:
    """A column of instants, in microseconds since 1970."""

    micros: Array
    unknown: Array | None = None
    doubt: Array | None = None


def constant(text: str) -> Text:
    """One text for all."""
    return Text(np.zeros(1, dtype=np.intp), (text,))


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def recoded(x: Text, texts: tuple[str, ...]) -> Array:
    """The codes of a column in another list of texts; -1 for what is not in it."""
    if x.texts == texts:
        return x.codes
    held = {text: code for code, text in enumerate(texts)}
    codes = np.array([held.get(text, -1) for text in x.texts] or [-1], dtype=np.intp)
    made: Array = codes.take(x.codes)
    return made


def same_texts(sign: str, a: Text, b: Text) -> Truth:
    """`==` or `!=` of texts."""
    texts = tuple(dict.fromkeys((*a.texts, *b.texts)))
    flags = recoded(a, texts) == recoded(b, texts)
    made = of_flags(flags if sign == "==" else ~flags, either(a.unknown, b.unknown))
    return _doubted(made, a, b)


def compared_instants(sign: str, a: Instant, b: Instant) -> Truth:
    """A comparison of instants, which are exact."""
    signs = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    signs |= {"==": np.equal, "!=": np.not_equal}
    made = of_flags(signs[sign](a.micros, b.micros), either(a.unknown, b.unknown))
    return _doubted(made, a, b)


def _doubted(made: Truth, a: Text | Instant, b: Text | Instant) -> Truth:
    doubt = either(a.doubt, b.doubt)
    return made if doubt is None else marked_doubtful(made, doubt)


def marked_doubtful(x: Truth, doubt: Array) -> Truth:
    """Truths that may be anything where that is in doubt and they are not surely undetermined."""
    anything = np.where(x.bits == 4, 4, 7)
    return Truth(np.where(doubt, anything, x.bits).astype(np.uint8))


def hours(start: Instant, end: Instant) -> Number:
    """How many clock hours a stretch of time touches; undetermined where it ends before it
    starts."""
    touched = end.micros // _HOUR - start.micros // _HOUR + 1
    unknown = either(either(start.unknown, end.unknown), end.micros < start.micros)
    doubt = either(start.doubt, end.doubt)
    value = np.maximum(touched, 0).astype(np.float64)
    last = of_whole_floats(value)
    made = Number(value, None, 0.0, unknown, 1.0, 1e9, True, last)
    if doubt is None:
        return made
    return replace(made, bound=np.where(doubt, np.inf, 0.0))


def chosen_text(test: Array, a: Text, b: Text) -> Text:
    """a where the test holds, b elsewhere."""
    texts = tuple(dict.fromkeys((*a.texts, *b.texts)))
    codes = np.where(test, recoded(a, texts), recoded(b, texts))
    return Text(codes, texts, _chosen(test, a.unknown, b.unknown), _chosen(test, a.doubt, b.doubt))


def chosen_instant(test: Array, a: Instant, b: Instant) -> Instant:
    """a where the test holds, b elsewhere."""
    micros = np.where(test, a.micros, b.micros)
    return Instant(micros, _chosen(test, a.unknown, b.unknown), _chosen(test, a.doubt, b.doubt))


def _chosen(test: Array, a: Array | None, b: Array | None) -> Array | None:
    if a is None and b is None:
        return None
    no = np.zeros(1, dtype=bool)
    made: Array = np.where(test, no if a is None else a, no if b is None else b)
    return made
