"""The command line, `policy-engine`: one thin module for each command, loaded when it is called."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from policy_engine.__about__ import ENGINE
from policy_engine.cli.shared import Asked, asked_options, say
from policy_engine.errors import PolicyError, did_you_mean
from policy_engine.render.problems import render

COMMANDS: Mapping[str, str] = {
    "decide": "What the rules in force decide of an account.",
    "explain": "Why a figure of a decision is what it is.",
    "request": "Whether the rules permit what an account asks for.",
    "limit": "The most that the rules permit an account.",
    "whatif": "What the rules would decide of an account if it were otherwise.",
    "log": "Decisions recorded so that what was decided can be proved.",
    "history": "The versions of each ruleset: past, in force, announced.",
    "check": "What is wrong with the rule files.",
    "diff": "What changed between two states of the rules.",
    "gitdiff": "What changed in one rule file, for `git diff` to show.",
    "book": "The rule book: the rules in force, to read and to print.",
    "impact": "What a change of the rules does to a book of accounts.",
    "portfolio": "A whole book of accounts decided, from file to file.",
    "test": "Whether the cases come out as they say.",
    "new": "A new version of a ruleset, from the one in force.",
    "fmt": "Rule files laid out one way, the meaning unchanged.",
    "export": "Tiers and rows as CSV, or as an exchange's own JSON.",
    "import": "Responses of an exchange's API as a new rule file, or as prices.",
}
"""Each command with one line on it; it is the function of its name in the module of its name, with
`_` at the end where the name is a word of Python."""

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


class _Commands(click.Group):
    """The commands of the table, of which only the one called is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            hint = did_you_mean(cmd_name, COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command `{cmd_name}`; {hint}", ctx)
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = import_module(f"{__name__}.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done; 1 the answer is no; 2 the question or its input cannot be used;"
    " 3 cannot be told.",
)
@click.version_option(ENGINE, prog_name="policy-engine", message="%(prog)s %(version)s")
@asked_options
@click.pass_context
def commands(ctx: click.Context, asked: Asked) -> None:
    """Decide accounts under dated rules. Without a command: the rules in force."""
    if ctx.invoked_subcommand is None:
        from policy_engine.cli.home import home

        home(asked)
    elif asked != Asked():
        message = f"write options after the command: policy-engine {ctx.invoked_subcommand} …"
        raise click.UsageError(message, ctx)


def main() -> None:
    """Run the command line and leave with its exit status."""
    gc.freeze()  # modules stay until the end: no collection need look at them
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has enough ends us quietly
    status = run(sys.argv[1:])
    gc.freeze()  # nor what was made: it all ends here
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """The exit status of a command line, after its results and its talk have been written."""
    try:
        status: Any = commands.main(list(arguments), "policy-engine", standalone_mode=False)
    except PolicyError as error:
        say(render(error.problems))
        return BAD_INPUT
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return status if isinstance(status, int) else DONE
