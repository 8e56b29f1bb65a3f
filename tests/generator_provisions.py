"""Random parameters, tables and scales, each with the shape that formulas must know of it."""

from decimal import Decimal
from random import Random
from typing import Any

from generator_terms import TEXTS, ScaleShape, TableShape, Term

Provision = dict[str, Any]
KNOWN_COINS = TEXTS["coin"][:-1]
FIGURES = ("0", "1", "2", "3", "5", "10", "100", "1000", "0.5", "1.5", "2.50", "1.1", "20%", "0.03")
LIMITS = ("1", "2", "5", "10", "50", "100", "1000", "1.3", "1.50", "250.25", "0.5")
STEPS = ("1", "0.1", "0.01", "0.00000001", "5", "0.3", "7", "100", "25%")
LONG = "123456789012345678.987654321987654321"
FACTORS = tuple(map(Decimal, ("2", "3", "5", "10", "12.5")))
INSTANTS = ("2024-06-15T10:00:00Z", "2025-02-01T12:00:00Z", "2025-02-01T12:59:59.500000Z")


class Pen:
    """Writes the provisions of one document; its names start with the prefix."""

    def __init__(self, rng: Random, prefix: str) -> None:
        self.rng = rng
        self.prefix = prefix
        self.count = 0

    def name(self, what: str) -> str:
        """A fresh name."""
        self.count += 1
        return f"{self.prefix}_{what}_{self.count}"

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def provision(self, title: str) -> Provision:
        """The start of any provision: its title and, at times, what else may be said of it."""
        made: Provision = {"title": title}
        if self.chance(0.3):
            made["citation"] = {"source": "generated", "quote": self.rng.choice(LIMITS)}
        if self.chance(0.1):
            made["note"] = "A generated note: with a colon, and 'quotes'."
        if self.chance(0.15):
            made |= self.assumes()
        return made

    def assumes(self, field: str = "assumes") -> Provision:
        """A field that names an assumption of this document."""
        return {field: [f"{self.prefix}_assumed_{self.rng.randint(1, 30)}"]}

    def figure(self) -> str:
        """A number for a row, a rate or a parameter."""
        return self.rng.choice(FIGURES)

    # parameters

    def parameter(self) -> tuple[str, Provision, Term]:
        """A parameter of a random kind."""
        kind = self.rng.choices(
            ("limit", "step", "figure", "rate", "text", "truth", "instant", "unlimited", "unknown"),
            (8, 4, 4, 1, 4, 2, 2, 1, 1),
        )[0]
        name = self.name(kind)
        made = self.provision(f"The {kind} {name}")
        return name, *self.valued(name, made, kind)

    def valued(self, name: str, made: Provision, kind: str) -> tuple[Provision, Term]:
        """The parameter with its value, and the term for it."""
        if kind in ("text", "truth", "instant"):
            use = self.rng.choice(sorted(TEXTS)) if kind == "text" else ""
            values = {"text": TEXTS.get(use, ()), "truth": ("true", "false"), "instant": INSTANTS}
            value = self.rng.choice(values[kind])
            return made | {"value": value, "gives": kind}, Term(name, kind, names=1, use=use)
        if kind == "rate":
            said = {"value": "0.00001", "unit": "per hour"}
            return made | said, Term(name, "rate", names=1, digits=6)
        if kind == "unknown":
            made |= {"value": "undetermined", "because": f"{name} is not public"}
        elif kind == "unlimited":
            made |= {"value": "unlimited"}
        else:
            made |= {"value": self.amount(kind)}
        if self.chance(0.2):
            made["safer"] = self.rng.choice(("higher", "lower"))
        digits = {"figure": 36}.get(kind, 12)
        use = "step" if kind == "step" else ""
        unlimited = kind == "unlimited"
        term = Term(name, "number", unlimited=unlimited, digits=digits, names=1, use=use)
        return made | {"unit": "ratio"}, term

    def amount(self, kind: str) -> str:
        """A number for a parameter of the kind."""
        if kind == "figure":
            return self.rng.choice((*FIGURES, "-1", "-0.5", LONG))
        return self.rng.choice(STEPS if kind == "step" else LIMITS)

    # tables

    def table(self) -> tuple[str, Provision, TableShape]:
        """A table of a random kind, whose keys are texts, numbers or a pair."""
        uses = self.rng.choice(
            (("coin",), ("coin",), ("region",), ("number",), ("coin", "number"), ("mode", "coin"))
        )
        kind = self.rng.choices(("number", "text", "truth"), (5, 4, 2))[0]
        use = self.rng.choice(sorted(TEXTS)) if kind == "text" else ""
        shape = TableShape(uses, kind, use, kind == "number" and self.chance(0.4))
        name = self.name("table")
        by = [kind_of_key(one) for one in uses]
        made = self.provision(f"The table {name}") | {"by": by[0] if len(by) == 1 else by}
        made |= {"unit": "ratio"} if kind == "number" else {"gives": kind}
        made["rows"] = self.rows(shape)
        made |= self.said("otherwise", shape, 0.3)
        if self.chance(0.3):
            made |= self.assumes("otherwise_assumes")
        return name, made, shape

    def rows(self, shape: TableShape) -> list[Provision]:
        """The rows: every key once, some keys in none."""
        keys = self.keys(shape)
        self.rng.shuffle(keys)
        rows = []
        while keys:
            size = self.rng.choice((1, 1, 2))
            rows.append(self.said("value", shape, 0.1) | {"when": keys[:size]})
            keys = keys[size:]
            if self.chance(0.25):
                rows[-1] |= self.assumes()
        return rows

    def keys(self, shape: TableShape) -> list[Any]:
        """Some of the keys that the table could have."""
        pools = [
            ["0", "1", "2.0", "3", "5", "100", "150%"]
            if use == "number"
            else list(KNOWN_COINS if use == "coin" else TEXTS[use])
            for use in shape.keys
        ]
        if len(pools) == 1:
            return self.rng.sample(pools[0], max(1, len(pools[0]) - 1))
        pairs = [[first, second] for first in pools[0] for second in pools[1]]
        return self.rng.sample(pairs, len(pairs) // 2)

    def said(self, field: str, shape: TableShape, unknown: float) -> Provision:
        """What the table says in a row or otherwise."""
        if self.chance(unknown):
            return {field: "undetermined", "because": "nothing is known of {key}"}
        if shape.unlimited and self.chance(0.3):
            return {field: "unlimited"}
        if shape.kind == "number":
            return {field: self.figure()}
        return {field: self.rng.choice(TEXTS.get(shape.use, ("true", "false")))}

    # scales

    def scale(self) -> tuple[str, Provision, ScaleShape]:
        """A scale of a random form."""
        key = self.rng.choice(("", "", "coin", "coin", "rank", "number"))
        columns = self.rng.choice(((), (), ("initial", "maintenance"), ("maintenance", "amount")))
        name = self.name("scale")
        made = self.provision(f"The scale {name}") | ({"by": kind_of_key(key)} if key else {})
        made["in"] = "ratio"
        made |= {"columns": dict.fromkeys(columns, "ratio")} if columns else {"unit": "ratio"}
        made["edge_belongs_to"] = self.rng.choice(("lower", "upper"))
        made |= self.above_last()
        falling = not columns and self.chance(0.3)
        if falling:
            made |= {"rates": "falling"}
        if "amount" in columns:
            made["maintenance_amount"] = {"rate": "maintenance", "amount": "amount"}
        names = {"coin": KNOWN_COINS[:3], "rank": TEXTS["rank"][:3], "number": ("0", "1", "2.0")}
        lists = {one: self.tiers(columns, falling) for one in names.get(key, ())}
        made["tiers"] = lists if key else self.tiers(columns, falling)
        return name, made, ScaleShape(key, columns)

    def above_last(self) -> Provision:
        """What holds above the last edge."""
        rate = self.rng.choice(("0", "0", "last", "last", "undetermined"))
        said: Provision = {"above_last": rate}
        if self.chance(0.4):
            said = {"above_last": {"rate": rate} | self.assumes()}
        if rate == "undetermined":
            said["because"] = "nothing is said above the last tier"
        return said

    def tiers(self, columns: tuple[str, ...], falling: bool) -> list[Provision]:
        """Tiers that touch and rise."""
        edges = self.edges()
        rates = self.rates(len(edges), falling)
        rows = [
            {"to": edge} | self.columns(columns, rate)
            for edge, rate in zip(edges, rates, strict=True)
        ]
        if "amount" in columns:
            self.add_amounts(rows)
        if self.chance(0.3):
            for row, edge in zip(rows, ["0", *edges], strict=False):
                row["from"] = edge
        return rows

    def edges(self) -> list[str]:
        """Strictly rising edges above 0."""
        start = Decimal(self.rng.choice(("1", "10", "50", "100", "1000", "0.5")))
        factors = self.rng.sample(FACTORS, self.rng.randint(1, 3))
        return [format(start * factor, "f") for factor in sorted([Decimal(1), *factors])]

    def rates(self, size: int, falling: bool) -> list[str]:
        """A rate for each tier."""
        if falling:
            return ["100%", "97.5%", "60%", "1%"][:size]
        return [self.rng.choice(("0", "1", "2%", "11.12%", "0.25", "0.5")) for _ in range(size)]

    def columns(self, columns: tuple[str, ...], rate: str) -> Provision:
        """The rates of one tier."""
        if not columns:
            return {"rate": rate}
        return {column: rate if column == "maintenance" else self.figure() for column in columns}

    def add_amounts(self, rows: list[Provision]) -> None:
        """Set the maintenance amounts that the rates and edges imply."""
        amount, edge, before = Decimal(0), Decimal(0), Decimal(0)
        for row in rows:
            rate = decimal(row["maintenance"])
            amount += edge * (rate - before)
            row["amount"] = format(amount, "f")
            edge, before = decimal(row["to"]), rate


def kind_of_key(use: str) -> str:
    """The kind of a key of this use."""
    return "number" if use == "number" else "text"


def decimal(text: str) -> Decimal:
    """The number that a rule file writes."""
    return Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
