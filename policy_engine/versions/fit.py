"""What is wrong between rule files, or between a file and its name, rather than inside one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath

from policy_engine.errors import Place, Problem, did_you_mean
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.versions.held import announced

_STEM = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}))?(\+[2-9])?")


def name_problems(version: Version) -> Iterator[Problem]:
    """A file is named after its day, its folder after its ruleset."""
    path = PurePath(version.path)
    match = _STEM.fullmatch(path.stem)
    start = version.effective_from
    if match is None or match[1] != f"{start:%Y-%m-%d}" or match[2] not in (None, f"{start:%H}"):
        message = f"the file is named `{path.name}` and takes effect on {instant_text(start)}"
        yield Problem("file-name", message, _names(version), version.place(("effective_from",)))
    elif match[3] and version.corrects is None:
        message = f"the file is named `{path.name}`, as a correction is, and corrects nothing"
        hint = f"say `corrects: {{reason: …}}`; or {_names(version)}"
        yield Problem("file-name", message, hint, version.place(("effective_from",)))
    if path.parent.name not in ("", version.ruleset):
        message = f"the ruleset `{version.ruleset}` stands in the folder `{path.parent.name}`"
        hint = f"move it to `{version.ruleset}/`, or correct the name of the ruleset"
        yield Problem("file-name", message, hint, version.place(("ruleset",)))


def _names(version: Version) -> str:
    """How the file of a version may be named."""
    start = version.effective_from
    day, hour = f"{start:%Y-%m-%d}", f"{start:%Y-%m-%dT%H}"
    if version.corrects is not None:
        return f"name it `{day}+2.yaml` (a second correction: `{day}+3.yaml`)"
    return f"name it `{day}.yaml` (a second one that day: `{hour}.yaml`)"


def fit_problems(versions: list[Version], not_read: frozenset[str]) -> Iterator[Problem]:
    """What is wrong between versions rather than inside one."""
    starts: dict[str, datetime] = {}
    for version in versions:
        first = starts.setdefault(version.ruleset, version.effective_from)
        starts[version.ruleset] = min(first, version.effective_from)
    for version in versions:
        for at, used in enumerate(version.uses):
            if used not in not_read:
                yield from _use_problems(version, used, starts, version.place(("uses", at)))
    yield from _twin_problems(versions)


def _use_problems(
    version: Version, used: str, starts: Mapping[str, datetime], place: Place
) -> Iterator[Problem]:
    if used not in starts:
        hint = did_you_mean(used, starts) or "add its folder to the rules"
        yield Problem("unknown-ruleset", f"there is no ruleset `{used}`", hint, place)
    elif starts[used] > version.effective_from:
        message = f"`{version.id}` uses `{used}`, which starts only at {instant_text(starts[used])}"
        hint = "give it an earlier version, or let this one take effect later"
        yield Problem("uses-not-started", message, hint, place)


def _twin_problems(versions: list[Version]) -> Iterator[Problem]:
    """Two files for one instant: the later announced must say that it corrects the earlier."""
    groups: dict[tuple[str, datetime], list[Version]] = {}
    for version in versions:
        groups.setdefault((version.ruleset, version.effective_from), []).append(version)
    for group in groups.values():
        first, *later = sorted(
            group, key=lambda version: (version.corrects is not None, version.id)
        )
        if first.corrects is not None:
            message = f"`{first.id}` corrects a version that is not there"
            hint = "a correction has the `effective_from` of the version it corrects"
            yield Problem("corrects-nothing", message, hint, first.place(("corrects",), key=True))
        for version in later:
            if version.corrects is None:
                message = f"`{version.id}` takes effect at the same instant as `{first.id}`"
                hint = "a correction has a later `announced_at` and `corrects: {reason: …}`"
                yield Problem("two-versions", message, hint, version.place(("effective_from",)))
        yield from _order_problems(first, [v for v in later if v.corrects is not None])


def _order_problems(first: Version, corrections: list[Version]) -> Iterator[Problem]:
    """Each correction is announced after what it corrects: the last word is the one that holds."""
    before = first
    for version in sorted(corrections, key=announced):
        if announced(version) <= announced(before):
            message = f"`{version.id}` is not announced later than `{before.id}`, which it corrects"
            hint = "write the instant at which the correction was made known"
            yield Problem("announced-too-early", message, hint, version.place(("announced_at",)))
        before = max(before, version, key=announced)
