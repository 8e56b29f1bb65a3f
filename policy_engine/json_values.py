"""The parts of a decision as JSON carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.layout import Assumption, InForce, Line, Notice, Reason, Ruling
from policy_engine.model import Citation
from policy_engine.numbers import Value, text_of


def texts(values: Mapping[str, Value | None]) -> dict[str, str | bool | None]:
    """Figures by name, numbers and instants as text."""
    return {name: text_of(value) for name, value in values.items()}


def lines_text(lines: tuple[Line, ...] | None) -> list[dict[str, Any]] | None:
    """The figures of each line; null where the lines are not known."""
    return None if lines is None else [texts(line) for line in lines]


def cited(citation: Citation) -> dict[str, str | None]:
    """A citation; its line stands there where it has one."""
    line = {} if citation.line is None else {"line": str(citation.line)}
    return {"source": citation.source, "quote": citation.quote, **line}


def json_value(item: Any) -> Any:
    """A reason, ruling, ruleset or assumption as plain JSON."""
    if isinstance(item, Citation):
        return cited(item)
    if isinstance(item, (Reason, Ruling, InForce, Assumption, Notice)):
        names = item.__dataclass_fields__
        return {name: json_value(getattr(item, name)) for name in names}
    return [json_value(part) for part in item] if isinstance(item, tuple) else item
