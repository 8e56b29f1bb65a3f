"""Pairs of rulebooks from files, and the laws of what differs between any two states of rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from policy_engine import Rulebook
from policy_engine.diff import Changes, compare
from policy_engine.language.text import to_text
from policy_engine.model import Version
from policy_engine.numbers import text_of
from policy_engine.render.diff import render
from policy_engine.render.diff_json import to_json

HERE = Path(__file__).parent / "diffs"
AT = "2030-01-01"

# Pairs


class Pair(NamedTuple):
    """Two rulebooks, the instant at which they are compared, and what differs."""

    at: str
    old: list[tuple[str, str]]
    new: list[tuple[str, str]]
    diff: str

    def compared(self) -> Changes:
        """What changed from the old rulebook to the new one."""
        return compare(self.versions(self.old), self.versions(self.new), dates=True)

    def versions(self, side: list[tuple[str, str]]) -> list[Version]:
        """The versions of a side that are in force."""
        return list(Rulebook(side).in_force(self.at).versions.values())


def pair(path: Path) -> Pair:
    """The pair that a file holds."""
    parts = re.split(r"^=== (\w+)(?: (.*))?\n", path.read_text("utf-8"), flags=re.MULTILINE)[1:]
    at, diff = AT, None
    sides: dict[str, list[tuple[str, str]]] = {"old": [], "new": []}
    for word, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if word == "at":
            at = name
        elif word == "diff":
            diff = text.removesuffix("\n")
        else:
            sides[word].append((name or _file_name(text), text))
    assert diff is not None
    return Pair(at, sides["old"], sides["new"], diff)


def _file_name(text: str) -> str:
    """The path of a rule file, from what it says."""
    ruleset, day = (
        re.search(rf"^{key}: *(.{{{length}}})", text, re.MULTILINE)
        for key, length in (("ruleset", "1,"), ("effective_from", 10))
    )
    assert ruleset
    assert day
    return f"{ruleset[1]}/{day[1]}.yaml"


PAIRS = {path.stem: pair(path) for path in sorted(HERE.glob("*.txt"))}

# The laws

MIRRORED = {
    "added": "removed",
    "removed": "added",
    "changed": "changed",
    "moved": "moved",
    "split": "merged",
    "merged": "split",
    "replaced": "replaced",
}
TURNED = {"tighter": "looser", "looser": "tighter", None: None}


def check_mirror(there: Changes, back: Changes) -> None:
    """One is the other, read backwards."""
    assert there.significance == back.significance
    returned = {change.id: change for change in back.changes}
    assert returned.keys() == {change.id for change in there.changes}
    for change in there.changes:
        other = returned[change.id]
        assert (other.kind, other.name) == (change.kind, change.name)
        assert other.significance == change.significance
        assert other.action == MIRRORED[change.action]
        assert (other.before, other.after) == (change.after, change.before), change.id
        if not any(one.endswith("/safer") for one in returned):  # nor is the tighter one the same
            assert other.direction == TURNED[change.direction]
        if change.part is not None:
            assert other.part is not None
            sides = other.part.after.part, other.part.before.part
            assert sides == (change.part.before.part, change.part.after.part)


def check_changes(changes: Changes) -> None:
    """What holds of any comparison by itself."""
    ids = [change.id for change in changes.changes]
    assert len(ids) == len(set(ids))
    grades = [change.significance for change in changes.changes]
    assert changes.significance == max(grades, default=None)
    assert {pair.ruleset for pair in changes.rulesets} == {c.ruleset for c in changes.changes}
    text, said = render(changes), json.loads(to_json(changes))
    assert (text == "no change") == (not ids)
    assert [change["id"] for change in said["changes"]] == ids
    assert said["significance"] == (max(grades).word if grades else "none")
    assert all(change.id.startswith(change.ruleset) for change in changes.changes)


def check_sides(changes: Changes, old: list[Version], new: list[Version]) -> int:
    """Each change tells what the two versions say there; how many of them could be looked up."""
    said = json.loads(to_json(changes))["changes"]
    sides = [{version.ruleset: version for version in side} for side in (old, new)]
    looked_up = 0
    for change, shown in zip(changes.changes, said, strict=True):
        there = change.action in ("changed", "moved") or change.kind == "row"
        for word, side in zip(("before", "after"), sides, strict=True):
            if there and (say := _says(side[change.ruleset], change.path)) is not None:
                assert shown[word] == say[0], (change.id, word)
                looked_up += 1
    return looked_up


def _says(version: Version, path: tuple[str, ...]) -> tuple[Any] | None:
    """What a version says at a path as JSON, in brackets; None where this does not look it up."""
    match path:
        case ("parameters", name):
            return (_shown(version.parameters[name].value),)
        case ("parameters" | "tables" | "scales" as section, name, "title" | "note" as aspect):
            return (getattr(getattr(version, section)[name], aspect),)
        case ("parameters" | "tables", name, "unit" | "kind" | "safer" as aspect):
            return (getattr(getattr(version, path[0])[name], aspect),)
        case ("tables", name, "otherwise"):
            return (_shown(version.tables[name].otherwise.value),)
        case ("tables", name, "rows", key):
            return (_shown(_looked_up(version, name, key)),)
        case ("scales", name, "tiers", *key, block, column):
            return _rate(version, name, key, block, column)
        case ("formulas", entity, name, "expression"):
            return (_shown(version.formulas[entity][name].expression),)
        case ("statuses" | "notices" as section, name, "when"):
            rules = {rule.name: rule for rule in getattr(version, section)}
            return (_shown(rules[name].when),)
        case ("inputs", entity, name, "unit" | "optional" | "key" | "key_of" | "role" as aspect):
            return (getattr(version.inputs[entity][name], aspect),)
        case ("assumptions", name):
            return (version.assumptions[name],)
        case ("summary" | "corrects" as name,):
            return (getattr(version, name),)
        case ("effective_from" | "announced_at" as name,):
            return (text_of(getattr(version, name)),)
    return None


def _shown(value: Any) -> Any:
    if hasattr(value, "because"):
        return {"undetermined": value.because}
    return to_text(value.tree) if hasattr(value, "tree") else text_of(value)


def _looked_up(version: Version, name: str, key: str) -> Any:
    """What a table gives for a key, as it stands in a path."""
    table = version.tables[name]
    for row in table.rows:
        for parts in row.keys:
            text = ",".join(str(text_of(part)) for part in parts)
            if text.replace("~", "~0").replace("/", "~1") == key:
                return row.value
    return table.otherwise.value


def _rate(
    version: Version, name: str, key: list[str], block: str, column: str
) -> tuple[Any] | None:
    """The rate of the one tier between two edges."""
    scale = version.scales[name]
    columns = [name for name, _ in scale.columns]
    high = block.partition("..")[2]
    if column not in columns or not high:
        return None
    text = {str(text_of(k)).replace("~", "~0").replace("/", "~1"): k for k in scale.tiers if k}
    tiers = scale.tiers[text[key[0]] if key else None]
    (tier,) = [tier for tier in tiers if text_of(tier.to) == high]
    return (text_of(tier.rates[columns.index(column)]),)


def check_laws(old: list[Version], new: list[Version], dates: bool = True) -> int:
    """All the laws of two states; how many sides of changes were compared with the versions."""
    there, back = compare(old, new, dates=dates), compare(new, old, dates=dates)
    for changes in (there, back):
        check_changes(changes)
    check_mirror(there, back)
    return check_sides(there, old, new)
