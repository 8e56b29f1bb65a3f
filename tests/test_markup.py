"""The markup and words readings: what people read of a formula says it, and says no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from policy_engine import Rulebook
from policy_engine.diff.formulas import difference
from policy_engine.errors import Place
from policy_engine.language.markup import CHANGED, mathml
from policy_engine.language.phrases import Pieces, plain_text
from policy_engine.language.syntax import Expression, parse
from policy_engine.language.terms import Term, Terms, untitled
from policy_engine.language.text import to_text
from policy_engine.language.wording import in_words, sentences
from readable import Read, generated, shipped

HERE = Path(__file__).parent / "markup"
CONSTRUCTS = yaml.safe_load((HERE / "constructs.yaml").read_text(encoding="utf-8"))
CORE = {"math", "mrow", "mi", "mo", "mn", "mtext", "mfrac", "msub", "munder"}
CORE |= {"mtable", "mtr", "mtd"}
NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
SEEDS = range(40)


def titled(name: str, text: str, kind: str = "number", keyed: bool = False) -> Term:
    return Term(name, text, text, kind, titled=True, keyed=keyed)


TERMS = Terms(
    {
        "account": {
            "level": titled("level", "level of the account"),
            "debt": titled("debt", "debt"),
            "mode": untitled("mode", "text"),
            "opened": untitled("opened", "instant"),
            "closed": untitled("closed", "instant"),
            "accepted": untitled("accepted", "truth"),
        },
        "assets": {"free": titled("free", "balance")},
    },
    {
        "rate": titled("rate", "rate by region"),
        "allowed": titled("allowed", "whether a region is allowed", "truth"),
    },
    {"tiers": titled("tiers", "tiers by coin", keyed=True), "steps": titled("steps", "steps")},
)


def read_xml(tree: ast.expr, terms: Terms, entity: str = "account") -> ElementTree.Element:
    """A formula's MathML as a tree: it is well formed, and has elements of MathML Core only."""
    root = ElementTree.fromstring(mathml(tree, terms, entity))
    assert {one.tag.removeprefix(NAMESPACE) for one in root.iter()} <= CORE
    shapes = {"mfrac": 2, "msub": 2, "munder": 2}
    for one in root.iter():
        wanted = shapes.get(one.tag.removeprefix(NAMESPACE))
        assert wanted is None or len(one) == wanted
    return root


def text_of(root: ElementTree.Element) -> str:
    return "".join(root.itertext())


# --- every construct ------------------------------------------------------------------------------


@pytest.mark.parametrize("one", CONSTRUCTS, ids=[one["formula"] for one in CONSTRUCTS])
def test_a_construct_is_said_so(one: dict[str, str]) -> None:
    tree = parse(one["formula"])
    assert plain_text(in_words(tree, TERMS)) == one["words"]
    assert text_of(read_xml(tree, TERMS))


def test_the_constructs_are_all_there_are() -> None:
    calls = {match for one in CONSTRUCTS for match in re.findall(r"(\w+)\(", one["formula"])}
    from policy_engine.language.scope import RESERVED

    assert calls >= RESERVED
    nodes = {type(node) for one in CONSTRUCTS for node in ast.walk(parse(one["formula"]))}
    from policy_engine.language.interpreter import _HANDLERS

    assert nodes >= set(_HANDLERS)


def test_what_a_figure_is_in_whole_sentences() -> None:
    said = {
        "debt + free": "The level is the debt plus free.",
        "debt if accepted else 0": "If accepted is true, the level is the debt. "
        "Otherwise, it is 0.",
        "debt if accepted else free if debt > 0 else 0": "If accepted is true, the level is the "
        "debt. Otherwise, if the debt is above 0, it is free. Otherwise, it is 0.",
        "debt > 0": "The level is true when the debt is above 0.",
    }
    level = titled("level", "level")
    for formula, words in said.items():
        assert plain_text(sentences(level, parse(formula), TERMS)) == words


def test_mathematics_is_printed_as_it_is_used_to_be() -> None:
    printed = {
        "debt / free": "<mfrac><mi>debt</mi><mi>free</mi></mfrac>",
        "(debt + free) / level": "<mfrac><mrow><mi>debt</mi><mo>+</mo><mi>free</mi></mrow>",
        "debt * free": "<mo>×</mo>",
        "debt <= free": "<mo>≤</mo>",
        "sum(assets, free)": '<munder><mo movablelimits="false">∑</mo><mi>assets</mi></munder>',
        "at(assets, coin, price)": "<msub><mi>price</mi><mrow><mi>coin</mi></mrow></msub>",
        "debt if accepted else 0": '<mtable class="cases"><mtr><mtd><mi>debt</mi></mtd>',
    }
    for formula, xml in printed.items():
        assert xml in mathml(parse(formula), TERMS)
    assert text_of(read_xml(parse("(debt + free) * level"), TERMS)).startswith("(debt+free)×")


def test_an_equation_names_what_it_gives() -> None:
    made = mathml(parse("debt"), TERMS, of=TERMS.figure("account", "level"))
    assert '<mi data-name="level">level of the account</mi><mo>=</mo><mi>debt</mi>' in made


# --- the laws -------------------------------------------------------------------------------------


def check_apart(formulas: Iterable[Read]) -> int:
    """Each is well formed, and no two that differ are read alike; how many there are."""
    words: dict[tuple[str, str], str] = {}
    printed: dict[tuple[str, str], str] = {}
    for one in formulas:
        tree = one.expression.tree
        read_xml(tree, one.terms, one.entity)
        said = plain_text(in_words(tree, one.terms, one.entity))
        assert said == " ".join(said.split())
        assert said.count("(") == said.count(")")
        assert words.setdefault((one.entity, said), one.text) == one.text
        xml = mathml(tree, one.terms, one.entity)
        assert printed.setdefault((one.entity, xml), one.text) == one.text
    return len(words)


def test_no_two_formulas_of_the_shipped_rules_are_read_alike() -> None:
    assert sum(map(check_apart, shipped())) > 400


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_generated_formulas_are_read_alike(seed: int) -> None:
    assert sum(map(check_apart, generated(seed))) > 10


def test_titles_are_written_letter_by_letter() -> None:
    wild = "a <b> & \"c\" 'd' ]]>"
    terms = Terms({"account": {"level": titled("level", wild)}})
    root = read_xml(parse('level == "<i>&amp;"'), terms)
    assert text_of(root) == f"{wild}=“<i>&amp;”"
    (mark,) = [one for one in root.iter() if one.get("data-name")]
    assert mark.get("data-name") == "level"


# --- marks ----------------------------------------------------------------------------------------


def nowhere(start: int, width: int) -> Place:
    return Place()


def marked(old: str, new: str) -> list[tuple[str, str]]:
    """What is marked on both sides of two formulas: in MathML, and in words."""
    sides = (Expression(text, parse(text), nowhere) for text in (old, new))
    found = difference(*sides)
    assert found is not None
    made = []
    for side in (found.before, found.after):
        tree = parse(side.text)
        root = ElementTree.fromstring(mathml(tree, TERMS, marks=side.spans))
        plain = ElementTree.fromstring(mathml(tree, TERMS))
        assert text_of(root) == text_of(plain)
        said = in_words(tree, TERMS, marks=side.spans)
        assert plain_text(said) == plain_text(in_words(tree, TERMS))
        shown = [text_of(one) for one in root.iter() if one.get("class") == CHANGED]
        made.append((" | ".join(shown), _marked_words(said)))
    return made


def _marked_words(pieces: Pieces) -> str:
    return plain_text(piece for piece in pieces if piece.marked)


MARKED = {
    ("a / b", "(a - c) / b"): [("a", "a"), ("a−c", "a less c")],
    ("a - b", "a - c - b"): [("", ""), ("−c", "less c")],
    ("a + b", "a - b"): [("b", "b"), ("−b", "less b")],
    ("a * b", "a * c"): [("b", "b"), ("c", "c")],
    ("a and b", "a and b and c"): [("", ""), ("c", "c")],
    ("a < b", "a <= b"): [("a<b", "a is below b"), ("a≤b", "a is at or below b")],
    ("max(a, 0)", "max(b, 0)"): [("a", "a"), ("b", "b")],
    ("a if b else 0", "a if c else 0"): [("b", "b"), ("c", "c")],
    ("sum(assets, a)", "sum(assets, b)"): [("a", "a"), ("b", "b")],
    ("slices(s.x, k, v)", "slices(s.y, k, v)"): [
        ("s, x", "s, column x,"),
        ("s, y", "s, column y,"),
    ],
}


@pytest.mark.parametrize("pair", MARKED, ids=" -> ".join)
def test_the_part_that_differs_is_marked(pair: tuple[str, str]) -> None:
    assert marked(*pair) == MARKED[pair]


def test_a_mark_may_begin_with_the_sign_before_its_part() -> None:
    for formula, span, printed, said in (
        ("a and b and c", (8, 13), "and c", "and c is true"),
        ("a or b or c", (7, 11), "or c", "or c is true"),
        ("a - c", (2, 5), "−c", "less c"),
    ):
        tree = parse(formula)
        root = ElementTree.fromstring(mathml(tree, TERMS, marks=[span]))
        (shown,) = (one for one in root.iter() if one.get("class") == CHANGED)
        assert text_of(shown).replace("\u00a0", " ").strip() == printed
        assert _marked_words(in_words(tree, TERMS, marks=[span])) == said


def test_every_formula_that_the_shipped_rules_changed_is_marked_where_it_differs() -> None:
    found = 0
    for versions in Rulebook.load().rulesets.values():
        for old, new in pairwise(versions):
            for change in Rulebook.load().diff(old.id, new.id).changes:
                if change.part is None or not (change.part.before.text and change.part.after.text):
                    continue
                for side in (change.part.before, change.part.after):
                    xml = mathml(parse(side.text), TERMS, marks=side.spans)
                    shown = ElementTree.fromstring(xml).iter()
                    count = sum(one.get("class") == CHANGED for one in shown)
                    assert count == len(side.spans), side.text
                    found += count
    assert found > 20


def test_to_text_and_the_readings_take_the_same_trees() -> None:
    for formulas in shipped():
        for one in formulas:
            again = parse(one.text)
            assert to_text(again) == one.text
            assert mathml(again, one.terms, one.entity) == mathml(
                one.expression.tree, one.terms, one.entity
            )
