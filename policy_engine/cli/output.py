"""Where results go: stdout, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import click

from policy_engine.errors import Place, PolicyError, Problem


def write(text: str, output: Path | None) -> None:
    """Write a text as UTF-8, whatever the locale. Raises PolicyError where a file cannot be."""
    content = text.encode("utf-8")
    if output is None:
        click.echo(content, nl=False)
        return
    try:
        _write_file(content, output.resolve())
    except OSError as failure:
        reason = (failure.strerror or "it cannot be written").lower()
        hint = "choose another file, or make its folder"
        problem = Problem("cannot-write", f"not written: {reason}", hint, Place(str(output)))
        raise PolicyError([problem]) from None


def _write_file(content: bytes, path: Path) -> None:
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        path.write_bytes(content)
        return
    made = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        made.write_bytes(content)
        if path.exists():
            made.chmod(stat.S_IMODE(path.stat().st_mode))
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def terminal_columns(output: Path | None) -> int | None:
    """The width of the terminal that a result is drawn on; None where it goes elsewhere."""
    if output is not None or not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size  # slow to import, and seldom needed

    return get_terminal_size().columns


def colour_wanted(output: Path | None) -> bool:
    """Whether results may be coloured: on a terminal that has colours, unless NO_COLOR is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and terminal_columns(output) is not None
