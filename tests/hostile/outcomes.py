"""What becomes of a hostile text: a line that says whether it is refused or taken, and as what."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

from hostile.corpora import CORPORA
from policy_engine import PolicyError, Rulebook, RulesError
from policy_engine.checks import findings
from policy_engine.document import read_json, read_text, read_yaml
from policy_engine.errors import Problem
from policy_engine.language.syntax import Fault, parse
from policy_engine.language.text import to_text
from policy_engine.render.problems import render
from policy_engine.stamps import Stamps, read_stamps, version_id

LONGEST = 100
"""Characters of a value that are written out; of a longer one its hash is."""

Outcome = Callable[[bytes], str]


def canonical(value: Any) -> str:
    """A value as JSON with every digit of its numbers, in ASCII."""
    if isinstance(value, dict):
        members = (f"{json.dumps(key)}: {canonical(item)}" for key, item in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(canonical, value))}]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def accepted(text: str) -> str:
    if len(text) <= LONGEST and text.isascii() and text.isprintable():
        return f"accepted {text}"
    return f"accepted sha256:{hashlib.sha256(text.encode('utf-8')).hexdigest()[:16]}"


def refused(problems: Sequence[Problem]) -> str:
    """The codes, each once, in file order. What is said can be shown, and says what to do."""
    assert problems
    assert render(problems).encode("utf-8")
    return f"refused {','.join(dict.fromkeys(problem.code for problem in problems))}"


# --- documents ------------------------------------------------------------------------------------


def document(read: Callable[[str, str], Any]) -> Outcome:
    """The outcome of a file that is read as YAML or JSON."""

    def outcome(content: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(content)
            try:
                return accepted(canonical(read(read_text(path), "file")))
            except PolicyError as error:
                return refused(error.problems)

    return outcome


# --- formulas spliced into a shipped file ---------------------------------------------------------

RULES = Path(__file__).parents[2] / "rules"
SPLICED = "cross_margin_pro/2025-01-21.yaml"
"""The shipped file that formulas are spliced into."""

OTHER_MODE = "cross_margin_classic"
"""What an account may ask to change to: a decision needs the rules for that too."""

SNAPSHOT = {
    "account": "A-1",
    "mode": "pro",
    "region": "FR",
    "assets": [
        {"asset": name, "free": free, "locked": "0", "borrowed": owed, "interest": "0", "price": p}
        for name, free, owed, p in [("USDC", "20000", "0", "1"), ("BTC", "0", "1", "10000")]
    ],
}

PLACES: Mapping[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "account": (
        "expression: (net_collateral - open_order_loss) / maintenance_margin if maintenance_margin"
        " > 0 else unlimited",
        lambda made: made["values"]["margin_level"],
    ),
    "line": (
        "expression: slices(brackets.maintenance, asset, liability_value) if liability_value > 0"
        " else 0",
        lambda made: [line["maintenance_margin"] for line in made["assets"]],
    ),
    "status": ("when: margin_level <= liquidation_margin_level", lambda made: made["status"]),
}
"""Where a formula is put: what stands there, and what a decision says of it."""


@cache
def shipped() -> tuple[list[tuple[str, str]], str, Stamps]:
    """The files it uses, the text of the one that is spliced, and the record of them all."""
    whole = (RULES / SPLICED).read_text("utf-8")
    found = used_by([*read_yaml(whole, SPLICED).data["uses"], OTHER_MODE])
    return list(found.items()), whole, read_stamps(RULES)


def used_by(names: Iterable[str]) -> dict[str, str]:
    """The first version of each of these rulesets, and of those that they use, by path."""
    found: dict[str, str] = {}
    for name in names:
        path = min((RULES / name).glob("*.yaml"))
        found[f"{name}/{path.name}"] = text = path.read_text("utf-8")
        found |= used_by(read_yaml(text, path.name).data.get("uses", ()))
    return found


def spliced(place: str, text: str) -> str:
    """The outcome of the shipped file with a text in place of a formula, as it is in YAML."""
    around, whole, stamps = shipped()
    written, told = PLACES[place]
    key = written.partition(":")[0]
    before, _, after = whole.partition(f"{written}\n")
    assert after
    at = before.count("\n") + 1
    documents = [*around, (SPLICED, f"{before}{key}: {text}\n{after}")]
    known = {name: stamps[name] for name in map(version_id, dict(around)) if name in stamps}
    try:
        book = Rulebook(documents, known)
        made = book.in_force("2025-02-01").decide(SNAPSHOT).to_dict()
    except RulesError as error:
        return f"refused {placed(error.problems, at)}"
    said = findings(book)
    check = f"; check: {placed(said, at)}" if said else ""
    return accepted(canonical(told(made))) + check


def placed(problems: Sequence[Problem], at: int) -> str:
    """Codes with line and column, lines counted from the one that is spliced, as in `+0:19`.

    All problems are in the file, and what is said of them can be shown.
    """
    assert render(problems).encode("utf-8")
    assert {problem.place.path for problem in problems} == {SPLICED}
    spots = [f"{p.code}@{_line(p.place.line, at)}:{p.place.column}" for p in problems]
    more = [f"and {len(spots) - 3} more"] if len(spots) > 3 else []
    return " ".join([*spots[:3], *more])


def _line(line: int, at: int) -> str:
    return f"{line - at:+}" if line >= at else str(line)


def in_quotes(text: str) -> str:
    """A text as YAML writes it between quotes, so that the formula is that text."""
    escaped = (_escaped(character) for character in text)
    return f'"{"".join(escaped)}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\U{ord(character):08X}"


def formula(content: bytes) -> str:
    """The outcome of a formula: its fault, or its one spelling and whether a file may have it."""
    text = content.decode("utf-8", "surrogatepass")
    try:
        spelled = to_text(parse(text))
    except Fault as fault:
        return f"refused {fault.code}"
    outcome = spliced("account", in_quotes(text)).partition("@")[0]
    return f"{outcome}, read as {spelled}"


STYLES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("account", in_quotes),
    ("line", in_quotes),
    ("status", in_quotes),
    ("account", str),
)
"""Each formula is put in three places as it is, and once bare, to be read by YAML first."""


def splicings() -> Iterator[tuple[str, Callable[[], str]]]:
    """What each splicing is called, and how its outcome is come by."""
    for name, content in CORPORA["expressions"]():
        text = content.decode("utf-8", "surrogatepass")
        for place, style in STYLES:
            called = f"{name} {place}{' bare' if style is str else ''}"
            yield called, partial(spliced, place, style(text))


OUTCOMES: Mapping[str, Outcome] = {
    "expressions": formula,
    "yaml": document(lambda text, path: read_yaml(text, path).data),
    "yaml-test-suite": document(lambda text, path: read_yaml(text, path).data),
    "pyyaml-legacy": document(lambda text, path: read_yaml(text, path).data),
    "json": document(read_json),
    "json-test-suite": document(read_json),
}

TABLES = (*OUTCOMES, "spliced")
"""The names of the tables, one for each collection and one for what is spliced."""


def outcomes(table: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """The name of each entry of a table, and how its outcome is come by."""
    if table == "spliced":
        yield from splicings()
    else:
        for name, content in CORPORA[table]():
            yield name, partial(OUTCOMES[table], content)
