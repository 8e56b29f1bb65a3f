"""What a change of the rules does to a book of accounts: who flips, by how much, and why."""
