"""The commands `request` and `limit`: what they print, and how they end.

The files `requests/*.txt` hold a command, what it prints and how it ends, under the rules beside
them. `UPDATE_GOLDEN=1 pytest` writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Rulebook, cli

FOLDER = Path(__file__).parent / "requests"
FILES = sorted(FOLDER.glob("*.txt"))
ENDS = {"permitted": 0, "refused": 1, "cannot be told": 3}
ACCOUNT = json.loads((FOLDER / "account.json").read_text(encoding="utf-8"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line beside the rules: its exit status, stdout and stderr."""
    monkeypatch.chdir(FOLDER)

    def ran(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(arguments)
        return (status, *capfd.readouterr())

    return ran


def test_there_are_files() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_printed(path: Path, run: Any) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    status, out, err = run(*shlex.split(first)[2:])
    given = f"{first}\n{out}--- stderr\n{err}--- exit {status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")
    assert all(len(line) <= 80 for line in out.splitlines() if line[:1] != "{")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_ends_as_the_answer_is(path: Path) -> None:
    """Bad input ends with 2 and prints nothing; else the answer itself says how it ends."""
    text = path.read_text(encoding="utf-8")
    out = text.partition("\n")[2].partition("--- stderr\n")[0]
    status = int(text.rsplit("--- exit ", 1)[1])
    if path.stem.startswith("request") and out and not out.startswith("{"):
        said = next(line for line in out.splitlines() if line.startswith("Answer"))
        assert status == ENDS[said.removeprefix("Answer").strip()]
    assert (out == "") == (status == 2)


def test_the_json_is_that_of_the_library(run: Any) -> None:
    rules = Rulebook.load(FOLDER / "rules").in_force("2025-02-01T08:00:00Z")
    answer = rules.request(ACCOUNT, "borrow", asset="TIN", amount="95")
    _, out, _ = run("request", "account.json", "borrow", "asset=TIN", "amount=95", "--format=json")
    assert out == answer.to_json() + "\n"
    said = json.loads(out)
    assert [said[name] for name in ("permitted", "request")] == [False, "borrow"]
    assert said["before"]["status"] == "calm"
    assert said["after"]["status"] == "letter"
    assert said["after"]["values"]["owed"] == "2720"


def test_the_limit_in_json_is_permitted_and_a_step_more_is_not(run: Any) -> None:
    status, out, _ = run("limit", "account.json", "borrow", "asset=TIN", "--format", "json")
    said = json.loads(out)
    assert status == 0
    assert said["limit"] == said["verified"]["at"]["value"]
    for side, ends in (("at", 0), ("above", 1)):
        amount = said["verified"][side]["value"]
        asked = run("request", "account.json", "borrow", "asset=TIN", f"amount={amount}")
        assert asked[0] == ends
        assert said["verified"][side]["permitted"] is (ends == 0)
    assert [reason["rule"] for reason in said["binding"]] == ["cover_afterwards"]


def test_the_price_told_is_where_the_status_begins(run: Any) -> None:
    _, out, _ = run("limit", "account.json", "--price", "GOLD", "--format", "json")
    found = {one["status"]: one["below"] for one in json.loads(out)["statuses"]}
    rules = Rulebook.load(FOLDER / "rules").in_force("2025-02-01T08:00:00Z")
    for status, price in found.items():
        if price is not None:
            gold, *others = ACCOUNT["assets"]
            moved = {**ACCOUNT, "assets": [{**gold, "price": price}, *others]}
            assert rules.decide(moved).status == status


def test_into_a_file(run: Any, tmp_path: Path) -> None:
    made = tmp_path / "answer.txt"
    status, out, _ = run(
        "request", "account.json", "borrow", "asset=TIN", "amount=5", "-o", str(made)
    )
    assert (status, out) == (0, "")
    printed = (FOLDER / "request-permitted.txt").read_text(encoding="utf-8")
    assert made.read_text(encoding="utf-8") in printed
