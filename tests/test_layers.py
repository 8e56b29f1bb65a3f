"""The shape of the house: imports point one way, and functions and modules stay small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "policy_engine"

LAYERS = (
    "__about__ errors numbers shipped",
    "document",
    "language.fault language.words language.syntax language.interpreter",
    "model",
    "kinds shapes schema_words schema fields",
    "language",
    "columns",
    "versions",
    "diff",
    "snapshot_check lines quick snapshot",
    "layout json_values explain",
    "decision",
    "policy",
    "applies walk probing ladder asking deciding request_inputs effects requests limits"
    " begins distances accruals",
    "rules",
    "scenario scenarios grids comparison",
    "stamps rulebook portfolio",
    "history",
    "books impact portfolio.files",
    "witnesses causes",
    "policy_engine",
    "sources expectations cases",
    "coverage",
    "checks log approvals",
    "book",
    "mutation",
    "render",
    "authoring",
    "cli",
)
"""From the bottom up. A name is a module or a package with all in it; the longest name counts.
A module imports from its own layer and those above it in this list; `policy_engine` is what a user
imports from."""

DOMAIN_WORDS = re.compile("borrowed|margin|collateral|binance|usdt|liquidation", re.IGNORECASE)
ON_TOP = {"pyproject.toml", "policy_engine", "rules", "schemas", "tests", "README.md", "LICENSE"}
MADE_BY_TOOLS = {"build", "dist", "__pycache__"}
MOST_MODULE_LINES = 320


def module_name(path: Path) -> str:
    """The name under `policy_engine`; that of the package itself is `policy_engine`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "policy_engine"


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def tree(path: Path) -> ast.Module:
    """The syntax of a module, without what only type checkers read."""
    made = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(made):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return made


def imported(path: Path) -> Iterator[str]:
    """Full names of everything that a module imports, wherever the import stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_modules(path: Path) -> set[str]:
    """The modules of the package that a module imports."""
    found = set()
    for name in imported(path):
        if name.partition(".")[0] == "policy_engine":
            inner = name.partition(".")[2]
            outer = inner.rpartition(".")[0]
            found.add(next((n for n in (inner, outer) if n in MODULES), "policy_engine"))
    return found


def layer(name: str) -> int:
    """The number of a module's layer, from 0 at the bottom."""
    held = {one: number for number, names in enumerate(LAYERS) for one in names.split()}
    while name and name not in held:
        name = name.rpartition(".")[0]
    return held[name] if name else -1


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with its lines, without decorators and docstring."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = node.body[0] if ast.get_docstring(node) is not None else None
            docstring = (words.end_lineno or 0) - words.lineno + 1 if words else 0
            yield f"{path.name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_there_are_modules() -> None:
    assert len(MODULES) > 30
    assert {"policy_engine", "cli.test", "document", "language.code"} <= MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_its_layer_and_below(name: str) -> None:
    own = layer(name)
    assert own >= 0, f"`{name}` is in no layer: add it to LAYERS"
    upward = {used for used in used_modules(MODULES[name]) if layer(used) > own}
    assert upward == set()


def test_every_name_in_the_layers_is_there() -> None:
    named = {name for names in LAYERS for name in names.split()}
    assert named - MODULES.keys() == set()


def test_no_import_leads_back() -> None:
    """`static_order` raises an error that names a cycle."""
    graph = {name: used_modules(path) - {name} for name, path in MODULES.items()}
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("sources")])
def test_the_core_knows_no_domain(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if DOMAIN_WORDS.search(line)] == []


@pytest.mark.parametrize("name", [n for n in MODULES if layer(n) < layer("render")])
def test_only_commands_and_pages_draw_on_a_terminal(name: str) -> None:
    packages = {full.partition(".")[0] for full in imported(MODULES[name])}
    assert packages & {"click", "rich"} == set()


def test_nothing_else_lies_on_top() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - MADE_BY_TOOLS == ON_TOP


def test_functions_are_short() -> None:
    lines = dict(one for path in MODULES.values() for one in functions(path))
    ordered = sorted(lines.values())
    assert median(ordered) <= 8
    assert ordered[len(ordered) * 9 // 10] < 25
    assert {name: count for name, count in lines.items() if count > 60} == {}


def test_modules_are_short() -> None:
    lines = {name: len(path.read_bytes().splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > MOST_MODULE_LINES} == {}
