"""Changes of an account as options of the command line write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import click

from policy_engine.cli.shared import moment
from policy_engine.document import Pointer
from policy_engine.document.text import pointer_text
from policy_engine.errors import Place
from policy_engine.numbers import BadNumber, number
from policy_engine.scenario import Scenario, Shift, shift

_OPTIONS = {"prices": "--price", "requests": "--request", "set": "--compare"}


def place_of(pointer: Pointer, key: bool = False) -> Place:
    """The option that a part of a scenario was given by."""
    option = _OPTIONS.get(str(pointer[0]) if pointer else "", "")
    if option == "--request":
        return Place(f"{option} {pointer[2]}", pointer=pointer_text(pointer[3:]))
    return Place(option, pointer=pointer_text(pointer[1:]))


def shifts(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> Any:
    """The price changes of `--price`. Raises click.BadParameter."""
    found: dict[str, Shift] = {}
    for one in written:
        key, equals, change = one.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"`{one}` should be ASSET=CHANGE, such as BTC=-20%")
        if key in found:
            raise click.BadParameter(f"`{key}` is given twice")
        try:
            found[key] = shift(change)
        except BadNumber as bad:
            raise click.BadParameter(f"{one}: {bad.message}; {bad.hint}") from None
    return found


def requests(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> Any:
    """The requests of `--request`. Raises click.BadParameter."""
    return tuple(_request(one) for one in written)


def _request(written: str) -> tuple[str, Mapping[str, str]]:
    name, *parts = written.split() or [""]
    if not name or "=" in name:
        raise click.BadParameter(f"`{written}` should begin with the name of a request")
    return name, fields(parts)


def fields(parts: Iterable[str]) -> dict[str, str]:
    """What NAME=VALUE parts say. Raises click.BadParameter."""
    fields: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"`{part}` should be NAME=VALUE")
        if name in fields:
            raise click.BadParameter(f"`{name}` is given twice")
        fields[name] = value
    return fields


def settings(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> Any:
    """The settings of `--compare`. Raises click.BadParameter."""
    return tuple(
        Scenario(one, settings=_worded(fields(one.split())), place=place_of) for one in written
    )


def _worded(fields: Mapping[str, str]) -> dict[str, Any]:
    words = {"true": True, "false": False, "null": None}
    return {name: words.get(value, value) for name, value in fields.items()}


def percent(ctx: click.Context, param: click.Parameter, written: str) -> Decimal:
    """A percentage, with its sign or without. Raises click.BadParameter."""
    try:
        value = number(written.removesuffix("%"))
    except BadNumber as bad:
        raise click.BadParameter(f"{bad.message}; {bad.hint}") from None
    if value <= -100:
        raise click.BadParameter(f"at {written}% nothing is left of a price; stay above -100")
    return value


def moments(ctx: click.Context, param: click.Parameter, written: tuple[str, ...]) -> Any:
    """The instants of `--also-at`. Raises click.BadParameter."""
    return tuple(moment(one) for one in written)
