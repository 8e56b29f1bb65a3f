"""What commands share: which rules, of which instant, and where the answer goes."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from policy_engine.cli.output import write
from policy_engine.errors import Place, PolicyError, Problem, RulesError
from policy_engine.numbers import day_or_instant, instant_text
from policy_engine.rulebook import Rulebook
from policy_engine.rules import Rules
from policy_engine.shipped import rules_folder

TEXT, JSON = "text", "json"

_RULESET = re.compile(rb"""^["']?ruleset["']?[ \t]*:""", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """The options that every command takes."""

    rules: Path | None = None
    at: datetime | None = None
    known_at: datetime | None = None
    format: str = TEXT
    output: Path | None = None

    def rulebook(self, full: bool = False) -> Rulebook:
        """The rules asked for, else those found here or above, else the shipped ones.

        `full`: also files recorded as sound are checked. Raises RulesError. Says on stderr which
        rules these are, unless they are the shipped ones.
        """
        folder = self.rules if self.rules is not None else find_rules()
        if folder is not None and not holds_rules(folder):
            raise RulesError([_no_rules(folder)])
        if folder is not None and folder.resolve() != rules_folder().resolve():
            say(f"rules: {folder.as_posix()}")
        return Rulebook.load(folder, full=full)

    def in_force(self, book: Rulebook, otherwise: datetime | None = None) -> Rules:
        """The rules at the instant asked for, else at `otherwise`, else now, which stderr says."""
        moment = self.moment(otherwise)
        with placed(lambda _: "--at"):
            return book.in_force(moment, self.known_at)

    def moment(self, otherwise: datetime | None = None) -> datetime:
        """The instant asked for, else `otherwise`, else now, which stderr says."""
        if (asked := self.at or otherwise) is not None:
            return asked
        now = datetime.now(UTC).replace(microsecond=0)
        say(f"at: {instant_text(now)}, now (choose another instant with --at)")
        return now

    def answer(self, text: str) -> None:
        """Write a result, ending in a newline, to stdout or to the file asked for."""
        write(text if text.endswith("\n") else f"{text}\n", self.output)


def moment(text: str | datetime) -> datetime:
    """The instant that an option names. Raises click.BadParameter."""
    try:
        return text if isinstance(text, datetime) else day_or_instant(text)
    except ValueError:
        hint = "write a day such as 2025-02-01, or an instant such as 2025-02-01T12:00:00Z"
        message = f"`{text}` is not an instant with a zone; {hint}"
        raise click.BadParameter(message) from None


def check_columns(what: str, place: Place | None = None) -> None:
    """Raise PolicyError where numpy or pyarrow is missing; `what` says what needs them."""
    try:
        import_module("numpy")
        import_module("pyarrow")
    except ImportError:
        message = f"{what} with numpy and pyarrow, which are not installed"
        hint = "pip install 'policy-engine[portfolio]'"
        raise PolicyError([Problem("needs-extra", message, hint, place or Place())]) from None


def _file(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """The file to write; None for stdout."""
    return None if str(path) == "-" else path


rules_option = click.option(
    "--rules",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of rules. Default: `rules/` here or above, else the shipped ones.",
)
at_option = click.option(
    "--at", metavar="T", type=moment, help="Rules in force at a day or instant."
)
known_at_option = click.option(
    "--known-at", metavar="T", type=moment, help="As far as announced by then."
)
format_option = click.option(
    "--format", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True
)
output_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=_file,
    help="Write the result to a file, whole or not at all. Default, or `-`: stdout.",
)


def asked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options, as its argument `asked`."""
    options = (rules_option, at_option, known_at_option, format_option, output_option)

    @functools.wraps(command)
    def with_asked(
        *arguments: Any,
        rules: Path | None,
        at: datetime | None,
        known_at: datetime | None,
        format: str,
        output: Path | None,
        **others: Any,
    ) -> Any:
        asked = Asked(rules, at, known_at, format, output)
        return command(*arguments, asked=asked, **others)

    return functools.reduce(lambda made, option: option(made), reversed(options), with_asked)


def say(text: str) -> None:
    """Tell the person something that is no result, on stderr."""
    click.echo(text, err=True)


@contextmanager
def placed(path_of: Callable[[Problem], str]) -> Iterator[None]:
    """Inside, problems without a file get the file or option that `path_of` gives."""
    try:
        yield
    except PolicyError as error:
        raise type(error)(_placed(problem, path_of) for problem in error.problems) from None


def _placed(problem: Problem, path_of: Callable[[Problem], str]) -> Problem:
    if problem.place.path is not None:
        return problem
    return replace(problem, place=replace(problem.place, path=path_of(problem)))


# --- folders of rules -----------------------------------------------------------------------------


def find_rules() -> Path | None:
    """The nearest `rules/` here or above that holds rules, as a path from here."""
    here = Path.cwd()
    for up, folder in enumerate((here, *here.parents)):
        if holds_rules(folder / "rules"):
            return Path(*[".."] * up, "rules")
    return None


def holds_rules(folder: Path) -> bool:
    """Whether a folder has a file `*/*.yaml` with the key `ruleset`."""
    return os.path.isdir(folder) and any(map(_is_ruleset, folder.glob("*/*.yaml")))


def _is_ruleset(path: Path) -> bool:
    try:
        return _RULESET.search(path.read_bytes()) is not None
    except OSError:
        return False


def _no_rules(folder: Path) -> Problem:
    if not os.path.isdir(folder):
        return Problem("no-rules", "there is no such folder", "check the path", Place(str(folder)))
    hint = "name a folder that holds `<ruleset>/<date>.yaml` files with a `ruleset:` key"
    return Problem("no-rules", "there are no rule files here", hint, Place(str(folder)))
