"""A page from a template: whatever a rule file or an account says is shown and does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_engine.errors import PolicyError, Problem
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.markdown import visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class State:
    """One of the two states of the rules: how it was named, and what was in force in it."""

    name: str
    versions: tuple[Version, ...] = ()


def page(template: str, **values: Any) -> str:
    """The page that a template makes of values. Raises PolicyError where jinja2 is missing."""
    return _environment().get_template(template).render(**values)


def drawn(xml: str) -> Any:
    """MathML or SVG that stands in a page as it is, but for characters that are not for reading.

    Raises PolicyError where jinja2, which brings what marks it so, is missing.
    """
    try:
        from markupsafe import Markup  # optional: it comes with an extra of the package
    except ImportError:
        raise PolicyError([_missing()]) from None
    return Markup(visible(xml))


@cache
def _environment() -> Environment:
    try:
        import jinja2  # optional: an extra of the package
    except ImportError:
        raise PolicyError([_missing()]) from None
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters["moment"] = moment
    return made


def _shown(value: Any) -> Any:
    """What a template writes; characters that steer a text instead of being read are spelled."""
    return visible(value) if type(value) is str else value


def _missing() -> Problem:
    message = "HTML pages are made with `jinja2`, which is not installed"
    return Problem("not-installed", message, "pip install 'policy-engine[book]'")


def moment(instant: datetime) -> str:
    """An instant for reading, such as `2025-01-21 10:00 UTC`."""
    return instant_text(instant).replace("T", " ").removesuffix("Z").removesuffix(":00") + " UTC"


def counted(count: int, what: str, many: str | None = None) -> str:
    """A number of things in words, such as `3 changes`."""
    return f"{count:,} {what if count == 1 else many or f'{what}s'}"


def lines(text: str, shown: Callable[[str], str] = visible) -> str:
    """A text of several lines, each without characters that are not for reading."""
    return "\n".join(map(shown, text.split("\n")))
