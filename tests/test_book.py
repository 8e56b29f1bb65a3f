"""The rule book: everything in force is in it, with its words, its history and its links.

`UPDATE_GOLDEN=1 pytest tests/test_book.py` writes the golden books anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from pages import WILD
from policy_engine import Rulebook
from policy_engine.book import Book, book_of
from policy_engine.cases import load_cases
from policy_engine.cli import run
from policy_engine.errors import RulesError
from policy_engine.history import State
from policy_engine.language.phrases import plain_text
from policy_engine.model import Provision
from policy_engine.render import book_markdown
from policy_engine.render.book import speaker
from policy_engine.render.html.book import book_page
from policy_engine.render.html.page import TEMPLATES
from policy_engine.render.markdown import visible
from policy_engine.rulebook import rule_texts
from test_html import TAGS, Read

ROOT = Path(__file__).parent.parent
SMALL = Path(__file__).parent / "golden" / "rules"
GOLDEN = Path(__file__).parent / "golden" / "book"
MAIN = "from policy_engine.cli import main; main()"
AT = "2026-02-01T00:00:00Z"
ALSO = {"a", "nav", "ol", "output", "button", "input", "thead", "tbody", "script", "munder"}
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x1b]")


@cache
def shipped() -> Book:
    """The book of the shipped rules."""
    folders = (ROOT / "tests" / "cases", ROOT / "tests" / "worked")
    return book_of(Rulebook.load(), AT, None, [case for one in folders for case in load_cases(one)])


@cache
def shipped_page() -> str:
    return book_page(shipped(), "policy-engine book")


def made(tmp_path: Path, *arguments: str) -> str:
    """What the command writes."""
    target = tmp_path / "book.out"
    assert run(["book", *arguments, "-o", str(target)]) == 0
    return target.read_text(encoding="utf-8")


def small(tmp_path: Path, *more: str) -> str:
    return made(tmp_path, "--rules", str(SMALL), "--at", "2024-12-15", *more)


# --- golden ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["book.html", "book.md"])
def test_the_small_book_is_as_it_was(name: str, tmp_path: Path) -> None:
    form = {"book.html": "html", "book.md": "markdown"}[name]
    text = small(tmp_path, "--format", form).replace(str(SMALL), "rules")
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_bytes_are_the_same_for_every_hash_seed(tmp_path: Path) -> None:
    books = set()
    for seed in ("0", "77"):
        for form in ("html", "markdown"):
            target = tmp_path / f"{form}-{seed}"
            command = [sys.executable, "-c", MAIN, "book", "--rules", str(SMALL)]
            command += ["--at", "2025-06-01", "--format", form, "-o", str(target)]
            subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
            books.add(target.read_bytes())
    assert len(books) == 2


# --- what is in it --------------------------------------------------------------------------------


def provisions(book: Book) -> dict[str, Provision]:
    """All provisions in force by the id that they must have."""
    found: dict[str, Provision] = {}
    for version in Rulebook.load().in_force(book.at, book.known_at).versions.values():
        for section in ("permissions", "requests", "parameters", "tables", "scales", "invariants"):
            for name, item in getattr(version, section).items():
                found[f"{version.ruleset}/{section}/{name}"] = item
        for section in ("statuses", "notices"):
            for rule in getattr(version, section):
                found[f"{version.ruleset}/{section}/{rule.name}"] = rule
        for entity, named in version.formulas.items():
            for name, formula in named.items():
                found[f"{version.ruleset}/formulas/{entity}/{name}"] = formula
    return found


def test_every_provision_in_force_has_its_place() -> None:
    held = {c.id: c for ch in shipped().chapters for s in ch.sections for c in s.clauses}
    wanted = provisions(shipped())
    assert held.keys() == wanted.keys()
    assert {name: c.item.title for name, c in held.items()} == {
        name: item.title for name, item in wanted.items()
    }
    numbers = [c.number for c in held.values()]
    assert len(set(numbers)) == len(numbers)
    page = Read(shipped_page())
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert wanted.keys() <= ids
    text = " ".join("".join(page.texts).split())
    for item in wanted.values():
        assert " ".join(visible(item.title).split()) in text
        if item.citation is not None and item.citation.quote:
            assert " ".join(item.citation.quote.split()) in text


def test_links_lead_somewhere_and_ids_are_one_of_a_kind(tmp_path: Path) -> None:
    beside = small(tmp_path, "--beside", "house@2024-01-01", "house@2025-01-01")
    for page in (shipped_page(), beside):
        tags = Read(page).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        links = [attributes["href"] for tag, attributes in tags if tag == "a"]
        assert len(ids) == len(set(ids))
        assert len(links) > 10
        assert all(link is not None and link.startswith("#") for link in links)
        assert {link[1:] for link in links if link} <= set(ids)


def test_every_formula_stands_as_mathematics_and_as_sentences() -> None:
    statements = 0
    for chapter in shipped().chapters:
        for _, _, passages in speaker(chapter).passages():
            for passage in passages:
                held = [passage.statement, *(one.statement for one in passage.grounds)]
                for one in held:
                    if one is not None:
                        statements += 1
                        said = plain_text(one.words)
                        assert said[:1].isupper() or said[:1] in "(“", said
                        assert said.endswith(".")
                        assert not re.search(r"\b(the the|the a|the whether|is is|of of)\b", said)
                        assert "_" not in said
    assert statements > 80
    assert shipped_page().count("<math ") == statements


def test_what_a_lawyer_reads() -> None:
    text = " ".join("".join(Read(shipped_page()).texts).split())
    for sentence in (
        "An account has this status when the margin level is at or below the liquidation margin"
        " level.",
        "Borrowing is refused when any of these holds:",
        "The updated questionnaire is not completed.",
        "If the user's own margin call ratio is given, the margin call ratio in use is the user's"
        " own margin call ratio. Otherwise, it is the default margin call ratio.",
        "“a coin is closed to users in the European Economic Area” holds for the asset and “a"
        " region belongs to the European Economic Area” holds for the account's region.",
        "On the assets line for the asset, the free amount becomes the free amount plus the amount"
        " asked for, and the borrowed amount becomes the borrowed amount plus the amount asked"
        " for.",
    ):
        assert sentence.lower() in text.lower(), sentence


def test_versions_stand_on_the_timeline_with_their_digests() -> None:
    text = shipped_page()
    for version in Rulebook.load().versions:
        assert version.digest in text
        assert f'id="version/{version.id}"' in text


def test_later_knowledge_is_left_out() -> None:
    book = Rulebook.load()
    early = book_of(book, AT, "2026-01-20T00:00:00Z")
    states = {s.version.id: s.state for line in early.timelines for s in line.stretches}
    assert "cross_margin_pro@2026-01-21" not in states
    announced = book_of(book, "2025-01-01T00:00:00Z")
    states = {s.version.id: s.state for line in announced.timelines for s in line.stretches}
    assert states["cross_margin_pro@2025-01-21"] is State.ANNOUNCED


def test_the_history_of_a_parameter_has_every_value_it_had() -> None:
    rulesets, told = Rulebook.load().rulesets, 0
    for chapter in shipped().chapters:
        for section in chapter.sections:
            for clause in section.clauses if section.name == "parameters" else ():
                name = clause.item.name
                held = [v.parameters.get(name) for v in rulesets[chapter.version.ruleset]]
                moved = sum(
                    (old is None) != (new is None)
                    or (old is not None and new is not None and old.value != new.value)
                    for old, new in pairwise([None, *held])
                )
                valued = [
                    one
                    for one in clause.amendments
                    if not one.changes
                    or any(len(c.path) == 2 or "value" in c.path for c in one.changes)
                ]
                assert len(valued) == moved, clause.id
                told += moved
    assert told > 15


def test_worked_examples_are_what_the_engine_decides() -> None:
    rules = Rulebook.load().in_force(AT)
    for ruleset, examples in shipped().examples.items():
        statuses = [one.name for one in rules.versions[ruleset].statuses]
        plain = [one for one in examples if one.answer is None]
        assert [one.decision.status for one in plain] == statuses
        assert {one.answer.permitted for one in examples if one.answer} == {True, False}
        for one in examples:
            assert rules.decide(one.snapshot) == one.decision
            assert one.trace == one.decision.explain("status")


def test_without_cases_accounts_are_made_up() -> None:
    found = book_of(Rulebook.load(SMALL), "2025-06-01").examples
    assert [name for name, held in found.items() if held] == ["house"]
    assert all(one.case is None for held in found.values() for one in held)


def test_the_list_of_countries_has_what_the_tables_say() -> None:
    (regions,) = shipped().listed
    assert regions.input == "region"
    names = [name for name, _ in regions.tables]
    held = dict(regions.rows)
    leverage = names.index("cross_margin_pro/tables/max_leverage")
    member = names.index("regional_restrictions/tables/in_eea")
    assert str(held["FR"][leverage].value) == "10"
    assert str(held["NL"][leverage].value) == "20"
    assert held["NL"][member].value is True
    assert held["AE"][member].value is False


# --- the page -------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else() -> None:
    page = Read(shipped_page())
    assert {tag for tag, _ in page.tags} <= TAGS | ALSO
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "src"}
    script = shipped_page().partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in shipped_page()
    assert shipped_page().count("<script") == 1
    assert len(shipped_page().encode()) < 2_000_000


def wild_rules(wild: str) -> Rulebook | None:
    """The small rules with every title and text one wild text; None where they are refused."""
    quoted = json.dumps(wild, ensure_ascii=False)
    documents = []
    for path, text in rule_texts(SMALL):
        made = text
        for found in (r"(?m)^(\s+title:) .*$", r"(\{title:) [^,}]*", r"(quote:) [^,}]*"):
            made = re.sub(found, lambda m: f"{m[1]} {quoted}", made)
        documents.append((path, re.sub(r"(?m)^summary: .*$", lambda m: f"summary: {quoted}", made)))
    try:
        return Rulebook(documents)
    except RulesError:
        return None


def test_wild_texts_are_shown_and_do_nothing() -> None:
    met = 0
    for wild in WILD:
        rules = wild_rules(wild)
        if rules is None:
            continue
        met += 1
        book = book_of(rules, "2025-06-01")
        page = book_page(book, wild)
        read = Read(page)
        assert {tag for tag, _ in read.tags} <= TAGS | ALSO
        assert page.count("<script") == 1
        text = "".join(read.texts)
        assert visible(wild) in text
        assert not HIDDEN.search(page)
        marked = book_markdown.render(book)
        assert not HIDDEN.search(marked)
        assert "<script>" not in marked.replace("`", "")
    assert met >= 6


def test_its_text_has_no_colours_but_those_whose_contrast_is_tested() -> None:
    used = (TEMPLATES / "book.css").read_text(encoding="utf-8")
    screen, _, printed = used.partition("@media print")
    inks = set(re.findall(r"[{;\s]color: ([^;]+);", screen))
    assert inks == {"var(--ink)", "var(--soft)", "var(--accent)", "inherit"}
    assert set(re.findall(r"[{;\s]color: ([^;]+);", printed)) == {"inherit", "#444"}
    assert set(re.findall(r"background: ([^;]+);", screen)) <= {
        *("var(--card)", "var(--line)", "var(--accent)", "none"),
    }


# --- the command ----------------------------------------------------------------------------------


def test_the_page_says_how_to_make_it_again(tmp_path: Path) -> None:
    page = small(tmp_path, "--known-at", "2024-12-10", "--beside", "2024-06-01", "2025-06-01")
    words = Read(page).texts
    (command,) = [text for text in words if text.startswith("policy-engine book")]
    assert made(tmp_path, *shlex.split(command)[2:]) == page


def test_before_any_rules_there_is_no_book(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["book", "--rules", str(SMALL), "--at", "2001-01-01"]) == 2
    said = capsys.readouterr().err
    assert "no-rules-apply" in said
    assert "2024-01-01" in said


def test_folders_stand_beside_each_other_in_diff(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["book", "--rules", str(SMALL), "--at", "2025-06-01", "--beside"]
    assert run([*asked, str(SMALL), "2024-06-01"]) == 2
    assert "bad-side" in capsys.readouterr().err
    assert run([*asked, "yesterday", "2024-06-01"]) == 2
    assert "`yesterday` is no instant" in capsys.readouterr().err


def test_side_by_side_shows_what_changed(tmp_path: Path) -> None:
    sides = ("--beside", "house@2024-01-01", "house@2025-01-01")
    text = "".join(Read(small(tmp_path, *sides)).texts)
    assert "Side by side" in text
    assert "twice as much" in text
    assert "# Changes of the rules" in small(tmp_path, *sides, "--format", "markdown")


def test_coverage_is_told_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    case = {
        "cases": [
            {
                "name": "Nothing is owed",
                "because": "Without debt the cover is unlimited.",
                "at": "2024-12-15T00:00:00Z",
                "snapshot": json.loads((SMALL.parent / "free.json").read_text("utf-8")),
                "expect": {"status": "free"},
            }
        ]
    }
    (cases / "one.yaml").write_text(json.dumps(case), encoding="utf-8")
    asked = ("--coverage", "--cases", str(cases))
    text = " ".join("".join(Read(small(tmp_path, *asked)).texts).split())
    assert re.search(r"Coverage .* rule \d+ \d+ \d+%", text)
    assert "## Coverage" in small(tmp_path, *asked, "--format", "markdown")
    assert "Coverage" not in small(tmp_path)
    assert run(["book", "--rules", str(SMALL), "--at", "2024-12-15", "--coverage"]) == 2
    assert "no cases" in capsys.readouterr().err
