"""What every import of rules shares: where a version goes, what `check` finds, what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from policy_engine.authoring.place import FROM, file_stem, follows, next_after
from policy_engine.checks import findings
from policy_engine.cli.output import write
from policy_engine.cli.shared import Asked, find_rules, placed, say
from policy_engine.errors import Place, PolicyError, Problem, RulesError
from policy_engine.model import Version
from policy_engine.render.imported import next_steps
from policy_engine.render.problems import render as render_problems
from policy_engine.rulebook import Rulebook, rule_texts
from policy_engine.shipped import rules_folder

WRITTEN, NOT_WRITTEN = 0, 1


@dataclass(frozen=True)
class Target:
    """Where a new version goes to, and the versions around it."""

    path: Path
    before: Version
    after: Version | None

    @property
    def id(self) -> str:
        """The id of the new version."""
        return f"{self.before.ruleset}@{self.path.stem}"

    def problems(self, text: str) -> tuple[Problem, ...]:
        """What `check` would find in the rules with the new file, and does not find without: in
        other files, or at the same place of the version before."""
        texts = rule_texts(self.path.parent.parent)
        problems = _found([*texts, (self.path.as_posix(), text)])
        known = set(map(_same, _found(texts))) if problems else set()
        return tuple(problem for problem in problems if _same(problem) not in known)


def _same(problem: Problem) -> tuple[str, ...]:
    """What a problem has in common with the same one in another version of the ruleset."""
    ruleset = PurePath(problem.place.path or "").parent.name
    return ruleset, problem.code, problem.message, problem.place.pointer


def _found(texts: Sequence[tuple[str, str]]) -> tuple[Problem, ...]:
    try:
        return tuple(findings(Rulebook(texts)))
    except RulesError as error:
        return error.problems


def target(ruleset: str, rules: Path | None, start: datetime) -> Target:
    """Where the new version goes to, and the versions around it. Raises RulesError."""
    book = Asked(rules=rules).rulebook()
    with placed(lambda _: FROM):
        before = follows(book, ruleset, start)
    versions = book.rulesets[before.ruleset]
    folder = rules or find_rules() or rules_folder()
    path = folder / before.ruleset / f"{file_stem(versions, start)}.yaml"
    return Target(path, before, next_after(versions, start))


def refuse_existing(output: Path | None) -> None:
    """Raise PolicyError where a file would be overwritten: a version is never changed."""
    if output is not None and output.is_file():
        hint = "versions are never changed: choose another file"
        problem = Problem("file-exists", "there is such a file already", hint, Place(str(output)))
        raise PolicyError([problem])


def show(text: str, dry_run: bool) -> None:
    """Show what was understood: on stderr, or as the answer where nothing else is asked for."""
    if dry_run:
        write(f"{text}\n", None)
    else:
        say(f"{text}\n")


def told(problems: Sequence[Problem]) -> bool:
    """Whether there are problems, which are told."""
    if problems:
        say(render_problems(problems))
    return bool(problems)


def write_made(text: str, output: Path | None, dry_run: bool) -> None:
    """Write what was made, unless nothing is to be."""
    if not dry_run:
        write(text, output)
        if output is not None:
            say(f"written: {output.as_posix()}")


def say_next(aim: Target, rules: Path | None) -> None:
    """Say what to do with a new version."""
    options = "" if rules is None else f" --rules {rules.as_posix()}"
    say("\n".join(next_steps(aim.path.as_posix(), aim.before, aim.id, options)))
