"""What scenarios come to, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.comparison import AFTER, BEFORE, Differences, differences
from policy_engine.decision import Decision
from policy_engine.json_values import json_value, texts
from policy_engine.layout import Ruling
from policy_engine.numbers import Value, instant_text, text_of
from policy_engine.render.decision import asked_text
from policy_engine.render.layout import CANNOT_BE_TOLD, Page, figure_text, table
from policy_engine.requests import Answer
from policy_engine.scenario import Scenario
from policy_engine.scenarios import Outcome, worst

_NO_ACCOUNT, _ABSENT = "no such account", "not there"
_RULINGS = {True: "open", False: "refused", None: CANNOT_BE_TOLD}
_ANSWERS = {True: "permitted", False: "refused", None: CANNOT_BE_TOLD}
_LABEL, _INDENT = 14, 16


def render(before: Decision, outcomes: Sequence[Outcome], page: Page) -> str:
    """The scenarios with their statuses, the worst by name, then each with what it changes."""
    parts = [_head(before, page), _table(before, outcomes, page)]
    parts += [_scenario(outcome, page) for outcome in outcomes]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _head(before: Decision, page: Page) -> Iterator[str]:
    yield page.dim("Account".ljust(_LABEL)) + page.bold(before.account)
    yield page.dim("Facts of".ljust(_LABEL)) + instant_text(before.at)
    yield page.dim("Rules of".ljust(_LABEL)) + instant_text(before.rules_at)


def _table(before: Decision, outcomes: Sequence[Outcome], page: Page) -> Iterator[str]:
    tested = next((one.tested for one in outcomes if one.tested), None)
    rows = [("", "status", tested or ""), ("as it is", *_told(before, tested))]
    rows += [(one.scenario.name, *_told(one.after, one.tested)) for one in outcomes]
    yield from table(rows)
    found = worst(outcomes)
    if found is not None and len(outcomes) > 1:
        yield page.dim("Worst".ljust(_LABEL)) + page.bold(found.scenario.name)
    untold = [one.scenario.name for one in outcomes if one.severity is None]
    if untold and len(outcomes) > 1:
        yield from page.wrapped(f"not among them: {', '.join(untold)}", _LABEL)


def _told(decision: Decision | None, tested: str | None) -> tuple[str, str]:
    if decision is None:
        return _NO_ACCOUNT, ""
    figure = figure_text(decision.values.get(tested)) if tested else ""
    return decision.status or CANNOT_BE_TOLD, figure


def _scenario(outcome: Outcome, page: Page) -> Iterator[str]:
    scenario = outcome.scenario
    yield page.bold(scenario.name)
    yield from page.wrapped(scenario.title, 2) if scenario.title else ()
    yield from _changes(scenario, page)
    for answer in outcome.answers:
        yield from _answer(answer, page)
    if outcome.after is None:
        yield from page.wrapped(
            "none: this is no account that can be decided on", _INDENT, "  status"
        )
    else:
        yield from _differences(differences(outcome.before, outcome.after), outcome.after, page)


def _changes(scenario: Scenario, page: Page) -> Iterator[str]:
    settings = [f"{name} {_setting(value)}" for name, value in scenario.settings.items()]
    prices = [f"{key} {_shift(change.text)}" for key, change in scenario.prices.items()]
    if scenario.all_prices is not None:
        others = "all others" if prices else "all"
        prices.append(f"{others} {_shift(scenario.all_prices.text)}")
    for label, parts in (("set", settings), ("prices", prices)):
        if parts:
            yield from page.wrapped(", ".join(parts), _INDENT, f"  {label}")


def _setting(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _shift(text: str) -> str:
    if not text.endswith("%"):
        return f"to {text}"
    return text if text.startswith(("-", "+", "0%")) else f"+{text}"


def _answer(answer: Answer, page: Page) -> Iterator[str]:
    said = f"{asked_text(answer.request, answer.inputs)}: {_ANSWERS[answer.permitted]}"
    yield from page.wrapped(said, _INDENT, "  request")
    for reason in [*(one.title for one in answer.reasons), *answer.undetermined]:
        yield from page.wrapped(reason, _INDENT + 2, " " * _INDENT + "- ")


def _differences(found: Differences, after: Decision, page: Page) -> Iterator[str]:
    if found.none:
        yield "  nothing changes"
    if found.status:
        yield _row("status", " -> ".join(one or CANNOT_BE_TOLD for one in found.status.values()))
    for n, (name, rulings) in enumerate(found.permissions.items()):
        yield from _permission("" if n else "permissions", name, rulings, after, page)
    width = max(map(len, found.values), default=0)
    for n, (name, values) in enumerate(found.values.items()):
        yield _row("" if n else "figures", f"{name.ljust(width)}   {_both(values)}")


def _row(label: str, text: str) -> str:
    return f"  {label}".ljust(_INDENT) + text


def _permission(
    label: str, name: str, rulings: Mapping[str, Ruling], after: Decision, page: Page
) -> Iterator[str]:
    words = [_RULINGS[one.permitted] for one in rulings.values()]
    same = len(words) == 2 and words[0] == words[1]
    said = f"{words[0]}, for other reasons" if same else " -> ".join(words)
    yield _row(label, f"{name}: {said}")
    why = [reason.title for reason in rulings[AFTER].reasons] if AFTER in rulings else []
    for reason in [*why, *after.undetermined.get(f"permissions.{name}", ())]:
        yield from page.wrapped(reason, _INDENT + 2, " " * _INDENT + "- ")


def _both(values: Mapping[str, Value | None]) -> str:
    sides = (figure_text(values[side]) if side in values else _ABSENT for side in (BEFORE, AFTER))
    return " -> ".join(sides)


# --- for programs ---------------------------------------------------------------------------------


def to_json(before: Decision, outcomes: Sequence[Outcome]) -> str:
    """The same as one line of JSON, with each decision whole."""
    found = worst(outcomes)
    said = {
        "before": before.to_dict(),
        "scenarios": [_mapping(outcome) for outcome in outcomes],
        "worst": None if found is None else found.scenario.name,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _mapping(outcome: Outcome) -> dict[str, Any]:
    scenario, after = outcome.scenario, outcome.after
    everywhere = scenario.all_prices
    return {
        "name": scenario.name,
        "title": scenario.title,
        "set": _plain(scenario.settings),
        "prices": {key: change.text for key, change in scenario.prices.items()},
        "all_prices": None if everywhere is None else everywhere.text,
        "requests": [_request(answer) for answer in outcome.answers],
        "changes": None if after is None else _changed(differences(outcome.before, after)),
        "decision": None if after is None else after.to_dict(),
    }


def _plain(value: Any) -> Any:
    """A setting as JSON, numbers as text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return text_of(value) if isinstance(value, Decimal) else value


def _request(answer: Answer) -> dict[str, Any]:
    whole = answer.to_dict()
    kept = ("request", "inputs", "permitted", "reasons", "undetermined")
    return {name: whole[name] for name in kept}


def _changed(found: Differences) -> dict[str, Any]:
    return {
        "status": found.status or None,
        "values": {name: texts(sides) for name, sides in found.values.items()},
        "permissions": {
            name: {side: json_value(ruling) for side, ruling in sides.items()}
            for name, sides in found.permissions.items()
        },
    }
