"""The columns reading: a plan over thousands of accounts at once, as floats that know their error.

Every number is an array of floats and a bound on how far each is from the exact figure. What a
float cannot decide is said to be in doubt, and is then for the code reading to decide.
"""
