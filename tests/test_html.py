"""Pages: all that changed is on them, whatever it is called does nothing, nothing is loaded.

`UPDATE_GOLDEN=1 pytest tests/test_html.py` writes the golden pages anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

import book_of_accounts
import pages
from differences import PAIRS
from pages import WILD, page_of, page_of_impact, wild_page
from policy_engine import Rulebook
from policy_engine.cli import run
from policy_engine.impact.model import Statuses
from policy_engine.model import AboveLast, NotKnown, Scale, Tier
from policy_engine.render.diff import render
from policy_engine.render.html import State, diff_page
from policy_engine.render.html import page as page_module
from policy_engine.render.html.charts import Chart, Step, charts, short, step_chart
from policy_engine.render.html.matrix import matrix
from policy_engine.render.html.page import TEMPLATES
from policy_engine.render.markdown import visible

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "html"
EMPTY = {"meta", "link", "br", "img", "input", "hr"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "article"),
    *("h1", "h2", "h3", "h4", "p", "div", "span", "ul", "li", "dl", "dt", "dd", "b", "i", "q"),
    *("strong", "code", "pre", "bdi", "mark", "time", "details", "summary", "figure"),
    *("figcaption", "table", "caption", "tr", "th", "td", "svg", "text", "line", "path", "rect"),
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mfrac", "msub", "munder"),
    *("mtable", "mtr", "mtd"),
}


class Read(HTMLParser):
    """A page as a browser takes it apart: its elements closed in order, and all its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.texts += [" "] if tag in ("td", "th") else []
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is read, in order."""
        return "".join(self.texts)


def is_quiet(page: str) -> Read:
    """The page read: it has the policy that loads nothing, and nothing that could be loaded."""
    read = Read(page)
    assert {tag for tag, _ in read.tags} <= TAGS
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in read.tags
    names = {name for _, attributes in read.tags for name in attributes}
    assert {name for name in names if name.startswith("on")} == set()
    assert names & {"src", "href", "xlink:href", "action", "style", "srcset"} == set()
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    assert re.findall(r"@import|url\(|expression\(", style) == []
    return read


# --- golden pages ---------------------------------------------------------------------------------

PAGES: dict[str, Callable[[], str]] = {
    "diff": lambda: page_of(PAIRS["a-real-update"]),
    "tiers": lambda: page_of(PAIRS["scale-tier-split"]),
    "impact": page_of_impact,
}


@pytest.mark.parametrize("name", PAGES)
def test_golden(name: str) -> None:
    path, made = GOLDEN / f"{name}.html", PAGES[name]()
    is_quiet(made)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


# --- what is on a page ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_a_page_has_every_change_and_ends_with_the_raw_diff_and_the_command(name: str) -> None:
    changes = PAIRS[name].compared()
    text = is_quiet(page_of(PAIRS[name])).text
    raw = "\n".join(map(visible, render(changes).split("\n")))
    told, found, end = text.rpartition(raw)
    assert found
    assert end.split() == ["To", "make", "this", "page", "again", *pages.COMMAND.split()]
    if changes.significance is not None:
        assert f"Significance: {changes.significance.word}." in " ".join(told.split())
    for change in changes.changes:
        assert "/".join((change.ruleset, *change.path[:2])) in told
        assert change.path[-1] in told if change.path else change.ruleset in told


def test_the_two_sides_have_their_versions_and_digests() -> None:
    pair = PAIRS["a-real-update"]
    text = page_of(pair)
    for side in (pair.old, pair.new):
        for version in pair.versions(side):
            assert version.id in text
            assert version.digest in text


def test_formulas_are_shown_with_the_part_that_differs() -> None:
    book = Rulebook.load()
    old, new = (book.version(f"cross_margin_pro@{day}") for day in ("2025-01-15", "2025-01-21"))
    states = State("old", (old,)), State("new", (new,))
    made = diff_page(book.diff(old.id, new.id), *states, "x")
    assert "<mark>the <i" in made
    assert '<mrow class="changed">' in made
    maths = re.findall(r"<math .*?</math>", made)
    assert len(maths) > 10
    assert all(ElementTree.fromstring(math) is not None for math in maths)
    assert "the margin level is" in re.sub(r"<[^>]+>", "", made)


def test_an_impact_has_its_parts_in_their_order() -> None:
    text = " ".join(is_quiet(page_of_impact()).text.split())
    parts = (
        "The accounts",
        "From status to status",
        "Permissions",
        "The worst flips",
        "Which change does it",
        "Figures",
        "Assumptions that accounts rest on",
        "Rows that could not be used",
        "The changes",
        "Sources",
        "The raw diff",
        "To make this page again",
    )
    places = [text.rindex(part) for part in parts]
    assert places == sorted(places)
    assert "letter → sale" in text
    assert "Level ≤ 1 1.6875 0.3333… -0.6666…" in text
    assert "1,234,567.5 cannot be told cannot be told" in text
    assert "`price` is missing missing-key" in text


def test_the_shipped_rules_make_a_page_at_every_step() -> None:
    book = Rulebook.load()
    for versions in book.rulesets.values():
        for old, new in pairwise(versions):
            changes = book.diff(old.id, new.id)
            is_quiet(diff_page(changes, State(old.id, (old,)), State(new.id, (new,)), "x"))


# --- names that would do something ----------------------------------------------------------------


@pytest.mark.parametrize("wild", WILD)
def test_wild_names_are_shown_and_do_nothing(wild: str) -> None:
    made = wild_page(wild)
    read = is_quiet(made)
    shown = visible(wild)
    assert read.text.count(shown) > 20
    told = read.text.partition("The raw diff")[0].replace("\u2061", "")
    assert not [one for one in told if visible(one) != one and one not in " \n"]
    isolated = re.findall(r"<bdi>(.*?)</bdi>", made, re.DOTALL)
    assert any(shown[:8] in Read(f"<p>{one}</p>").text for one in isolated)


@pytest.mark.parametrize("wild", WILD)
def test_a_wild_account_is_shown_and_does_nothing(wild: str) -> None:
    read = is_quiet(page_of_impact(wild))
    assert visible(wild) in read.text
    assert "\x1b" not in read.text
    assert "\u202e" not in read.text


# --- charts ---------------------------------------------------------------------------------------


LAST = AboveLast()


def scale(*tiers: tuple[int, str], above: AboveLast = LAST) -> Scale:
    made = tuple(Tier(Decimal(to), (Decimal(rate),)) for to, rate in tiers)
    return Scale("s", "S", tiers={None: made}, above_last=above)


def steps_of(old: Scale | None, new: Scale | None) -> list[tuple[str, str, str]]:
    (chart,) = charts(old, new)
    return [tuple(map(str, (one.to, one.before, one.after))) for one in chart.steps]  # type: ignore[misc]


def test_a_chart_has_the_rates_of_both_sides_between_the_edges_of_both() -> None:
    old = scale((100, "1"), (300, "0.5"), above=AboveLast(Decimal(0)))
    new = scale((100, "1"), (200, "0.8"), (300, "0.5"), above=LAST)
    assert steps_of(old, new) == [
        ("100", "1", "1"),
        ("200", "0.5", "0.8"),
        ("300", "0.5", "0.5"),
        ("None", "0", "0.5"),
    ]
    unknown = scale((100, "1"), (300, "0.5"), above=AboveLast(NotKnown("not public")))
    assert steps_of(old, unknown)[-1] == ("None", "0", "None")
    assert [one[1] for one in steps_of(None, new)] == ["None"] * 4
    assert charts(old, old) == []


def test_keys_whose_tiers_differ_alike_share_a_chart() -> None:
    before, after = (Tier(Decimal(1), (Decimal(rate),)) for rate in ("1", "2"))
    old = Scale("s", "S", by="text", tiers={"A": (before,), "B": (before,), "C": (before,)})
    new = Scale("s", "S", by="text", tiers={"A": (after,), "B": (after,), "C": (before,)})
    (chart,) = charts(old, new)
    assert chart.keys == ("A", "B")


def test_a_chart_draws_its_steps_at_their_rates() -> None:
    made = [(100, "1", "1"), (200, "0.5", "0.8"), (None, "0", "0.8")]
    steps = (Step(None if to is None else Decimal(to), *map(Decimal, r)) for to, *r in made)
    drawn = ElementTree.fromstring(step_chart(Chart("s", (), "", "ratio", tuple(steps))))
    paths = {one.get("class"): one.get("d") or "" for one in drawn if one.tag == "path"}
    heights = {
        one[0]: Decimal(one[1])
        for one in (
            (text.text, text.attrib["y"])
            for text in drawn
            if text.tag == "text"
            and text.get("text-anchor") == "end"
            and "transform" not in text.attrib
        )
    }
    zero, top = heights["0"] - 4, heights["1"] - 4
    for side, at in (("before", 1), ("after", 2)):
        drawn_at = [Decimal(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", paths[f"line {side}"])]
        wanted = [zero + (top - zero) * Decimal(str(one[at])) for one in made]
        assert all(abs(a - b) < Decimal("0.01") for a, b in zip(drawn_at, wanted, strict=True))


@pytest.mark.parametrize(
    ("edge", "text"),
    [
        *(("250000", "250k"), ("1200000", "1.2M"), ("100000000000", "100B")),
        *(("123456", "123,456"), ("999", "999"), ("0.5", "0.5"), ("-2000", "-2k")),
    ],
)
def test_an_edge_is_shortened_where_nothing_is_lost(edge: str, text: str) -> None:
    assert short(Decimal(edge)) == text


def test_a_matrix_tells_worse_from_better_by_the_ladder() -> None:
    statuses = Statuses(
        ("sale", "calm", "undetermined", "error"),
        ("Sale", "Calm", "undetermined", "error"),
        ((5, 2, 0, 0), (3, 7, 1, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    )
    drawn = ElementTree.fromstring(matrix(statuses))
    cells = [(one.get("class") or "").split()[1:] for one in drawn if one.tag == "rect"]
    assert cells == [
        *(["stayed"], ["better"], []),
        *(["worse"], ["stayed"], ["untold"]),
        *([], [], []),
    ]
    counts = [one.text for one in drawn if (one.get("class") or "").startswith("count")]
    assert counts == ["5", "2", "0", "3", "7", "1", "0", "0", "0"]
    assert "3 from calm to sale" in (drawn.get("aria-label") or "")


# --- contrast -------------------------------------------------------------------------------------

INKS = (
    *(("ink", on) for on in ("paper", "card", "tint", "old-tint", "new-tint")),
    *(("soft", on) for on in ("paper", "card", "tint", "old-tint", "new-tint")),
    *(("accent", on) for on in ("paper", "card", "old-tint", "new-tint")),
    *(("old", on) for on in ("paper", "card", "old-tint")),
    *(("new", on) for on in ("paper", "card", "new-tint")),
    ("mark-ink", "mark"),
)
LEAST_CONTRAST = 4.5


def colours(of: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", of))


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink: str, paper: str) -> float:
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_read_stands_out(scheme: str) -> None:
    light, dark = ((TEMPLATES / f"{one}.css").read_text("utf-8") for one in ("light", "dark"))
    held = colours(light) | (colours(dark) if scheme == "dark" else {})
    assert {ink for ink, _ in INKS} < held.keys()
    low = {pair: contrast(held[pair[0]], held[pair[1]]) for pair in INKS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < LEAST_CONTRAST} == {}


# --- the command ----------------------------------------------------------------------------------


def test_the_command_on_a_page_makes_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["diff", "2025-01-20", "2025-02-01", "--significance", "value", "--format", "html"]
    assert run([*words, "-o", str(tmp_path / "page.html")]) == 0
    made = (tmp_path / "page.html").read_text(encoding="utf-8")
    command = Read(made).text.strip().splitlines()[-1]
    assert command == shlex.join(["policy-engine", *words])
    capsys.readouterr()
    assert run(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out == made


def test_a_folder_without_an_instant_is_compared_now_and_the_page_says_when(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules = str(ROOT / "rules")
    assert run(["diff", rules, rules, "--format", "html"]) == 0
    out, err = capsys.readouterr()
    moment = err.removeprefix("at: ").partition(",")[0]
    assert f"{shlex.quote(rules)} --at {moment} --format html" in out
    assert "There is no change" in out
    assert err.count("at: ") == 1


def test_an_impact_is_made_as_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (json.dumps(one) for one in book_of_accounts.accounts(40))
    (tmp_path / "book.jsonl").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["impact", "2025-01-20", "2025-02-01", "--accounts", "book.jsonl", "--format", "html"]
    assert run([*words, "--most", "2"]) == 0
    made = capsys.readouterr().out
    read = is_quiet(made)
    assert "On 40 accounts of book.jsonl." in read.text
    assert sum(attributes.get("class") == "flips" for _, attributes in read.tags) == 1
    command = read.text.strip().splitlines()[-1]
    assert command == shlex.join(["policy-engine", *words, "--most", "2"])
    for rules in (Rulebook.load().in_force(day) for day in words[1:3]):
        assert all(version.digest in made for version in rules.versions.values())


def test_witnesses_are_not_on_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "2025-01-20", "2025-02-01", "--format", "html", "--witnesses"]) == 2
    assert "witnesses are shown as text, json or markdown" in capsys.readouterr().err


def test_without_jinja2_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("jinja2", "markupsafe"):  # a plain install has neither
        monkeypatch.setitem(sys.modules, module, None)
    page_module._environment.cache_clear()
    assert run(["diff", "2025-01-20", "2025-02-01", "--format", "html"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "not-installed: HTML pages are made with `jinja2`, which is not installed" in err
    assert "pip install 'policy-engine[book]'" in err
    page_module._environment.cache_clear()


def test_other_formats_never_import_it() -> None:
    script = "import sys; from policy_engine.cli import run\n"
    script += "run(['diff', '2025-01-20', '2025-02-01', '-o', '/dev/null'])\n"
    script += "print({'jinja2', 'markupsafe', 'policy_engine.render.html'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.slow
def test_the_wheel_has_the_templates(tmp_path: Path) -> None:
    build: list[Any] = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(ZipFile(wheel).namelist())
    assert {
        f"policy_engine/render/html/templates/{one.name}" for one in TEMPLATES.iterdir()
    } <= held
