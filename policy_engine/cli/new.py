"""`policy-engine new`: a new version of a ruleset, from the one in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from policy_engine.authoring.place import (
    corrected,
    correction_stem,
    file_stem,
    follows,
    next_after,
)
from policy_engine.authoring.scaffold import Heading, scaffold
from policy_engine.cli.output import write
from policy_engine.cli.shared import Asked, find_rules, moment, placed, rules_option, say
from policy_engine.document import read_text
from policy_engine.errors import Place, Problem, RulesError, did_you_mean
from policy_engine.model import Version
from policy_engine.numbers import instant_text
from policy_engine.render.imported import in_force_text
from policy_engine.rulebook import Rulebook
from policy_engine.versions.held import announced

FROM, ANNOUNCED = "--from", "--announced"


@click.command()
@click.argument("ruleset", metavar="RULESET")
@click.option(
    FROM, "start", metavar="T", type=moment, required=True, help="From when it is in force."
)
@click.option(
    ANNOUNCED, "announced_at", metavar="T", type=moment, help="When it was made known, if it is."
)
@click.option("--summary", metavar="TEXT", default="", help="What it changes, in a sentence.")
@click.option(
    "--corrects",
    metavar="REASON",
    help="It corrects the version that takes effect at the very instant of --from: what was wrong.",
)
@rules_option
def new(
    ruleset: str,
    start: datetime,
    announced_at: datetime | None,
    summary: str,
    corrects: str | None,
    rules: Path | None,
) -> int:
    """A new version of a ruleset: the text of the one in force, under a heading of its own.

    Comments and layout are kept. The file is named after its day, and none is overwritten; its
    path is the answer, what to do next is told on stderr.
    """
    folder = _folder(rules)
    book = Asked(rules=folder).rulebook()
    _refuse_unknown(book, ruleset)
    heading = Heading(start, announced_at, summary, corrects)
    made = _corrected(book, ruleset, heading) if corrects else _following(book, ruleset, heading)
    path = folder / ruleset / f"{made.stem}.yaml"
    if path.exists():
        hint = "versions are never changed: choose another instant"
        place = Place(path.as_posix())
        raise RulesError([Problem("file-exists", "there is such a file already", hint, place)])
    write(scaffold(read_text(Path(made.before.path)), heading), path)
    click.echo(path.as_posix())
    options = "" if rules is None else f" --rules {rules.as_posix()}"
    say("\n".join([made.told, *_next_steps(path, made, heading, options)]))
    return 0


@dataclass(frozen=True)
class _Made:
    """The name of the new file, the version it is made from, and when it is in force."""

    stem: str
    before: Version
    told: str


def _following(book: Rulebook, ruleset: str, heading: Heading) -> _Made:
    with placed(lambda _: FROM):
        before = follows(book, ruleset, heading.effective_from)
    versions, start = book.rulesets[ruleset], heading.effective_from
    told = in_force_text(start, before, next_after(versions, start))
    return _Made(file_stem(versions, start, FROM), before, f"in force {told}")


def _corrected(book: Rulebook, ruleset: str, heading: Heading) -> _Made:
    with placed(lambda _: FROM):
        before = corrected(book, ruleset, heading.effective_from)
    known = heading.announced_at
    if known is None or known <= announced(before):
        earliest = before.announced_at
        than = f", after {instant_text(earliest)}" if earliest else ""
        message = f"a correction of `{before.id}` says when it was made known{than}"
        hint = f"add {ANNOUNCED} with the instant of the correction"
        raise RulesError([Problem("announced-too-early", message, hint, Place(ANNOUNCED))])
    told = f"corrects {before.id}, as known from {instant_text(known)} on"
    return _Made(correction_stem(book.rulesets[ruleset], before), before, told)


def _folder(rules: Path | None) -> Path:
    """The folder to write to: the one asked for, else the one found here or above."""
    folder = rules or find_rules()
    if folder is None:
        hint = "copy the rules here as `rules/`, or name their folder with --rules DIR"
        raise RulesError([Problem("no-rules", "there is no `rules/` here or above", hint)])
    return folder


def _refuse_unknown(book: Rulebook, ruleset: str) -> None:
    if ruleset not in book.rulesets:
        known = ", ".join(f"`{name}`" for name in book.rulesets)
        hint = did_you_mean(ruleset, book.rulesets) or f"rulesets: {known}"
        message = f"there is no ruleset `{ruleset}`"
        raise RulesError([Problem("unknown-ruleset", message, hint, Place("RULESET"))])


def _next_steps(path: Path, made: _Made, heading: Heading, options: str) -> list[str]:
    """What to edit and to run."""
    name = f"{path.parent.name}@{path.stem}"
    todo = [] if heading.summary else ["`summary`, which is empty: what this version changes"]
    if heading.announced_at is None:
        todo.append("`announced_at`: when this was made known; `null` counts as known all along")
    if made.before.completes_within is not None:
        todo.append("`completes_within`, which is left out, if this takes its time too")
    todo.append("what changes, with its `citation`, and the document under `sources`")
    return [
        f"edit {path.as_posix()}:",
        *(f"  {one}" for one in todo),
        "then go on with",
        f"  policy-engine check{options}",
        f"  policy-engine diff {made.before.id} {name}{options}",
    ]
