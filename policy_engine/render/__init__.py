"""Answers as people read them: nothing here decides."""
