"""The decision log: what is recorded, what a replay tells, and every way to use it wrongly."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from log_writer import clock, snapshot
from policy_engine import PolicyError, Rulebook, SnapshotError, cli
from policy_engine.log import append, append_all, read_checkpoint, records, replay, verify
from policy_engine.log.canonical import canonical
from policy_engine.log.record import line_of, read_line
from policy_engine.log.state import State
from policy_engine.render.layout import Page
from policy_engine.render.log import render_record, render_records

ROOT = Path(__file__).resolve().parents[1]
ACCOUNTS = ROOT / "tests/accounts"
SCHEMA = json.loads((ROOT / "schemas/log.schema.json").read_text(encoding="utf-8"))
START = datetime(2025, 2, 1, tzinfo=UTC)
BINANCE = ("--from", "binance", "--prices", str(ACCOUNTS / "prices.json"), "--set", "leverage=5")


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load(ROOT / "rules")


@pytest.fixture
def log(tmp_path: Path, book: Rulebook) -> Path:
    """A log of three records."""
    path = tmp_path / "log.jsonl"
    append_all(path, book.in_force("2025-02-01"), map(snapshot, range(3)), lambda: START)
    return path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `policy-engine log …` in this process: how it ends, and what it prints."""
    monkeypatch.chdir(ROOT)

    def ran(*arguments: object) -> tuple[int, str, str]:
        status = cli.run(["log", *map(str, arguments)])
        out, err = capfd.readouterr()
        return status, out, err

    return ran


def changed(path: Path, change: Callable[[Any], None], record: int = 1) -> None:
    """Change the content of a record and make all hashes from there on anew."""
    state, out = State(), b""
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        line = read_line(raw)
        assert line is not None
        content = line.read()
        if number == record:
            change(content)
        made = line_of(canonical(content), state.frontier, state.last, line.header.moment)
        out += made
        new = read_line(made)
        assert new is not None
        state = state.after(new)
    path.write_bytes(out)


# --- what is recorded -----------------------------------------------------------------------------


def test_a_record_holds_what_was_decided_of_what_and_by_what(log: Path, book: Rulebook) -> None:
    rules = book.in_force("2025-02-01")
    one = list(records(log))[2]
    assert one.content is not None
    assert (one.line, one.sequence, one.intact) == (3, 3, True)
    assert one.recorded_at == "2025-02-01T00:00:00Z"
    assert one.content["decision"] == rules.decide(snapshot(2)).to_dict()
    given = {"rules_at": "2025-02-01T00:00:00Z", "known_at": None, "snapshot": snapshot(2)}
    assert one.content["input"] == given
    digests = {
        f"{item['ruleset']}@{item['version']}": item["digest"] for item in one.content["rules"]
    }
    assert digests == {version.id: version.digest for version in rules.versions.values()}


def test_every_line_and_checkpoint_is_as_the_schema_describes(log: Path) -> None:
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert len(lines) == 3
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    made = verify(log).state.checkpoint(START).to_dict()
    checkpoint = {**SCHEMA, **SCHEMA["$defs"]["checkpoint"]}
    jsonschema.validate(made, checkpoint)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**lines[0], "more": 1}, SCHEMA)


def test_every_key_of_the_schema_is_described() -> None:
    def undescribed(part: Any, name: str) -> list[str]:
        if not isinstance(part, dict):
            return []
        own = part.get("properties", {})
        found = [f"{name}.{key}" for key, one in own.items() if "description" not in one]
        inside = {**own, **part.get("$defs", {}), "[]": part.get("items")}
        return found + [
            bad for key, one in inside.items() for bad in undescribed(one, f"{name}.{key}")
        ]

    assert undescribed(SCHEMA, "") == []


def test_the_numbers_of_a_snapshot_are_recorded_as_their_digits(
    tmp_path: Path, book: Rulebook
) -> None:
    path, rules = tmp_path / "log", book.in_force("2025-02-01")
    line = {"asset": "BTC", "free": Decimal("4.50"), "locked": 0, "borrowed": "0", "interest": "0"}
    given = {
        "account": "A",
        "mode": "classic",
        "leverage": 5,
        "assets": [{**line, "price": Decimal("1E+4")}],
    }
    append(path, rules, given, clock)
    held = next(records(path)).content
    assert held is not None
    recorded = held["input"]["snapshot"]
    assert recorded["assets"][0] == {**line, "free": "4.50", "locked": "0", "price": "10000"}
    assert recorded["leverage"] == "5"
    assert [one.outcome for one in replay(path, book)] == ["same"]


def test_a_snapshot_that_is_refused_is_not_recorded(
    log: Path, book: Rulebook, tmp_path: Path
) -> None:
    before, rules = log.read_bytes(), book.in_force("2025-02-01")
    for path in (log, tmp_path / "new"):
        with pytest.raises(SnapshotError):
            append_all(path, rules, [snapshot(1), {"account": "A"}], clock)
    assert log.read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_time_never_runs_backwards(log: Path, book: Rulebook) -> None:
    before, rules = log.read_bytes(), book.in_force("2025-02-01")
    with pytest.raises(PolicyError, match="clock-behind-log"):
        append(log, rules, snapshot(1), lambda: START - timedelta(microseconds=1))
    assert log.read_bytes() == before
    append(log, rules, snapshot(1), lambda: START)
    assert verify(log).sound


def test_appending_reads_only_the_ends(book: Rulebook, tmp_path: Path, monkeypatch: Any) -> None:
    path, rules = tmp_path / "log", book.in_force("2025-02-01")
    append_all(path, rules, map(snapshot, range(1500)), clock)
    read, true = [], os.pread

    def counted(file: int, many: int, start: int) -> bytes:
        found = true(file, many, start)
        read.append(len(found))
        return found

    monkeypatch.setattr(os, "pread", counted)
    append(path, rules, snapshot(1), clock)
    assert sum(read) < 3_000_000 < path.stat().st_size


def test_a_log_that_does_not_end_in_a_sound_record_is_not_added_to(
    log: Path, book: Rulebook
) -> None:
    content = log.read_bytes()
    log.write_bytes(content.replace(b'"account":"A-2"', b'"account":"B-2"'))
    with pytest.raises(PolicyError, match="log-broken"):
        append(log, book.in_force("2025-02-01"), snapshot(1), clock)


@pytest.mark.parametrize("kept", [0, 1, 5, 400, -2])
def test_a_torn_line_is_set_aside(log: Path, book: Rulebook, kept: int) -> None:
    whole = log.read_bytes()
    torn = whole.splitlines()[1][:kept]
    log.write_bytes(whole + torn)
    verdict = verify(log)
    assert verdict.sound is (not torn)
    made = append(log, book.in_force("2025-02-01"), snapshot(9), clock)
    assert verify(log).sound
    assert made.checkpoint.size == 4
    assert log.read_bytes().startswith(whole)
    if torn:
        assert made.recovered is not None
        assert made.recovered.aside is not None
        assert made.recovered.aside.read_bytes() == torn


def test_a_whole_record_without_its_line_end_is_kept(log: Path, book: Rulebook) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    assert verify(log).size == 2
    made = append(log, book.in_force("2025-02-01"), snapshot(9), clock)
    assert made.checkpoint.size == 4
    assert made.recovered is not None
    assert made.recovered.aside is None
    assert verify(log).sound


# --- checkpoints ----------------------------------------------------------------------------------


def test_a_checkpoint_beside_the_log_is_always_compared(log: Path, run: Any) -> None:
    beside = log.with_name("log.jsonl.checkpoint")
    assert run("checkpoint", log, "-o", beside)[0] == 0
    assert read_checkpoint(beside).size == 3
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:2]))
    status, out, _ = run("verify", log)
    assert status == 1
    assert "record 3: cut" in out
    assert "not reached: " in out


def test_the_answer_to_append_is_a_checkpoint(log: Path, run: Any, tmp_path: Path) -> None:
    account = ACCOUNTS / "classic.json"
    at = ("--at", "2025-02-01")
    status, out, err = run("append", log, account, *BINANCE, *at, "--format", "json")
    assert (status, err) == (0, "")
    kept = tmp_path / "receipt.json"
    kept.write_text(out, encoding="utf-8")
    assert run("append", log, account, *BINANCE, *at)[0] == 0
    status, out, _ = run("verify", log, "--against", kept, "--format", "json")
    told = json.loads(out)
    assert (status, told["sound"], told["records"]) == (0, True, 5)
    assert told["checkpoints"] == [{"name": str(kept), "size": 4, "agrees": True}]


def test_no_checkpoint_is_made_of_a_broken_log(log: Path, run: Any, tmp_path: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'"A-1"', b'"B-1"'))
    status, out, err = run("checkpoint", log, "-o", tmp_path / "made")
    assert (status, out) == (1, "")
    assert "record 2: edited" in err
    assert not (tmp_path / "made").exists()


# --- replay ---------------------------------------------------------------------------------------


def test_what_was_decided_is_decided_again(log: Path, run: Any) -> None:
    status, out, err = run("replay", log)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["Same", "3"]


def test_a_decision_that_was_forged_comes_out_different(log: Path, run: Any) -> None:
    def forge(content: Any) -> None:
        content["decision"]["status"] = "liquidation"
        content["decision"]["permissions"]["borrow"]["permitted"] = True
        del content["decision"]["values"]["margin_level"]

    changed(log, forge, 2)
    assert verify(log).sound
    status, out, _ = run("replay", log)
    assert status == 1
    assert "Record 2 (A-1): different" in out
    status, out, _ = run("replay", log, "--format", "json")
    (one,) = json.loads(out)["records"]
    found = {part["path"]: part for part in one["differences"]}
    assert found["status"] == {"path": "status", "recorded": "liquidation", "replayed": "normal"}
    assert found["values.margin_level"] == {"path": "values.margin_level", "replayed": "unlimited"}


def edited_rules(folder: Path, ruleset: str) -> Rulebook:
    """The shipped rules with another threshold in the versions of a ruleset."""
    shutil.copytree(ROOT / "rules", folder)
    for path in (folder / ruleset).glob("*.yaml"):
        path.write_text(
            path.read_text(encoding="utf-8")
            .replace("value: 1.1\n", "value: 1.12\n")
            .replace("value: 1.5\n", "value: 1.51\n")
        )
    return Rulebook.load(folder)


def test_rules_that_were_edited_cannot_be_replayed(log: Path, tmp_path: Path) -> None:
    found = list(replay(log, edited_rules(tmp_path / "rules", "cross_margin_classic")))
    assert {one.outcome for one in found} == {"not replayable"}
    assert {one.reason.code for one in found if one.reason} == {"rules-edited"}


def test_rules_in_force_that_a_decision_does_not_rest_on_may_change(
    log: Path, tmp_path: Path
) -> None:
    book = edited_rules(tmp_path / "rules", "cross_margin_pro")
    held = {item["ruleset"]: item["digest"] for item in next(records(log)).content["rules"]}  # type: ignore[index]
    now = book.in_force("2025-02-01").versions["cross_margin_pro"].digest
    assert held["cross_margin_pro"] != now
    assert {one.outcome for one in replay(log, book)} == {"same"}


def test_rules_that_are_gone_cannot_be_replayed(log: Path, run: Any, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    (tmp_path / "rules/cross_margin_classic/2025-01-21.yaml").unlink()
    status, out, _ = run("replay", log, "--rules", tmp_path / "rules")
    assert status == 3
    assert "which is not among these rules" in " ".join(out.split())
    assert "Not replayable   3" in out


def test_a_correction_made_later_changes_no_replay(log: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    path = tmp_path / "rules/cross_margin_classic/2025-01-21.yaml"
    text = path.read_text(encoding="utf-8").replace("value: 1.1\n", "value: 1.12\n")
    line = next(line for line in text.splitlines() if line.startswith("announced_at:"))
    corrected = text.replace(
        line, "announced_at: 2025-06-01T00:00:00Z\ncorrects: {reason: A test.}"
    )
    path.with_name("2025-01-21+2.yaml").write_text(corrected, encoding="utf-8")
    book = Rulebook.load(tmp_path / "rules")
    assert book.in_force("2025-02-01").versions["cross_margin_classic"].id.endswith("+2")
    assert {one.outcome for one in replay(log, book)} == {"same"}


@pytest.mark.parametrize(("status", "outcome"), [("normal", "same"), ("x", "not replayable")])
def test_another_engine_is_told_where_it_decides_otherwise(
    log: Path, book: Rulebook, status: str, outcome: str
) -> None:
    changed(log, lambda content: content["decision"].update(engine="0.0.9", status=status))
    one = next(replay(log, book))
    assert one.outcome == outcome
    assert (one.reason is not None and one.reason.code == "another-engine") == (status == "x")


def test_an_input_that_is_refused_cannot_be_replayed(log: Path, book: Rulebook) -> None:
    changed(log, lambda content: content["input"]["snapshot"].update(region="UK"))
    one = next(replay(log, book))
    assert one.reason is not None
    assert (one.outcome, one.reason.code) == ("not replayable", "input-refused")


@pytest.mark.parametrize(
    "content", [{}, [], {"decision": {}}, {"decision": {"account": 1}, "input": 3}]
)
def test_a_record_of_another_program_cannot_be_replayed(
    log: Path, book: Rulebook, content: Any
) -> None:
    log.write_bytes(line_of(canonical(content), State().frontier, None, START))
    one = next(replay(log, book))
    assert one.reason is not None
    assert (one.outcome, one.reason.code) == ("not replayable", "record-edited")
    assert render_records(records(log), Page())
    assert render_record(next(records(log)), Page())


def test_an_edited_record_cannot_be_replayed_and_the_others_can(log: Path, book: Rulebook) -> None:
    log.write_bytes(log.read_bytes().replace(b'"account":"A-1"', b'"account":"B-1"'))
    assert [one.outcome for one in replay(log, book)] == ["same", "not replayable", "same"]


# --- show -----------------------------------------------------------------------------------------

NASTY = "A\x1b[31m\u202ered|`*<b>\n\u2028=1+1"


def test_what_steers_a_terminal_is_spelled_out(log: Path, run: Any, tmp_path: Path) -> None:
    def nasty(content: Any) -> None:
        content["decision"]["account"] = NASTY
        content["decision"][NASTY] = NASTY
        content["input"]["snapshot"]["account"] = NASTY
        content[NASTY] = NASTY

    changed(log, nasty, 2)
    odd = tmp_path / "a\x1b[31m\u202e.jsonl"
    shutil.copy(log, odd)
    for arguments in (["show", odd], ["show", odd, 2], ["replay", odd], ["verify", odd]):
        _, out, err = run(*arguments)
        assert all(part.isprintable() for part in (out + err).split("\n")), arguments
    odd.write_bytes(odd.read_bytes()[:-1])
    _, out, err = run("append", odd, ACCOUNTS / "classic.json", *BINANCE, "--at", "2025-02-01")
    assert all(part.isprintable() for part in (out + err).split("\n"))


def test_show_one_record_as_it_is_in_the_file(log: Path, run: Any) -> None:
    status, out, _ = run("show", log, 2, "--format", "json")
    told = json.loads(out)
    assert (status, told["sequence"], told["intact"]) == (0, 2, True)
    assert told["content"] == json.loads(log.read_bytes().splitlines()[1])["content"]
    log.write_bytes(log.read_bytes().replace(b'"account":"A-1"', b'"account":"B-1"'))
    status, out, _ = run("show", log, 2)
    assert status == 1
    assert "Broken" in out


# --- used wrongly ---------------------------------------------------------------------------------


def text_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["verify", "replay", "show", "checkpoint", "append"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("folder", "not-a-file"),
        ("other.json", "not-a-log"),
        ("gone/log", "no-such-file"),
        ("fifo", ""),
    ],
)
def test_what_is_no_log(run: Any, tmp_path: Path, command: str, name: str, code: str) -> None:
    (tmp_path / "folder").mkdir()
    other = text_file(tmp_path, "other.json", '{"account": "A"}')
    os.mkfifo(tmp_path / "fifo")
    more = (
        [ACCOUNTS / "classic.json", *BINANCE, "--at", "2025-02-01"] if command == "append" else []
    )
    status, out, err = run(command, tmp_path / name, *more)
    assert (status, out) == (2, "")
    assert err.startswith(f"{tmp_path / name}: {code}")
    assert "hint: " in err
    assert other.read_text(encoding="utf-8") == '{"account": "A"}'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{}", "not-a-checkpoint"),
        ("3", "not-a-checkpoint"),
        ("{", "bad-json"),
        ("", "empty-document"),
        ('{"format":1,"size":-1,"root":"","first":null,"last":null,"at":"x"}', "not-a-checkpoint"),
        ('{"format":1,"size":[],"root":{},"first":null,"last":null,"at":3}', "not-a-checkpoint"),
    ],
)
def test_what_is_no_checkpoint(log: Path, run: Any, tmp_path: Path, text: str, code: str) -> None:
    path = text_file(tmp_path, "checkpoint", text)
    status, out, err = run("verify", log, "--against", path)
    assert (status, out) == (2, "")
    assert f": {code}: " in err
    status, _, err = run("verify", log, "--against", tmp_path / "gone")
    assert (status, err.split(": ")[1]) == (2, "no-such-file")


def test_the_checkpoint_of_another_log(log: Path, run: Any, tmp_path: Path, book: Rulebook) -> None:
    other = tmp_path / "other"
    made = append(other, book.in_force("2025-02-01"), snapshot(5), clock).checkpoint
    kept = text_file(tmp_path, "checkpoint", made.to_json())
    status, out, _ = run("verify", log, "--against", kept)
    assert status == 1
    assert "or it is the checkpoint of another log" in " ".join(out.split())


@pytest.mark.parametrize("command", ["verify", "replay", "show", "checkpoint", "append"])
def test_stdin_is_no_log(run: Any, command: str) -> None:
    status, out, err = run(command, "-", *(["x.json"] if command == "append" else []))
    assert (status, out) == (2, "")
    assert "a log is a file" in err


def test_a_record_that_is_not_there(log: Path, run: Any) -> None:
    status, _, err = run("show", log, 9)
    assert status == 2
    assert "no-such-record: there is no record 9" in err
    assert run("show", log, 0)[0] == 2


@pytest.mark.parametrize("command", ["verify", "replay", "show", "checkpoint"])
def test_an_answer_is_never_written_over_the_log(log: Path, run: Any, command: str) -> None:
    before = log.read_bytes()
    status, _, err = run(command, log, "-o", log)
    assert status == 2
    assert "-o names the log itself" in err
    assert log.read_bytes() == before


def test_a_disk_that_is_full(log: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    before, true = log.read_bytes(), os.write

    def full(file: int, content: Any) -> int:
        if len(content) > 1:
            return (
                true(file, content[:5])
                if file != -1 and log.stat().st_size == len(before)
                else fail()
            )
        return fail()

    def fail() -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(PolicyError, match="cannot-use-log: the log cannot be used: no space left"):
        append(log, book.in_force("2025-02-01"), snapshot(1), clock)
    assert log.read_bytes() == before


def test_a_log_that_may_not_be_written(
    log: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read-only for root, so the system's answer is put in its place."""
    before, true = log.read_bytes(), os.open

    def refused(path: Any, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return true(path, flags, mode)

    log.chmod(0o444)
    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PolicyError, match="not-permitted: you may not open this file so"):
        append(log, book.in_force("2025-02-01"), snapshot(1), clock)
    assert log.read_bytes() == before
    assert verify(log).sound


def test_an_empty_file_is_a_log_without_records(tmp_path: Path, run: Any) -> None:
    path = text_file(tmp_path, "log", "")
    status, out, _ = run("verify", path)
    assert status == 0
    assert "no records yet" in out
    assert run("show", path)[1] == "no records yet\n"
    status, out, _ = run("checkpoint", path, "--format", "json")
    kept = text_file(tmp_path, "checkpoint", out)
    assert (status, read_checkpoint(kept).size) == (0, 0)
    assert verify(path, {"kept": read_checkpoint(kept)}).sound


def test_progress_is_drawn_only_on_a_terminal(log: Path, run: Any, monkeypatch: Any) -> None:
    assert run("verify", log)[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    status, out, _ = run("verify", log)
    assert status == 0
    assert out.startswith("Log ")
