"""Books: files with an account in every row, read row by row."""

from policy_engine.books.opened import STDIN, check_there, open_book
from policy_engine.books.row import Book, Row, placed

__all__ = ["STDIN", "Book", "Row", "check_there", "open_book", "placed"]
