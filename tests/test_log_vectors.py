"""The vectors of RFC 6962 and RFC 8785, where the founders' folder is there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine.log import is_extension, is_included
from policy_engine.log.canonical import NotCanonical, canonical, is_canonical

CORPORA = Path(__file__).resolve().parents[2] / "shared/data/corpora"
TREES, TEXTS = CORPORA / "rfc6962-merkle/testdata", CORPORA / "jcs-rfc8785/testdata"


def vectors(kind: str) -> Iterator[dict[str, Any]]:
    """The vectors of inclusion or of consistency; they are skipped where there are none."""
    if not TREES.is_dir():
        pytest.skip("the vectors of RFC 6962 are not here")
    for path in sorted((TREES / kind).rglob("*.json")):
        yield json.loads(path.read_text())


def test_proofs_of_inclusion() -> None:
    found = list(vectors("inclusion"))
    assert len(found) > 50
    for one in found:
        leaf, root, *proof = map(
            base64.b64decode, (one["leafHash"], one["root"], *(one["proof"] or ()))
        )
        held = is_included(leaf, one["leafIdx"], one["treeSize"], root, proof)
        assert held is not one["wantErr"], one


def test_proofs_of_consistency() -> None:
    found = list(vectors("consistency"))
    assert len(found) > 50
    for one in found:
        old, new, *proof = map(
            base64.b64decode, (one["root1"], one["root2"], *(one["proof"] or ()))
        )
        held = is_extension(one["size1"], one["size2"], old, new, proof)
        assert held is not one["wantErr"], one


def whole(text: str) -> Any:
    """A number that is whole, however it is written; canonical JSON here has no others."""
    number = Decimal(text)
    return int(number) if number == int(number) else number


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_canonical_bytes(name: str) -> None:
    if not TEXTS.is_dir():
        pytest.skip("the vectors of RFC 8785 are not here")
    given = json.loads((TEXTS / f"input/{name}.json").read_bytes(), parse_float=whole)
    expected = bytes.fromhex((TEXTS / f"outhex/{name}.txt").read_text())
    if name == "values":  # its numbers are floats, which records have none of
        with pytest.raises(NotCanonical):
            canonical(given)
        assert not is_canonical(expected)
        del given["numbers"]
        expected = expected.replace(
            expected[expected.index(b'"numbers"') : expected.index(b'"string"')], b""
        )
    assert canonical(given) == expected
    assert is_canonical(expected)


NOT_CANONICAL = (
    *('{"b":1,"a":2}', '{"a": 1}', '{"a":1,"a":1}', '{"\\ufb33":1}', '{"\ufb33":2,"😂":1}'),
    *('"\\u0061"', '"\\/"', '"\\ud800"', "1.0", "1e3", "-0", "9007199254740993", "NaN"),
    *("[1,]", "", "[" * 100_000),
)


@pytest.mark.parametrize("text", NOT_CANONICAL, ids=range(len(NOT_CANONICAL)))
def test_what_is_not_canonical(text: str) -> None:
    assert not is_canonical(text.encode())


@pytest.mark.parametrize(
    "text", ['{"😂":1,"\ufb33":2}', "9007199254740991", "-1", '"\\u001f\\n\\"\\\\/"', "{}", "null"]
)
def test_what_is_canonical(text: str) -> None:
    assert is_canonical(text.encode())
