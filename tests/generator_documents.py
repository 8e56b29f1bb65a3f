"""Random rule documents: what each ruleset declares, and its versions in time."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from generator_formulas import Writer, condition, formula
from generator_provisions import FIGURES, LIMITS, Pen, Provision
from generator_terms import Scope, Term

Document = dict[str, Any]
INPUTS: dict[str, dict[str, Provision]] = {
    "account": {
        "mode": {"type": "text"},
        "at": {"type": "instant"},
        "leverage": {"type": "number", "unit": "ratio", "optional": "true"},
        "region": {"type": "text", "optional": "true"},
        "vip_level": {"type": "number", "unit": "ratio", "optional": "true"},
        "custom_ratio": {
            "type": "number",
            "unit": "ratio",
            "from": "margin_call_ratio.pro",
            "optional": "true",
        },
        "questionnaire_completed": {"type": "truth", "optional": "true"},
        "terms_accepted": {"type": "truth", "optional": "true"},
        "supplied_open_order_loss": {
            "type": "number",
            "unit": "ratio",
            "from": "open_order_loss",
            "optional": "true",
        },
    },
    "assets": {
        "asset": {"type": "text", "key": "true"},
        "price": {"type": "number", "unit": "ratio", "role": "price"},
        "free": {"type": "number", "unit": "ratio"},
        "locked": {"type": "number", "unit": "ratio"},
        "borrowed": {"type": "number", "unit": "ratio"},
        "interest": {"type": "number", "unit": "ratio"},
    },
    "orders": {
        "sell": {"type": "text", "key_of": "assets"},
        "buy": {"type": "text", "key_of": "assets"},
        "sell_quantity": {"type": "number", "unit": "ratio"},
        "buy_quantity": {"type": "number", "unit": "ratio"},
    },
    "loans": {
        "asset": {"type": "text"},
        "borrowed_at": {"type": "instant"},
        "principal": {"type": "number", "unit": "ratio"},
        "hourly_rate": {"type": "number", "unit": "per hour", "role": "rate"},
    },
}
"""What a rule file may read of a snapshot. Units are ratios so that all amounts fit each other."""
USES = {"mode": "mode", "region": "region", "asset": "coin", "sell": "coin", "buy": "coin"}
ALWAYS = {"mode", "asset", "price", "free", "sell", "buy"}
DAYS = ("2024-01-01", "2024-05-10", "2024-08-12", "2025-01-21", "2025-03-01", "2025-09-15")
SECTIONS = ("parameters", "tables", "scales")


@dataclass(frozen=True)
class Ruleset:
    """A ruleset to be written: its inputs, the rulesets it uses, whom it is for, how much."""

    name: str
    prefix: str
    inputs: dict[str, dict[str, Provision]]
    uses: dict[str, Scope]
    mode: str = ""
    size: int = 8


def inputs_of_all(rng: Random) -> dict[str, dict[str, Provision]]:
    """The declarations that all rulesets of one folder take theirs from."""
    inputs = deepcopy(INPUTS)
    if rng.random() < 0.15:
        del inputs["account"]["leverage"]["optional"]
    if rng.random() < 0.3:
        inputs["loans"]["principal"]["optional"] = "true"
        inputs["orders"]["buy_quantity"]["optional"] = "true"
    return inputs


def some_inputs(
    rng: Random, inputs: dict[str, dict[str, Provision]]
) -> dict[str, dict[str, Provision]]:
    """The inputs that one document declares: always the account, the assets and their keys."""
    entities = [one for one in inputs if one in ("account", "assets") or rng.random() < 0.8]
    return {
        entity: {
            name: deepcopy(said)
            for name, said in inputs[entity].items()
            if name in ALWAYS or rng.random() < 0.85
        }
        for entity in entities
    }


def scope_of(inputs: dict[str, dict[str, Provision]]) -> Scope:
    """The names that the inputs alone give."""
    scope = Scope()
    for entity, some in inputs.items():
        scope.values[entity] = {name: input_term(name, said) for name, said in some.items()}
        scope.optional[entity] = [name for name, said in some.items() if "optional" in said]
    return scope


def input_term(name: str, said: Provision) -> Term:
    """An input as formulas see it."""
    kind = "rate" if said.get("unit") == "per hour" else said["type"]
    return Term(name, kind, digits=36, names=1, use=USES.get(name, ""))


class Author:
    """Writes one document and keeps the scope that its formulas see and that others may use."""

    def __init__(
        self, rng: Random, ruleset: Ruleset, inputs: dict[str, dict[str, Provision]]
    ) -> None:
        self.rng = rng
        self.ruleset = ruleset
        self.inputs = inputs
        self.pen = Pen(rng, ruleset.prefix)
        self.scope = scope_of(inputs)
        self.exported = Scope()
        for other in ruleset.uses.values():
            self.scope.absorb(other)

    def document(self) -> Document:
        """The document, without its dates."""
        made: Document = {
            "ruleset": self.ruleset.name,
            "summary": "Generated: nothing is meant by it.",
        }
        if self.ruleset.mode:
            made["applies_when"] = f'mode == "{self.ruleset.mode}"'
        if self.ruleset.uses:
            made["uses"] = list(self.ruleset.uses)
        made["sources"] = {"generated": {"title": "The generator", "updated": "2025-01-01"}}
        made["inputs"] = self.inputs
        made |= self.figures() | {"formulas": self.formulas()}
        if self.ruleset.mode:
            made |= {
                "statuses": self.statuses(),
                "notices": self.notices(),
                "permissions": self.permissions(),
            }
        return made

    def figures(self) -> Document:
        """The parameters, tables and scales."""
        made: Document = {section: {} for section in SECTIONS}
        for _ in range(self.rng.randint(4, 6)):
            name, said, term = self.pen.parameter()
            made["parameters"][name] = said
            self.publish("account", name, term)
        for _ in range(self.rng.randint(1, 4)):
            name, made["tables"][name], table = self.pen.table()
            self.scope.tables[name] = self.exported.tables[name] = table
        for _ in range(self.rng.randint(0, 2)):
            name, made["scales"][name], scale = self.pen.scale()
            self.scope.scales[name] = self.exported.scales[name] = scale
        return made

    def publish(self, entity: str, name: str, term: Term) -> None:
        """Make a name visible to later formulas and to other rulesets."""
        for scope in (self.scope, self.exported):
            scope.values.setdefault(entity, {})[name] = term

    def formulas(self) -> dict[str, dict[str, Provision]]:
        """Formulas on every entity, each over earlier names only."""
        made: dict[str, dict[str, Provision]] = {entity: {} for entity in self.inputs}
        for _ in range(self.ruleset.size):
            entity = self.rng.choice(["account", "account", "assets", *self.inputs])
            name = self.formula_name(entity, made)
            made[entity][name] = self.formula(entity, name)
        return {entity: some for entity, some in made.items() if some}

    def formula_name(self, entity: str, made: dict[str, dict[str, Provision]]) -> str:
        """A fresh name; for the account at times the name of a formula of the assets."""
        shadowed = sorted(made["assets"].keys() - made["account"].keys())
        if entity == "account" and shadowed and self.pen.chance(0.2):
            return self.rng.choice(shadowed)
        return self.pen.name("value")

    def formula(self, entity: str, name: str) -> Provision:
        """A formula on the entity."""
        term = formula(Writer(self.rng, self.scope, entity))
        self.publish(entity, name, term.named(name))
        units = {"number": "ratio", "rate": "per hour", "hours": "hours"}
        kind = {"unit": units[term.kind]} if term.kind in units else {"gives": term.kind}
        return self.pen.provision(f"The value {name}") | kind | {"expression": term.text}

    def condition(self) -> str:
        """A truth of the account."""
        return condition(Writer(self.rng, self.scope, "account"))

    def statuses(self) -> dict[str, Provision]:
        """Statuses, worst first; the last always holds."""
        made: dict[str, Provision] = {}
        for name in ("liquidation", "margin_call", "watched")[: self.rng.randint(1, 3)]:
            made[name] = self.pen.provision(f"Status {name}") | {"when": self.condition()}
        return made | {"normal": self.pen.provision("Status normal")}

    def notices(self) -> dict[str, Provision]:
        """None to two notices."""
        shown = sorted(self.exported.values["account"])
        return {
            self.pen.name("notice"): self.pen.provision("A notice")
            | {"when": self.condition()}
            | ({"shows": [self.rng.choice(shown)]} if self.pen.chance(0.5) else {})
            for _ in range(self.rng.randint(0, 2))
        }

    def permissions(self) -> dict[str, Provision]:
        """Some permissions and what refuses them."""
        names = self.rng.sample(("trade", "borrow", "transfer_out"), self.rng.randint(1, 3))
        return {name: self.permission(name) for name in names}

    def permission(self, name: str) -> Provision:
        """A permission with one to three refusals."""
        refusals = {
            self.pen.name("refusal"): self.pen.provision("A refusal") | {"when": self.condition()}
            for _ in range(self.rng.randint(1, 3))
        }
        return self.pen.provision(f"Permission {name}") | {"refuse_when": refusals}


def finished(document: Document, effective: str, announced: str) -> Document:
    """The document with its dates and the assumptions that it names, in the usual order."""
    dates = {"effective_from": effective, "announced_at": announced}
    named = sorted(set(assumed(document)))
    told = {"assumptions": {name: f"Assumed: {name}." for name in named}} if named else {}
    dropped = ("ruleset", *dates, "assumptions")
    kept = {key: value for key, value in document.items() if key not in dropped}
    return {"ruleset": document["ruleset"]} | dates | kept | told


def assumed(part: Any) -> Iterator[str]:
    """Every assumption that a part of a document names."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from value if key in ("assumes", "otherwise_assumes") else assumed(value)
    elif isinstance(part, list):
        for item in part:
            yield from assumed(item)


def changed(rng: Random, document: Document) -> Document:
    """A version of the same shape in which some figures differ."""
    made = deepcopy(document)
    made.pop("corrects", None)
    for said in made["parameters"].values():
        if rng.random() < 0.4:
            change_parameter(rng, said)
    for said in made["tables"].values():
        for row in said["rows"]:
            if "unit" in said and row["value"] not in ("unlimited", "undetermined"):
                row["value"] = rng.choice(FIGURES)
    for said in made["scales"].values():
        change_scale(rng, said)
    return made


def change_parameter(rng: Random, said: Provision) -> None:
    """Another value of the same kind."""
    if said["title"].startswith(("The limit", "The figure")):
        said["value"] = rng.choice(LIMITS)
    elif said.get("gives") == "truth":
        said["value"] = "false" if said["value"] == "true" else "true"


def change_scale(rng: Random, said: Provision) -> None:
    """The other owner of the edges, or edges twice as far out."""
    if rng.random() < 0.5:
        said["edge_belongs_to"] = "upper" if said["edge_belongs_to"] == "lower" else "lower"
    elif "maintenance_amount" not in said:
        lists = said["tiers"].values() if "by" in said else [said["tiers"]]
        for row in (row for rows in lists for row in rows):
            row |= {key: doubled(row[key]) for key in ("from", "to") if key in row}


def doubled(text: str) -> str:
    """Twice the number."""
    return format(Decimal(text) * 2, "f")
