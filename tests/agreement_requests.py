"""Requests and limits, answered by the engine and by the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import oracle
import oracle_requests
from agreement import expected, given
from oracle_case import Books, books
from oracle_limits import Scan, scan
from oracle_requests import Answer, Asking, asking
from policy_engine import Decision, PolicyError, Rulebook, Rules
from policy_engine.errors import Undetermined

Document = dict[str, Any]
UNLIMITED = Decimal("Infinity")
BEYOND = 6
"""How many amounts above the first refusal are asked, to see whether one is permitted again."""

FAR = ("1", "3", "17", "1000", "999999")
"""How many steps past the last one scanned a larger limit is looked at."""


@dataclass
class Point:
    """Rules and accounts to ask requests of, and where and when."""

    documents: list[Document]
    book: Rulebook
    snapshot: Document
    at: str
    known_at: str | None = None

    @cached_property
    def there(self) -> Books:
        """What is in force, as the oracle tells."""
        return books(self.documents, self.at, self.known_at)

    @cached_property
    def rules(self) -> Rules:
        """What is in force, as the engine tells."""
        return self.book.in_force(self.at, self.known_at)


@dataclass
class Compared:
    """What was reached, and the first disagreement: what each said, and where."""

    reached: Counter[str] = field(default_factory=Counter)
    engine: Any = None
    other: Any = None
    where: str = "everywhere"

    def agree(self, engine: Any, other: Any, where: str) -> bool:
        """Whether the two are equal; keeps both if they are the first that are not."""
        if engine != other and self.engine == self.other:
            self.engine, self.other, self.where = engine, other, where
        return bool(engine == other)


# requests


def oracle_answers(
    point: Point, name: str, asked: Mapping[str, Any], compared: Compared
) -> Answer | str:
    """What the oracle answers, or the code of the error."""

    def hear(event: str) -> None:
        compared.reached[event] += 1

    try:
        return oracle_requests.request(point.there, point.snapshot, name, asked, hear)
    except oracle.OracleError as error:
        return error.code


def oracle_said(point: Point, answer: Answer) -> dict[str, Any]:
    """The oracle's answer, with the decision on the account afterwards."""
    return {
        "permitted": answer.ruling.permitted,
        "reasons": sorted(answer.ruling.reasons),
        "after": None if answer.after is None else oracle_after(point, answer.after),
    }


def oracle_after(point: Point, snapshot: Mapping[str, Any]) -> dict[str, Any] | None:
    """The decision on an account afterwards; None where there is none."""
    try:
        said = oracle.decided(point.there, snapshot)
    except oracle.OracleError:
        return None
    return by_key(expected(said))


def engine_said(answer: Any, like: dict[str, Any] | None) -> dict[str, Any]:
    """The engine's answer, cut to what the oracle speaks of."""
    after: Decision | None = answer.after
    return {
        "permitted": answer.permitted,
        "reasons": sorted({reason.rule for reason in answer.reasons}),
        "after": None if after is None else engine_after(after, like),
    }


def engine_after(after: Decision, like: dict[str, Any] | None) -> dict[str, Any] | str:
    """The engine's decision on the account afterwards; or the error that asking it ends in."""
    try:
        return "an account" if like is None else by_key(given(after, like))
    except Exception as error:  # whatever the engine ends in is a disagreement
        return f"ended in {error!r}"


def by_key(decision: dict[str, Any]) -> dict[str, Any]:
    """The decision with the lines of the assets in the order of their names."""
    lines = decision.get("assets")
    return decision | ({"assets": sorted(lines, key=lambda line: line["asset"])} if lines else {})


def answered(
    point: Point, name: str, asked: Mapping[str, Any], compared: Compared, where: str
) -> str:
    """How a request is answered by both, noted as reached; empty where they differ."""
    said = oracle_answers(point, name, asked, compared)
    try:
        answer = point.rules.request(point.snapshot, name, **asked)
    except PolicyError as error:
        wanted = said if isinstance(said, str) else oracle_said(point, said)
        same = isinstance(said, str) or compared.agree(error.code, wanted, where)
        return f"error {said}" if same else ""
    except Exception as error:  # whatever else the engine ends in is a disagreement
        compared.agree(f"ended in {error!r}", said, where)
        return ""
    if isinstance(said, str):
        compared.agree(engine_said(answer, None), said, where)
        return ""
    if not said.known:
        return word(said.ruling.permitted) if agrees_in_part(said, answer, compared, where) else ""
    wanted = oracle_said(point, said)
    compared.reached.update(f"{name} refused by {reason}" for reason in said.ruling.reasons)
    compared.reached["after" if wanted["after"] else "no account after"] += 1
    told = (answer.permitted is None) == bool(answer.undetermined)
    same = compared.agree(engine_said(answer, wanted["after"]), wanted, where)
    same = same and compared.agree(told, True, f"{where}: reasons of what cannot be told")
    return word(said.ruling.permitted) if same else ""


def agrees_in_part(said: Answer, answer: Any, compared: Compared, where: str) -> bool:
    """Whether an answer keeps to what is certain where what is changed cannot be told.

    How much is known of such an account is left open: the oracle takes none of it to be.
    """
    compared.reached["changes cannot be told"] += 1
    reasons = {reason.rule for reason in answer.reasons}
    refused = bool(reasons) == (answer.permitted is False)
    kept = refused and answer.permitted is not True and reasons >= said.ruling.reasons
    return kept or compared.agree((answer.permitted, sorted(reasons)), said, where)


def word(permitted: bool | None) -> str:
    """An answer in a word."""
    return {True: "permitted", False: "refused", None: "undetermined"}[permitted]


# limits


def limit_of(rules: Rules, snapshot: Document, name: str, asked: Mapping[str, Any]) -> Any:
    """The engine's limit with the rules that bind, `undetermined`, or what else it ended in."""
    try:
        limited = rules.limited(snapshot, name, **asked)
    except Undetermined:
        return "undetermined", ()
    except PolicyError as error:
        return error.code, ()
    except Exception as error:  # whatever else the engine ends in is a disagreement
        return f"ended in {error!r}", ()
    return limited.value, tuple(sorted({reason.rule for reason in limited.binding}))


def limits_agree(
    point: Point,
    name: str,
    asked: Mapping[str, Any],
    most: int,
    compared: Compared,
    where: str,
    beyond: int = BEYOND,
) -> bool:
    """Whether the engine's limit is what asking of one step after the other gives."""
    value, binding = limit_of(point.rules, point.snapshot, name, asked)
    try:
        request = asking(point.there, point.snapshot, name)
        scanned = scan(request, asked, most, beyond) if request else None
    except oracle.OracleError as error:
        wrong = value if isinstance(value, Decimal) else "an error"
        return compared.agree(wrong, "an error", f"{where}: {error}")
    if request is None or scanned is None:
        return compared.agree(value, "no-limit", where)
    if scanned.end == "unknown":
        compared.reached["limit where changes cannot be told"] += 1
        wanted = "undetermined" if value == "undetermined" else limit_scanned(scanned)
        return compared.agree(value, wanted, f"{where}: {scanned}")
    if scanned.end == "open":
        return further(request, asked, scanned, value, compared, where)
    wanted = limit_scanned(scanned)
    compared.reached.update(kinds_of_limit(name, wanted, scanned))
    reasons = tuple(sorted(scanned.ruling.reasons)) if scanned.end == "refused" else ()
    return compared.agree((value, binding), (wanted, reasons), f"{where}: {scanned}")


def limit_scanned(scanned: Scan) -> Any:
    """The limit that a scan which came to an end found."""
    if scanned.end == "undetermined":
        return "undetermined"
    return decimal(scanned.reached)


def decimal(number: Fraction) -> Decimal:
    """The number, which is a finite decimal."""
    return Decimal(oracle.rounded(number))


def kinds_of_limit(name: str, wanted: Any, scanned: Scan) -> Iterator[str]:
    """What a limit that was found is an example of."""
    kind = "0" if wanted == 0 else "finite" if isinstance(wanted, Decimal) else wanted
    yield f"{name} limit {kind}"
    yield f"limit by {scanned.end}"
    if scanned.again:
        yield "permitted again above its limit"


def further(
    request: Asking,
    asked: Mapping[str, Any],
    scanned: Scan,
    value: Any,
    compared: Compared,
    where: str,
) -> bool:
    """Whether a limit above all that was scanned is one: permitted up to it, and not above it."""
    name = request.request["limit"]["input"]
    step = Fraction(request.request["limit"]["step"])

    def permitted(amount: Fraction) -> bool | None:
        return request.answer({**asked, name: amount}).ruling.permitted

    if not isinstance(value, Decimal):
        return compared.agree(value, "a limit or undetermined", where) or value == "undetermined"
    far = [scanned.reached + step * int(more) for more in FAR]
    if value == UNLIMITED:
        compared.reached["limit unlimited"] += 1
        return compared.agree([permitted(one) for one in far], [True] * len(far), where)
    top = Fraction(value)
    compared.reached["limit beyond the scan"] += 1
    below = [one for one in far if one <= top]
    told = [permitted(one) for one in (*below, top)]
    return (
        compared.agree(top >= scanned.reached, True, f"{where}: {value} < {scanned.reached}")
        and compared.agree(told, [True] * len(told), f"{where}: {value}")
        and compared.agree(permitted(top + step), False, f"{where}: above {value}")
    )
