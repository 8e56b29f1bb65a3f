"""Questions in SQL about answers that are made: nothing is decided there."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.dataset

from policy_engine.errors import Place, PolicyError, Problem

TABLE = "results"


class Found(NamedTuple):
    """What a question found: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def check_query(query: str, schema: pa.Schema) -> None:
    """Raise PolicyError for a question that cannot be asked of answers with these columns."""
    _asked(query, schema.empty_table(), schema)


def ask(query: str, files: Sequence[Path], schema: pa.Schema) -> Found:
    """What a question finds in the parts of an answer. Raises PolicyError."""
    paths = [path.as_posix() for path in files]
    held = pa.dataset.dataset(paths, schema=schema, format="ipc")
    return _asked(query, held, schema)


def _asked(query: str, held: Any, schema: pa.Schema) -> Found:
    try:
        import duckdb  # slow to import, and seldom needed
    except ImportError:
        message = "SQL is answered by duckdb, which is not installed"
        hint = "pip install 'policy-engine[portfolio]'"
        raise PolicyError([Problem("needs-extra", message, hint, Place("--sql"))]) from None
    atexit.register(gc.unfreeze)  # what the command froze, duckdb would take for leaks
    try:
        with duckdb.connect(config={"enable_external_access": "false"}) as connection:
            connection.register(TABLE, held)
            found = connection.execute(query)
            columns = tuple(one[0] for one in found.description or ())
            return Found(columns, tuple(found.fetchall()))
    except duckdb.Error as failure:
        raise PolicyError([_bad(failure, schema)]) from None


def _bad(failure: Exception, schema: pa.Schema) -> Problem:
    message = str(failure).partition("\n")[0].partition(": ")[2] or str(failure)
    hint = f"the table is `{TABLE}`; its columns are {', '.join(schema.names)}"
    return Problem("bad-sql", message[:1].lower() + message[1:], hint, Place("--sql"))
