"""Random reasons to refuse a request that is being written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from generator_following import Follower
from generator_formulas import Writer
from generator_provisions import Provision
from generator_terms import Scope, Term

MOST_DIGITS = 36
"""The most digits of a figure that an effect sets, so that what follows from it stays exact."""


@dataclass
class Draft:
    """A request being written: the names it brings, what it says, and whether it has a limit."""

    inputs: dict[str, Provision] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    effects: list[Provision] = field(default_factory=list)
    limited: str = ""

    def bring(self, name: str, said: Provision, use: str = "") -> Term:
        """Declare an input; what expressions see of it."""
        kind = "rate" if said.get("unit") == "per hour" else said["type"]
        self.inputs[name] = said
        self.terms[name] = Term(name, kind, digits=MOST_DIGITS - 4, names=1, use=use)
        return self.terms[name]


class Refuser(Follower):
    """Writes what refuses the requests of one document."""

    def refusals(self, draft: Draft) -> dict[str, Provision]:
        """None to three refusals."""
        chosen = [name for name, said in draft.inputs.items() if "one_of" in said]
        if len(draft.inputs) == len(chosen) == 1 and self.pen.chance(0.3):
            conditions = self.for_each_value(draft, chosen[0])
        else:
            conditions = [self.when(draft) for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3)))]
        return {
            self.pen.name("refusal"): self.pen.provision("A refusal") | {"when": text}
            for text in conditions
        }

    def for_each_value(self, draft: Draft, name: str) -> list[str]:
        """A refusal for each of the values of an input, or for all but one."""
        said = draft.inputs[name]
        if said["type"] == "text":
            made = [f'{name} == "{value}"' for value in said["one_of"]]
        elif said["type"] == "truth":
            made = [name, f"not {name}"]
        else:
            limit = self.parameter("limit")
            made = [f"{name} > {limit}", f"{name} <= {limit}"]
        return made if self.pen.chance(0.6) else made[1:]

    def when(self, draft: Draft) -> str:
        """When a request is refused."""
        chosen = [name for name, said in draft.inputs.items() if "one_of" in said]
        if chosen and self.pen.chance(0.6):
            return self.on_value(draft, self.rng.choice(chosen))
        form = self.rng.random()
        if form < 0.25:
            return self.condition_of(draft)
        first = self.bound(draft)
        if form < 0.7:
            return first
        word = self.rng.choice(("and", "or"))
        other = self.bound(draft) if self.pen.chance(0.5) else f"({self.condition_of(draft)})"
        return f"{first} {word} {other}"

    def on_value(self, draft: Draft, name: str) -> str:
        """A truth of some of the values that an input may have."""
        said = draft.inputs[name]
        if said["type"] == "text":
            return f'{name} {self.rng.choice(("==", "!="))} "{self.rng.choice(said["one_of"])}"'
        if said["type"] == "truth":
            return self.rng.choice((name, f"not {name}"))
        limits = (self.parameter("limit"), self.parameter("limit"), "1")
        return f"{name} {self.rng.choice(('<', '<=', '>', '>=', '=='))} {self.rng.choice(limits)}"

    def bound(self, draft: Draft) -> str:
        """A figure afterwards against a limit, or against what it is before."""
        name = self.rng.choice(self.telling)
        limit = self.parameter("limit")
        numbers = [term.text for term in draft.terms.values() if term.kind == "number"]
        more = f"{name} + {limit}"
        others = [limit, name, more, more, more, "0", *numbers]
        sign = self.rng.choice(("<", "<=", ">", ">=", ">", ">"))
        return f"after({name}) {sign} {self.rng.choice(others)}"

    def condition_of(self, draft: Draft) -> str:
        """A random truth about the account before and after."""
        writer = Writer(self.rng, self.seen(draft, afterwards=True), "account")
        for depth in (2, 1, 1):
            made = writer.truth(depth)
            if len(made.text) < 300 and made.names <= 6:
                return made.text
        return writer.small_truth().text

    def seen(self, draft: Draft, afterwards: bool) -> Scope:
        """The names that an expression of the request sees."""
        account = dict(self.scope.values["account"])
        if afterwards:
            later = {name: term for name, term in account.items() if "_value_" in name}
            account |= {f"after({n})": replace(t, text=f"after({n})") for n, t in later.items()}
        values = {**self.scope.values, "account": account | draft.terms}
        given = [one for one in self.scope.optional["account"] if one not in draft.terms]
        given += [name for name, said in draft.inputs.items() if "optional" in said]
        optional = self.scope.optional | {"account": given}
        return replace(self.scope, values=values, optional=optional)
