"""Pages in headless Chromium: quiet, nothing loaded, whole at the width of a telephone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from differences import PAIRS
from pages import WILD, page_of, page_of_impact, wild_page
from policy_engine import Rulebook
from policy_engine.render.html import State, diff_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for path in map(shutil.which, BROWSERS) if path), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium is installed to open the pages in"
)

PHONE, DESKTOP = 390, 1200
DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"
QUIET = (
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
OWN = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
)
FRAME = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.createElement("iframe");
frame.style.width = "{width}px"; frame.style.height = "800px"; frame.style.border = "0";
frame.onload = () => {{
  const seen = frame.contentDocument, root = seen.documentElement;
  for (const one of seen.querySelectorAll("details")) one.open = {open};
  const boxes = name => [...seen.querySelectorAll(name)].map(one => {{
    const box = one.getBoundingClientRect(); return [box.width, box.height]; }});
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify({{
    title: seen.title, width: root.clientWidth, scrolled: root.scrollWidth,
    paper: getComputedStyle(seen.body).backgroundColor, ink: getComputedStyle(seen.body).color,
    math: boxes("math"), fractions: boxes("mfrac"), changed: boxes(".changed, mark"),
    svg: boxes("svg"), loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
    scripts: seen.scripts.length, text: seen.body.innerText.length,
  }});
  document.body.append(found);
}};
frame.src = "page.html";
document.body.append(frame);
</script></body>"""
"""Opens the page in a frame of a width and writes down what is seen; the page itself has no script,
and its policy would not let it run one."""


class Seen(NamedTuple):
    """What a browser tells of a page, what it said on its console, and all it asked for."""

    facts: dict[str, Any]
    console: list[str]
    asked: set[str]


def seen(
    page: str, folder: Path, width: int = DESKTOP, scheme: str = LIGHT, open: bool = True
) -> Seen:
    """A page as headless Chromium shows it."""
    assert BROWSER is not None
    (folder / "page.html").write_text(page, encoding="utf-8")
    framed = FRAME.format(width=width, open=json.dumps(open))
    framed_page = folder / "frame.html"
    framed_page.write_text(framed, encoding="utf-8")
    log = folder / "net.json"
    options = ("--headless=new", "--no-sandbox", f"--user-data-dir={folder / 'profile'}")
    watched = ("--enable-logging=stderr", f"--log-net-log={log}", "--allow-file-access-from-files")
    size = (f"--window-size={DESKTOP + 100},900", scheme, "--virtual-time-budget=5000")
    done = subprocess.run(
        [BROWSER, *options, *QUIET, *OWN, *watched, *size, "--dump-dom", framed_page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode("utf-8"), re.DOTALL)
    assert found is not None, done.stderr.decode("utf-8", "replace")[-2000:]
    said = [
        line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line
    ]
    return Seen(json.loads(html.unescape(found[1])), said, asked_for(log))


def asked_for(log: Path) -> set[str]:
    """What pages asked a network for: the browser's own requests come from no page."""
    events = (event.get("params", {}) for event in json.loads(log.read_text("utf-8"))["events"])
    urls = {
        event["url"]
        for event in events
        if "url" in event and event.get("initiator", "not an origin") != "not an origin"
    }
    return {url for url in urls if not url.startswith(("file:", "data:"))}


def update() -> str:
    """The page of a real update: formulas of every kind, charts, and long tables."""
    book = Rulebook.load()
    old, new = (
        State(at, tuple(book.in_force(at).versions.values())) for at in ("2024-12-01", "2026-02-01")
    )
    return diff_page(book.diff(old.name, new.name), old, new, "policy-engine diff …")


PAGES: dict[str, Callable[[], str]] = {
    "diff": lambda: page_of(PAIRS["a-real-update"]),
    "tiers": lambda: page_of(PAIRS["scale-tier-split"]),
    "impact": page_of_impact,
    "shipped": update,
    "nothing": lambda: page_of(PAIRS["nothing-at-all"]),
    "wild": lambda: wild_page(WILD[0]),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_fits_a_telephone(name: str, tmp_path: Path) -> None:
    made = seen(PAGES[name](), tmp_path, PHONE)
    assert made.console == []
    assert made.asked == set()
    facts = made.facts
    assert (facts["loaded"], facts["scripts"]) == (0, 0)
    assert (facts["width"], facts["scrolled"]) == (PHONE, PHONE)
    assert facts["text"] > 200
    boxes = [*facts["math"], *facts["fractions"], *facts["changed"], *facts["svg"]]
    assert all(width > 0 and height > 0 for width, height in boxes)
    assert all(width <= PHONE for width, _ in facts["svg"] if name != "impact")


def test_mathematics_is_drawn_as_such(tmp_path: Path) -> None:
    facts = seen(update(), tmp_path).facts
    assert len(facts["math"]) > 20
    assert len(facts["fractions"]) > 3
    assert len(facts["changed"]) > 5
    line = min(height for _, height in facts["math"])
    assert all(height > 1.6 * line / 1.5 for _, height in facts["fractions"])
    assert max(height for _, height in facts["math"]) > 2 * line  # a fraction, or cases


def brightness(colour: str) -> int:
    """How bright a colour is, from 0 to 255."""
    return sum(map(int, re.findall(r"\d+", colour)[:3])) // 3


@pytest.mark.parametrize("name", ["diff", "impact"])
def test_a_page_is_dark_where_the_reader_is(name: str, tmp_path: Path) -> None:
    page = PAGES[name]()
    light, dark = (seen(page, tmp_path, scheme=scheme).facts for scheme in (LIGHT, DARK))
    assert brightness(light["paper"]) > 200 > 60 > brightness(light["ink"])
    assert brightness(dark["ink"]) > 200 > 60 > brightness(dark["paper"])


def test_wild_names_do_nothing(tmp_path: Path) -> None:
    made = seen(page_of_impact(" ".join(WILD)), tmp_path)
    assert made.console == []
    assert made.asked == set()
    assert made.facts["title"] == "Impact of a change of the rules"
    assert made.facts["scripts"] == 0


def test_the_browser_would_tell(tmp_path: Path) -> None:
    """What the tests above look for is seen where it is: a script refused, a picture asked for."""
    page = PAGES["nothing"]()
    loud = page.replace("<h1>", "<script>console.log(1)</script><p style='width:2000px'>x</p><h1>")
    made = seen(loud, tmp_path, PHONE)
    assert made.console != []
    assert made.facts["scripts"] == 1
    assert made.facts["scrolled"] > PHONE
    open_ = page.replace("default-src 'none'", "default-src *")
    asking = open_.replace("img-src data:", "img-src *").replace(
        "<h1>", "<img src='http://example.invalid/x.png'><h1>"
    )
    assert any("example.invalid" in url for url in seen(asking, tmp_path).asked)


def test_a_page_prints(tmp_path: Path) -> None:
    assert BROWSER is not None
    page, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(PAGES["impact"](), encoding="utf-8")
    options = ("--headless=new", "--no-sandbox", f"--user-data-dir={tmp_path / 'profile'}")
    subprocess.run(
        [BROWSER, *options, *QUIET, *OWN, f"--print-to-pdf={printed}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert printed.read_bytes().startswith(b"%PDF")
    assert printed.stat().st_size > 10_000
