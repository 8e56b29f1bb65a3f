"""Exact numbers and instants: from the text in a file to the text in an answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Any, TypeVar

T = TypeVar("T")

DIGITS_BEFORE_POINT = 18
DIGITS_AFTER_POINT = 18
MOST_NUMBER_CHARACTERS = 64
LARGEST = Decimal(10) ** DIGITS_BEFORE_POINT - 1
"""The largest whole number that an input can be."""
CALCULATION_DIGITS = 200
SHOWN_DIGITS = 50

EXACT = Context(
    prec=CALCULATION_DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""The context of every decision, entered with `localcontext(EXACT)`: sums and products of inputs
are exact in it, and a comparison of quotients comes out as if it were."""

_own = threading.local()


def exact_context() -> Context:
    """This thread's copy of EXACT, for `setcontext`: cheaper than a copy for each decision."""
    try:
        return _own.context  # type: ignore[no-any-return]
    except AttributeError:
        _own.context = EXACT.copy()
        return exact_context()


def exactly(compute: Callable[..., T], *arguments: Any) -> T:
    """What a computation gives in the context of every decision, whatever the caller's is."""
    callers = getcontext()
    setcontext(exact_context())
    try:
        return compute(*arguments)
    finally:
        setcontext(callers)


_SHOWN = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[])

UNLIMITED = Decimal("Infinity")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?%?", re.ASCII)

Value = Decimal | str | bool | datetime
"""What a figure can be: a number, text, truth, or an instant."""


class BadNumber(ValueError):
    """A text that is not a number as rules and snapshots write them; says why, and what helps."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def number(text: str, *, percent: bool = True) -> Decimal:
    """The exact number a text spells: `-?digits[.digits]`, and `%` where allowed.

    Raises BadNumber for any other spelling and for more than 18 digits on either side.
    """
    if len(text) > MOST_NUMBER_CHARACTERS:
        message = f"`{_cut(text)}` has more than {MOST_NUMBER_CHARACTERS} characters"
        hint = f"write at most {DIGITS_BEFORE_POINT} digits before and {DIGITS_AFTER_POINT} after"
        raise BadNumber(message, f"{hint} the point")
    if not NUMBER.fullmatch(text) or (text.endswith("%") and not percent):
        message = f"`{_cut(text)}` is not a number" if text else "the number is empty"
        raise BadNumber(message, _number_hint(text, percent))
    value = Decimal(text.rstrip("%"))
    value = value.scaleb(-2, EXACT) if text.endswith("%") else value
    return within_digits(value, text)


def within_digits(value: Decimal, text: str) -> Decimal:
    """The value, if it keeps to 18 digits before and 18 after the point. Raises BadNumber."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    after = max(0, -exponent)
    before = len(digits) + exponent
    if value and before > DIGITS_BEFORE_POINT:
        message = f"`{_cut(text)}` has more than {DIGITS_BEFORE_POINT} digits before the point"
        raise BadNumber(message, "check the number: nothing that large is taken")
    if after > DIGITS_AFTER_POINT:
        message = f"`{_cut(text)}` has more than {DIGITS_AFTER_POINT} digits after the point"
        raise BadNumber(message, f"round it to {DIGITS_AFTER_POINT} digits")
    return value


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros, 50 significant digits."""
    if not value.is_finite():
        return "unlimited"
    shown = _SHOWN.plus(value)
    text = format(shown, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tidy(value: Decimal) -> Decimal:
    """The same number, whole, without an exponent or zeros that depend on how it was come by."""
    if not value.is_finite():
        return value
    whole = EXACT.normalize(EXACT.plus(value))
    return Decimal(format(whole, "f")) if "E" in str(whole) else whole


def text_of(value: Value | None) -> str | bool | None:
    """A figure as JSON carries it: numbers and instants as text, truth as itself, None as null."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return instant_text(value)
    return value


_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def instant(text: str) -> datetime:
    """The instant in UTC that a text such as `2025-01-21T10:00:00Z` names.

    Raises ValueError for anything that does not name an instant, such as one without a zone.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, clock, zone = match.groups()
    offset = "+00:00" if zone == "Z" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def day_or_instant(text: str) -> datetime:
    """Like `instant`, and a bare date is its midnight in UTC. Raises ValueError."""
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return instant(text)


def instant_text(moment: datetime) -> str:
    """An instant as ISO 8601 in UTC with `Z`, fractions of a second only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _number_hint(text: str, percent: bool) -> str | None:
    """What to write instead, where the usual slips can be told."""
    bare = "".join(text.split())
    if bare and bare != text:
        return f"take out the spaces: `{_cut(bare)}`"
    if bare.endswith("%") and not percent:
        return "write a fraction: a percent sign is not taken here"
    plain_digits = re.sub(r"^(-?)0+(?=\d)", r"\1", bare.replace("_", "").replace(",", ""))
    for pattern, hint in _SLIPS:
        if re.fullmatch(pattern, bare, re.ASCII):
            return hint.format(plain=_cut(plain_digits))
    return "write digits with an optional point, such as 1.25"


_SLIPS = (
    (r"-?\.\d+%?", "write a digit before the point: `0.…`"),
    (r"-?\d+\.%?", "write a digit after the point, or leave the point out"),
    (r"-?[\d_]+(?:\.[\d_]+)?%?", "write plain digits: `{plain}`"),
    (r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?", "leave the commas out: `{plain}`"),
    (r"-?\d+,\d+%?", "use a point, not a comma, for the fraction"),
    (r"[-+]?[\d.]+[eE][-+]?\d+", "write the number out, without an exponent"),
    (r"\+.*", "leave the plus sign out"),
    (r"(?i)[-+]?(?:\.?inf(?:inity)?|\.?nan|snan)", "only finite numbers can be used"),
    (r"0[xob][0-9a-fA-F_]+", "write the number in decimal digits"),
)
