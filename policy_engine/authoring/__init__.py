"""Rule files as people write and change them: laid out, carried on, and their figures as CSV."""
