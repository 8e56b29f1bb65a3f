"""Random numbers: exact ones, quotients, and numbers that may be unlimited.

A quotient goes only into outputs, sums, comparisons and `min max largest smallest`; what may be
unlimited is only compared or given to `min` and `max`.
"""

from collections.abc import Callable

from generator_pieces import Pieces
from generator_terms import (
    ADD,
    ATOM,
    COMPARE,
    MOST_DIGITS,
    MULTIPLY,
    NEGATE,
    Term,
    compound,
)

AGGREGATES = ("sum", "count", "largest", "smallest")
SIMPLE_ENOUGH = 72
"""The most digits of a number that is divided or rounded."""


class Numbers(Pieces):
    """Writes random numbers."""

    def number(self, depth: int) -> Term:
        """An exact number, never unlimited."""
        if depth > 0:
            makers, weights = zip(*NUMBERS, strict=True)
            made: Term | None = self.rng.choices(makers, weights)[0](self, depth - 1)
            if made is not None and made.digits <= MOST_DIGITS:
                return made
        if self.chance(0.12):
            return Term(self.rng.choice("01"), "number")
        return self.atom("number") or Term("1", "number")

    def simple(self, depth: int) -> Term:
        """An exact number with few enough digits to be divided or rounded."""
        term = self.number(depth)
        return term if term.digits <= SIMPLE_ENOUGH else Term("1", "number")

    def total(self, depth: int) -> Term:
        left, right = self.number(depth), self.number(depth)
        sign = self.rng.choice("+-")
        text = f"{self.wrap(left, ADD)} {sign} {self.wrap(right, ADD + (sign == '-'))}"
        return compound(text, "number", ADD, (left, right))

    def product(self, depth: int) -> Term:
        left, right = self.number(depth), self.number(depth)
        text = f"{self.wrap(left, MULTIPLY)} * {self.wrap(right, MULTIPLY)}"
        return compound(text, "number", MULTIPLY, (left, right), digits=left.digits + right.digits)

    def negative(self, depth: int) -> Term:
        term = self.number(depth)
        return compound(f"-{self.wrap(term, NEGATE)}", "number", NEGATE, (term,))

    def absolute(self, depth: int) -> Term:
        return self.call("abs", [self.number(depth)])

    def extreme(self, depth: int) -> Term:
        count = self.rng.choice((1, 2, 2, 2, 3))
        return self.call(
            self.rng.choice(("min", "max")), [self.number(depth) for _ in range(count)]
        )

    def choice(self, depth: int) -> Term:
        return self.either(self.number(depth), self.truth(depth), self.number(depth))

    def stepped(self, depth: int) -> Term:
        rounding = self.rng.choice(("round_up", "round_down", "round_half_up"))
        steps = [term for term in self.candidates("number") if term.use == "step"]
        step = self.rng.choice(steps) if steps and self.chance(0.75) else self.simple(0)
        return self.call(rounding, [self.simple(depth), step])

    def on_scale(self, depth: int) -> Term | None:
        """`slices`, `tier` or `top` of a scale."""
        if not self.scope.scales:
            return None
        name, shape = self.rng.choice(sorted(self.scope.scales.items()))
        form = self.rng.choice(("slices", "slices", "tier", "tier", "top"))
        keys = [self.table_key(shape.key, 1)] if shape.key else []
        if form == "top":
            return self.call(form, [Term(name, "number"), *keys])
        column = f".{self.rng.choice(shape.columns)}" if shape.columns else ""
        amount = self.amount() if self.chance(0.6) else self.number(depth)
        least = [self.number(0)] if form == "slices" and self.chance(0.3) else []
        made = self.call(form, [Term(name + column, "number"), *keys, amount, *least])
        longest = amount.digits + max([12, *(term.digits for term in least)]) + 2
        return compound(made.text, "number", ATOM, (made,), digits=longest)

    def amount(self) -> Term:
        """A bare amount of the line, which sits on edges more often than a sum does."""
        return self.atom("number") or Term("1", "number")

    def table_number(self, _depth: int) -> Term | None:
        return self.from_table("number", "")

    def aggregated(self, depth: int) -> Term | None:
        """An aggregate that gives an exact number."""
        if not self.scope.lists():
            return None
        form, entity = self.rng.choice(AGGREGATES), self.rng.choice(self.scope.lists())
        inner = self.on(entity)
        element = inner.truth(depth) if form == "count" else inner.number(depth)
        return self.aggregate(form, entity, element, "number")

    def on_line(self, depth: int) -> Term | None:
        """A number of the line of an asset."""
        if "assets" not in self.scope.lists():
            return None
        key, element = self.text("coin", 0), self.on("assets").number(depth)
        text = f"at(assets, {key.text}, {element.text})"
        return compound(text, "number", ATOM, (element,), names=key.names + element.names)

    def hours(self) -> Term | None:
        """The clock hours between two instants."""
        start, end = self.instant(0), self.instant(1)
        return self.call("clock_hours", [start, end], "hours") if start and end else None

    def interest(self, depth: int) -> Term | None:
        """Hours times a rate per hour, which is a plain number."""
        hours, rate = self.hours(), self.atom("rate")
        if hours is None or rate is None:
            return None
        text = f"{self.wrap(hours, MULTIPLY)} * {rate.text}"
        return compound(text, "number", MULTIPLY, (hours, rate), digits=rate.digits + 8)

    def quotient(self, depth: int) -> Term:
        """A quotient of exact numbers, often guarded."""
        top, under = self.simple(depth), self.atom("number") or Term("1", "number")
        under = under if under.digits <= SIMPLE_ENOUGH else Term("1", "number")
        text = f"{self.wrap(top, MULTIPLY)} / {under.text}"
        divided = compound(text, "number", MULTIPLY, (top, under), divided=1)
        if self.chance(0.35):
            return divided
        guard = Term(f"{under.text} {self.rng.choice(('!=', '>'))} 0", "truth", COMPARE)
        return self.either(divided, guard, self.instead())

    def instead(self) -> Term:
        """What stands for a quotient that cannot be."""
        if self.chance(0.4):
            return Term("unlimited", "number", unlimited=True)
        return self.number(0)

    def several_quotients(self, depth: int) -> Term:
        """A sum that a quotient goes into, or the largest or smallest of quotients."""
        lists = self.scope.lists()
        form = self.rng.choice(("plus", "sum", "largest", "smallest"))
        if form == "plus" or not lists:
            left, right = self.plain_quotient(depth), self.number(depth)
            text = f"{self.wrap(left, ADD)} + {self.wrap(right, ADD)}"
            return compound(text, "number", ADD, (left, right), divided=2)
        entity = self.rng.choice(lists)
        element = self.on(entity).plain_quotient(depth)
        if form == "sum":
            element = self.call("abs", [element])
        made = self.aggregate(form, entity, element, "number")
        return compound(made.text, "number", ATOM, (made,), divided=2 if form == "sum" else 1)

    def plain_quotient(self, depth: int) -> Term:
        """A quotient that is never unlimited."""
        made = self.quotient(depth)
        while made.unlimited:
            made = self.quotient(depth)
        return made

    def unlimited(self, depth: int) -> Term:
        """A number that may be unlimited."""
        form = self.rng.choice(("branch", "branch", "table", "extreme", "extreme"))
        known = [term for term in self.candidates("number", 1, True) if term.unlimited]
        table = self.from_table("number", "", unlimited=True) if form == "table" else None
        if table is not None:
            return table
        if form == "extreme" and known:
            sides = [self.rng.choice(known), self.number(depth)]
            self.rng.shuffle(sides)
            return self.call(self.rng.choice(("min", "max")), sides)
        last = Term("unlimited", "number", unlimited=True)
        first = self.number(depth)
        return self.either(first, self.truth(depth), last)


NUMBERS: tuple[tuple[Callable[[Numbers, int], Term | None], int], ...] = (
    (Numbers.total, 5),
    (Numbers.product, 3),
    (Numbers.negative, 1),
    (Numbers.absolute, 1),
    (Numbers.extreme, 3),
    (Numbers.choice, 3),
    (Numbers.stepped, 2),
    (Numbers.on_scale, 5),
    (Numbers.table_number, 2),
    (Numbers.aggregated, 4),
    (Numbers.on_line, 2),
    (Numbers.interest, 2),
)
