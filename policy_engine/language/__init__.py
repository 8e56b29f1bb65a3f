"""The formula language: one text, one tree, many readings."""
