"""Who approved which version: four eyes as data, in a file beside the versions."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from policy_engine.document import read_text, read_yaml
from policy_engine.errors import Place, Problem, RulesError, did_you_mean, in_file_order
from policy_engine.model import Version
from policy_engine.numbers import instant, instant_text

FOLDER = "approvals"
"""The folder beside the versions of a ruleset; its files are named as theirs are."""

_SCHEMA = "approvals"


@dataclass(frozen=True)
class Approval:
    """That a person agreed with a version as it was then, which its digest tells."""

    by: str
    role: str
    at: datetime
    digest: str
    place: Callable[[str], Place]


@dataclass(frozen=True)
class Approvals:
    """Who proposed a version, and who approved it."""

    version: str
    path: str
    proposed_by: str
    approvals: tuple[Approval, ...]
    place: Place


def approval_texts(folder: Path) -> list[tuple[str, str]]:
    """The files of approvals below a folder of rules, by path, and their texts.

    Raises RulesError for a file that cannot be read as text.
    """
    paths = sorted(folder.glob(f"*/{FOLDER}/*.yaml"))
    return [(path.as_posix(), read_text(path)) for path in paths]


def approvals_path(version: Version) -> str:
    """The file that holds the approvals of a version."""
    path = PurePath(version.path)
    return (path.parent / FOLDER / path.name).as_posix()


def read_approvals(text: str, path: str) -> Approvals:
    """The approvals that a file holds. Raises RulesError with every problem found."""
    from policy_engine.schema import problems as schema_problems  # slow to import, seldom needed

    document = read_yaml(text, path)
    if found := schema_problems(document, _SCHEMA):
        raise RulesError(found)
    held = [
        Approval(
            one["by"],
            one["role"],
            instant(one["at"]),
            one["digest"],
            lambda key, at=at: document.place(("approvals", at, key)),  # type: ignore[misc]
        )
        for at, one in enumerate(document.data["approvals"])
    ]
    named = PurePath(path)
    version = f"{named.parent.parent.name}@{named.stem}"
    proposer = document.place(("proposed_by",), key=True)
    return Approvals(version, path, document.data["proposed_by"], tuple(held), proposer)


def approval_problems(
    versions: Iterable[Version],
    texts: Iterable[tuple[str, str]],
    needed: int,
    since: datetime | None = None,
) -> list[Problem]:
    """What keeps versions from being approved by so many people, in file order.

    Versions that take effect before `since` need no approval. An approval counts if its digest is
    that of the version, it is not by who proposed it nor by a person who approved already, and it
    was given by the time the version takes effect: for a correction, by the time it was announced.
    """
    known = {version.id: version for version in versions}
    problems: list[Problem] = []
    held: dict[str, Approvals] = {}
    unread: set[str] = set()
    for path, text in texts:
        try:
            one = read_approvals(text, path)
            held[one.version] = one
        except RulesError as error:
            problems += error.problems
            unread.add(path)
    problems += (_of_nothing(one, known) for name, one in held.items() if name not in known)
    for name, version in known.items():
        late = since is None or version.effective_from >= since
        if approvals_path(version) not in unread and late:
            problems += _version_problems(version, held.get(name), needed)
    return list(in_file_order(problems))


def _of_nothing(one: Approvals, known: Mapping[str, Version]) -> Problem:
    message = f"these approve `{one.version}`, and there is no such version"
    hint = did_you_mean(one.version, known) or "name the file as the version it approves"
    return Problem("approval-of-nothing", message, hint, one.place)


def _version_problems(version: Version, one: Approvals | None, needed: int) -> Iterator[Problem]:
    void = dict(_void(version, one)) if one else {}
    yield from void.values()
    counted = len(one.approvals) - len(void) if one else 0
    if counted < needed:
        message = f"`{version.id}` has {counted} of the {needed} approvals it needs"
        yield Problem("not-approved", message, _how(version, one), version.place(("ruleset",)))


def _how(version: Version, one: Approvals | None) -> str:
    """What to add, and to which file."""
    line = f"- {{by: …, role: …, at: …, digest: {version.digest!s}}}"
    path = approvals_path(version)
    if one is None:
        return f"read it, and write {path} with `proposed_by: …` and under `approvals:` {line}"
    return f"read it, and add to {path}: {line}"


def _void(version: Version, one: Approvals) -> Iterator[tuple[int, Problem]]:
    """The approvals that do not count, by number, and why."""
    people: set[str] = set()
    end, event = _end(version)
    for number, approval in enumerate(one.approvals):
        said = f"`{approval.by}`"
        if approval.digest != version.digest:
            message = f"{said} approved another text: `{version.id}` means something else now"
            hint = f"read it anew and approve it as it is, with digest: {version.digest}"
            yield number, Problem("approval-void", message, hint, approval.place("digest"))
        elif _person(approval.by) == _person(one.proposed_by):
            message = f"{said} proposed this version and cannot approve it"
            hint = "let somebody else approve it"
            yield number, Problem("approved-by-author", message, hint, approval.place("by"))
        elif _person(approval.by) in people:
            message = f"{said} has approved this version already"
            hint = "one person's approval counts once: let another one approve it"
            yield number, Problem("approved-twice", message, hint, approval.place("by"))
        elif approval.at > end:
            message = f"{said} approved it at {instant_text(approval.at)}, after it {event}"
            hint = (
                f"it had to be approved by {instant_text(end)}: correct the instant, if it is wrong"
            )
            yield number, Problem("approved-late", message, hint, approval.place("at"))
        people.add(_person(approval.by))


def _end(version: Version) -> tuple[datetime, str]:
    """Until when a version can be approved, and what happens then.

    A correction reaches into the past: what counts is when it was announced.
    """
    if version.corrects is not None and version.announced_at is not None:
        return version.announced_at, "was announced"
    return version.effective_from, "took effect"


def _person(name: str) -> str:
    """A name as it is compared: however it is spaced, and in small letters."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
