"""The formats of books and of their answers, told by the end of a file's name."""

from __future__ import annotations

from pathlib import Path

from policy_engine.errors import Place, PolicyError, Problem, did_you_mean

PARQUET, ARROW, CSV, JSONL = "parquet", "arrow", "csv", "jsonl"
FORMATS = (PARQUET, ARROW, CSV, JSONL)
ENDINGS = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".arrow": ARROW,
    ".arrows": ARROW,
    ".feather": ARROW,
    ".ipc": ARROW,
    ".csv": CSV,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
}


def format_of(name: str, option: str) -> str:
    """The format of a file by the end of its name; `option` names it otherwise.

    Raises PolicyError.
    """
    ending = Path(name).suffix.lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    said = f"the end of its name, `{ending}`, tells" if ending else "its name tells"
    near = did_you_mean(ending, ENDINGS) if ending else None
    hint = near or f"name one with {option}: {', '.join(FORMATS)}"
    problem = Problem("unknown-format", f"{said} no format of tables", hint, Place(name))
    raise PolicyError([problem])
