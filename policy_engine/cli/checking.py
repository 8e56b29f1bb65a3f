"""What `check` looks at: rules, cases and saved sources, as files and then as findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from policy_engine.approvals import FOLDER as APPROVALS
from policy_engine.approvals import approval_problems, approval_texts
from policy_engine.cli.shared import Asked, say
from policy_engine.document import read_text
from policy_engine.errors import Place, Problem, RulesError
from policy_engine.render.findings import Findings
from policy_engine.rulebook import Rulebook, rule_texts
from policy_engine.stamps import (
    STAMPS,
    read_digests,
    read_sound_cases,
    read_stamps,
    text_digest,
    version_id,
)

if TYPE_CHECKING:
    from policy_engine.cases import Case
    from policy_engine.checks import Saved
    from policy_engine.checks.combinations import Known

NOT_LOOKED_AT = frozenset(
    {"no-rules", "no-cases", "no-sources", "no-such-file", "not-a-file", "unreadable-file"}
)
"""Codes of what keeps anybody from looking; every other problem is a finding."""


@dataclass(frozen=True)
class Scope:
    """What is checked, and how closely."""

    folder: Path
    cases: Path | None
    sources: Path | None
    now: datetime
    strict: bool
    full: bool
    allow_edit: bool

    @property
    def is_quick(self) -> bool:
        """Whether files on record as sound are not checked again."""
        return not (self.full or self.strict or self.sources)


def look(asked: Asked, scope: Scope) -> Findings:
    """Everything that is found. Raises RulesError where nobody can look."""
    of_cases, cases = _cases(scope)
    if scope.is_quick and _is_as_recorded(asked, scope.folder) and not _stray(scope.folder):
        files = len(list(scope.folder.glob("*/*.yaml")))
        return Findings(files=files, recorded=files).and_of(of_cases)
    return _of_rules(asked, scope, cases).and_of(of_cases)


def _is_as_recorded(asked: Asked, folder: Path) -> bool:
    """Whether the files are those that were found sound together, all of them and no other."""
    stamps = read_stamps(folder)
    texts = {version_id(path): text for path, text in rule_texts(folder)} if stamps else {}
    same = stamps.keys() == texts.keys() and all(
        text_digest(text) == stamps[name].text for name, text in texts.items()
    )
    if stamps and same:
        asked.rulebook()  # reads none of them, and says which rules these are
    return bool(stamps) and same


def _of_rules(asked: Asked, scope: Scope, cases: tuple[Case, ...]) -> Findings:
    from policy_engine.checks import Subject, findings  # what is as recorded does without

    saved = None if scope.sources is None else saved_texts(scope.sources)
    reading: tuple[Problem, ...] = ()
    try:
        book = asked.rulebook(full=scope.full)
    except RulesError as error:
        book, reading = Rulebook([]), _seen(error)
    recorded = {} if scope.allow_edit else read_digests(scope.folder)
    path = (scope.folder / STAMPS).as_posix()
    stray = tuple(_stray(scope.folder))
    known = _known(scope) if scope.is_quick and not reading else frozenset()
    subject = Subject(book, reading, recorded, path, scope.now, saved, cases, stray, known)
    problems = tuple(findings(subject, strict=scope.strict))
    files = len(list(scope.folder.glob("*/*.yaml")))
    if reading:
        return Findings(problems, files)
    if saved is not None:
        _say_unsaved(book, saved)
    deciding = {version.ruleset for version in book.versions if version.applies_when}
    made = len(subject.combinations)
    return Findings(problems, files, len(book.versions), len(deciding), made)


def _known(scope: Scope) -> Known:
    """The versions that are on record as sound together, and have not changed since."""
    from policy_engine.checks.combinations import known_together  # as above

    stamps = read_stamps(scope.folder)
    texts = {version_id(path): text for path, text in rule_texts(scope.folder)}
    same = {n for n, stamp in stamps.items() if text_digest(texts.get(n, "")) == stamp.text}
    return known_together(stamps.values(), same)


def _stray(folder: Path) -> list[str]:
    """The YAML files of a folder that stand where neither rules nor approvals are read."""
    read = {*folder.glob("*/*.yaml"), *folder.glob(f"*/{APPROVALS}/*.yaml")}
    return [
        path.as_posix()
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")])
        if path not in read and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]


def unapproved(folder: Path, needed: int, since: datetime | None) -> tuple[Problem, ...]:
    """What keeps versions from being approved; nothing of rules that cannot be loaded."""
    try:
        versions = Rulebook.load(folder).versions
    except RulesError:
        return ()
    return tuple(approval_problems(versions, approval_texts(folder), needed, since))


def _seen(error: RulesError) -> tuple[Problem, ...]:
    """The problems as findings. Raises the error where they kept us from looking."""
    if any(problem.code in NOT_LOOKED_AT for problem in error.problems):
        raise error
    return error.problems


# --- cases ---------------------------------------------------------------------------------------


def case_folder(scope: Scope) -> Path | None:
    """The folder of the cases: the one named, or the one beside the rules, if there is one."""
    beside = scope.folder.parent / "tests" / "cases"
    return scope.cases or (beside if beside.is_dir() else None)


def case_texts(folder: Path) -> dict[str, str]:
    """The texts of the case files of a folder, by path."""
    return {path.as_posix(): read_text(path) for path in sorted(folder.rglob("*.yaml"))}


def _cases(scope: Scope) -> tuple[Findings, tuple[Case, ...]]:
    """What is wrong with case files; whether a case comes out as it says is for `test` to tell."""
    folder = case_folder(scope)
    if folder is None:
        say("no cases beside these rules, so none are checked (name their folder with --cases)")
        return Findings(), ()
    try:
        changed = _changed(scope, folder)
    except RulesError as error:
        return Findings(_seen(error)), ()
    return _of_cases(folder) if changed is None else _of_changed(*changed)


def _changed(scope: Scope, folder: Path) -> tuple[dict[str, str], int] | None:
    """The case files that are not on record, and how many are; None where all are to be read."""
    sound = read_sound_cases(scope.folder) if scope.is_quick else frozenset()
    texts = case_texts(folder) if sound else {}
    changed = {path: text for path, text in texts.items() if text_digest(text) not in sound}
    same = len(texts) - len(changed)
    return (changed, same) if same else None


def _of_cases(folder: Path) -> tuple[Findings, tuple[Case, ...]]:
    from policy_engine.cases import load_cases  # cases as recorded are not read

    try:
        cases = load_cases(folder)
        return Findings(cases=len(cases)), tuple(cases)
    except RulesError as error:
        return Findings(_seen(error)), ()


def _of_changed(texts: dict[str, str], same: int) -> tuple[Findings, tuple[Case, ...]]:
    """What is wrong with the case files that changed; the other ones are as recorded."""
    from policy_engine.cases import read_cases  # cases as recorded are not read

    problems, count = list[Problem](), 0
    for path, text in texts.items():
        try:
            count += len(read_cases(text, path))
        except RulesError as error:
            problems += _seen(error)
    return Findings(tuple(problems), cases=count if texts else None, case_files=same), ()


# --- sources -------------------------------------------------------------------------------------


def saved_texts(folder: Path) -> dict[str, Saved]:
    """The saved texts of a folder, by the names of their files. Raises RulesError without any."""
    from policy_engine.checks import Saved

    paths = sorted([*folder.glob("*.txt"), *folder.glob("*.md")])
    if not paths:
        hint = "save the text of each source as `<source>.txt` or `<source>.md`"
        message = "there are no saved sources here"
        raise RulesError([Problem("no-sources", message, hint, Place(folder.as_posix()))])
    return {path.stem: Saved(path.as_posix(), read_text(path)) for path in paths}


def _say_unsaved(book: Rulebook, saved: dict[str, Saved]) -> None:
    """Tell which sources cannot be looked into."""
    cited = {name for version in book.versions for name in version.sources}
    if missing := sorted(cited - saved.keys()):
        say(f"not saved, so not looked into: {', '.join(missing)}")
