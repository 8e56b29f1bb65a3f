"""What generated rule files and their evaluation have covered, and what they must cover."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
LISTS = ("assets", "orders", "loans")
FOLDS = ("sum", "count", "any", "all", "largest", "smallest")
SIGNS = ("Add", "Sub", "Mult", "Div", "USub", "Not", "And", "Or", "IfExp")
ORDERS = ("Lt", "LtE", "Gt", "GtE", "Eq", "NotEq")
ROUNDINGS = ("round_up", "round_down", "round_half_up")
CALLS = ("at", "given", "slices", "tier", "top", "min", "max", "abs", "clock_hours", *ROUNDINGS)
KINDS = ("text", "truth", "instant", "number")
EXPECTED = frozenset(
    [
        *(f"sign {sign}" for sign in (*SIGNS, *ORDERS)),
        *(f"call {name}" for name in (*CALLS, *FOLDS)),
        *(f"{fold} over {entity}" for fold in FOLDS for entity in LISTS),
        *(f"compare {kind}" for kind in KINDS),
        *(f"name {name}" for name in ("true", "false", "unlimited")),
        *("nested if", "nested aggregate", "at in aggregate", "scale column", "slices with least"),
        *(
            "scale without key",
            "scale by text",
            "scale by number",
            "tier from",
            "rates claim",
            "maintenance amount",
        ),
        *(f"formula on {entity}" for entity in ("account", *LISTS)),
        *(f"parameter {kind}" for kind in (*KINDS, "unlimited", "undetermined")),
        *(f"table by {by}" for by in ("text", "number", "text and number", "text and text")),
        *(f"table of {kind}" for kind in ("number", "text", "truth")),
        *(f"otherwise {kind}" for kind in ("stated", "unlimited", "undetermined")),
        *(f"row {kind}" for kind in ("stated", "unlimited", "undetermined")),
        *(f"assumes on {part}" for part in ("row", "otherwise", "above last", "provision")),
        *(f"above last {rate}" for rate in ("stated", "last", "undetermined")),
        *("edge belongs to lower", "edge belongs to upper", "correction", "two on a day"),
        *("uses of uses", "ruleset for classic", "shadowing name", "notice shows"),
        *("input not given", "parameter undetermined", "table otherwise", "table row"),
        *("scale key unknown", "above last undetermined", "list unknown", "division by zero"),
        *("no such line", "step not above 0", "clock order"),
        *("slices not above 0", "slices on edge", "slices inside", "slices above last"),
        *("tier below 0", "tier at 0", "tier inside", "tier above last"),
        *(f"tier on edge that belongs to {owner}" for owner in ("lower", "upper")),
        *(f"tier on last edge that belongs to {owner}" for owner in ("lower", "upper")),
    ]
)
"""Every construct, kind of undetermined value and tier position that must occur."""


class Coverage(Counter[str]):
    """How often each thing occurred; `note` is a watcher for the oracle."""

    def note(self, event: str) -> None:
        """Count an event that the oracle met."""
        self[event] += 1

    def read(self, documents: list[Document]) -> None:
        """Count what the documents use."""
        self.update(of_folder(documents))
        for document in documents:
            self.update(of_document(document))
            for text in expressions(document):
                self.update(of_expression(text))

    def missing(self) -> list[str]:
        """What has not occurred, sorted."""
        return sorted(thing for thing in EXPECTED if not self[thing])


def expressions(part: Any) -> Iterator[str]:
    """Every formula and condition of a document."""
    if isinstance(part, dict):
        for key, value in part.items():
            wanted = key in ("expression", "when", "applies_when") and isinstance(value, str)
            yield from [value] if wanted else expressions(value)


def of_expression(text: str) -> Iterator[str]:
    """What one expression uses."""
    for node in ast.walk(ast.parse(text, mode="eval")):
        kind = type(node).__name__
        if kind in SIGNS or kind in ORDERS:
            yield f"sign {kind}"
        if isinstance(node, ast.Name) and node.id in ("true", "false", "unlimited"):
            yield f"name {node.id}"
        if isinstance(node, ast.Attribute):
            yield "scale column"
        if isinstance(node, ast.IfExp):
            yield from ["nested if"] if holds(node, ast.IfExp) else []
        if isinstance(node, ast.Call):
            yield from of_call(node)


def holds(node: ast.AST, kind: type[ast.AST]) -> bool:
    """Whether such a node stands inside the node."""
    return any(isinstance(one, kind) and one is not node for one in ast.walk(node))


def of_call(node: ast.Call) -> Iterator[str]:
    """What one call uses."""
    function, first = ast.unparse(node.func), ast.unparse(node.args[0])
    yield f"call {function}"
    if function in FOLDS:
        yield f"{function} over {first}"
        inner = {
            ast.unparse(one.func) for one in ast.walk(node.args[1]) if isinstance(one, ast.Call)
        }
        yield from ["nested aggregate"] if inner & set(FOLDS) else []
        yield from ["at in aggregate"] if "at" in inner else []


def of_folder(documents: list[Document]) -> Iterator[str]:
    """What the rulesets use together."""
    uses = {document["ruleset"]: document.get("uses", []) for document in documents}
    keyless = {name for d in documents for name, s in d["scales"].items() if "by" not in s}
    for document in documents:
        yield from ["uses of uses"] if any(uses[one] for one in uses[document["ruleset"]]) else []
        yield from ["ruleset for classic"] if document["ruleset"] == "generated_classic" else []
        yield from ["correction"] if "corrects" in document else []
        yield from ["two on a day"] if "T13" in document["effective_from"] else []
        for text in expressions(document):
            yield from ["slices with least"] if has_least(text, keyless) else []


def has_least(text: str, keyless: set[str]) -> bool:
    """Whether a `slices` in the text has a least rate."""
    calls = [one for one in ast.walk(ast.parse(text, mode="eval")) if isinstance(one, ast.Call)]
    return any(
        ast.unparse(one.func) == "slices"
        and len(one.args) == (3 if ast.unparse(one.args[0]).split(".")[0] in keyless else 4)
        for one in calls
    )


def of_document(document: Document) -> Iterator[str]:
    """What the provisions of one document use."""
    for said in document["parameters"].values():
        yield f"parameter {stated(said['value'], said.get('gives', 'number'))}"
    for said in document["tables"].values():
        yield from of_table(said)
    for said in document["scales"].values():
        yield from of_scale(said)
    for entity, some in document["formulas"].items():
        yield f"formula on {entity}"
        shadows = entity == "assets" and some.keys() & document["formulas"].get("account", {})
        yield from ["shadowing name"] if shadows else []
        yield from ["assumes on provision" for said in some.values() if "assumes" in said]
    for said in document.get("notices", {}).values():
        yield from ["notice shows"] if "shows" in said else []


def stated(value: str, otherwise: str) -> str:
    """`unlimited` or `undetermined` if the value is that."""
    return value if value in ("unlimited", "undetermined") else otherwise


def of_table(said: dict[str, Any]) -> Iterator[str]:
    """What one table uses."""
    by = said["by"]
    yield "table by " + (by if isinstance(by, str) else " and ".join(by))
    yield f"table of {said.get('gives', 'number')}"
    yield f"otherwise {stated(said['otherwise'], 'stated')}"
    yield from ["assumes on otherwise"] if "otherwise_assumes" in said else []
    for row in said["rows"]:
        yield f"row {stated(row['value'], 'stated')}"
        yield from ["assumes on row"] if "assumes" in row else []


def of_scale(said: dict[str, Any]) -> Iterator[str]:
    """What one scale uses."""
    yield f"scale by {said['by']}" if "by" in said else "scale without key"
    yield f"edge belongs to {said['edge_belongs_to']}"
    above = said["above_last"]
    yield from ["assumes on above last"] if isinstance(above, dict) else []
    rate = above["rate"] if isinstance(above, dict) else above
    yield f"above last {rate if rate in ('last', 'undetermined') else 'stated'}"
    yield from ["rates claim"] if "rates" in said else []
    yield from ["maintenance amount"] if "maintenance_amount" in said else []
    lists = list(said["tiers"].values()) if "by" in said else [said["tiers"]]
    yield from ["tier from"] if any("from" in row for rows in lists for row in rows) else []
