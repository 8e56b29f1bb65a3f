"""The markup reading: a formula as MathML, as mathematics is printed.

Names are what they are called; each keeps its name in the rule files as `data-name`. Drawn with
the elements of MathML Core only, which browsers show without a script.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from html import escape

from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.marking import OfScale, Span, Told, of_scale
from policy_engine.language.scope import CONSTANTS
from policy_engine.language.terms import Term, Terms, untitled
from policy_engine.model import ACCOUNT
from policy_engine.numbers import plain

_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _ATOM = range(9)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "and": _AND, "or": _OR}
_PRINTED = {"-": "−", "*": "×", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
_APPLIED = "<mo>&#x2061;</mo>"
LONGEST_LINE = 60
"""Characters of conditions that stand in one line; longer ones stand one below the other."""

CHANGED = "changed"
"""The class of what is marked."""


@dataclass(frozen=True, slots=True)
class Math:
    """A part in MathML, how tightly its outermost sign binds, and about how wide it is.

    `signed`: the sign before it is marked with it. `cases` are the rows of a choice.
    """

    xml: str
    binding: int = _ATOM
    width: int = 1
    signed: bool = False
    cases: tuple[str, ...] = ()

    def inside(self, binding: int) -> str:
        """The part, in brackets where it would fall apart under a sign that binds so tightly."""
        return self.xml if self.binding >= binding else _row(_sign("("), self.xml, _sign(")"))


def mathml(
    tree: ast.expr,
    terms: Terms,
    entity: str = ACCOUNT,
    marks: Iterable[Span] = (),
    of: Term | None = None,
) -> str:
    """A formula of an entity as a `math` element; its parts at `marks` have the class `changed`.

    `of` is the figure that it gives: with it, the formula is an equation.
    """
    made = MarkupReading(terms, entity, frozenset(marks)).read(tree)
    xml = made.xml if of is None else _row(_named(of).xml, _sign("=="), made.xml)
    return _element("math", xml, xmlns="http://www.w3.org/1998/Math/MathML", display="block")


def width(tree: ast.expr, terms: Terms, entity: str = ACCOUNT, of: Term | None = None) -> int:
    """About how many characters wide the same is drawn."""
    lead = 0 if of is None else len(of.short) + 3
    return lead + MarkupReading(terms, entity).read(tree).width


class MarkupReading(Told[Math]):
    """Prints each step as mathematics does."""

    __slots__ = ()

    def marked(self, made: Math, with_sign: bool) -> Math:
        if with_sign:
            return replace(made, signed=True)
        return replace(made, xml=_changed(made.xml), cases=())

    def literal(self, value: Decimal | str) -> Math:
        if isinstance(value, Decimal):
            return Math(_element("mn", plain(value)))
        return Math(_text(f"“{value}”"), width=len(value) + 2)

    def name(self, name: str) -> Math:
        if name in CONSTANTS:
            return Math(_text(name), width=len(name))
        return _named(self.term(name))

    def arithmetic(self, sign: str, left: Math, right: Math) -> Math:
        if sign == "/":
            width = max(left.width, right.width)
            return Math(_element("mfrac", left.xml + right.xml), _ATOM, width)
        binding = _BINDING[sign]
        xml = _row(left.inside(binding), _led(_sign(sign), right, binding + 1))
        return Math(xml, binding, left.width + right.width + 3)

    def negative(self, operand: Math) -> Math:
        return Math(_row(_sign("-"), operand.inside(_SIGN)), _SIGN, operand.width + 1)

    def compare(self, sign: str, left: Math, right: Math) -> Math:
        xml = _row(left.inside(_SUM), _sign(sign), right.inside(_SUM))
        return Math(xml, _COMPARE, left.width + right.width + 3)

    def logic(self, word: str, operands: Sequence[Part[Math]]) -> Math:
        binding = _BINDING[word]
        first = operands[0].read()
        others = [self.operand(word, part) for part in operands[1:]]
        lines = [first.inside(binding + 1)]
        lines += [_led(_word(word), other, binding + 1) for other in others]
        width = first.width + sum(len(word) + 2 + other.width for other in others)
        if width <= LONGEST_LINE:
            return Math(_row(*lines), binding, width)
        return Math(_stack(lines), binding, max(first.width, *(one.width for one in others)) + 5)

    def not_(self, operand: Math) -> Math:
        return Math(_row(_word("not"), operand.inside(_NOT)), _NOT, operand.width + 4)

    def choose(self, test: Part[Math], then: Part[Math], otherwise: Part[Math]) -> Math:
        a, condition, rest = then.read(), test.read(), otherwise.read()
        cases = (_case(a.xml, _word("if") + condition.xml), *(rest.cases or (_last(rest.xml),)))
        table = _element("mtable", "".join(cases), **{"class": "cases"})
        width = max(a.width + condition.width + 4, rest.width + 10)
        return Math(_row(_sign("{"), table), _CHOICE, width, cases=cases)

    def call(self, function: str, arguments: Sequence[Part[Math]]) -> Math:
        if function in _CALLS:
            return _CALLS[function](self, arguments)
        term = self.terms.tables.get(function, untitled(function))
        return _applied(_named(term), *(part.read() for part in arguments))

    # --- over lines -------------------------------------------------------------------------

    def _sum(self, arguments: Sequence[Part[Math]]) -> Math:
        element = self._of_line(arguments)
        over = _under(_element("mo", "∑", movablelimits="false"), arguments[0].node)
        return Math(_row(over, element.inside(_PRODUCT)), _PRODUCT, element.width + 4)

    def _over(self, word: str, arguments: Sequence[Part[Math]]) -> Math:
        """A word over a list: count, any, all, or an extreme with its value for an empty list."""
        over = _under(_element("mi", word), arguments[0].node)
        element = self._of_line(arguments)
        applied = _applied(Math(over, width=len(word) + 2), element)
        if len(arguments) < 3:
            return applied
        empty = arguments[2].read()
        cases = (_last(applied.xml, "if there are any"), _last(empty.xml))
        table = _element("mtable", "".join(cases), **{"class": "cases"})
        return Math(_row(_sign("{"), table), _CHOICE, applied.width + 17)

    def _of_line(self, arguments: Sequence[Part[Math]]) -> Math:
        return self.on(dotted(arguments[0].node)).read(arguments[1].node)

    def _at(self, arguments: Sequence[Part[Math]]) -> Math:
        there = self.on(dotted(arguments[0].node)).read(arguments[2].node)
        return _with_sub(there, arguments[1].read())

    def _given(self, arguments: Sequence[Part[Math]]) -> Math:
        figure = arguments[0].read()
        return Math(_row(figure.xml, _text(" is given")), _COMPARE, figure.width + 9)

    def _after(self, arguments: Sequence[Part[Math]]) -> Math:
        return _with_sub(arguments[0].read(), Math(_text("afterwards"), width=10))

    # --- scales and numbers -----------------------------------------------------------------

    def _scale(self, function: str, arguments: Sequence[Part[Math]]) -> Math:
        of = of_scale(function, arguments, self.terms)
        parts = [part.read() for part in (of.key,) if part is not None]
        sub = _listed([self._scale_name(of), *parts])
        head = _with_sub(Math(_element("mi", _READINGS[function]), width=9), sub)
        given = [part.read() for part in (of.x,) if part is not None]
        if of.least is not None:
            least = of.least.read()
            given.append(Math(_row(_text("each rate at least "), least.xml), width=19))
        return _applied(head, *given) if given else head

    def _scale_name(self, of: OfScale[Math]) -> Math:
        made = _named(of.scale)
        if of.column:
            made = Math(_row(made.xml, _text(f", {of.column}")), width=made.width)
        return self.marked(made, False) if self.is_marked(of.named) else made

    def _absolute(self, arguments: Sequence[Part[Math]]) -> Math:
        inner = arguments[0].read()
        return Math(_row(_bar("prefix"), inner.xml, _bar("postfix")), _ATOM, inner.width + 2)


_READINGS = {"slices": "slice by slice", "tier": "rate", "top": "last edge"}


def _counted(word: str) -> Callable[[MarkupReading, Sequence[Part[Math]]], Math]:
    return lambda reading, arguments: reading._over(word, arguments)


def _read(function: str) -> Callable[[MarkupReading, Sequence[Part[Math]]], Math]:
    return lambda reading, arguments: reading._scale(function, arguments)


_CALLS: Mapping[str, Callable[[MarkupReading, Sequence[Part[Math]]], Math]] = {
    "sum": MarkupReading._sum,
    **{word: _counted(word) for word in ("count", "any", "all", "largest", "smallest")},
    "at": MarkupReading._at,
    "given": MarkupReading._given,
    "after": MarkupReading._after,
    **{function: _read(function) for function in _READINGS},
    "abs": MarkupReading._absolute,
}

# --- elements -------------------------------------------------------------------------------------


def _element(tag: str, inside: str, **attributes: str) -> str:
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{inside}</{tag}>"


def _row(*parts: str) -> str:
    return _element("mrow", "".join(parts))


def _changed(xml: str) -> str:
    return _element("mrow", xml, **{"class": CHANGED})


def _sign(sign: str) -> str:
    return _element("mo", escape(_PRINTED.get(sign, sign)))


def _bar(form: str) -> str:
    return _element("mo", "|", form=form, stretchy="true")


def _text(text: str) -> str:
    """Text; its outer spaces are kept, which browsers drop."""
    kept = text.replace(" ", "\u00a0") if text != text.strip() else text
    return _element("mtext", escape(kept))


def _word(word: str) -> str:
    return _text(f"{word} " if word in ("if", "not") else f" {word} ")


def _named(term: Term) -> Math:
    attributes = {"data-name": term.name} if term.short != term.name else {}
    upright = {"mathvariant": "normal"} if len(term.short) == 1 else {}
    xml = _element("mi", escape(term.short), **attributes, **upright)
    return Math(xml, width=len(term.short))


def _led(sign: str, operand: Math, binding: int) -> str:
    """An operand after its sign, both marked where the operand is to be with its sign."""
    shown = operand.inside(binding)
    if not operand.signed:
        return sign + shown
    # At the beginning of a row a sign is taken for that of its operand, and stands close to it.
    return _changed(sign.replace("<mo>", '<mo form="infix">', 1) + shown)


def _under(over: str, entity: ast.expr) -> str:
    return _element("munder", over + _element("mi", escape(dotted(entity))))


def _with_sub(of: Math, sub: Math) -> Math:
    xml = _element("msub", of.inside(_ATOM) + _row(sub.xml))
    return Math(xml, _ATOM, of.width + sub.width * 7 // 10)


def _listed(parts: Sequence[Math]) -> Math:
    xml = _sign(",").join(part.xml for part in parts)
    return Math(_row(xml), width=sum(part.width + 2 for part in parts))


def _applied(head: Math, *arguments: Math) -> Math:
    inside = _listed(arguments)
    xml = _row(head.xml, _APPLIED, _row(_sign("("), inside.xml, _sign(")")))
    return Math(xml, _ATOM, head.width + inside.width + 2)


def _case(value: str, condition: str) -> str:
    return _element("mtr", _element("mtd", value) + _element("mtd", condition))


def _last(value: str, when: str = "otherwise") -> str:
    return _case(value, _text(when))


def _stack(lines: Sequence[str]) -> str:
    rows = "".join(_element("mtr", _element("mtd", _row(line))) for line in lines)
    return _element("mtable", rows, **{"class": "stack"})
