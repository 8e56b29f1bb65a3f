"""Where the rules and schemas that travel with the package are found."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_folder() -> Path:
    """The folder of the shipped rules."""
    return _folder("rules")


def schemas_folder() -> Path:
    """The folder of the shipped JSON Schemas."""
    return _folder("schemas")


def _folder(name: str) -> Path:
    """A folder inside the installed package, else on top of a checkout."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
