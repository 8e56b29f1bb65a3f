"""The budgets: what is of the largest size is taken, and what is one larger is refused."""

from __future__ import annotations

import ast
import importlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from policy_engine import PolicyError, Rulebook, SnapshotError, numbers
from policy_engine.books import json_lines
from policy_engine.checks import findings
from policy_engine.document import read_json, read_text, read_yaml
from policy_engine.errors import Problem, did_you_mean
from policy_engine.language.syntax import Fault, parse

PACKAGE = Path(__file__).parents[1] / "policy_engine"
LIMIT = re.compile(r"_?(MOST|DEEPEST|LONGEST|DIGITS)_[A-Z_]+")

NO_BUDGETS = {
    "authoring.csv_understood.MOST_SHOWN": "how much is shown",
    "book.examples.MOST_MADE_UP": "how long a search goes on",
    "authoring.place.MOST_CORRECTIONS": "how a file may be named",
    "books.json_lines._MOST_BYTES": "tested below",
    "checks.bounds.MOST_STEPS": "how long a search goes on",
    "columns.digits.MOST_PLACES": "what is decided exactly",
    "columns.lines._MOST_SLOTS": "how much is held at a time",
    "columns.numbers.MOST_UNITS": "what is decided exactly",
    "columns.reading._MOST_REMEMBERED": "what is remembered between decisions",
    "columns.scales._MOST_STRETCH": "what is decided exactly",
    "columns.settings._MOST_COMBINATIONS": "what is decided exactly",
    "columns.settings._MOST_KEPT": "what is remembered between decisions",
    "impact.causes.MOST_COMBINED": "tested with the causes: beyond it a report says so",
    "impact.measure.MOST_KEPT": "how much is shown",
    "mutation.missing.MOST_ACCOUNTS": "how long a search goes on",
    "portfolio.batches._MOST_COMBINATIONS": "what is remembered between decisions",
    "witnesses.find.MOST_ASKED": "how long a search goes on",
    "witnesses.find.MOST_LINES": "how long a search goes on",
    "witnesses.find.MOST_SEEDS": "how long a search goes on",
    "witnesses.seeds.MOST_KEYS": "how long a search goes on",
    "witnesses.seeds.MOST_VALUES": "how long a search goes on",
    "language.markup.LONGEST_LINE": "how a formula is laid out",
    "language.terms.LONGEST_SHORT": "how a formula is laid out",
    "lines._MOST_TEXTS": "what is remembered between decisions",
    "rules._MOST_REMEMBERED": "what is remembered between decisions",
    "schema_words.MOST_LISTED": "how a hint is worded",
    "sources.understood.MOST_NOTED": "how a hint is worded",
    "walk.MOST_SURPRISES": "how long a search goes on",
}
"""Numbers named like budgets that bound no input, and what they are."""


@cache
def limits() -> dict[str, int]:
    """Every number that is named as a bound, under the module that it is written in.

    Those of `render` bound what is shown and nothing that is read.
    """
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if module.startswith("render."):
            continue
        for name in assigned(ast.parse(path.read_text(encoding="utf-8")).body):
            if LIMIT.fullmatch(name):
                found[f"{module}.{name}"] = getattr(
                    importlib.import_module(f"policy_engine.{module}"), name
                )
    return found


def assigned(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that a module gives values to."""
    for statement in body:
        if isinstance(statement, ast.AnnAssign) and statement.value:
            yield ast.unparse(statement.target)
        elif isinstance(statement, ast.Assign):
            target = statement.targets[0]
            yield from map(ast.unparse, target.elts if isinstance(target, ast.Tuple) else [target])


# What is asked: the codes of the problems with something of a size


def codes(read: Callable[..., Any], *arguments: Any) -> list[str]:
    """The codes of what is wrong; none where it is read."""
    try:
        read(*arguments)
    except PolicyError as error:
        return [problem.code if problem.hint else "no hint" for problem in error.problems]
    except Fault as fault:
        return [fault.code if fault.hint else "no hint"]
    return []


def yaml(content: str) -> list[str]:
    return codes(read_yaml, content, "rules.yaml")


def json_(content: str) -> list[str]:
    return codes(read_json, content, "snapshot.json")


RULES = """\
ruleset: bounds
effective_from: 2025-01-01T00:00:00Z
announced_at: null
summary: One of each.
applies_when: mode == "pro"
sources: {s: {title: Source}}
inputs: {account: {mode: {type: text}, x: {type: number, unit: ratio}}}
statuses: {normal: {title: Normal}}
"""


def rules(more: str) -> list[str]:
    def load() -> None:
        problems = findings(Rulebook([("bounds/2025-01-01.yaml", RULES + more)]))
        if problems:
            raise PolicyError(problems)

    return codes(load)


def parameter(value: str) -> list[str]:
    return rules(f"parameters: {{p: {{title: P, value: {value}, unit: ratio}}}}\n")


def figure(expression: str) -> list[str]:
    title = "{title: F, unit: ratio, expression: "
    return rules(f"formulas: {{account: {{f: {title}{json.dumps(expression)}}}}}}}\n")


SNAPSHOT = {"account": "A-1", "mode": "classic", "assets": []}


def snapshot(**more: Any) -> list[str]:
    given = Rulebook.load().in_force("2025-02-01")
    return codes(given.decide, {**SNAPSHOT, **more})


def line(**more: Any) -> list[str]:
    amounts = dict.fromkeys(("free", "locked", "borrowed", "interest"), "0")
    return snapshot(assets=[{"asset": "BTC", "price": "1", **amounts, **more}])


def nested(depth: int) -> Any:
    made: Any = "1"
    for _ in range(depth):
        made = [made]
    return made


def wide(values: int) -> Any:
    """As many values, of which none is a mapping or list, four lists deep."""
    return [[[["1"] * values]]]


def file(folder: Path, content: str) -> list[str]:
    path = folder / "file"
    path.write_text(content, encoding="utf-8")
    return codes(read_text, path, SnapshotError)


def compared(size: int) -> list[str]:
    known = [f"name_{number:04}" for number in range(size)]
    return [] if did_you_mean("name_000", known) else ["no hint"]


def brief(text: str) -> list[str]:
    """Whether a number is called too long as such, and not for its digits."""
    with pytest.raises(numbers.BadNumber) as caught:
        numbers.number(text)
    return ["characters"] if "characters" in caught.value.message else []


def option(command: str, name: str, value: int) -> list[str]:
    """Whether a command takes a number for one of its options."""
    module = importlib.import_module(f"policy_engine.cli.{command}")
    asked = next(one for one in getattr(module, command).params if one.name == name)
    try:
        asked.type.convert(value, asked, None)
    except click.BadParameter:
        return ["bad usage"]
    return []


Asked = Callable[[int], list[str]]

BUDGETS: Mapping[str, Mapping[str, tuple[Asked, str]]] = {
    "document.text.MOST_CHARACTERS": {
        "yaml": (lambda n: yaml("a: 1\n#".ljust(n, "x")), "too-large"),
        "json": (lambda n: json_("1".ljust(n)), "too-large"),
    },
    "document.text.MOST_DEPTH": {
        "yaml": (lambda n: yaml("[" * n + "]" * n), "too-deep"),
        "yaml in lines": (lambda n: yaml("- " * n + "x"), "too-deep"),
        "json": (lambda n: json_("[" * n + "]" * n), "too-deep"),
        "snapshot": (
            lambda n: [code for code in snapshot(assets=nested(n - 1)) if code == "too-deep"],
            "too-deep",
        ),
    },
    "document.text.MOST_VALUES": {
        "yaml": (lambda n: yaml(f"[{'1, ' * (n - 2)}1]"), "too-large"),
        "json": (lambda n: json_(f"[{'1, ' * (n - 2)}1]"), "too-large"),
        "json mappings": (lambda n: json_(f"[{'{}, ' * (n - 2)}{{}}]"), "too-large"),
        "json words": (lambda n: json_(f"[{'true, ' * (n - 2)}null]"), "too-large"),
        "snapshot": (
            lambda n: [code for code in snapshot(assets=wide(n)) if code == "too-large"],
            "too-large",
        ),
    },
    "document.strict_yaml.MOST_SCALAR_CHARACTERS": {
        "plain": (lambda n: yaml(f"a: {'x' * n}"), "too-large"),
        "quoted": (lambda n: yaml(f"a: '{'x' * n}'"), "too-large"),
        "key": (
            lambda n: [code for code in yaml(f"? {'x' * n}\n: a\n") if code != "bad-key"],
            "too-large",
        ),
    },
    "document.strict_json.MOST_EXPONENT_DIGITS": {
        "above": (lambda n: json_(f"1e{'9' * n}"), "bad-number"),
        "below": (lambda n: json_(f"1e-{'9' * n}"), "bad-number"),
        "zeros do not count": (lambda n: json_(f"1e000{'9' * n}"), "bad-number"),
    },
    "numbers.MOST_NUMBER_CHARACTERS": {
        "json": (lambda n: json_("9" * n), "bad-number"),
        "text": (lambda n: brief("9" * n), "characters"),
        "whole": (
            lambda n: [] if "9" * 36 in str(told(open_order_loss=10**n - 1)) else ["hidden"],
            "hidden",
        ),
    },
    "numbers.DIGITS_BEFORE_POINT": {
        "rules": (lambda n: parameter("9" * n), "bad-number"),
        "rules, percent": (lambda n: parameter(f"{'9' * (n + 2)}%"), "bad-number"),
        "snapshot, text": (lambda n: line(free="9" * n), "bad-number"),
        "snapshot, whole": (lambda n: line(free=10**n - 1), "bad-number"),
        "snapshot, exact": (lambda n: line(free=Decimal("9" * n)), "bad-number"),
    },
    "numbers.DIGITS_AFTER_POINT": {
        "rules": (lambda n: parameter(f"0.{'1' * n}"), "bad-number"),
        "rules, percent": (lambda n: parameter(f"0.{'1' * (n - 2)}%"), "bad-number"),
        "snapshot, text": (lambda n: line(free=f"0.{'1' * n}"), "bad-number"),
        "snapshot, exact": (lambda n: line(free=Decimal(f"0.{'1' * n}")), "bad-number"),
    },
    "language.syntax.LONGEST_EXPRESSION": {
        "formula": (lambda n: codes(parse, "a".ljust(n)), "formula-too-long"),
        "rules": (lambda n: figure("x".ljust(n)), "too-large"),
    },
    "language.words.DEEPEST_EXPRESSION": {
        "signs": (lambda n: codes(parse, "-" * (n - 1) + "a"), "formula-too-deep"),
        "brackets": (lambda n: codes(parse, "(" * n + "a" + ")" * n), "formula-too-deep"),
        "rules": (lambda n: figure("x" + " + x" * (n - 1)), "formula-too-deep"),
    },
    "language.scope.MOST_ARGUMENTS": {
        "max": (lambda n: figure(f"max({', '.join(['x'] * n)})"), "wrong-arguments"),
        "min": (lambda n: figure(f"min({', '.join(['x'] * n)})"), "wrong-arguments"),
    },
    "cli.whatif.MOST_POINTS": {
        "points of a curve": (lambda n: option("whatif", "points", n), "bad usage"),
    },
    "errors.MOST_COMPARED": {"names": (compared, "no hint")},
}
"""For each budget, the kinds of input that have it: something of a size, and the code of what is
one larger."""


def told(**more: Any) -> list[Problem]:
    given = Rulebook.load().in_force("2025-02-01")
    with pytest.raises(SnapshotError) as caught:
        given.decide({**SNAPSHOT, **more})
    return list(caught.value.problems)


KINDS = [(name, kind) for name, kinds in BUDGETS.items() for kind in kinds]


def test_every_limit_is_tested() -> None:
    tested = {*BUDGETS, *NO_BUDGETS, "errors.MOST_PROBLEMS"}
    assert limits().keys() - tested == set()
    assert BUDGETS.keys() <= limits().keys()


@pytest.mark.parametrize(("name", "kind"), KINDS, ids=lambda part: part)
def test_the_limit_is_taken_and_one_past_it_refused(name: str, kind: str) -> None:
    most, (asked, code) = limits()[name], BUDGETS[name][kind]
    assert asked(most) == []
    assert code in asked(most + 1)


def test_a_file_of_the_most_characters_is_read(tmp_path: Path) -> None:
    most = limits()["document.text.MOST_CHARACTERS"]
    assert file(tmp_path, "x" * most) == []
    assert file(tmp_path, "x" * (most + 1)) == ["too-large"]
    assert file(tmp_path, "\U0001f600" * most) == []
    assert file(tmp_path, "\U0001f600" * (most + 1)) == ["too-large"]


PROBLEMS: Mapping[str, Callable[[int], list[str]]] = {
    "hidden characters": lambda n: yaml("a: " + "\x07" * n),
    "keys twice": lambda n: yaml("a: x\n" * (n + 1)),
    "half characters": lambda n: json_("\ud800" * n),
    "json numbers": lambda n: json_(f"[{'NaN, ' * (n - 1)}NaN]"),
    "unknown keys": lambda n: rules("".join(f"k{number}: x\n" for number in range(n))),
    "names": lambda n: rules(f"formulas: {{account: {{{formulas(n)}}}}}\n"),
    "assumptions": lambda n: rules(
        f"parameters: {{p: {{title: P, value: 1, unit: ratio, assumes: [{listed(n)}]}}}}\n"
    ),
    "assets": lambda n: snapshot(orders=[order(number) for number in range(n)], mode="pro"),
    "fields": lambda n: snapshot(**{f"k{number}": "x" for number in range(n)}),
}


def formulas(count: int) -> str:
    one = "{title: T, unit: ratio, expression: unknown}"
    return ", ".join(f"f{number}: {one}" for number in range(count))


def listed(count: int) -> str:
    return ", ".join(f"a{number}" for number in range(count))


def order(number: int) -> dict[str, str]:
    quantities = {"sell_quantity": "1", "buy_quantity": "1"}
    return {"sell": f"S{number}", "buy": f"S{number}", **quantities}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_the_most_problems_are_told_and_no_more(kind: str) -> None:
    most, asked = limits()["errors.MOST_PROBLEMS"], PROBLEMS[kind]
    few = len(asked(10))
    assert few >= 10
    assert len(asked(most // (few // 10))) == most
    assert len(asked(most + 1)) == most


# What the schemas bound

SCHEMAS = Path(__file__).parents[1] / "schemas"
BOUNDS: Mapping[str, tuple[Asked, str]] = {
    "ruleset name": (lambda n: figure_named("n" * n), "too-large"),
    "ruleset expression": (lambda n: figure("x".ljust(n)), "too-large"),
    "snapshot account": (lambda n: snapshot(account="a" * n), "too-large"),
    "snapshot asset": (lambda n: line(asset="a" * n), "too-large"),
}


def figure_named(name: str) -> list[str]:
    return rules(f"formulas: {{account: {{{name}: {{title: F, unit: ratio, expression: x}}}}}}\n")


def bounded(name: str) -> Iterator[tuple[str, int]]:
    """The parts of a schema that bound the length of a text."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    for at, part in [*schema["properties"].items(), *schema["$defs"].items()]:
        if "maxLength" in part:
            yield f"{name} {at}", part["maxLength"]


def test_every_length_that_a_schema_bounds_is_tested() -> None:
    names = [path.name.partition(".")[0] for path in sorted(SCHEMAS.glob("*.json"))]
    found = {at for name in names for at, _ in bounded(name)}
    written = sum(path.read_text("utf-8").count('"maxLength"') for path in SCHEMAS.glob("*.json"))
    assert found == set(BOUNDS)
    assert len(found) == written


@pytest.mark.parametrize("at", BOUNDS)
def test_a_length_that_a_schema_bounds(at: str) -> None:
    most, (asked, code) = dict(bounded(at.partition(" ")[0]))[at], BOUNDS[at]
    assert asked(most) == []
    assert asked(most + 1) == [code]


def test_the_schema_and_the_language_agree() -> None:
    assert (
        dict(bounded("ruleset"))["ruleset expression"]
        == (limits()["language.syntax.LONGEST_EXPRESSION"])
    )


def test_a_line_of_a_book_has_at_most_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_MOST_BYTES", 100)
    asked = [f"{account:<{size}}\n" for account, size in (("{}", 99), ("{}", 100), ("{}", 300))]
    rows = list(json_lines.rows(io.BytesIO("".join([*asked, "{}"]).encode()), "book.jsonl"))
    codes = [[problem.code for problem in row.problems] for row in rows]
    assert codes == [[], ["too-large"], ["too-large"], []]
    assert [row.line for row in rows] == [1, 2, 3, 4]
