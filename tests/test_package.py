"""A checkout, an editable install and an installed wheel all find their rules and schemas."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from policy_engine import __version__

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def ran(arguments: list[str], cwd: Path, text: str = "", **extra: str) -> tuple[int, str, str]:
    """The exit status, stdout and stderr of a command, without this process's PYTHONPATH."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        arguments, cwd=cwd, env=environment | extra, input=text, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def must(arguments: list[str], cwd: Path, **extra: str) -> str:
    """The stdout of a command that ends with 0."""
    status, out, err = ran(arguments, cwd, **extra)
    assert status == 0, err
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("built")
    must([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], ROOT)
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The Python of a new environment that has the dependencies, and not this package."""
    folder = tmp_path / "venv"
    venv.create(folder, symlinks=os.name != "nt")
    python = folder / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = must([str(python), "-c", where], ROOT)
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (Path(packages.strip()) / "dependencies.pth").write_text("\n".join(others))
    return python


def install(python: Path, what: str, *options: str) -> None:
    """Install with the pip of this environment, offline."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    must([*pip, "--no-index", "--no-deps", *options, what], ROOT)


def finds_rules_and_schemas(command: list[str], folder: Path, **extra: str) -> None:
    """Assert that the command, run in an empty folder, decides and refuses."""
    folder.mkdir(exist_ok=True)
    status, out, err = ran([*command, "--format", "json", "--at", "2025-02-01"], folder, **extra)
    assert (status, err) == (0, "")
    in_force = {item["ruleset"] for item in json.loads(out)["rulesets"]}
    assert in_force == {path.parent.name for path in ROOT.glob("rules/*/*.yaml")}
    status, out, err = ran([*command, "decide", "-"], folder, "{}", **extra)
    assert (status, out) == (2, "")
    assert "missing-key: `account` is missing" in err  # a word of the snapshot schema


def test_an_installed_wheel_finds_its_rules(built: Path, fresh: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    install(fresh, str(wheel))
    finds_rules_and_schemas([str(fresh.parent / "policy-engine")], tmp_path / "empty")
    where = "import policy_engine; print(policy_engine.__file__)"
    assert str(fresh.parent.parent) in must([str(fresh), "-c", where], tmp_path)


def test_an_editable_install_finds_those_of_the_checkout(fresh: Path, tmp_path: Path) -> None:
    install(fresh, str(ROOT), "--no-build-isolation", "--editable")
    finds_rules_and_schemas([str(fresh.parent / "policy-engine")], tmp_path / "empty")
    where = "from policy_engine.shipped import rules_folder; print(rules_folder())"
    assert must([str(fresh), "-c", where], tmp_path).strip() == str(ROOT / "rules")


def test_a_checkout_finds_its_rules_without_an_install(fresh: Path, tmp_path: Path) -> None:
    call = "from policy_engine.cli import main; main()"
    finds_rules_and_schemas([str(fresh), "-c", call], tmp_path / "empty", PYTHONPATH=str(ROOT))


def test_the_wheel_holds_the_package_its_rules_and_its_schemas(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    kinds = ("py", "html", "css", "js")
    files = (path for kind in kinds for path in ROOT.glob(f"policy_engine/**/*.{kind}"))
    package = {path.relative_to(ROOT).as_posix() for path in files}
    shipped = {
        f"policy_engine/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("rules", "schemas")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert held == package | shipped | {"policy_engine/py.typed"}


def test_the_wheel_names_version_licence_and_dependencies(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as archive:
        stem = f"policy_engine-{__version__}.dist-info"
        metadata = archive.read(f"{stem}/METADATA").decode()
        licence = archive.read(f"{stem}/licenses/LICENSE").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Apache License" in licence
    lines = re.findall(r"^Requires-Dist: (\w+)(.*)$", metadata, re.MULTILINE)
    core = {name.lower() for name, rest in lines if "extra ==" not in rest}
    assert core == {"click", "jsonschema", "pyyaml", "rich", "simpleeval"}


def test_the_source_distribution_holds_the_tests(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ("tests/test_package.py", "tests/cases/cross_margin_pro/requests.yaml", "README.md")
    assert held >= {*wanted, "pyproject.toml", "LICENSE", "schemas/case.schema.json"}


def test_the_library_alone_imports_no_command_line(tmp_path: Path) -> None:
    """Whoever calls `decide` does not pay for click and rich."""
    call = "import sys, policy_engine; print(*sorted({'click', 'rich'} & sys.modules.keys()))"
    assert must([sys.executable, "-c", call], tmp_path, PYTHONPATH=str(ROOT)).strip() == ""
