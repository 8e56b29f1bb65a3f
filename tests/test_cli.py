"""The command line: what it prints where, how it ends, and that its bytes never vary.

The files `golden/*.txt` hold a command, what it prints and how it ends. `UPDATE_GOLDEN=1 pytest`
writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policy_engine import cli
from policy_engine.__about__ import ENGINE
from policy_engine.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
ACCOUNTS = ROOT / "tests/accounts"
GOLDEN = ROOT / "tests/golden"
AT = ("--at", "2025-02-01")
CLASSIC = (
    str(ACCOUNTS / "classic.json"),
    *("--from", "binance", "--prices", str(ACCOUNTS / "prices.json"), "--set", "leverage=5", *AT),
)
PRO = (
    str(ACCOUNTS / "pro.json"),
    *("--from", "binance", "--prices", str(ACCOUNTS / "price_index.json"), *AT),
)
SCRIPT = "from policy_engine.cli import main; main()"
NO_DEBT = {"account": "A", "mode": "pro", "region": "SG", "assets": []}


class Ran:
    """A command line that has ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Any:
    """Run a command line in this process."""

    def ran(*arguments: str) -> Ran:
        status = cli.run(arguments)
        out, err = capfd.readouterr()
        return Ran(status, out, err)

    return ran


@pytest.fixture
def snapshot(tmp_path: Path) -> Any:
    """Write a snapshot to a file, and give its path."""

    def written(**fields: Any) -> str:
        path = tmp_path / "account.json"
        path.write_text(json.dumps({**NO_DEBT, **fields}), encoding="utf-8")
        return str(path)

    return written


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a process of its own, with nothing but these environment variables."""
    environment = {"PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    options = {"cwd": ROOT, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run(command, capture_output=True, env=environment, check=False, **options)


# --- golden texts ---------------------------------------------------------------------------------


def golden_files() -> list[Path]:
    """The golden files, of which there are some."""
    found = sorted(GOLDEN.glob("*.txt"))
    assert found
    return found


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_golden(path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("$ policy-engine ")
    monkeypatch.chdir(GOLDEN)
    ran = run(*shlex.split(first)[2:])
    given = f"{first}\n{ran.out}--- stderr\n{ran.err}--- exit {ran.status}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(given, encoding="utf-8")
    assert given == path.read_text(encoding="utf-8")
    assert all(len(line) <= 80 or "sha256" in line for line in ran.out.splitlines())


# --- decide ---------------------------------------------------------------------------------------


def test_decide_binance(run: Any) -> None:
    ran = run("decide", *CLASSIC)
    assert (ran.status, ran.err) == (0, "")
    assert "Status        normal\n" in ran.out
    assert " 2.5 " in ran.out


def test_decide_json_is_one_line(run: Any) -> None:
    ran = run("decide", *CLASSIC, "--format", "json")
    assert ran.out.count("\n") == 1
    decided = json.loads(ran.out)
    assert decided["account"] == "classic"
    assert decided["values"]["margin_level"] == "2.5"


def test_the_instant_is_that_of_the_option_else_of_the_snapshot(run: Any, snapshot: Any) -> None:
    path = snapshot(at="2025-02-01T12:00:00Z")
    ran = run("decide", path, "--format", "json")
    assert json.loads(ran.out)["rules_at"] == "2025-02-01T12:00:00Z"
    assert ran.err == ""
    ran = run("decide", path, "--format", "json", "--at", "2025-01-21T09:59:59Z")
    assert json.loads(ran.out)["rules_at"] == "2025-01-21T09:59:59Z"
    assert json.loads(ran.out)["at"] == "2025-02-01T12:00:00Z"


def test_without_any_instant_it_is_now_and_said(run: Any, snapshot: Any) -> None:
    ran = run("decide", snapshot(), "--format", "json")
    moment = json.loads(ran.out)["rules_at"]
    assert ran.err == f"at: {moment}, now (choose another instant with --at)\n"


def test_a_snapshot_from_stdin() -> None:
    given = json.dumps(NO_DEBT).encode()
    ran = process("decide", "-", *AT, stdin=None, input=given)
    assert (ran.returncode, ran.stderr) == (0, b"")
    ran = process("decide", "-", *AT, stdin=None, input=b"\xff")
    assert ran.returncode == 2
    assert ran.stderr.startswith(b"stdin: not-utf8: ")


def test_an_account_from_stdin_is_called_so() -> None:
    given = (ACCOUNTS / "classic.json").read_bytes()
    ran = process("decide", "-", *CLASSIC[1:], "--format", "json", stdin=None, input=given)
    assert json.loads(ran.stdout)["account"] == "stdin"


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("account=B-2", "account", "B-2"),
        ("region=FR", "max_leverage", "10"),
        ("region=null", "max_leverage", None),
        ("margin_call_ratio.pro=1.4", "margin_call_ratio", "1.4"),
        ('margin_call_ratio={"pro": 1.40}', "margin_call_ratio", "1.4"),
        ('prices={"BTC": "1"}', "margin_level", "unlimited"),
        ("open_order_loss=0", "open_order_loss", "0"),
    ],
)
def test_set(run: Any, snapshot: Any, setting: str, field: str, value: Any) -> None:
    decided = json.loads(run("decide", snapshot(), *AT, "--set", setting, "--format", "json").out)
    assert {**decided["values"], **decided}[field] == value


def test_the_hint_of_an_undetermined_figure_works_as_printed(run: Any) -> None:
    first = run("decide", *PRO)
    known = ("region=SG", "questionnaire_completed=true", "terms_accepted=true")
    hints = [part for setting in known for part in ("--set", setting)]
    assert all(f"--set {setting}" in first.out for setting in known)
    ran = run("decide", *PRO, *hints, "--strict")
    assert (ran.status, ran.err) == (0, "")


BAD_SETTINGS = {
    "regio=SG": "--set regio: unknown-key: unknown key `regio` (at regio)\n"
    "  hint: did you mean `region`?\n",
    "margin_call_ratio.por=1": "--set margin_call_ratio.por: unknown-key: ",
    "region=UK": "--set region: invalid-value: ",
    "assets.BTC=1": "--set assets.BTC: unknown-key: `assets.BTC` names a part of what has no",
    "assets=[": "--set assets:1:2: bad-json: ",
    "assets=[{}]": "--set assets: missing-key: ",
    "region": "Usage: ",
    "=1": "Usage: ",
}


@pytest.mark.parametrize("setting", BAD_SETTINGS)
def test_bad_settings(run: Any, snapshot: Any, setting: str) -> None:
    ran = run("decide", snapshot(), *AT, "--set", setting)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(BAD_SETTINGS[setting])


def test_orders_of_an_account_that_has_none(run: Any) -> None:
    body = ACCOUNTS / "classic.json"
    ran = run("decide", str(body), *PRO[1:], "--orders", str(ACCOUNTS / "orders.json"))
    assert ran.status == 2
    assert "`open_order_loss` is in the account already" in ran.err
    ran = run("decide", str(body), *PRO[1:], "--open-order-loss", "3")
    assert "leave --open-order-loss out" in ran.err


@pytest.fixture
def pro_without_loss(tmp_path: Path) -> str:
    """The saved Pro account as the API gives it since it no longer states a loss."""
    body = json.loads((ACCOUNTS / "pro.json").read_text(encoding="utf-8"))
    del body["TotalOpenOrderLossInUSDT"]
    path = tmp_path / "pro.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    return str(path)


def test_open_orders_from_options(run: Any, pro_without_loss: str) -> None:
    given = ("decide", pro_without_loss, *PRO[1:], "--set", "region=SG", "--format", "json")
    unknown = json.loads(run(*given).out)
    assert unknown["status"] is None
    assert unknown["orders"] is None
    stated = json.loads(run(*given, "--open-order-loss", "125.5").out)
    assert stated["values"]["open_order_loss"] == "125.5"
    listed = json.loads(run(*given, "--orders", str(ACCOUNTS / "orders.json")).out)
    # 0.054 BTC at 100,000 for 5,000 USDC
    assert listed["orders"][0]["loss"] == listed["values"]["open_order_loss"] == "400"
    none = json.loads(run(*given, "--set", "orders=[]").out)
    assert none["values"]["open_order_loss"] == "0"


def test_a_problem_of_the_orders_is_in_their_file(run: Any, pro_without_loss: str) -> None:
    orders = Path(pro_without_loss).with_name("orders.json")
    orders.write_text(
        '[{"sell": "ETH", "sell_quantity": 1, "buy": "BTC", "buy_quantity": 1}]', encoding="utf-8"
    )
    ran = run("decide", pro_without_loss, *PRO[1:], "--orders", str(orders))
    assert ran.status == 2
    assert ran.err.startswith(f"{orders}: unknown-key: `ETH` has neither a line")


# --- how it ends ----------------------------------------------------------------------------------


def test_strict_ends_with_3_and_no_decision(run: Any) -> None:
    ran = run("decide", *PRO, "--strict")
    assert (ran.status, ran.out) == (3, "")
    assert "pro: undetermined: `region` is not given: " in ran.err
    assert "`permissions.borrow`" in ran.err
    assert "  hint: --set region=SG\n" in ran.err


BAD_INPUT = {
    "no file": ("no-such.json", "no-such.json: no-such-file: "),
    "a folder": (str(ACCOUNTS), f"{ACCOUNTS}: not-a-file: "),
    "another format": (str(ACCOUNTS / "classic.json"), f"{ACCOUNTS}/classic.json: not-a-snapshot"),
    "no snapshot": (str(ACCOUNTS / "orders.json"), f"{ACCOUNTS}/orders.json: "),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input(run: Any, name: str) -> None:
    path, start = BAD_INPUT[name]
    ran = run("decide", path, *AT)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(start)
    assert "\n  hint: " in ran.err


def test_problems_of_a_snapshot_have_its_name_and_their_path(run: Any, snapshot: Any) -> None:
    line = {"asset": "BTC", "free": "-1", "locked": 0, "borrowed": 0, "interest": 0}
    path = snapshot(assets=[line])
    ran = run("decide", path, *AT)
    assert ran.status == 2
    assert f"{path}: missing-key: " in ran.err
    assert "(at assets[0].free)" in ran.err


BAD_USAGE = (
    ["decid"],
    ["decide"],
    ["decide", "a.json", "--nonsense"],
    ["decide", "a.json", "--at", "yesterday"],
    ["decide", "a.json", "--at", "2025-02-01T12:00:00"],
    ["decide", "a.json", "--format", "xml"],
    ["decide", "a.json", "--from", "elsewhere"],
    ["decide", "a.json", "--prices", "p.json"],
    ["decide", "a.json", "--orders", "o.json", "--open-order-loss", "1"],
    ["decide", "-", "--orders", "-"],
    ["decide", "a.json", "--set", "a=1", "--set", "a=2"],
    ["--at", "2025-01-01", "decide", "a.json"],
)


@pytest.mark.parametrize("arguments", BAD_USAGE, ids=" ".join)
def test_bad_usage(run: Any, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Usage: policy-engine")


def test_a_misspelt_command_is_named(run: Any) -> None:
    assert "did you mean `decide`?" in run("decid").err


def test_an_instant_before_all_rules(run: Any) -> None:
    ran = run("--at", "2000-01-01")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("--at: no-rules-apply: ")


def test_interrupted(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("policy_engine.cli.shared.Asked.rulebook", interrupt)
    ran = run("decide", *CLASSIC)
    assert (ran.status, ran.out, ran.err.strip()) == (130, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_reader_that_leaves_ends_it_quietly() -> None:
    command = shlex.join([sys.executable, "-c", SCRIPT])
    account = shlex.join(CLASSIC)
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    script = f"{command} decide {account} | true"
    ran = subprocess.run(
        ["sh", "-c", script], capture_output=True, env=environment, cwd=ROOT, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


# --- where it goes --------------------------------------------------------------------------------


def test_output_to_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    ran = run("decide", *CLASSIC, "--format", "json", "-o", str(path))
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert path.read_text(encoding="utf-8") == run("decide", *CLASSIC, "--format", "json").out
    assert os.listdir(tmp_path) == ["decision.json"]


def test_output_is_whole_or_not_at_all(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text("before", encoding="utf-8")
    assert run("decide", "no-such.json", *AT, "-o", str(path)).status == 2
    assert run("decide", *PRO, "--strict", "-o", str(path)).status == 3
    assert path.read_text(encoding="utf-8") == "before"
    ran = run("decide", *CLASSIC, "-o", str(tmp_path / "no" / "such.json"))
    assert ran.status == 2
    assert "cannot-write" in ran.err
    assert os.listdir(tmp_path) == ["decision.json"]


def test_a_dash_is_stdout(run: Any) -> None:
    assert run("decide", *CLASSIC, "-o", "-").out == run("decide", *CLASSIC).out


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu"},
        {"LC_ALL": "tr_TR.ISO-8859-9", "PYTHONHASHSEED": "77", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii", "TZ": "America/St_Johns", "COLUMNS": "40"},
        {"PYTHONIOENCODING": "utf-16", "LANG": "de_DE", "FORCE_COLOR": "1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_same_bytes_everywhere(environment: dict[str, str], form: str) -> None:
    command = ("decide", *PRO, "--format", form)
    usual = process(*command, env={"PYTHONUTF8": "1"})
    assert usual.returncode == 0
    assert process(*command, env=environment).stdout == usual.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
@pytest.mark.parametrize("no_colour", ["", "1"])
def test_colour_on_a_terminal(no_colour: str) -> None:
    ours, theirs = os.openpty()
    environment = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": no_colour}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, "decide", *CLASSIC],
        stdout=theirs,
        env=environment,
        cwd=ROOT,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert ("\x1b[32m\x1b[1mnormal" in shown) is (no_colour == "")
    assert ("\x1b" in shown) is (no_colour == "")


# --- which rules ----------------------------------------------------------------------------------


def test_rules_here_or_above(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = GOLDEN / "rules" / "house"
    monkeypatch.chdir(below)
    assert run("--at", "2025-06-01").err == "rules: ../../rules\n"
    monkeypatch.chdir(GOLDEN)
    assert run("--at", "2025-06-01").err == "rules: rules\n"
    monkeypatch.chdir(tmp_path)
    ran = run("--at", "2025-06-01", "--rules", str(GOLDEN / "rules"))
    assert "house@2025-01-01" in ran.out
    assert ran.err == f"rules: {GOLDEN}/rules\n"


def test_a_folder_without_rulesets_is_not_rules(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rules" / "eslint"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("rules: {semi: error}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = run(*AT)
    assert (ran.status, ran.err) == (0, "")
    ran = run(*AT, "--rules", "rules")
    assert ran.status == 2
    assert ran.err.startswith("rules: no-rules: there are no rule files here\n  hint: ")
    ran = run(*AT, "--rules", "no-such")
    assert ran.err.startswith("no-such: no-rules: there is no such folder\n")


def test_rules_that_cannot_be_loaded(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "2025-01-01.yaml").write_text("ruleset: house\nruleset: house\n", encoding="utf-8")
    ran = run(*AT, "--rules", str(tmp_path))
    assert (ran.status, ran.out) == (2, "")
    assert "2025-01-01.yaml:2:1: duplicate-key: " in ran.err


# --- policy-engine alone --------------------------------------------------------------------------


def test_alone_it_shows_what_is_in_force(run: Any) -> None:
    ran = run(*AT)
    assert (ran.status, ran.err) == (0, "")
    assert "cross_margin_pro@2025-01-21 " in ran.out
    assert "since 2025-01-21T10:00:00Z" in ran.out


def test_alone_as_json(run: Any) -> None:
    shown = json.loads(run("--at", "2025-01-20", "--format", "json").out)
    pro = next(item for item in shown["rulesets"] if item["ruleset"] == "cross_margin_pro")
    assert pro["version"] == "2025-01-15"
    assert pro["next"]["effective_from"] == "2025-01-21T10:00:00Z"


def test_what_was_not_announced_is_not_next(run: Any) -> None:
    arguments = ("--at", "2026-01-20", "--format", "json")
    shown = json.loads(run(*arguments).out)
    pro = next(item for item in shown["rulesets"] if item["ruleset"] == "cross_margin_pro")
    assert pro["next"] is None


def commands_to_try(text: str) -> Iterator[str]:
    """The shell commands under `Try`, each whole."""
    command = ""
    for line in text.partition("Try\n")[2].splitlines():
        if line.startswith("  policy-engine") and command:
            yield command
            command = ""
        command += line + "\n"
        if line.startswith("  policy-engine") or line.endswith("policy-engine decide -"):
            yield command
            command = ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_the_commands_to_try_work_as_printed(tmp_path: Path) -> None:
    shown = process(cwd=tmp_path).stdout.decode()
    tries = list(commands_to_try(shown))
    assert len(tries) == 3
    program = tmp_path / "policy-engine"
    script = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{SCRIPT}\n"
    program.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for command in tries:
        ran = subprocess.run(
            ["sh", "-c", command], capture_output=True, env=environment, cwd=tmp_path, check=False
        )
        assert ran.returncode == 0, command + ran.stderr.decode()


# --- help -----------------------------------------------------------------------------------------


def test_version_and_help(run: Any) -> None:
    assert run("--version").out == f"policy-engine {ENGINE}\n"
    ran = run("-h")
    assert ran.status == 0
    assert all(f"  {name} " in ran.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, run: Any) -> None:
    ran = run(name, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"policy-engine {name} " in ran.out


def test_nothing_slow_is_imported_to_decide() -> None:
    script = (
        "import sys\nfrom policy_engine.cli import run\n"
        f"run({['decide', *CLASSIC]!r})\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
    )
    loaded = set(ran.stderr.decode().split())
    assert not loaded & {"rich", "pygments", "numpy", "asyncio", "email", "pytest"}
