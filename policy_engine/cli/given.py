"""The account that a command is asked about: a file or stdin, and what options add to it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from policy_engine.document import read_json, read_text
from policy_engine.document.text import MOST_CHARACTERS
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.numbers import instant
from policy_engine.sources import SOURCES, Part, recognised

STDIN = "-"


@dataclass(frozen=True)
class Given:
    """A snapshot as the command line gives it, and which option or file each field is from."""

    snapshot: Any
    path: str
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def at(self) -> datetime | None:
        """The instant of the facts; None where there is none that can be read."""
        try:
            return instant(self.snapshot["at"])
        except (KeyError, TypeError, ValueError):
            return None

    def file_of(self, problem: Problem) -> str:
        """The file or option that a problem of the snapshot is in."""
        top = re.split(r"[.\[]", problem.place.pointer, maxsplit=1)[0]
        return self.origins.get(top, self.path)


def given_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument SNAPSHOT and its options, as its argument `given`."""
    options = (
        click.argument("snapshot", metavar="SNAPSHOT"),
        click.option(
            "--from",
            "source",
            type=click.Choice(list(SOURCES)),
            help="Whose format SNAPSHOT is in.",
        ),
        click.option("--prices", metavar="FILE", help="Prices for --from."),
        click.option(
            "--set",
            "settings",
            metavar="NAME=VALUE",
            multiple=True,
            help="Set a field, such as region=SG. A VALUE is true, false, null, JSON or text.",
        ),
        click.option("--open-order-loss", metavar="N", help="The total that the exchange states."),
        click.option("--orders", metavar="FILE", help="The open orders, as a snapshot lists them."),
    )

    @functools.wraps(command)
    def with_given(
        *arguments: Any,
        snapshot: str,
        source: str | None,
        prices: str | None,
        settings: tuple[str, ...],
        open_order_loss: str | None,
        orders: str | None,
        **others: Any,
    ) -> Any:
        _refuse_clashes(source, snapshot, prices, orders, open_order_loss)
        values = _settings(settings)
        given = read_given(snapshot, source, prices)
        given = _with_orders(given, orders, open_order_loss)
        given = _with_settings(given, values)
        return command(*arguments, given=given, **others)

    return functools.reduce(lambda made, option: option(made), reversed(options), with_given)


def _refuse_clashes(
    source: str | None,
    snapshot: str,
    prices: str | None,
    orders: str | None,
    open_order_loss: str | None,
) -> None:
    """Raise click.UsageError for options that do not go together."""
    if prices is not None and source is None:
        raise click.UsageError("--prices goes with --from; a snapshot has prices of its own")
    if orders is not None and open_order_loss is not None:
        raise click.UsageError("--orders and --open-order-loss: give one, the other follows")
    if [snapshot, prices, orders].count(STDIN) > 1:
        raise click.UsageError("only one file can be read from stdin (`-`)")


def read_given(path: str, source: str | None = None, prices: str | None = None) -> Given:
    """The snapshot in a file (`-` is stdin), or an account in another format.

    Raises SnapshotError.
    """
    value = read_value(path)
    if source is not None:
        account = Part(value, shown_path(path))
        priced = None if prices is None else Part(read_value(prices), shown_path(prices))
        name = "stdin" if path == STDIN else Path(path).stem
        made = SOURCES[source](account, priced, name)
        return Given(made, shown_path(path), {"prices": shown_path(prices or path)})
    known = recognised(value)
    if known is not None:
        message = f"this is an account in the format of `{known}`, not a snapshot"
        hint = f"add: --from {known} --prices FILE"
        raise SnapshotError([Problem("not-a-snapshot", message, hint, Place(shown_path(path)))])
    return Given(value, shown_path(path))


def _with_orders(given: Given, orders: str | None, loss: str | None) -> Given:
    if orders is None and loss is None:
        return given
    option = "--orders" if loss is None else "--open-order-loss"
    for name in ("open_order_loss", "orders"):
        if isinstance(given.snapshot, dict) and given.snapshot.get(name) is not None:
            message = f"`{name}` is in the account already"
            problem = Problem("given-twice", message, f"leave {option} out", Place(given.path))
            raise SnapshotError([problem])
    if orders is not None:
        return _changed(given, "orders", read_value(orders), shown_path(orders))
    given = _changed(given, "orders", None, option)
    return _changed(given, "open_order_loss", loss, option)


def _changed(given: Given, name: str, value: Any, origin: str) -> Given:
    """The account with another value for a field; what is no object is left as it is."""
    if not isinstance(given.snapshot, dict):
        return given
    return replace(
        given,
        snapshot={**given.snapshot, name: value},
        origins={**given.origins, name: origin},
    )


# --- --set ---------------------------------------------------------------------------------------


def _settings(written: tuple[str, ...]) -> dict[str, Any]:
    """The value of each name. Raises click.BadParameter, and SnapshotError for bad JSON."""
    values: dict[str, Any] = {}
    for setting in written:
        name, equals, text = setting.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"`{setting}` should be NAME=VALUE", param_hint="--set")
        if name in values:
            raise click.BadParameter(f"`{name}` is set twice", param_hint="--set")
        values[name] = _value(name, text)
    return values


def _with_settings(given: Given, values: dict[str, Any]) -> Given:
    for name, value in values.items():
        top, *path = name.split(".")
        held = given.snapshot.get(top) if isinstance(given.snapshot, dict) else None
        given = _changed(given, top, _inside(held, path, value, name), f"--set {name}")
    return given


def _inside(held: Any, path: list[str], value: Any, name: str) -> Any:
    """A value with the one at a path inside it replaced; objects on the way are made."""
    if not path:
        return value
    if held is not None and not isinstance(held, dict):
        message = f"`{name}` names a part of what has no named parts"
        hint = f"set it whole: --set {name.partition('.')[0]}=…, with JSON for a list"
        raise SnapshotError([Problem("unknown-key", message, hint, Place(f"--set {name}"))])
    held = held or {}
    return {**held, path[0]: _inside(held.get(path[0]), path[1:], value, name)}


def _value(name: str, text: str) -> Any:
    if text.startswith(("[", "{")):
        return read_json(text, f"--set {name}")
    return {"true": True, "false": False, "null": None}.get(text, text)


# --- files ---------------------------------------------------------------------------------------


def read_value(path: str) -> Any:
    """The JSON value in a file, or on stdin (`-`). Raises SnapshotError."""
    text = _stdin() if path == STDIN else read_text(Path(path), SnapshotError)
    return read_json(text, shown_path(path))


def shown_path(path: str) -> str:
    """The name that a file is told by."""
    return "stdin" if path == STDIN else path


def _stdin() -> str:
    """The text on stdin; one too long is cut, which the reader of JSON then refuses."""
    content = sys.stdin.buffer.read(4 * MOST_CHARACTERS + 1)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        problem = Problem("not-utf8", "this is not UTF-8", "pipe UTF-8 text in", Place("stdin"))
        raise SnapshotError([problem]) from None
