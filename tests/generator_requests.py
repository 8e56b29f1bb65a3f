"""Random requests in random rule folders."""

from __future__ import annotations

import re
from decimal import Decimal
from random import Random
from typing import Any

from generator import rule_files
from generator_documents import INPUTS
from generator_formulas import Writer
from generator_provisions import Provision
from generator_refusals import MOST_DIGITS, Draft, Refuser
from generator_terms import TEXTS

Document = dict[str, Any]
STEPS = ("1", "0.5", "10", "0.3", "7", "100", "0.01")
MOST_POINTS = 100
"""How many multiples of the step a bounded input takes at most."""

NAMES = ("amount", "amount", "amount", "quantity", "leverage", "free", "locked")
"""Names of an amount asked for; some hide a field of the account or stand beside one of a line."""

SETTABLE = {
    "leverage": ("3", "5"),
    "vip_level": ("0", "1", "2.0"),
    "custom_ratio": ("1.3", "1.50", "2"),
    "region": TEXTS["region"],
    "mode": TEXTS["mode"],
    "questionnaire_completed": ("true", "false"),
    "terms_accepted": ("true", "false"),
}
"""The fields of an account that a request sets, with values that it may take."""


def folder_with_requests(rng: Random) -> list[Document]:
    """The documents of a rule folder whose rulesets for accounts take requests."""
    return rule_files(rng, Asker)


class Asker(Refuser):
    """Writes one document with requests."""

    def document(self) -> Document:
        """The document, without its dates."""
        made = super().document()
        if self.ruleset.mode:
            made["requests"] = self.requests(made)
        return made

    def read_of(self, entity: str) -> dict[str, Provision]:
        """The inputs of a list that this document or one that it uses reads."""
        names = self.scope.values.get(entity, {}).keys() & INPUTS[entity].keys()
        return {
            name: self.inputs.get(entity, {}).get(name, said)
            for name, said in INPUTS[entity].items()
            if name in names
        }

    # requests

    def requests(self, made: Document) -> dict[str, Provision]:
        """Two to four requests."""
        forms = [self.moving, self.moving, self.moving, self.ordering, self.lending, self.setting]
        requests: dict[str, Provision] = {}
        for number in range(self.rng.randint(2, 4)):
            draft = Draft()
            self.rng.choice(forms if number else forms[:3])(draft)
            name = f"ask_{self.rng.choice('abcdef')}"
            if draft.effects and name not in requests:
                requests[name] = self.request(name, draft, made, requests)
        return requests

    def request(
        self, name: str, draft: Draft, made: Document, earlier: dict[str, Provision]
    ) -> Provision:
        """The request that the draft is of."""
        said: Provision = {"title": f"The request {name}"}
        enumerated = all("one_of" in one for one in draft.inputs.values())
        if enumerated and self.pen.chance(0.7):
            said["permission"] = "true"
        told = [one for one, it in earlier.items() if "permission" in it and "requires" not in it]
        if self.pen.chance(0.3):
            said["requires"] = [self.rng.choice([*made["permissions"], *told])]
        if draft.inputs:
            said["inputs"] = draft.inputs
        said |= {"effects": draft.effects, "refuse_when": self.refusals(draft)}
        if draft.limited:
            bounded = self.is_wavy(said, made) or self.pen.chance(0.7)
            said["limit"] = {"input": draft.limited, "step": self.step_of(draft, bounded)}
        return said if said["refuse_when"] else {k: v for k, v in said.items() if v}

    def is_wavy(self, said: Provision, made: Document) -> bool:
        """Whether what refuses may turn again and again: such a limit is sought to a bound only."""
        texts = [one["when"] for one in said["refuse_when"].values()]
        texts += [text for effect in said["effects"] for text in effect.get("set", {}).values()]
        names = re.findall(r"after\((\w+)\)", " ".join(texts))
        formulas = {name: made["formulas"]["account"].get(name) for name in names}
        texts += [one["expression"] for one in formulas.values() if one is not None]
        return any("round" in text for text in texts) or not {*names} <= {*self.telling}

    def step_of(self, draft: Draft, bounded: bool) -> str:
        """A step on which not too many values lie, with bounds to match put on the input."""
        step, bounds = self.rng.choice(STEPS), draft.inputs[draft.limited]
        if bounded:
            most = Decimal(step) * self.rng.randint(1, MOST_POINTS)
            most += Decimal(self.rng.choice(("0", "0", "0.001")))
            bounds["at_most"] = format(most, "f")
        lower = self.rng.choice(("above", "above", "above", "at_least"))
        least = Decimal(self.rng.choice((step, "2", "0.001", "-1", "0")))
        if lower == "above" and self.pen.chance(0.7):
            least = Decimal(0)
        if "at_most" in bounds:
            least = min(least, Decimal(bounds["at_most"]))
        bounds[lower] = format(least, "f")
        return step

    def moving(self, draft: Draft) -> None:
        """Changes the amounts of a line by an amount, as borrowing or repaying does."""
        coin = draft.bring("coin", {"type": "text", "key_of": "assets"}, "coin")
        amount = draft.bring(self.rng.choice(NAMES), {"type": "number", "unit": "ratio"})
        fields = self.rng.sample(self.amounts(), min(len(self.amounts()), self.rng.randint(1, 2)))
        sets = {name: self.moved(draft, name, amount.text) for name in fields}
        draft.effects.append({"line": coin.text, "set": sets})
        draft.limited = amount.text
        if self.pen.chance(0.15):
            self.bring_optional(draft)
        if self.pen.chance(0.2) and amount.text not in SETTABLE:
            self.setting(draft)

    def moved(self, draft: Draft, name: str, amount: str) -> str:
        """What an amount of a line becomes."""
        if self.pen.chance(0.15):
            scope = self.seen(draft, afterwards=False)
            term = Writer(self.rng, scope, "assets").number(1)
            if term.digits <= MOST_DIGITS:
                return term.text
        return self.rng.choice(
            (
                f"{name} + {amount}",
                f"{name} + {amount}",
                f"{name} - {amount}",
                f"{name} - {amount}",
                f"max({name} - {amount}, 0)",
                f"max({name}, {amount})",
                f"abs({name} - {amount})",
                f"{name} + round_down({amount}, {self.parameter('step')})",
                f"{name} + {amount} if {name} > {self.parameter('limit')} else {name}",
                *(f"{name} + {term}" for term in self.on_amount(amount)),
            )
        )

    def on_amount(self, amount: str) -> list[str]:
        """The rates that scales give for an amount."""
        return [
            f"tier({name}{'.' + shape.columns[0] if shape.columns else ''}, {amount})"
            for name, shape in sorted(self.scope.scales.items())
            if not shape.key
        ]

    def bring_optional(self, draft: Draft) -> None:
        """An input that may be left out."""
        draft.bring("extra", {"type": "number", "unit": "ratio", "optional": "true"})

    def ordering(self, draft: Draft) -> None:
        """Adds an order, locking what it sells, as placing one does."""
        if len(self.read_of("orders")) < len(INPUTS["orders"]):
            return
        sets = {}
        for name, said in self.read_of("orders").items():
            if said["type"] == "text":
                asked: Provision = {"type": "text", "key_of": "assets"}
                sets[name] = draft.bring(name, asked, "coin").text
            elif said.get("optional") != "true" or self.pen.chance(0.7):
                sets[name] = draft.bring(name, {"type": "number", "unit": "ratio"}).text
                draft.limited = name
        draft.effects.append({"add": "orders", "set": sets})
        if draft.limited:
            line = {"free": f"free - {draft.limited}"}
            if "locked" in self.inputs["assets"]:
                line["locked"] = f"locked + {draft.limited}"
            draft.effects.append({"line": "sell", "set": line})

    def lending(self, draft: Draft) -> None:
        """Adds a loan of an amount that the account is given."""
        known = self.scope.values["account"].items()
        instants = [name for name, term in known if term.kind == "instant"]
        if len(self.read_of("loans")) < len(INPUTS["loans"]) or not instants:
            return
        coin = draft.bring("coin", {"type": "text", "key_of": "assets"}, "coin")
        amount = draft.bring("amount", {"type": "number", "unit": "ratio"})
        values = {
            "asset": coin.text,
            "borrowed_at": self.rng.choice(sorted(instants)),
            "principal": amount.text,
        }
        if "hourly_rate" in self.read_of("loans"):
            rate: Provision = {"type": "number", "unit": "per hour", "at_least": "0"}
            values["hourly_rate"] = draft.bring("rate", rate).text
        sets = {name: values[name] for name in self.read_of("loans")}
        draft.effects += [
            {"add": "loans", "set": sets},
            {"line": coin.text, "set": {"free": f"free + {amount.text}"}},
        ]
        draft.limited = amount.text

    def setting(self, draft: Draft) -> None:
        """Sets fields of the account, as switching the mode or the leverage does."""
        fields = [name for name in SETTABLE if name in self.inputs["account"]]
        sets = {}
        for name in self.rng.sample(fields, min(len(fields), self.rng.randint(1, 2))):
            said = self.inputs["account"][name]
            if self.pen.chance(0.3) and name != "leverage":
                sets[name] = written(said, self.rng.choice(SETTABLE[name]))
            else:
                asked = {key: said[key] for key in ("type", "unit") if key in said}
                values = self.rng.sample(SETTABLE[name], min(2, len(SETTABLE[name])))
                own = name if self.pen.chance(0.5) else f"new_{name}"
                use = {"mode": "mode", "region": "region"}.get(name, "")
                sets[name] = draft.bring(own, asked | {"one_of": values}, use).text
        if sets:
            draft.effects.append({"account": sets})


def written(said: Provision, value: str) -> str:
    """The value as an expression: texts are quoted, numbers other than 0 and 1 are made of 1."""
    if said["type"] == "text":
        return f'"{value}"'
    return value if said["type"] == "truth" else "1"
