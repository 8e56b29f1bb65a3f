"""What editors do with rule files, asked of the YAML language server that most of them run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from language_server import LanguageServer, NoServer, installed
from policy_engine.authoring.formatting import FOR_EDITORS
from policy_engine.document import read_yaml
from policy_engine.render.yaml import to_yaml
from policy_engine.schema import problems
from policy_engine.shapes import schema
from policy_engine.shipped import rules_folder, schemas_folder

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = sorted(rules_folder().glob("*/*.yaml"))
RULES = "cross_margin_pro/2025-01-21.yaml"
LINES = (rules_folder() / RULES).read_text(encoding="utf-8").split("\n")
PLACEHOLDER = re.compile(r"\$\{\d+:([^}]*)\}")
NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanguageServer, Path]]:
    """A server, and a folder with the rules and the schemas beside them."""
    try:
        program = installed()
    except NoServer as missing:
        pytest.skip(f"no YAML language server: {missing}")
    root = tmp_path_factory.mktemp("editor")
    shutil.copytree(rules_folder(), root / "rules")
    shutil.copytree(schemas_folder(), root / "schemas")
    one = LanguageServer(program, root)
    try:
        yield one, root
    finally:
        one.close()


def line_of(text: str) -> int:
    """The number, from 0, of the first line that starts with a text."""
    return next(number for number, line in enumerate(LINES) if line.startswith(text))


def opened(server: tuple[LanguageServer, Path], lines: list[str]) -> tuple[Path, list[Any]]:
    """A new file with these lines, and what is found in it."""
    one, root = server
    path = root / "rules/cross_margin_pro" / f"draft_{next(NUMBERS)}.yaml"
    return path, one.opened(path, "\n".join(lines))


def test_every_rule_file_names_its_schema() -> None:
    for path in SHIPPED:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith(FOR_EDITORS)
        relative = first.partition("$schema=")[2]
        assert (path.parent / relative).resolve() == schemas_folder() / "ruleset.schema.json"


def test_shipped_files_have_no_findings(server: tuple[LanguageServer, Path]) -> None:
    one, root = server
    for path in SHIPPED:
        copy = root / "rules" / path.relative_to(rules_folder())
        assert one.opened(copy, path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    ("line", "column", "key"),
    [
        ("effective_from:", 3, ("properties", "effective_from")),
        ("parameters:", 3, ("properties", "parameters")),
        ("    safer: higher", 6, ("$defs", "parameter", "properties", "safer")),
        ("      expression:", 8, ("$defs", "formula", "properties", "expression")),
        ("    when:", 5, ("$defs", "when")),
    ],
)
def test_a_key_tells_what_it_is(
    server: tuple[LanguageServer, Path], line: str, column: int, key: tuple[str, ...]
) -> None:
    path, _ = opened(server, LINES)
    part: Any = schema("ruleset")
    for step in key:
        part = part[step]
    shown = server[0].hover(path, line_of(line), column).replace("\\", "")
    assert part["description"] in shown


def test_what_is_left_of_a_parameter_is_offered(server: tuple[LanguageServer, Path]) -> None:
    at = line_of("    unit: ratio")
    path, _ = opened(server, [*LINES[:at], "    ", *LINES[at + 1 :]])
    offered = server[0].completions(path, at, 4)
    assert {"unit", "gives", "because", "note", "assumes"} <= offered.keys()
    assert "title" not in offered  # it has one


def test_units_are_offered(server: tuple[LanguageServer, Path]) -> None:
    at = line_of("    unit: ratio")
    path, _ = opened(server, [*LINES[:at], "    unit: ", *LINES[at + 1 :]])
    assert {"ratio", "USDT", "coin of asset"} <= server[0].completions(path, at, 10).keys()


@pytest.mark.parametrize(
    ("section", "further", "snippet"),
    [
        ("sources:", 1, "A source"),
        ("parameters:", 1, "A parameter"),
        ("tables:", 1, "A table"),
        ("formulas:", 2, "A formula"),
        ("statuses:", 1, "A status"),
        ("requests:", 1, "A request"),
    ],
)
def test_snippets_are_offered(
    server: tuple[LanguageServer, Path], section: str, further: int, snippet: str
) -> None:
    at, indent = line_of(section) + further, 2 * further
    path, _ = opened(server, [*LINES[:at], " " * indent, *LINES[at:]])
    assert snippet in server[0].completions(path, at, indent)


@pytest.mark.parametrize(
    ("line", "typed", "column"),
    [
        ("    unit: ratio", "    unti: ratio", 4),
        ("    safer: higher", "    safer: hihger", 11),
        ("effective_from:", "effective_from: yesterday", 16),
        ("parameters:", "paramters:", 0),
    ],
)
def test_a_slip_is_told_where_it_is(
    server: tuple[LanguageServer, Path], line: str, typed: str, column: int
) -> None:
    at = line_of(line)
    _, found = opened(server, [*LINES[:at], typed, *LINES[at + 1 :]])
    starts = [(one["range"]["start"]["line"], one["range"]["start"]["character"]) for one in found]
    assert (at, column) in starts


# --- snippets ------------------------------------------------------------------------------------


def filled(body: Any) -> Any:
    """What a snippet becomes where nothing is typed over it."""
    if isinstance(body, dict):
        return {filled(key): filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(item) for item in body]
    return PLACEHOLDER.sub(r"\1", body) if isinstance(body, str) else body


def snippets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each snippet of the schema with the section it is for, as that section."""
    properties, defs = schema("ruleset")["properties"], schema("ruleset")["$defs"]
    for name, part in properties.items():
        for one in part.get("defaultSnippets", ()):
            yield name, filled(one["body"])
        inner = part.get("additionalProperties")
        for one in inner.get("defaultSnippets", ()) if inner else ():
            yield name, {"account": filled(one["body"])}
    for one in defs["refuse_when"]["defaultSnippets"]:
        yield "permissions", {"borrow": {"title": "Borrowing", "refuse_when": filled(one["body"])}}


def test_there_are_snippets() -> None:
    assert len(list(snippets())) > 8


@pytest.mark.parametrize(("section", "held"), list(snippets()), ids=lambda one: str(one)[:30])
def test_a_snippet_fits_the_schema(section: str, held: dict[str, Any]) -> None:
    document = {
        "ruleset": "pro",
        "effective_from": "2025-01-21T10:00:00Z",
        "announced_at": None,
        "summary": "A draft.",
        "sources": {},
        section: held,
    }
    assert problems(read_yaml(to_yaml(document), "draft.yaml"), "ruleset") == []


# --- hooks ---------------------------------------------------------------------------------------


def test_hooks_run_commands_that_are_there() -> None:
    from policy_engine.cli import COMMANDS

    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["policy-engine-check", "policy-engine-fmt"]
    for hook in hooks:
        program, command, *_ = hook["entry"].split()
        assert program == "policy-engine"
        assert command in COMMANDS
        assert hook["language"] == "python"
        files = re.compile(hook["files"])
        assert files.search("rules/collateral/2026-01-21.yaml")
        assert not files.search("tests/collateral/2026-01-21.yaml")


def test_schemas_are_plain_json() -> None:
    for path in schemas_folder().glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
