"""What pages tell of the command that made them: its two sides, and how to make them again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from policy_engine.cli.shared import Asked, find_rules, holds_rules
from policy_engine.numbers import day_or_instant, instant_text
from policy_engine.render.html import State
from policy_engine.rulebook import Rulebook


def state(word: str, asked: Asked) -> State:
    """What was in force in a side named by an instant, a version, or a folder of rules."""
    folder = Path(word) if "@" not in word and holds_rules(Path(word)) else None
    book = Rulebook.load(folder or asked.rules or find_rules())
    if "@" in word:
        return State(word, (book.version(word),))
    rules = book.in_force(asked.moment() if folder else day_or_instant(word), asked.known_at)
    return State(word, tuple(rules.versions.values()))


def command(name: str, words: Sequence[str], asked: Asked, *more: str) -> str:
    """The command line that makes a page again, as a shell reads it."""
    options = {
        "--rules": None if asked.rules is None else asked.rules.as_posix(),
        "--at": None if asked.at is None else instant_text(asked.at),
        "--known-at": None if asked.known_at is None else instant_text(asked.known_at),
    }
    given = [part for key, value in options.items() if value is not None for part in (key, value)]
    return shlex.join(["policy-engine", name, *words, *given, *more, "--format", "html"])
