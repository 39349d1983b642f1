"""Hard pairs: pictures that look the same and are not, and copies that were changed on their way.

`python -m tests.dedupe.pairs` makes the files, asks about each pair, and prints the table of docs/dedupe.md.
"""
