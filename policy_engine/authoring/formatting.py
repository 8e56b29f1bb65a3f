"""Rule files laid out one way: sections and keys in the order of the schema, formulas in block
style, comments kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.authoring.comments import BLANK, Entry, Group, Leaf, comments_of, entries_of
from policy_engine.document import read_yaml
from policy_engine.errors import Place, Problem, RulesError
from policy_engine.model import Version
from policy_engine.render.yaml import MOST_COLUMNS, scalar_text
from policy_engine.schema import problems as schema_problems
from policy_engine.shapes import schema, shaped, target
from policy_engine.versions import read_version

FOR_EDITORS = "# yaml-language-server:"

_SCHEMA = "ruleset"
_BLOCKS = (
    *("source", "parameter", "table", "scale", "formula", "status", "notice", "refusal"),
    *("permission", "request", "invariant", "effect"),
)
"""What the schema calls the parts that get a line for each key, however short they are."""


def version_of(text: str, path: str) -> Version:
    """The version that a text spells, alone. Raises RulesError with everything found."""
    document = read_yaml(text, path)
    if found := schema_problems(document, _SCHEMA):
        raise RulesError(found)
    return read_version(document, shaped(document, _SCHEMA))


def formatted(text: str, path: str) -> str:
    """The text of a rule file laid out anew; its meaning and its comments are the same.

    Raises RulesError for a file that is not sound by itself, and where the new text would not say
    the same.
    """
    before = version_of(text, path)
    made = laid_out(text, path)
    try:
        same = before.digest == version_of(made, path).digest
        same &= read_yaml(text, path).data == read_yaml(made, path).data
        same &= comments_of(text, path) == comments_of(made, path)
    except RulesError:
        same = False
    if not same:
        hint = "lay it out by hand; it is left as it is"
        message = "laid out anew, this file would not say the same"
        raise RulesError([Problem("not-the-same", message, hint, Place(path))])
    return made


def laid_out(text: str, path: str) -> str:
    """The text laid out, whatever it means. Raises RulesError for what is not strict YAML."""
    root = entries_of(text, path)
    top, entries = _top(root)
    return "\n".join([*top, *_sections(replace(root, entries=entries))]).rstrip("\n") + "\n"


# --- comments ------------------------------------------------------------------------------------


def _top(root: Group) -> tuple[list[str], tuple[Entry, ...]]:
    """The lines that stay at the top of the file, and the entries without them: those for editors,
    and comments set apart from the first key."""
    if not root.entries:
        return [], ()
    first, *others = root.entries
    lead = first.lead
    ends = [n for n, one in enumerate(lead, 1) if one == BLANK or one.startswith(FOR_EDITORS)]
    cut = ends[-1] if ends else 0
    top = [*_collapsed(lead[:cut])]
    return top, (replace(first, lead=lead[cut:]), *others)


def _collapsed(lines: tuple[str, ...]) -> Iterator[str]:
    """The lines with one blank where there are several, and none at the start."""
    before = BLANK
    for line in lines:
        if line or before:
            yield line
        before = line


# --- the file ------------------------------------------------------------------------------------


def _sections(root: Group) -> Iterator[str]:
    """The lines of the whole file: sections stand apart."""
    part, apart = schema(_SCHEMA), False
    for number, entry in enumerate(_ordered(root, part)):
        inner = _member(part, entry)
        section = _is_section(entry, inner)
        if number and (section or apart or entry.lead[:1] == (BLANK,)):
            yield BLANK
        yield from _collapsed(entry.lead)
        yield from _entry(replace(entry, lead=()), inner, 0, section)
        apart = section
    if root.tail[:1] == (BLANK,) and root.entries:
        yield BLANK
    yield from _collapsed(root.tail)


def _is_section(entry: Entry, part: Mapping[str, Any]) -> bool:
    """Whether a top-level key has a line for each of its members."""
    value = entry.value
    return isinstance(value, Group) and value.mapping and not _fits(entry, part, 0, top=True)


def _ordered(group: Group, part: Mapping[str, Any]) -> list[Entry]:
    """The entries in the order in which the schema has the keys; others after, as they stand."""
    order = {key: number for number, key in enumerate(part.get("properties", ()))}
    if not group.mapping or not order:
        return list(group.entries)
    return sorted(group.entries, key=lambda entry: order.get(_name(entry), len(order)))


def _name(entry: Entry) -> str:
    return entry.key.value if entry.key else ""


def _member(part: Mapping[str, Any], entry: Entry) -> Mapping[str, Any]:
    """The schema of an entry's value."""
    if entry.key is None:
        return target(schema(_SCHEMA), part.get("items"))
    inner = part.get("properties", {}).get(_name(entry), part.get("additionalProperties"))
    return target(schema(_SCHEMA), inner)


# --- entries -------------------------------------------------------------------------------------


def _lines(group: Group, part: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The lines of a mapping or list with a line for each entry."""
    space = " " * indent
    for number, entry in enumerate(_ordered(group, part)):
        blank = [BLANK] if entry.lead[:1] == (BLANK,) and number else []
        for line in (*blank, *_collapsed(entry.lead)):
            yield f"{space}{line}".rstrip()
        yield from _entry(entry, _member(part, entry), indent)
    blank = [BLANK] if group.tail[:1] == (BLANK,) else []
    for line in (*blank, *_collapsed(group.tail)):
        yield f"{space}{line}".rstrip()


def _entry(
    entry: Entry, part: Mapping[str, Any], indent: int, section: bool = False
) -> Iterator[str]:
    """The lines of an entry, without those above it."""
    head = f"{' ' * indent}{f'{entry.key.text}:' if entry.key else '-'}"
    value = entry.value
    if isinstance(value, Leaf):
        yield from _scalar(head, value, part, indent, entry.beside)
    elif not section and _fits(entry, part, indent):
        yield f"{head} {_flow(value, part)}{entry.beside}"
    elif _wraps(value):
        *lines, last = _wrapped(head, value)
        yield from (*lines, f"{last}{entry.beside}")
    elif entry.key is None:
        yield from _item(value, part, indent)
    else:
        yield f"{head}{entry.beside}"
        yield from _lines(value, part, indent + 2)


def _item(value: Group, part: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A mapping or list after a dash; comments above its first entry go above the dash."""
    space, lines = " " * indent, list(_lines(value, part, indent + 2))
    first = next(number for number, line in enumerate(lines) if line.lstrip()[:1] not in ("#", ""))
    yield from (f"{space}{line.lstrip()}".rstrip() for line in lines[:first] if line)
    yield f"{space}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _scalar(
    head: str, leaf: Leaf, part: Mapping[str, Any], indent: int, beside: str
) -> Iterator[str]:
    first, *later = _written(leaf, part).split("\n")
    text = beside if leaf.is_block or not later else ""
    yield f"{head} {first}{text}"
    for number, line in enumerate(later, 1):
        ends = beside if number == len(later) and not leaf.is_block else ""
        yield f"{' ' * (indent + 2)}{line}{ends}".rstrip() if line else ""


def _written(leaf: Leaf, part: Mapping[str, Any]) -> str:
    """A scalar as it is written; a formula without quotes that it does not need."""
    if leaf.is_block and not leaf.value:
        return '""'
    if leaf.style in ("'", '"') and _is_formula(part):
        return scalar_text(leaf.value)
    return leaf.text


def _is_formula(part: Mapping[str, Any]) -> bool:
    return part is schema(_SCHEMA)["$defs"]["expression"]


# --- one line or many ----------------------------------------------------------------------------


def _fits(entry: Entry, part: Mapping[str, Any], indent: int, top: bool = False) -> bool:
    """Whether a mapping or list is in brackets, may stay so, and fits on its line."""
    group = entry.value
    if not isinstance(group, Group):
        return False
    if not group.entries:
        return True
    if not group.flow or not _may_flow(group, part) or (top and _has_groups(group)):
        return False
    if group.breaks and _wraps(group):
        return False
    head = indent + (len(entry.key.text) + 2 if entry.key else 2)
    return head + len(_flow(group, part)) <= MOST_COLUMNS


def _may_flow(group: Group, part: Mapping[str, Any]) -> bool:
    """Whether a group reads well in brackets: no named provision in it, no comma in a formula."""
    if _is_block(part) and (group.mapping or _has_groups(group)):
        return False
    for entry in group.entries:
        inner = _member(part, entry)
        if isinstance(entry.value, Group):
            if not _may_flow(entry.value, inner):
                return False
        elif _joined(entry.value) is None or (_is_formula(inner) and "," in entry.value.value):
            return False
    return True


def _has_groups(group: Group) -> bool:
    return any(isinstance(entry.value, Group) for entry in group.entries)


def _is_block(part: Mapping[str, Any]) -> bool:
    """Whether the schema's part is a provision, or a mapping of parts to their names."""
    defs = schema(_SCHEMA)["$defs"]
    if any(part is defs[name] for name in _BLOCKS):
        return True
    inner = part.get("additionalProperties")
    return isinstance(inner, Mapping) and target(schema(_SCHEMA), inner).get("type") == "object"


def _wraps(group: Group) -> bool:
    """Whether a list goes on in later lines inside its brackets."""
    plain = all(isinstance(e.value, Leaf) and _joined(e.value) is not None for e in group.entries)
    return group.flow and not group.mapping and plain


def _wrapped(head: str, group: Group) -> Iterator[str]:
    """A list in brackets, its later lines under its first item; lines that are broken stay so."""
    line = f"{head} ["
    for number, text in enumerate(map(_flow_text, group.entries)):
        if number in group.breaks or (number and len(line) + len(text) + 2 > MOST_COLUMNS):
            yield f"{line},"
            line = " " * (len(head) + 2) + text
        else:
            line += f", {text}" if number else text
    yield f"{line}]"


def _flow(group: Group, part: Mapping[str, Any]) -> str:
    """A mapping or list in brackets, on one line."""
    texts = [_flow_text(entry, _member(part, entry)) for entry in _ordered(group, part)]
    inside = ", ".join(texts)
    return f"{{{inside}}}" if group.mapping else f"[{inside}]"


def _flow_text(entry: Entry, part: Mapping[str, Any] | None = None) -> str:
    value = entry.value
    text = _flow(value, part or {}) if isinstance(value, Group) else _joined(value) or ""
    return f"{entry.key.text}: {text}" if entry.key else text


def _joined(leaf: Leaf) -> str | None:
    """A scalar's text on one line; None where its lines are part of what it says."""
    if "\n" not in leaf.text:
        return leaf.text
    lines = leaf.text.split("\n")
    if leaf.is_block or not all(lines) or any(line.endswith("\\") for line in lines):
        return None
    return " ".join(lines)
