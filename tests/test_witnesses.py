"""Boundary witnesses: at the old and the new edge of a test that changed, both rules decide so.

The files `witnesses/golden/*.txt` hold a command, what it prints and how it ends.
`UPDATE_GOLDEN=1 pytest` writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine import Rulebook, Rules
from policy_engine.cli import run
from policy_engine.diff import Changes, compare
from policy_engine.numbers import plain
from policy_engine.witnesses import Boundary, Told, Witness, witnesses

FOLDER = Path(__file__).parent / "witnesses"
GOLDEN = sorted((FOLDER / "golden").glob("*.txt"))
LENDING = "lending/2025-01-01.yaml"
TEXTS = {side: (FOLDER / side / LENDING).read_text(encoding="utf-8") for side in ("old", "new")}
AT = "2025-06-01T00:00:00Z"
SHIPPED = Rulebook.load()
CHANGES = {
    "pro-update": ("2025-01-21T09:59:00Z", "2025-01-21T10:00:00Z"),
    "split": ("2026-01-21T12:59:00Z", "2026-01-21T13:00:00Z"),
    "haircuts": ("2023-01-11", "2023-01-12"),
    "ranks": ("2025-11-06", "2025-11-08"),
}


def of_texts(old: str, new: str) -> tuple[Rules, Rules, tuple[Boundary, ...]]:
    """Both rules, and the witnesses of what changed between two texts of one file."""
    sides = [Rulebook([(LENDING, text)]).in_force(AT) for text in (old, new)]
    changes = compare(*(side.versions.values() for side in sides))
    return sides[0], sides[1], witnesses(sides[0], sides[1], changes)


def all_of(found: tuple[Boundary, ...]) -> Iterator[tuple[Boundary, Witness]]:
    yield from ((one, witness) for one in found for witness in one.witnesses)


def decides(rules: Rules, one: Boundary, witness: Witness, told: Told) -> None:
    """That rules decide on a witness, read from its JSON, as they are said to."""
    snapshot = json.loads(json.dumps(witness.snapshot))
    decision = rules.decide(snapshot)
    permitted = {name: ruling.permitted for name, ruling in decision.permissions.items()}
    assert told.status == decision.status
    assert {*told.refused} == {name for name, one in permitted.items() if one is False}
    assert {*told.untold} == {name for name, one in permitted.items() if one is None}
    if told.figure is not None and one.figure in decision.values:
        assert told.figure == decision.values[one.figure]
    kind, _, rule = one.tested.partition(".")
    if kind == "requests" and told.figure is not None:
        answer = rules.request(snapshot, rule.partition(".")[0], **witness.given)
        assert told.permitted == answer.permitted
    if kind == "status" and told.figure is not None and told.limit is not None:
        assert rule not in [reason.rule for reason in decision.reasons] or decision.status == rule


def at_edges(one: Boundary) -> None:
    """That what is tested is on the limit at an edge, and not a step beside it."""
    for witness in one.witnesses:
        for side, told in (("old", witness.old), ("new", witness.new)):
            if one.tested.startswith(("status", "permissions", "requests")):
                if witness.side == "at" and witness.edge in (side, "both"):
                    assert told.figure == told.limit
                elif witness.edge == side and not one.exact:
                    assert told.figure != told.limit


@cache
def shipped(name: str) -> tuple[Changes, tuple[Boundary, ...]]:
    changes = SHIPPED.diff(*CHANGES[name])
    old, new = (SHIPPED.in_force(at) for at in CHANGES[name])
    return changes, witnesses(old, new, changes)


@pytest.mark.parametrize("name", CHANGES)
def test_each_witness_is_decided_by_both_rules_as_told(name: str) -> None:
    old, new = (SHIPPED.in_force(at) for at in CHANGES[name])
    found = shipped(name)[1]
    for one, witness in all_of(found):
        decides(old, one, witness, witness.old)
        decides(new, one, witness, witness.new)
        at_edges(one)
    assert sum(one.differing for one in found) >= len(found) // 2 > 0


def test_every_change_that_rules_can_test_has_witnesses_or_a_reason() -> None:
    for name in CHANGES:
        changes, found = shipped(name)
        met = {change for one in found for change in (*one.changes, *one.alike)}
        kinds = ("parameter", "row", "tier", "status", "refusal")
        kept = [c for c in changes.changes if c.kind in kinds and c.action == "changed"]
        assert {change.id for change in kept if change.significance > 1} <= met
        assert all(bool(one.witnesses) != bool(one.reason) for one in found)


def test_a_move_of_rank_is_shown_on_an_account_that_holds_the_asset() -> None:
    moved = [one for one in shipped("ranks")[1] if "/rows/" in one.changes[0] and one.witnesses]
    assert moved
    for one in moved:
        key = one.changes[0].rpartition("/")[2]
        assert all(key in str(witness.snapshot["assets"]) for witness in one.witnesses)
        assert one.differing


# --- laws ----------------------------------------------------------------------------------------

limits = st.decimals("0.01", "99", places=2, allow_nan=False, allow_infinity=False)


def with_limit(limit: Decimal, sign: str) -> str:
    text = TEXTS["old"].replace("value: 1.5,", f"value: {plain(limit)},")
    return text.replace("when: cover < enough_cover", f"when: cover {sign} enough_cover")


@settings(max_examples=30, deadline=None)
@given(limits, limits, st.sampled_from(["<", "<="]), st.sampled_from(["<", "<="]))
def test_a_moved_threshold_has_a_witness_that_tells_old_from_new(
    first: Decimal, second: Decimal, sign: str, other: str
) -> None:
    old, new, found = of_texts(with_limit(first, sign), with_limit(second, other))
    of_status = [one for one in found if one.tested == "status.called"]
    if (first, sign) == (second, other):
        assert found == ()
        return
    (one,) = of_status
    assert one.differing
    at_edges(one)
    for witness in one.witnesses:
        decides(old, one, witness, witness.old)
        decides(new, one, witness, witness.new)
        figure = witness.old.figure
        assert isinstance(figure, Decimal)
        held = (_holds(figure, first, sign), _holds(figure, second, other))
        assert witness.differs == (held[0] != held[1])


def _holds(figure: Decimal, limit: Decimal, sign: str) -> bool:
    return figure <= limit if sign == "<=" else figure < limit


@settings(max_examples=25, deadline=None)
@given(st.integers(1001, 9_000), st.integers(1001, 9_000))
def test_a_moved_edge_of_a_tier_is_met_exactly(first: int, second: int) -> None:
    texts = [TEXTS["old"].replace("{to: 5000", f"{{to: {edge}") for edge in (first, second)]
    _, _, found = of_texts(*texts)
    if first == second:
        assert found == ()
        return
    (one,) = found
    assert one.exact
    values = {(witness.edge, witness.side): witness.value for witness in one.witnesses}
    assert values["old", "at"] == first
    assert values["new", "at"] == second
    assert values["old", "above"] - first == first - values["old", "below"] == one.step


def test_the_same_rules_have_no_witnesses() -> None:
    assert of_texts(TEXTS["old"], TEXTS["old"])[2] == ()


def test_an_edge_that_no_input_can_meet_is_told_to_be_near() -> None:
    """70% of what is held covers 1.5 or 1.3 times a round debt at no amount or price."""
    text = TEXTS["old"].replace(
        "slices(weight, grade(asset), free * price)", "free * price * idle_rate"
    )
    text = text.replace("value: 1%", "value: 70%")
    _, _, found = of_texts(text, text.replace("value: 1.5,", "value: 1.3,"))
    one = next(one for one in found if one.tested == "status.called")
    assert (one.exact, one.step) == (False, Decimal("1e-18"))
    edges = [(w.edge, w.side) for w in one.witnesses]
    assert sorted(edges) == [("new", "above"), ("new", "below"), ("old", "above"), ("old", "below")]
    for edge in ("old", "new"):
        pair = [w for w in one.witnesses if w.edge == edge]
        assert abs(pair[1].value - pair[0].value) == one.step
        figures = [getattr(w, edge).figure for w in pair]
        limit = getattr(pair[0], edge).limit
        assert min(figures) < limit < max(figures)
    assert one.differing


def test_what_no_account_can_reach_has_a_reason() -> None:
    text = (
        TEXTS["old"]
        .replace("otherwise: undetermined", "otherwise: second")
        .replace("    because: no grade for {key}\n", "")
    )
    silent = text.replace("[{to: 100000, rate: 100%}]", "[{to: 100000, rate: 0%}]")
    moved = silent.replace("value: first, when: [GOLD]", "value: first, when: [GOLD, SALT]")
    moved = moved.replace("[TIN, LEAD, SALT]", "[TIN, LEAD]")
    _, _, found = of_texts(silent, moved)
    assert all(one.witnesses or one.reason for one in found)


def test_accounts_that_are_given_are_tried_first() -> None:
    lines = [
        {"asset": "TIN", "free": "2000", "borrowed": "0", "price": "0.5"},
        {"asset": "GOLD", "free": "0", "borrowed": "500", "price": "2"},
    ]
    rest = {"locked": "0", "interest": "0"}
    account = {"account": "MINE", "mode": "classic", "assets": [{**one, **rest} for one in lines]}
    old, new = (Rulebook([(LENDING, TEXTS[side])]).in_force(AT) for side in ("old", "new"))
    changes = compare(old.versions.values(), new.versions.values())
    found = witnesses(old, new, changes, [account])
    first = next(one for one in found if one.tested == "status.called")
    assert {witness.snapshot["account"] for witness in first.witnesses} == {"MINE"}
    of_salt = next(one for one in found if one.changes[0].endswith("/SALT"))
    assert all("SALT" in str(witness.snapshot) for witness in of_salt.witnesses)


# --- commands ------------------------------------------------------------------------------------


def kept(path: Path, text: str) -> str:
    """The text of a file, after it was written anew if that is wanted."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("$ policy-engine diff ")
    monkeypatch.chdir(FOLDER)
    status = run(shlex.split(first)[2:])
    out, err = capfd.readouterr()
    err = re.sub(r"in \d+\.\d s", "in … s", err)
    printed = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    assert printed == kept(path, printed)


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 5


def test_written_snapshots_decide_as_the_report_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    words = ["diff", "old", "new", "--at", AT, "--format", "json", "--witnesses"]
    assert run([*words, "--witnesses-dir", str(tmp_path / "made")]) == 0
    told = json.loads(capfd.readouterr().out)["boundaries"]
    held = [witness for one in told for witness in one["witnesses"]]
    files = sorted((tmp_path / "made").iterdir())
    assert [json.loads(file.read_text(encoding="utf-8")) for file in files] == [
        witness["snapshot"] for witness in held
    ]
    for file, witness in zip(files, held, strict=True):
        for side in ("old", "new"):
            words = ["decide", str(file), "--rules", side, "--format", "json"]
            assert run(words) == 0
            assert json.loads(capfd.readouterr().out)["status"] == witness[side]["status"]


def test_plain_diff_has_no_witnesses(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["diff", "old", "new", "--at", AT, "--format", "json"]) == 0
    assert "boundaries" not in json.loads(capfd.readouterr().out)
