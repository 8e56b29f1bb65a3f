"""A record that calls a file sound which is not: the file is refused as without a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy_engine import Rulebook
from policy_engine.errors import RulesError
from policy_engine.stamps import STAMPS, _seal, text_digest

SOUND = """\
ruleset: small
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: Small.
applies_when: mode == "pro"
sources: {}
inputs: {account: {mode: {type: text}}}
statuses: {fine: {title: Fine}}
"""
FORGED = {
    "too-deep": "[" * 100_000 + "]" * 100_000,
    "too-deep, in braces": "{a: " * 5_000 + "b" + "}" * 5_000,
    "too-deep, in dashes": "- " * 50_000 + "a",
    "too-deep, in keys": "\n".join(" " * n + "a:" for n in range(1_500)),
    "anchor": "a: &a [x]\nb: [*a, *a]",
    "wrong-type": "x",
    "wrong-type, a list": "- a",
    "empty-document": "",
    "tag": "!!python/object/apply:os.system [ls]",
    "bad-yaml": "a: [",
    "missing-key": "a: 1",
    "bad-key": "? [a]\n: b",
}
"""What the files hold, by the code of the refusal."""


@pytest.mark.parametrize("expected", FORGED)
def test_a_forged_record_vouches_for_nothing(expected: str, tmp_path: Path) -> None:
    path = tmp_path / "small" / "2025-01-01.yaml"
    path.parent.mkdir()
    path.write_text(SOUND, encoding="utf-8")
    record = json.loads(Rulebook.load(tmp_path).record())
    path.write_text(FORGED[expected], encoding="utf-8")
    record["versions"]["small@2025-01-01"]["text"] = text_digest(FORGED[expected])
    record["seal"] = _seal(record["versions"])
    (tmp_path / STAMPS).write_text(json.dumps(record), encoding="utf-8")
    snapshot = {"account": "A-1", "mode": "pro", "assets": []}
    with pytest.raises(RulesError) as refused:
        Rulebook.load(tmp_path).in_force("2025-02-01").decide(snapshot)
    assert expected.partition(",")[0] in {problem.code for problem in refused.value.problems}
