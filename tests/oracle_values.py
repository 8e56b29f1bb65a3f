"""The values of the oracle: fractions, `UNLIMITED`, texts, truths, instants and `Unknown`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

UNLIMITED = float("inf")
"""Larger than every number; the only float in the oracle."""


@dataclass(frozen=True)
class Unknown:
    """A figure that cannot be told, with the reasons why."""

    reasons: frozenset[str]


Value = Fraction | float | str | bool | datetime | Unknown


class OracleError(Exception):
    """A snapshot or a choice of rules for which there is no decision; `code` says which kind."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


def number(text: object) -> Fraction:
    """The number a rule file or a snapshot writes; `11.12%` is 0.1112."""
    plain = str(text)
    return Fraction(plain[:-1]) / 100 if plain.endswith("%") else Fraction(plain)


def instant(text: str) -> datetime:
    """The instant a text names, in UTC; a bare date is its first moment."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def instant_text(moment: datetime) -> str:
    """The instant as the rule files write it."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def stated(kind: str, text: object) -> Value:
    """The value a field of this kind states; never undetermined."""
    if kind == "number":
        return UNLIMITED if text == "unlimited" else number(text)
    if kind == "truth":
        return text in (True, "true")
    return instant(str(text)) if kind == "instant" else str(text)


def lost(values: Iterable[Value]) -> Unknown | None:
    """All reasons of the values that are unknown together; None when every value is known."""
    unknown = [value for value in values if isinstance(value, Unknown)]
    if not unknown:
        return None
    return Unknown(frozenset[str]().union(*(value.reasons for value in unknown)))


def kind_of(value: Value) -> str:
    """The kind of a known value: number, text, truth or instant."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, Fraction | float):
        return "number"
    return "text" if isinstance(value, str) else "instant"


def exact(value: Value) -> Fraction:
    """The value as a finite number; anything else here is a fault of the formula."""
    if not isinstance(value, Fraction):
        raise TypeError(f"a finite number is needed here, not {value!r}")
    return value


def rounded(x: Fraction, digits: int = 50) -> str:
    """Plain decimal text of `x` to so many significant digits, half even, no trailing zeros."""
    if x == 0:
        return "0"
    places = digits - 1 - magnitude(abs(x))
    whole = round(abs(x) * Fraction(10) ** places)
    return ("-" if x < 0 else "") + plain(whole, places)


def magnitude(x: Fraction) -> int:
    """The largest n with 10**n <= x, for x above 0."""
    n = len(str(x.numerator)) - len(str(x.denominator))
    return n if Fraction(10) ** n <= x else n - 1


def plain(whole: int, places: int) -> str:
    """The text of whole / 10**places without trailing zeros."""
    if places <= 0:
        return str(whole * 10**-places)
    text = str(whole).zfill(places + 1)
    return f"{text[:-places]}.{text[-places:]}".rstrip("0").rstrip(".")
