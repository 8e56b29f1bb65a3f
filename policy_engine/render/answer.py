"""The answer to a request, and its limit, as a person reads them or a program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.comparison import AFTER, BEFORE, differences
from policy_engine.decision import Decision
from policy_engine.json_values import json_value
from policy_engine.ladder import ladders
from policy_engine.language.plan import Plan
from policy_engine.layout import Reason, Ruling
from policy_engine.limits import Limited
from policy_engine.model import Request
from policy_engine.numbers import EXACT, Value, instant_text, plain, text_of, tidy
from policy_engine.render.decision import HINT, asked_text, assumed, cited
from policy_engine.render.ladder import render as render_ladders
from policy_engine.render.layout import (
    CANNOT_BE_TOLD,
    Page,
    columns_of,
    figure_text,
    on_the_point,
    padded,
)
from policy_engine.requests import Answer

_LABEL = 14
_ANSWERS = {True: "permitted", False: "refused", None: CANNOT_BE_TOLD}
_COLOURS = {True: "green", False: "red", None: "yellow"}
_DECIMALS = re.compile(r"(\.(?!0000)\d{4})\d+…?$", re.ASCII)
_RULINGS = {True: "open", False: "refused", None: CANNOT_BE_TOLD}


def render(answer: Answer, plan: Plan, page: Page) -> str:
    """The answer as text; `plan` is what the account as it is was decided by."""
    parts = (
        _answered(answer, plan, page),
        _untold(answer.undetermined, page),
        _account(answer.before, answer.after, page),
        _untold(_new_reasons(answer), page, "Cannot be told afterwards"),
        _stands(answer.before, answer.after, page),
        assumed(answer.assumptions, page),
        _rules(answer.before, page),
    )
    return _joined(parts)


def render_limit(found: Limited, plan: Plan, page: Page) -> str:
    """A limit as text: the value, the rule that binds, and how it was verified."""
    asked = found.at or found.above
    assert asked is not None
    before = asked.before
    after = None if found.at is None or found.value.is_infinite() else found.at.after
    parts = (
        _limit(found, plan, page),
        _account(before, after, page, "at the limit"),
        _stands(before, after, page),
        assumed(asked.assumptions, page),
        _rules(before, page),
    )
    return _joined(parts)


def render_untold(before: Decision, asked: str, reasons: Sequence[str], page: Page) -> str:
    """Why the limit of what is `asked` cannot be told."""
    said = _label("Limit", page.colour(CANNOT_BE_TOLD, "yellow"), page)
    return _joined(((*_head(before, page), *_asked(asked, "", page), said), _untold(reasons, page)))


def _joined(parts: Sequence[Any]) -> str:
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


# --- the answer first -----------------------------------------------------------------------------


def _answered(answer: Answer, plan: Plan, page: Page) -> Iterator[str]:
    yield from _head(answer.before, page)
    yield from _asked(asked_text(answer.request, answer.inputs), _title(plan, answer.request), page)
    said = page.colour(_ANSWERS[answer.permitted], _COLOURS[answer.permitted])
    yield _label("Answer", said, page)
    yield from _reasons(answer.reasons, plan, page)


def _limit(found: Limited, plan: Plan, page: Page) -> Iterator[str]:
    asked = found.at or found.above
    assert asked is not None
    given = {name: value for name, value in asked.inputs.items() if name != found.input}
    yield from _head(asked.before, page)
    yield from _asked(asked_text(found.request, given), _title(plan, found.request), page)
    request = plan.main.requests[found.request]
    unit = "" if found.value.is_infinite() else _unit(request, found.input, asked.inputs)
    yield _label("Limit", f"{found.input} {page.bold(plain(found.value))}{unit}", page)
    if found.binding:
        yield _label("Binding", found.binding[0].rule, page)
        yield from _reasons(found.binding, plan, page)
    yield from _verified(found, page)


def _verified(found: Limited, page: Page) -> Iterator[str]:
    """What was asked at the limit and a step above it."""
    sides = ((answer, answer.inputs[found.input]) for answer in (found.at, found.above) if answer)
    label = "Verified"
    for answer, value in sides:
        said = page.colour(_ANSWERS[answer.permitted], _COLOURS[answer.permitted])
        yield _label(label, f"{text_of(value)}: {said}", page)
        label = ""
    if found.above is None:
        bound = (
            "nothing refuses a larger one" if found.value.is_infinite() else "no more can be asked"
        )
        yield _label(label, bound, page)
    tried = f"in steps of {plain(found.step)}; answers asked to find it: {found.evaluations}"
    yield from map(page.dim, page.wrapped(tried, _LABEL))
    if not found.sure:
        said = (
            "figures that are rounded, or multiplied by one another, decide here: a smaller value"
        )
        yield from page.wrapped(f"{said} that is refused may have been passed over", _LABEL)


def _head(before: Decision, page: Page) -> Iterator[str]:
    yield _label("Account", page.bold(before.account), page)
    yield _label("Facts of", instant_text(before.at), page)


def _asked(asked: str, title: str, page: Page) -> Iterator[str]:
    first, *rest = page.wrapped(asked, _LABEL, "Request")
    yield page.dim(first[:_LABEL]) + first[_LABEL:]
    yield from rest
    yield from map(page.dim, page.wrapped(title, _LABEL))


def _title(plan: Plan, request: str) -> str:
    known = plan.main.requests.get(request)
    return known.title if known else ""


def _reasons(reasons: Sequence[Reason], plan: Plan, page: Page) -> Iterator[str]:
    for reason in reasons:
        yield from page.wrapped(reason.title, _LABEL + 2, " " * _LABEL + "- ")
        yield from cited(plan, reason.citation, _LABEL + 2, page)


def _unit(request: Request, name: str, inputs: Mapping[str, Value | None]) -> str:
    """The unit of an input, with the coin that another input names."""
    unit = request.inputs[name].unit or ""
    for other, value in inputs.items():
        unit = str(text_of(value)) if unit == f"coin of {other}" else unit
    return "" if unit in ("", "ratio") else f" {unit}"


def _label(label: str, text: str, page: Page) -> str:
    return page.dim(padded(label, _LABEL)) + text


def _new_reasons(answer: Answer) -> Sequence[str]:
    """Why figures cannot be told afterwards that could be before."""
    if answer.after is None:
        return ()
    known = {why for reasons in answer.before.undetermined.values() for why in reasons}
    known |= {*answer.undetermined}
    found = {why for reasons in answer.after.undetermined.values() for why in reasons}
    return sorted(found - known)


def _untold(reasons: Sequence[str], page: Page, title: str = "Cannot be told") -> Iterator[str]:
    """What cannot be told, with what would settle it."""
    if reasons:
        yield page.bold(title)
    for reason in reasons:
        why, _, hint = reason.partition(HINT)
        yield from page.wrapped(why, 2)
        if hint:
            yield from page.wrapped(hint, 18, "    to settle it:")


# --- before and after -----------------------------------------------------------------------------


def _account(
    before: Decision, after: Decision | None, page: Page, label: str = "afterwards"
) -> Iterator[str]:
    """What of the account is not as it was: its status, what it may do, and its figures."""
    if after is None:
        return
    found = differences(before, after)
    words = [("status", _sides(found.status))] if found.status else []
    rulings = [(name, _rulings(sides)) for name, sides in found.permissions.items()]
    words += [(name, sides) for name, sides in rulings if sides[0] != sides[1]]
    figures = [(name, _both(values)) for name, values in found.values.items()]
    yield page.bold("The account")
    if words or figures:
        yield from _table(label, words, figures, page)
    else:
        yield "  no figure of it changes"


def _sides(status: Mapping[str, str | None]) -> tuple[str, str]:
    return status[BEFORE] or CANNOT_BE_TOLD, status[AFTER] or CANNOT_BE_TOLD


def _rulings(sides: Mapping[str, Ruling]) -> tuple[str, str]:
    told = [_RULINGS[sides[side].permitted] if side in sides else "-" for side in (BEFORE, AFTER)]
    return told[0], told[1]


def _both(values: Mapping[str, Value | None]) -> tuple[str, str, str]:
    """A figure before and after, and by how much it changes."""
    told = [_brief(values[side]) if side in values else "-" for side in (BEFORE, AFTER)]
    before, after = values.get(BEFORE), values.get(AFTER)
    return told[0], told[1], _change(before, after)


def _change(before: Value | None, after: Value | None) -> str:
    if not isinstance(before, Decimal) or not isinstance(after, Decimal):
        return ""
    if before.is_infinite() or after.is_infinite():
        return ""
    change = tidy(EXACT.subtract(after, before))
    return f"{'+' if change > 0 else ''}{_brief(change)}"


def _brief(value: Value | None) -> str:
    """A figure for reading, cut after 4 decimals, but for those that begin with as many zeros."""
    return _DECIMALS.sub(r"\1…", figure_text(value))


def _table(label: str, words: Sequence[Any], figures: Sequence[Any], page: Page) -> Iterator[str]:
    """Rows of a name, what was, what is and the change; on two lines each where one is short."""
    columns = [on_the_point([cells[at] for _, cells in figures]) for at in range(3)]
    rows = [("", ("before", label, "change"))]
    rows += [(name, (*cells[:2], "")) for name, cells in words]
    rows += [
        (name, cells) for (name, _), cells in zip(figures, zip(*columns, strict=True), strict=True)
    ]
    names = max(columns_of(name) for name, _ in rows)
    widths = [max(columns_of(cells[at]) for _, cells in rows) for at in range(3)]
    short = 2 + names + sum(width + 3 for width in widths) > page.width
    for name, cells in rows:
        told = "   ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        if not short:
            yield f"  {padded(name, names)}   {told}".rstrip()
        else:
            yield from [f"  {name}"] if name else []
            yield f"    {told}".rstrip()


def _stands(before: Decision, after: Decision | None, page: Page) -> Iterator[str]:
    return render_ladders(ladders(before), page, ladders(after) if after else ())


def _rules(before: Decision, page: Page) -> Iterator[str]:
    ids = ", ".join(f"{one.ruleset}@{one.version}" for one in before.rulesets)
    known = f", as announced by {instant_text(before.known_at)}" if before.known_at else ""
    yield page.bold("Rules in force") + f" at {instant_text(before.rules_at)}{known}"
    yield from page.wrapped(ids, 2)


# --- for programs ---------------------------------------------------------------------------------


def limit_json(found: Limited) -> str:
    """The limit as one line of JSON, numbers as text."""
    asked = found.at or found.above
    assert asked is not None
    sides = {"at": found.at, "above": found.above}
    return _json(
        {
            "request": found.request,
            "inputs": {n: text_of(v) for n, v in asked.inputs.items() if n != found.input},
            "input": found.input,
            "step": plain(found.step),
            "limit": text_of(found.value),
            "binding": [json_value(reason) for reason in found.binding],
            "verified": {
                side: answer and _verdict(answer, found.input) for side, answer in sides.items()
            },
            "evaluations": found.evaluations,
            "sure": found.sure,
            "undetermined": [],
        }
    )


def untold_json(request: str, inputs: Mapping[str, str], reasons: Sequence[str]) -> str:
    """A limit that cannot be told, as one line of JSON."""
    said = {"request": request, "inputs": dict(inputs), "limit": None}
    return _json({**said, "undetermined": list(reasons)})


def _verdict(answer: Answer, name: str) -> dict[str, Any]:
    return {"value": text_of(answer.inputs[name]), "permitted": answer.permitted}


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
