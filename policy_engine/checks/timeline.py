"""Versions as they follow each other, and the record of those in force."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from policy_engine.checks.subject import Subject
from policy_engine.errors import Place, Problem
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.stamps import Stamp
from policy_engine.versions.digest import meaning

_ABOUT_ITSELF = frozenset({"effective_from", "announced_at", "corrects", "summary"})
"""What a version says of itself rather than of accounts."""


def announced_late(subject: Subject) -> Iterator[Problem]:
    """A version that is announced after it takes effect, and is no correction.

    Why: Nobody could have known the rules they were held to. What was decided in between is told
    apart by `known_at` only if the version says that it corrects another.
    Avoid: effective_from: 2025-01-21T10:00:00Z with announced_at: 2025-01-22T00:00:00Z
    Prefer: the same as 2025-01-21+2.yaml with `corrects: {reason: …}`
    """
    for version in subject.book.versions:
        announced = version.announced_at
        if announced and announced > version.effective_from and version.corrects is None:
            message = (
                f"it is announced at {instant_text(announced)}, after it takes effect"
                f" at {instant_text(version.effective_from)}"
            )
            hint = "correct the instant; a correction says `corrects: {reason: …}`"
            yield Problem("announced-late", message, hint, version.place(("announced_at",)))


def same_meaning(subject: Subject) -> Iterator[Problem]:
    """A version that means what the one before it means.

    Why: A version stands for a change. One without any is most often a copy in which the change
    was forgotten.
    Avoid: 2025-03-01.yaml as a copy of 2025-01-21.yaml with another date
    Prefer: 2025-03-01.yaml with the figure that changes on that day
    """
    for versions in subject.book.rulesets.values():
        for before, version in pairwise(versions):
            if _meaning(before) == _meaning(version):
                message = f"`{version.id}` means the same as `{before.id}`, the version before it"
                hint = "write what changes on that day, or delete the file"
                yield Problem("same-meaning", message, hint, version.place(("effective_from",)))


def _meaning(version: Version) -> dict[str, Any]:
    return {name: said for name, said in meaning(version).items() if name not in _ABOUT_ITSELF}


def version_in_force_edited(subject: Subject) -> Iterator[Problem]:
    """A version in force whose meaning is not the one on record, or which is gone.

    Why: Decisions name the version they were made by. If that file changes, they can no longer be
    explained or made again, and nobody can tell what the rules were.
    Avoid: another value in 2025-01-21.yaml after 2025-01-21
    Prefer: 2025-01-21+2.yaml with a later `announced_at` and `corrects: {reason: …}`
    """
    held = {version.id: version for version in subject.book.versions}
    for name, stamp in sorted(subject.recorded.items()):
        if subject.now is not None and stamp.effective_from <= subject.now and not subject.reading:
            if name not in held:
                yield _gone(subject, stamp)
            elif held[name].digest != stamp.digest:
                yield _edited(held[name], stamp)


def _edited(version: Version, stamp: Stamp) -> Problem:
    since = instant_text(stamp.effective_from)
    message = f"`{version.id}` is in force since {since}, and it does not mean what is on record"
    hint = (
        "undo the edit and write a later version or a correction;"
        " where nobody relied on it yet: `check --record --allow-edit`"
    )
    return Problem("version-in-force-edited", message, hint, version.place(("effective_from",)))


def _gone(subject: Subject, stamp: Stamp) -> Problem:
    since = instant_text(stamp.effective_from)
    message = f"`{stamp.id}` is on record as in force since {since}, and its file is gone"
    hint = "put it back; where nobody relied on it yet: `check --record --allow-edit`"
    return Problem("version-in-force-edited", message, hint, Place(subject.record_path))
