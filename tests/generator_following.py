"""Random figures of an account that rise, fall, jump and come back with its amounts."""

from __future__ import annotations

from generator_documents import Author
from generator_provisions import Provision
from generator_terms import Term


class Follower(Author):
    """Writes one document with a few such figures, whose names are `telling`."""

    telling: tuple[str, ...] = ()

    def formulas(self) -> dict[str, dict[str, Provision]]:
        """Formulas on every entity; a few of the account follow its amounts in a known way."""
        made = super().formulas()
        if self.ruleset.mode:
            names = [self.pen.name("value") for _ in range(3)]
            for name in names:
                said = self.pen.provision(f"The value {name}") | {"unit": "ratio"}
                made.setdefault("account", {})[name] = said | {"expression": self.following()}
                self.publish("account", name, Term(name, "number", digits=60, names=1, divided=1))
            self.telling = tuple(names)
        return made

    def amounts(self, entity: str = "assets") -> list[str]:
        """The amounts of a line that the document reads."""
        return [
            name
            for name, said in self.inputs[entity].items()
            if said["type"] == "number" and "role" not in said
        ]

    def following(self) -> str:
        """A formula of the account in which the amounts of its lines decide."""
        amount = self.rng.choice(self.amounts())
        value = self.rng.choice((amount, f"{amount} * price", "free"))
        total, step = f"sum(assets, {value})", self.parameter("step")
        forms = [
            total,
            f"-{total}",
            f"{total} - round_down({total}, {step})",
            f"round_up({total}, {step})",
            f"abs({total} - {self.parameter('limit')})",
            f"largest(assets, {value}, 0)",
            f"count(assets, {value} > {self.parameter('limit')})",
            f"{total} / sum(assets, free) if sum(assets, free) > 0 else 0",
        ]
        forms += [f"{total} - round_down({total}, {self.parameter('limit')})"] * 3
        scaled = self.scaled(value)
        return self.rng.choice([*forms, *scaled, *scaled, *scaled])

    def scaled(self, value: str) -> list[str]:
        """What the scales make of the amounts: sums of slices, and rates that jump at edges."""
        made = []
        for name, shape in sorted(self.scope.scales.items()):
            key = {"": "", "coin": "asset, ", "rank": '"8", ', "number": "1, "}[shape.key]
            column = f".{self.rng.choice(shape.columns)}" if shape.columns else ""
            made += [
                f"sum(assets, tier({name}{column}, {key}{value}))",
                f"sum(assets, {value} * tier({name}{column}, {key}{value}))",
                f"sum(assets, slices({name}{column}, {key}{value}))",
                f"sum(assets, {value} - slices({name}{column}, {key}{value}))",
            ]
        return made

    def parameter(self, kind: str) -> str:
        """A parameter of the kind; 1 where the document has none."""
        names = [name for name in self.scope.values["account"] if f"_{kind}_" in name]
        return self.rng.choice(sorted(names)) if names else "1"
