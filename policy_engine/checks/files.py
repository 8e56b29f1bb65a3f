"""Whether every YAML file below a folder of rules is read as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from policy_engine.errors import Place, Problem


def unread_files(folder: Path) -> Iterator[Problem]:
    """A problem for each YAML file that stands where no rules are read."""
    read = set(folder.glob("*/*.yaml"))
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        if path not in read and not any(p.startswith(".") for p in path.relative_to(folder).parts):
            hint = "rules are read from `<ruleset>/<date>.yaml`: rename it, or move it elsewhere"
            yield Problem("unread-file", "this file is not read", hint, Place(path.as_posix()))
