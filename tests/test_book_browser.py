"""The rule book in headless Chromium: it renders, fits, prints, and its small script works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

import test_html_browser
from test_book import shipped_page
from test_html_browser import BROWSER, DARK, DESKTOP, LIGHT, OWN, PHONE, QUIET, brightness, seen

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium is installed to open the book in"
)

FRAME = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.createElement("iframe");
frame.style.width = "{width}px"; frame.style.height = "800px"; frame.style.border = "0";
frame.onload = () => {{
  const seen = frame.contentDocument, root = seen.documentElement;
  const boxes = name => [...seen.querySelectorAll(name)].map(one => {{
    const box = one.getBoundingClientRect(); return [box.width, box.height]; }});
  const facts = {{
    open: {open}, width: root.clientWidth, scrolled: root.scrollWidth,
    math: boxes("math"), fractions: boxes("mfrac"), svg: boxes("svg"),
    loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
    lost: [...seen.querySelectorAll("a")].map(one => one.getAttribute("href").slice(1))
      .filter(name => !seen.getElementById(name)),
    paper: getComputedStyle(seen.body).backgroundColor, ink: getComputedStyle(seen.body).color,
    passages: seen.querySelectorAll(".passage").length,
  }};
  const box = seen.querySelector("#tools input"), shown = () =>
    [...seen.querySelectorAll(".passage")].filter(one => one.offsetHeight > 0).map(one => one.id);
  box.value = "{word}"; box.dispatchEvent(new Event("input"));
  facts.found = shown();
  box.value = ""; box.dispatchEvent(new Event("input"));
  facts.again = shown().length;
  seen.querySelector("#tools button").click();
  facts.otherPaper = getComputedStyle(seen.body).backgroundColor;
  const found = document.createElement("pre");
  found.id = "found"; found.textContent = JSON.stringify(facts);
  document.body.append(found);
}};
frame.src = "page.html";
document.body.append(frame);
</script></body>"""


@pytest.fixture(autouse=True)
def framed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is opened in a frame that also searches it and turns its light."""
    made = FRAME.replace("{word}", "lowest margin call ratio")
    monkeypatch.setattr(test_html_browser, "FRAME", made)


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, LIGHT), (DESKTOP, DARK)])
def test_the_book_is_quiet_whole_and_linked(width: int, scheme: str, tmp_path: Path) -> None:
    made = seen(shipped_page(), tmp_path, width, scheme)
    facts = made.facts
    assert made.console == []
    assert made.asked == set()
    assert facts["loaded"] == 0
    assert (facts["width"], facts["scrolled"]) == (width, width)
    assert facts["lost"] == []
    assert len(facts["math"]) > 80
    assert len(facts["fractions"]) > 5
    boxes = [*facts["math"], *facts["fractions"], *facts["svg"]]
    assert all(wide > 0 and high > 0 for wide, high in boxes)
    paper, ink = brightness(facts["paper"]), brightness(facts["ink"])
    assert (paper > 200 > 60 > ink) if scheme == LIGHT else (ink > 200 > 60 > paper)


def test_the_book_is_searched_and_turned_dark_and_light(tmp_path: Path) -> None:
    facts = seen(shipped_page(), tmp_path).facts
    assert "cross_margin_pro/parameters/lowest_margin_call_ratio" in facts["found"]
    assert 0 < len(facts["found"]) < facts["passages"] / 4
    assert facts["again"] == facts["passages"]
    assert brightness(facts["paper"]) > 200 > 60 > brightness(facts["otherPaper"])


def test_the_book_prints_with_the_targets_of_its_links(tmp_path: Path) -> None:
    assert BROWSER is not None
    page, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(shipped_page(), encoding="utf-8")
    options = ("--headless=new", "--no-sandbox", f"--user-data-dir={tmp_path / 'profile'}")
    subprocess.run(
        [BROWSER, *options, *QUIET, *OWN, f"--print-to-pdf={printed}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert printed.read_bytes().startswith(b"%PDF")
    reader = which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext is installed to read the print with")
    text = subprocess.run([reader, "-layout", printed, "-"], capture_output=True, check=True).stdout
    assert len(re.findall(rb"\[\d+\.\d+\]", text)) > 100
    assert b"Light or dark" not in text
