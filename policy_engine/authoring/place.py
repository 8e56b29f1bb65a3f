"""Where a new version of a ruleset goes: its file's name, and the version that it follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from policy_engine.errors import Place, Problem, RulesError
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.rulebook import Rulebook
from policy_engine.versions.held import announced

FROM = "--effective-from"
MOST_CORRECTIONS = 9


def follows(book: Rulebook, ruleset: str, start: datetime) -> Version:
    """The version that one from `start` on follows. Raises RulesError."""
    version = book.in_force(start).versions.get(ruleset)
    if version is None:
        first = [str(v.effective_from.date()) for v in book.rulesets.get(ruleset, ())[:1]]
        message = f"no version of `{ruleset}` is in force at {instant_text(start)}"
        hint = f"the first one starts on {first[0]}" if first else f"add a ruleset `{ruleset}`"
        raise RulesError([Problem("no-version-before", message, hint)])
    if version.effective_from == start:
        message = f"`{version.id}` takes effect at this very instant"
        hint = "choose a later instant; a correction is a file with `corrects: {reason: …}`"
        raise RulesError([Problem("two-versions", message, hint)])
    return version


def next_after(versions: Sequence[Version], start: datetime) -> Version | None:
    """The first version that takes effect after an instant."""
    later = [version for version in versions if version.effective_from > start]
    return min(later, key=lambda version: version.effective_from, default=None)


def file_stem(versions: Sequence[Version], start: datetime, option: str = FROM) -> str:
    """The name of a file after its day, or its hour where the day has one. Raises RulesError."""
    taken = {version.id.partition("@")[2] for version in versions}
    for name in (f"{start:%Y-%m-%d}", f"{start:%Y-%m-%dT%H}"):
        if name not in taken:
            return name
    message = f"a version of `{versions[0].ruleset}` takes effect in this very hour"
    hint = "files are named after the hour at the closest: choose another one"
    raise RulesError([Problem("two-versions", message, hint, Place(option))])


def corrected(book: Rulebook, ruleset: str, start: datetime) -> Version:
    """The last version announced that takes effect at `start`. Raises RulesError."""
    twins = [v for v in book.rulesets[ruleset] if v.effective_from == start]
    if twins:
        return max(twins, key=announced)
    message = f"no version of `{ruleset}` takes effect at {instant_text(start)}"
    nearest = min(book.rulesets[ruleset], key=lambda v: abs(v.effective_from - start))
    hint = f"`{nearest.id}` takes effect at {instant_text(nearest.effective_from)}"
    raise RulesError([Problem("corrects-nothing", message, hint)])


def correction_stem(versions: Sequence[Version], before: Version) -> str:
    """The name of the file of a correction: `2025-01-21+2`, then `+3`. Raises RulesError."""
    taken = {version.id.partition("@")[2] for version in versions}
    name = before.id.partition("@")[2].partition("+")[0]
    for number in range(2, MOST_CORRECTIONS + 1):
        if f"{name}+{number}" not in taken:
            return f"{name}+{number}"
    message = f"`{before.id}` is the last correction that a file can be named after"
    hint = "say it in a version that takes effect later"
    raise RulesError([Problem("too-many-corrections", message, hint)])
