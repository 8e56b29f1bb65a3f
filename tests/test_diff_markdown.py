"""`diff` as Markdown: short enough for a comment, every part closed, every sign shown as it is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from policy_engine import Rulebook
from policy_engine.diff import compare
from policy_engine.model import Parameter, Version
from policy_engine.render.diff_markdown import MOST_BYTES, render
from policy_engine.render.markdown import code, escaped

BOOK = Rulebook.load()
OLD = BOOK.version("cross_margin_pro@2023-11-12")
NEW = BOOK.version("cross_margin_pro@2026-01-21")


def of_many(version: Version, count: int) -> list[Version]:
    """A version as that of many rulesets."""
    return [replace(version, ruleset=f"ruleset_{at:04}") for at in range(count)]


def is_whole(page: str) -> bool:
    """Whether it fits, and everything that is opened in it is closed."""
    fences = len(re.findall(r"^```", page, re.MULTILINE))
    folded = page.count("<details>") == page.count("</details>")
    return len(page.encode()) < MOST_BYTES and folded and fences % 2 == 0


def test_the_longest_way_through_the_shipped_rules_fits() -> None:
    page = render(BOOK.diff("2019-07-05", "2026-02-01"))
    assert is_whole(page)
    assert "of wording</summary>" in page


@pytest.mark.parametrize("count", [1, 3, 30, 120])
def test_what_is_too_long_is_cut_and_says_so(count: int) -> None:
    page = render(compare(of_many(OLD, count), of_many(NEW, count)))
    assert is_whole(page)
    assert f"{count * len(compare([OLD], [NEW]).changes)} changes" in page
    said = "more; `--format json` has all" in page or "`--format json` has everything" in page
    assert said == (count > 1)


def test_signs_and_hidden_letters_are_shown_as_they_are() -> None:
    title = "a | b <script> *c* [d](e) \u202e\x1b[31m"
    parameter = Parameter("one", title)
    old = replace(OLD, parameters={"one": parameter})
    page = render(compare([old], [replace(old, parameters={"one": replace(parameter, note="n")})]))
    assert is_whole(page)
    shown = escaped(title)
    assert shown == r"a \| b &lt;script\> \*c\* \[d\](e) �U+202E�U+001B\[31m"
    assert code("a|`b`") == r"`` a\|`b` ``"
