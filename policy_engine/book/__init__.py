"""What the rule book says, as frozen values; how it looks is for `render`."""

from policy_engine.book.compose import book_of
from policy_engine.book.examples import Example
from policy_engine.book.model import Amendment, Book, Chapter, Clause, Listed, Section

__all__ = ["Amendment", "Book", "Chapter", "Clause", "Example", "Listed", "Section", "book_of"]
