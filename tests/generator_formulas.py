"""Random formulas that are well-kinded, well-united and exact enough to compare."""

from collections.abc import Callable

from generator_numbers import Numbers
from generator_terms import (
    ADD,
    AND,
    COMPARE,
    MOST_DIGITS,
    NOT,
    OR,
    TEXTS,
    Term,
    compound,
)


class Writer(Numbers):
    """Writes random terms of every kind for one entity of a document."""

    def truth(self, depth: int) -> Term:
        """A truth."""
        if depth <= 0:
            return self.small_truth()
        makers, weights = zip(*TRUTHS, strict=True)
        made: Term | None = self.rng.choices(makers, weights)[0](self, depth - 1)
        return made if made is not None else self.compare_numbers(0)

    def small_truth(self) -> Term:
        """A truth without parts that are truths."""
        if self.chance(0.05):
            return Term(self.rng.choice(("true", "false")), "truth")
        atom = self.atom("truth")
        return atom if atom and self.chance(0.4) else self.compare_numbers(0)

    def compare(self, left: Term, right: Term, signs: tuple[str, ...]) -> Term:
        """A comparison of two terms by one of the signs."""
        sign = self.rng.choice(signs)
        text = f"{self.wrap(left, ADD)} {sign} {self.wrap(right, ADD)}"
        return compound(text, "truth", COMPARE, (left, right), divided=0, unlimited=False, digits=1)

    def comparand(self, depth: int) -> Term:
        """A number to compare: a quotient or an unlimited one too."""
        if self.chance(0.15):
            return self.quotient(0)
        if self.chance(0.05):
            return self.from_table("number", "", unlimited=True) or self.number(depth)
        wide = self.atom("number", 1, True) if self.chance(0.4) else None
        return wide or self.number(depth)

    def compare_numbers(self, depth: int) -> Term:
        left, right = self.comparand(depth), self.number(0)
        while left.text in ("0", "1"):
            left = self.comparand(depth)
        if left.unlimited and self.chance(0.3):
            right = Term("unlimited", "number")
        return self.compare(left, right, ("<", "<=", ">", ">=", "==", "!="))

    def compare_texts(self, depth: int) -> Term:
        use = self.rng.choice(sorted(TEXTS))
        return self.compare(self.text(use, depth), self.text(use, 0), ("==", "!="))

    def compare_truths(self, depth: int) -> Term:
        return self.compare(self.truth(depth), self.truth(0), ("==", "!="))

    def compare_instants(self, depth: int) -> Term | None:
        left, right = self.instant(depth), self.instant(0)
        if left is None or right is None or left.text == right.text:
            return None
        return self.compare(left, right, ("<", "<=", ">", ">=", "==", "!="))

    def junction(self, depth: int) -> Term:
        word, level = self.rng.choice((("and", AND), ("or", OR)))
        parts = [self.truth(depth) for _ in range(self.rng.choice((2, 2, 3)))]
        text = f" {word} ".join(self.wrap(part, level + 1) for part in parts)
        return compound(text, "truth", level, parts)

    def opposite(self, depth: int) -> Term:
        term = self.truth(depth)
        return compound(f"not {self.wrap(term, NOT)}", "truth", NOT, (term,))

    def is_given(self, _depth: int) -> Term | None:
        names = self.scope.optional.get("account", []) + self.scope.optional.get(self.entity, [])
        return Term(f"given({self.rng.choice(names)})", "truth", names=1) if names else None

    def truth_of_lines(self, depth: int) -> Term | None:
        """`any` or `all` over a list."""
        if not self.scope.lists():
            return None
        entity = self.rng.choice(self.scope.lists())
        element = self.on(entity).truth(depth)
        return self.aggregate(self.rng.choice(("any", "all")), entity, element, "truth")

    def table_truth(self, _depth: int) -> Term | None:
        return self.from_table("truth", "")

    def choice_of_truths(self, depth: int) -> Term:
        return self.either(self.truth(depth), self.truth(depth), self.truth(depth))


TRUTHS: tuple[tuple[Callable[[Writer, int], Term | None], int], ...] = (
    (Writer.compare_numbers, 8),
    (Writer.compare_texts, 2),
    (Writer.compare_truths, 1),
    (Writer.compare_instants, 2),
    (Writer.junction, 4),
    (Writer.opposite, 2),
    (Writer.is_given, 1),
    (Writer.truth_of_lines, 3),
    (Writer.table_truth, 1),
    (Writer.choice_of_truths, 1),
)


def formula(writer: Writer) -> Term:
    """A term for a whole formula of a random kind, short enough and with few names."""
    for depth in (3, 2, 2, 2, 1, 1, 1, 1):
        made = whole(writer, depth)
        if len(made.text) < 700 and made.names <= 6 and made.digits <= MOST_DIGITS:
            return made
    return writer.atom("number") or Term("1", "number")


def whole(writer: Writer, depth: int) -> Term:
    """A term of a random kind."""
    kinds, weights = zip(*WHOLES, strict=True)
    made: Term | None = writer.rng.choices(kinds, weights)[0](writer, depth)
    return made or writer.number(depth)


WHOLES: tuple[tuple[Callable[[Writer, int], Term | None], int], ...] = (
    (Writer.number, 46),
    (Writer.quotient, 10),
    (Writer.several_quotients, 6),
    (Writer.unlimited, 8),
    (Writer.truth, 16),
    (lambda writer, depth: writer.text(writer.rng.choice(sorted(TEXTS)), depth), 6),
    (lambda writer, depth: writer.instant(depth), 4),
    (lambda writer, depth: writer.hours(), 4),
)


def condition(writer: Writer) -> str:
    """The text of a truth short enough for a `when`."""
    for depth in (2, 2, 1, 1):
        made = writer.truth(depth)
        if len(made.text) < 500 and made.names <= 6:
            return made.text
    return writer.small_truth().text
