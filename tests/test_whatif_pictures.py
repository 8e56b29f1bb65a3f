"""Pictures of price grids: what is drawn stands where its figure says, in any reader of SVG."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine import Rulebook
from policy_engine.grids import Axis, Grid, price_grid, steps
from policy_engine.numbers import EXACT
from policy_engine.render.curve import curve
from policy_engine.render.grid import every
from policy_engine.render.heat_map import heat_map
from policy_engine.render.svg import Span, apart, ink_on, shades

FOLDER = Path(__file__).parent / "whatif"
ACCOUNT: dict[str, Any] = json.loads((FOLDER / "account.json").read_text(encoding="utf-8"))
RULES = Rulebook.load(FOLDER / "rules").in_force("2024-12-10T08:00:00Z")
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "desc", "defs", "pattern", "rect", "path", "text", "line", "polyline"}
SHAPES |= {"circle"}
HALF_A_STEP = Fraction(1, 1000)
"""Places are written to a thousandth of a pixel."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for path in map(shutil.which, BROWSERS) if path), None)


def axis(key: str, points: int = 21) -> Axis:
    return Axis(steps(Decimal(-50), Decimal(50), points) or (), (key,))


def grid_of(*keys: str, points: int = 21, **fields: Any) -> tuple[Grid, str]:
    """A grid and its picture."""
    snapshot = {**ACCOUNT, **fields}
    grid = price_grid(RULES, snapshot, [axis(key, points) for key in keys])
    decision = RULES.decide(snapshot)
    return grid, (heat_map if len(keys) == 2 else curve)(grid, decision)


CURVES: dict[str, dict[str, Any]] = {
    "two thresholds": {},
    "a figure that is bad when large": {"mode": "classic", "leverage": 3},
    "close together": {"assets": [{**ACCOUNT["assets"][0], "free": "5000"}, ACCOUNT["assets"][1]]},
}


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [one for one in root.iter() if one.get("class") == name]


def values_by_place(ticks: list[tuple[Fraction, Fraction]]) -> Any:
    """From a place to the figure there, by two ticks: (value, place)."""
    (low, bottom), (high, top) = ticks[0], ticks[-1]
    assert bottom != top
    return lambda place: low + (high - low) * (place - bottom) / (top - bottom)


def tolerance(ticks: list[tuple[Fraction, Fraction]]) -> Fraction:
    """What rounding to a thousandth of a pixel can move a figure by."""
    (low, bottom), (high, top) = ticks[0], ticks[-1]
    return 4 * HALF_A_STEP * abs((high - low) / (top - bottom))


def ticks(root: ElementTree.Element, name: str) -> list[tuple[Fraction, Fraction]]:
    side = name[-1]
    found = [
        (Fraction(one.attrib["data-value"]), Fraction(one.attrib[f"{side}1"]))
        for one in of_class(root, name)
    ]
    assert len(found) >= 2
    return found


@pytest.mark.parametrize("name", CURVES)
def test_thresholds_and_curve_stand_at_their_values(name: str) -> None:
    grid, drawn = grid_of("GOLD", **CURVES[name])
    root = ElementTree.fromstring(drawn)
    across, up = ticks(root, "tick-x"), ticks(root, "tick-y")
    value, percent = values_by_place(up), values_by_place(across)
    lines = of_class(root, "threshold")
    places = [Fraction(line.attrib["y1"]) for line in lines]
    assert [line.attrib["y2"] for line in lines] == [line.attrib["y1"] for line in lines]
    wanted = {Fraction(one.values[0]) for one in grid.lines if one.values[0] is not None}
    assert len(places) == len(wanted) >= 1
    for place, expected in zip(sorted(map(value, places)), sorted(wanted), strict=True):
        assert abs(place - expected) <= tolerance(up)
    (line,) = of_class(root, "curve")
    points = [point.split(",") for point in line.attrib["points"].split()]
    for (x, y), step, figure in zip(points, grid.axes[0].percents, grid.values[0], strict=True):
        assert figure is not None
        assert abs(percent(Fraction(x)) - Fraction(step)) <= tolerance(across)
        assert abs(value(Fraction(y)) - Fraction(figure)) <= tolerance(up)


def test_the_labels_of_thresholds_keep_apart_and_say_what_holds() -> None:
    _, drawn = grid_of("GOLD", **CURVES["close together"])
    labels = of_class(ElementTree.fromstring(drawn), "threshold-label")
    heights = sorted(Decimal(one.attrib["y"]) for one in labels)
    assert heights[1] - heights[0] >= 15
    assert {one.text for one in labels} == {
        "sale, trade refused at or below 1.1",
        "letter, borrow refused at or below 1.5",
    }


def cells_drawn(root: ElementTree.Element, grid: Grid) -> Iterator[tuple[int, int, str]]:
    """Row, column and status of every cell that is drawn, from the places of the rectangles."""
    columns, rows = len(grid.axes[0].percents), len(grid.axes[1].percents)
    for one in of_class(root, "cells"):
        x, y = (Fraction(one.attrib[name]) for name in ("x", "y"))
        width, height = (Fraction(one.attrib[name]) for name in ("width", "height"))
        assert abs(height - Fraction(560, rows)) < Fraction(1, 100)
        first, last = (round((at - 96) * columns / 560) for at in (x, x + width))
        row = rows - 1 - round((y - 64) * rows / 560)
        yield from ((row, column, one.attrib["data-status"]) for column in range(first, last))


def test_every_cell_of_a_heat_map_is_drawn_once_with_its_status() -> None:
    grid, drawn = grid_of("GOLD", "COIN")
    found = list(cells_drawn(ElementTree.fromstring(drawn), grid))
    wanted = {
        (row, column, grid.statuses[rank or 0].name)
        for row, ranks in enumerate(grid.ranks)
        for column, rank in enumerate(ranks)
    }
    assert len(found) == len(wanted) == 21 * 21
    assert set(found) == wanted
    assert len({name for _, _, name in wanted}) == 3


def test_statuses_are_named_in_the_map_and_counted_in_the_legend() -> None:
    _, drawn = grid_of("GOLD", "COIN")
    root = ElementTree.fromstring(drawn)
    assert {one.text for one in of_class(root, "name")} == {"sale", "letter", "calm"}
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert "sale: 28 of 441" in texts
    (ring,) = of_class(root, "as-it-is")
    assert (ring.attrib["cx"], ring.attrib["cy"]) == ("376", "344")


def test_what_cannot_be_told_is_hatched_and_named() -> None:
    unknown: dict[str, Any] = {"mode": "classic", "leverage": None}
    for keys in (["GOLD"], ["GOLD", "COIN"]):
        grid, drawn = grid_of(*keys, points=3, **unknown)
        assert {rank for row in grid.ranks for rank in row} == {None}
        cells = of_class(ElementTree.fromstring(drawn), "cells")
        assert {one.attrib["fill"] for one in cells} == {"url(#unknown)"}
        assert f"cannot be told: {3 ** len(keys)} of {3 ** len(keys)}" in drawn


def test_a_figure_without_limits_is_said_where_nothing_can_be_drawn() -> None:
    free = [{**line, "borrowed": "0"} for line in ACCOUNT["assets"]]
    root = ElementTree.fromstring(grid_of("GOLD", points=3, assets=free)[1])
    assert of_class(root, "curve") == []
    assert len(of_class(root, "threshold")) == 2


def test_a_picture_holds_no_script_and_nothing_from_elsewhere() -> None:
    for _, drawn in (grid_of("GOLD"), grid_of("GOLD", "COIN")):
        root = ElementTree.fromstring(drawn)
        names = {one.tag.removeprefix(SVG) for one in root.iter()}
        assert names <= SHAPES
        attributes = {key for one in root.iter() for key in one.attrib}
        assert not [key for key in attributes if "href" in key or key.startswith("on")]
        assert set(re.findall(r"url\((.*?)\)", drawn)) <= {"#unknown"}
        assert re.findall(r"https?://[^\"]*", drawn) == ["http://www.w3.org/2000/svg"]


def test_names_are_escaped() -> None:
    hostile = "<script>\"&'</script>"
    lines = [{**ACCOUNT["assets"][0], "asset": hostile}, ACCOUNT["assets"][1]]
    for keys in ([hostile], [hostile, "COIN"]):
        _, drawn = grid_of(*keys, points=3, account=hostile, assets=lines)
        root = ElementTree.fromstring(drawn)
        texts = [one.text or "" for one in root.iter()]
        assert [text for text in texts if text.startswith(f"account {hostile},")]
        assert hostile in texts
        assert not list(root.iter(f"{SVG}script"))


def test_equal_grids_give_equal_bytes_in_any_context_of_the_caller() -> None:
    for keys in (["GOLD"], ["GOLD", "COIN"]):
        with localcontext(Context(prec=3)):
            few = grid_of(*keys)
        assert few == grid_of(*keys)


def brightness(colour: str) -> int:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return 2 * red + 7 * green + blue


def test_shades_go_from_dark_to_light() -> None:
    for count in range(1, 12):
        made = shades(count)
        light = [brightness(one) for one in made]
        assert light == sorted(light)
        assert len(set(made)) == count
    assert (ink_on("#5c0a2e"), ink_on("#e3f1e6"), ink_on("url(#unknown)")) == (
        *("#ffffff", "#1a1a1a"),
        "#1a1a1a",
    )


@given(st.decimals(-1000, 1000, places=3), st.decimals("0.001", 1000, places=3), st.integers(2, 12))
def test_ticks_are_round_inside_and_not_too_many(low: Decimal, room: Decimal, most: int) -> None:
    with localcontext(EXACT):
        span = Span(low, low + room, 400, 0)
        made = span.ticks(most)
        assert 0 <= len(made) <= most
        assert all(low <= tick <= low + room for tick in made)
        assert [span.place(low), span.place(low + room)] == [400, 0]


@given(st.lists(st.decimals(0, 100, places=2), max_size=6), st.integers(1, 20))
def test_labels_keep_apart(places: list[Decimal], least: int) -> None:
    made = apart(sorted(places), least)
    assert all(after - before >= least for before, after in pairwise(made))
    assert all(moved >= place for moved, place in zip(made, sorted(places), strict=True))


@given(st.integers(1, 1001), st.integers(1, 61))
def test_steps_that_are_shown_have_the_middle_among_them(count: int, most: int) -> None:
    shown = every(count, most)
    assert len(shown) <= most
    assert count // 2 in shown
    assert len({after - before for before, after in pairwise(shown)}) <= 1


# --- in a browser ---------------------------------------------------------------------------------

PAGE = """<!doctype html><meta charset="utf-8">{drawing}<pre id="found"></pre><script>
const read = name => [...document.querySelectorAll(name)].map(one => {{
  const box = one.getBBox();
  return [one.dataset.value, String(box.x), String(box.y), String(box.width), String(box.height)];
}});
document.getElementById("found").textContent = JSON.stringify({{
  "threshold": read(".threshold"), "tick-y": read(".tick-y"), "cells": read(".cells")}});
</script>"""


def in_browser(page: Path, folder: Path) -> str:
    """The document that headless Chromium makes of a file."""
    assert BROWSER is not None
    quiet = ("--disable-gpu", "--no-first-run", "--disable-background-networking")
    own = ("--headless", "--no-sandbox", f"--user-data-dir={folder / 'profile'}", *quiet)
    done = subprocess.run(
        [BROWSER, *own, "--dump-dom", page.as_uri()], capture_output=True, timeout=120, check=True
    )
    return done.stdout.decode("utf-8")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed to open the pictures in")
@pytest.mark.parametrize("name", CURVES)
def test_a_browser_draws_the_thresholds_at_their_values(name: str, tmp_path: Path) -> None:
    grid, drawn = grid_of("GOLD", **CURVES[name])
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(drawing=drawn), encoding="utf-8")
    shown = in_browser(page, tmp_path)
    found = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert found is not None
    boxes = json.loads(html.unescape(found[1]))
    heights = [(Fraction(value), Fraction(y)) for value, _, y, _, _ in boxes["tick-y"]]
    value = values_by_place(heights)
    seen = sorted(value(Fraction(y)) for _, _, y, _, _ in boxes["threshold"])
    wanted = sorted({Fraction(one.values[0]) for one in grid.lines if one.values[0] is not None})
    assert len(seen) == len(wanted) >= 1
    for place, expected in zip(seen, wanted, strict=True):
        assert abs(place - expected) <= 2 * tolerance(heights)
    assert {(x, width, height) for _, x, _, width, height in boxes["threshold"]} == {
        ("96", "560", "0")
    }
    assert sum(Fraction(width) for _, _, _, width, _ in boxes["cells"]) == pytest.approx(560)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed to open the pictures in")
@pytest.mark.parametrize("keys", [("GOLD",), ("GOLD", "COIN")], ids=["curve", "heat map"])
def test_a_browser_reads_the_file_itself(keys: tuple[str, ...], tmp_path: Path) -> None:
    _, drawn = grid_of(*keys)
    picture = tmp_path / "picture.svg"
    picture.write_text(drawn, encoding="utf-8")
    shown = in_browser(picture, tmp_path)
    assert "parsererror" not in shown
    read = ElementTree.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])
    assert [one.attrib for one in read.iter()] == [
        one.attrib for one in ElementTree.fromstring(drawn).iter()
    ]
