"""Approvals: so many people, none the author, of this very text, in time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Rulebook, cli
from policy_engine.approvals import FOLDER, approval_problems, approval_texts, approvals_path
from policy_engine.errors import Problem
from policy_engine.shipped import rules_folder

BOOK = Rulebook.load()
VERSION = BOOK.version("cross_margin_pro@2026-01-21")
PATH = approvals_path(VERSION)
IN_TIME = "2026-01-20T09:00:00Z"
OTHER = "sha256:" + "0" * 64


def approval(by: str, at: str = IN_TIME, digest: str = VERSION.digest) -> str:
    return f"  - {{by: {by}, role: compliance, at: {at}, digest: {digest}}}\n"


def sidecar(*approvals: str, proposed_by: str = "author") -> str:
    listed = "\n" + "".join(approvals) if approvals else " []\n"
    return f"proposed_by: {proposed_by}\napprovals:{listed}"


def found(text: str | None, needed: int = 2, path: str = PATH) -> list[Problem]:
    return approval_problems([VERSION], [] if text is None else [(path, text)], needed)


def codes(text: str | None, needed: int = 2) -> list[str]:
    return sorted(problem.code for problem in found(text, needed))


def test_two_people_in_time() -> None:
    assert codes(sidecar(approval("ann"), approval("bob"))) == []
    assert codes(sidecar(approval("ann"), approval("bob"), approval("eve"))) == []


def test_nobody() -> None:
    (problem,) = found(None)
    assert problem.code == "not-approved"
    assert problem.message == "`cross_margin_pro@2026-01-21` has 0 of the 2 approvals it needs"
    assert problem.hint is not None
    assert VERSION.digest in problem.hint
    assert PATH in problem.hint
    assert problem.place.path == VERSION.path


@pytest.mark.parametrize(
    ("second", "code", "column"),
    [
        (approval("author"), "approved-by-author", 10),
        (approval("Author "), "approved-by-author", 10),
        (approval("ann"), "approved-twice", 10),
        (approval("ANN"), "approved-twice", 10),
        (approval("bob", digest=OTHER), "approval-void", 67),
        (approval("bob", at="2026-01-21T13:00:01Z"), "approved-late", 37),
    ],
)
def test_what_does_not_count(second: str, code: str, column: int) -> None:
    problems = found(sidecar(approval("ann"), second))
    assert sorted(problem.code for problem in problems) == sorted([code, "not-approved"])
    (one,) = (problem for problem in problems if problem.code == code)
    assert (one.place.path, one.place.line, one.place.column) == (PATH, 4, column)
    assert one.hint


def test_at_the_very_instant() -> None:
    assert codes(sidecar(approval("ann"), approval("bob", at="2026-01-21T13:00:00Z"))) == []


def test_a_correction_is_approved_by_when_it_is_announced() -> None:
    late = datetime(2026, 3, 1, tzinfo=UTC)
    version = replace(VERSION, corrects="it was wrong", announced_at=late)
    before, after = "2026-02-28T00:00:00Z", "2026-03-01T00:00:01Z"
    for at, expected in ((before, []), (after, ["approved-late", "not-approved"])):
        text = sidecar(approval("ann", digest=version.digest, at=at))
        problems = approval_problems([version], [(PATH, text)], 1)
        assert sorted(problem.code for problem in problems) == expected


def test_an_edit_voids_and_a_layout_does_not(tmp_path: Path) -> None:
    rules = shutil.copytree(rules_folder(), tmp_path / "rules")
    file = rules / "cross_margin_pro/2026-01-21.yaml"
    text = file.read_text(encoding="utf-8")
    folder = file.parent / FOLDER
    folder.mkdir()
    (folder / file.name).write_text(sidecar(approval("ann"), approval("bob")), encoding="utf-8")
    start = VERSION.effective_from

    def left() -> set[str]:
        versions = [one for one in Rulebook.load(rules).versions if one.ruleset == VERSION.ruleset]
        return {one.code for one in approval_problems(versions, approval_texts(rules), 2, start)}

    assert left() == set()
    file.write_text(
        text.replace("    value: 1.3\n", "    value: 1.30   # as it was\n"), encoding="utf-8"
    )
    assert left() == set()
    file.write_text(text.replace("    value: 1.3\n", "    value: 1.2\n"), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != text
    assert left() == {"approval-void", "not-approved"}


def test_it_is_no_rule_file(tmp_path: Path) -> None:
    rules = shutil.copytree(rules_folder(), tmp_path / "rules")
    (rules / "collateral" / FOLDER).mkdir()
    (rules / "collateral" / FOLDER / "2026-01-21.yaml").write_text(sidecar(), encoding="utf-8")
    assert len(Rulebook.load(rules).versions) == len(BOOK.versions)


def test_older_versions_need_none() -> None:
    assert approval_problems(BOOK.versions, [], 2, datetime(2030, 1, 1, tzinfo=UTC)) == []
    assert len(approval_problems(BOOK.versions, [], 2)) == len(BOOK.versions)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("approvals: []\n", "missing-key"),
        (sidecar(approval("ann")).replace("role: compliance, ", ""), "missing-key"),
        (sidecar(approval("ann", digest="sha256:12")), "invalid-value"),
        (sidecar(approval("ann", at="2026-01-20")), "bad-instant"),
        (sidecar(approval("ann")) + "surprise: 1\n", "unknown-key"),
        ("proposed_by: [\n", "bad-yaml"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, code: str) -> None:
    """It is told, and that approvals lack is not told as well."""
    assert codes(text) == [code]


def test_a_file_for_no_version() -> None:
    path = PATH.replace("2026-01-21", "2026-01-22")
    (problem,) = found(sidecar(), needed=0, path=path)
    assert problem.code == "approval-of-nothing"
    assert problem.hint == "did you mean `cross_margin_pro@2026-01-21`?"


people = st.sampled_from(["author", "ann", "Ann", "bob", "eve"])
digests = st.sampled_from([VERSION.digest, OTHER])
instants = st.sampled_from([IN_TIME, "2026-01-21T13:00:01Z"])


@given(st.lists(st.tuples(people, instants, digests), max_size=6), st.integers(0, 4))
def test_as_many_different_people_as_are_needed(
    given_: list[tuple[str, str, str]], needed: int
) -> None:
    text = (
        sidecar(*(approval(*one) for one in given_))
        if given_
        else "proposed_by: author\napprovals: []\n"
    )
    first: dict[str, tuple[str, str]] = {}
    for by, at, digest in given_:
        first.setdefault(by.lower(), (at, digest))
    sound = {by for by, one in first.items() if one == (IN_TIME, VERSION.digest)} - {"author"}
    approved = "not-approved" not in codes(text, needed)
    assert approved is (len(sound) >= needed)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the shipped rules, on record as sound, with one version approved once."""
    rules = shutil.copytree(rules_folder(), tmp_path / "rules")
    folder = rules / VERSION.ruleset / FOLDER
    folder.mkdir()
    (folder / "2026-01-21.yaml").write_text(sidecar(approval("ann")), encoding="utf-8")
    return rules


@pytest.mark.parametrize(("needed", "status"), [("1", 0), ("2", 1)])
def test_check_asks_for_approvals(
    needed: str, status: int, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ruleset in ("collateral", "cross_margin_classic"):
        digest = BOOK.version(f"{ruleset}@2026-01-21").digest
        folder = rules / ruleset / FOLDER
        folder.mkdir()
        both = [approval(name, digest=digest) for name in ("ann", "bob")]
        (folder / "2026-01-21.yaml").write_text(sidecar(*both), encoding="utf-8")
    options = [
        "--require-approvals",
        needed,
        "--approvals-since",
        "2026-01-20",
        "--rules",
        str(rules),
    ]
    assert cli.run(["check", *options]) == status
    shown = capsys.readouterr().out
    assert ("`cross_margin_pro@2026-01-21` has 1 of the 2" in shown) is (status == 1)
    assert "unread-file" not in shown


def test_check_does_not_ask_otherwise(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check", "--rules", str(rules)]) == 0
    assert "not-approved" not in capsys.readouterr().out
