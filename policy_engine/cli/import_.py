"""`policy-engine import`: responses of an exchange's API as a new rule file, or as prices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from policy_engine.checks import findings
from policy_engine.cli.given import read_value, shown_path
from policy_engine.cli.output import write
from policy_engine.cli.shared import (
    Asked,
    find_rules,
    moment,
    output_option,
    placed,
    rules_option,
    say,
)
from policy_engine.document import read_text
from policy_engine.errors import Place, PolicyError, Problem, RulesError
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.imported import in_force_text, next_steps, render
from policy_engine.render.layout import Page
from policy_engine.render.problems import render as render_problems
from policy_engine.render.yaml import to_yaml
from policy_engine.rulebook import Rulebook, rule_texts
from policy_engine.shipped import rules_folder
from policy_engine.sources import Part
from policy_engine.sources.imports import IMPORTS
from policy_engine.sources.understood import ACCEPTABLE, OfPrices, Terms

WRITTEN, NOT_WRITTEN = 0, 1
_FOR_EDITORS = "# yaml-language-server:"


@dataclass(frozen=True)
class _Target:
    """Where a new version goes to, and the versions around it."""

    path: Path
    before: Version
    after: Version | None

    @property
    def id(self) -> str:
        """The id of the new version."""
        return f"{self.before.ruleset}@{self.path.stem}"


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--from",
    "source",
    type=click.Choice(list(IMPORTS)),
    required=True,
    help="Whose responses these are.",
)
@rules_option
@click.option(
    "--effective-from", metavar="T", type=moment, help="From when the figures apply (for rules)."
)
@click.option(
    "--announced-at", metavar="T", type=moment, help="When they were made known, if that is known."
)
@click.option(
    "--fetched-on", metavar="DAY", type=moment, help="The day of the responses. Default: today."
)
@click.option(
    "--accept",
    "accepted",
    metavar="CODE",
    multiple=True,
    type=click.Choice(list(ACCEPTABLE)),
    help="Take the responses in spite of findings of this code; the file notes them."
    f" Codes: {', '.join(ACCEPTABLE)}.",
)
@click.option("--dry-run", is_flag=True, help="Show what was understood, on stdout; write nothing.")
@output_option
def import_(
    files: tuple[str, ...],
    source: str,
    rules: Path | None,
    effective_from: datetime | None,
    announced_at: datetime | None,
    fetched_on: datetime | None,
    accepted: tuple[str, ...],
    dry_run: bool,
    output: Path | None,
) -> int:
    """Responses of an exchange's API as a new version of a ruleset, or as a file of prices.

    Each FILE holds the body of a response as it came, all of one kind; what kind is told by its
    keys. What was understood is shown first; nothing is written where a finding is left, or where
    the rules with the new file would not pass `check`. It ends with 1 then.
    """
    parts = [Part(read_value(path), shown_path(path)) for path in files]
    kind = IMPORTS[source](parts)
    if isinstance(kind, OfPrices):
        if effective_from or announced_at:
            raise click.UsageError("these are prices: they take effect when they are used")
        made = kind.prices(parts)
        _show(render(made.understanding, Page()), dry_run)
        _write(_json(made.document), output, dry_run)
        return WRITTEN
    if effective_from is None:
        raise click.UsageError("say from when these rules are in force: --effective-from T")
    _refuse_existing(output)
    target = _target(kind.ruleset, Asked(rules=rules), effective_from)
    terms = Terms(effective_from, announced_at, _day(fetched_on), frozenset(accepted))
    made = kind.version(parts, target.before, terms)
    in_force = in_force_text(effective_from, target.before, target.after)
    _show(render(made.understanding, Page(), in_force), dry_run)
    text = to_yaml(made.document, _first_line(target.before))
    if made.understanding.findings or _told(_problems(target, text)):
        say("nothing is written")
        return NOT_WRITTEN
    _write(text, output, dry_run)
    options = "" if rules is None else f" --rules {rules.as_posix()}"
    say("\n".join(next_steps(target.path.as_posix(), target.before, target.id, options)))
    return WRITTEN


def _day(fetched_on: datetime | None) -> str:
    """The day of the responses: the one given, else today, which stderr says."""
    day = f"{fetched_on or datetime.now(UTC):%Y-%m-%d}"
    if fetched_on is None:
        say(f"fetched on: {day}, today (choose another day with --fetched-on)")
    return day


# --- where it goes -------------------------------------------------------------------------------


def _target(ruleset: str, asked: Asked, start: datetime) -> _Target:
    """Where the new version goes to, and the versions around it. Raises RulesError."""
    book = asked.rulebook()
    with placed(lambda _: "--effective-from"):
        before = _before(book, ruleset, start)
    versions = book.rulesets[before.ruleset]
    later = [version for version in versions if version.effective_from > start]
    after = min(later, key=lambda version: version.effective_from, default=None)
    folder = asked.rules or find_rules() or rules_folder()
    stem = _stem(versions, start)
    return _Target(folder / before.ruleset / f"{stem}.yaml", before, after)


def _stem(versions: Sequence[Version], start: datetime) -> str:
    """The name of a file after its day, or its hour where the day has one. Raises RulesError."""
    taken = {version.id.partition("@")[2] for version in versions}
    for name in (f"{start:%Y-%m-%d}", f"{start:%Y-%m-%dT%H}"):
        if name not in taken:
            return name
    message = f"a version of `{versions[0].ruleset}` takes effect in this very hour"
    hint = "files are named after the hour at the closest: choose another one"
    raise RulesError([Problem("two-versions", message, hint, Place("--effective-from"))])


def _before(book: Rulebook, ruleset: str, start: datetime) -> Version:
    """The version that the new one follows. Raises RulesError."""
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


def _refuse_existing(output: Path | None) -> None:
    """Raise PolicyError where a file would be overwritten: a version is never changed."""
    if output is not None and output.is_file():
        hint = "versions are never changed: choose another file"
        problem = Problem("file-exists", "there is such a file already", hint, Place(str(output)))
        raise PolicyError([problem])


def _first_line(before: Version) -> str:
    """The line that tells editors of the schema, where the version before has one."""
    first = read_text(Path(before.path)).partition("\n")[0]
    return first if first.startswith(_FOR_EDITORS) else ""


# --- writing -------------------------------------------------------------------------------------


def _problems(target: _Target, text: str) -> tuple[Problem, ...]:
    """What `check` would find in the rules with the new file."""
    texts = rule_texts(target.path.parent.parent)
    try:
        return tuple(findings(Rulebook([*texts, (target.path.as_posix(), text)])))
    except RulesError as error:
        return error.problems


def _show(text: str, dry_run: bool) -> None:
    """Show what was understood: on stderr, or as the answer where nothing else is asked for."""
    if dry_run:
        write(f"{text}\n", None)
    else:
        say(f"{text}\n")


def _json(prices: Mapping[str, Any]) -> str:
    return json.dumps(prices, indent=2, ensure_ascii=False) + "\n"


def _told(problems: Sequence[Problem]) -> bool:
    """Whether there are problems, which are told."""
    if problems:
        say(render_problems(problems))
    return bool(problems)


def _write(text: str, output: Path | None, dry_run: bool) -> None:
    if not dry_run:
        write(text, output)
        if output is not None:
            say(f"written: {output.as_posix()}")
