"""How time and memory grow with the number of vectors; `python benchmarks/scale`, ../README.md.

run.py       the command: which sizes, and what is kept of them
series.py    vectors as files, real ones and those of a mixture, with queries and exact neighbours
size.py      one size, measured in processes of its own; worker.py is such a process, searching.py what it does
limited.py   a bound on the memory of a process, page cache included
others.py    what other processes take meanwhile
figures.py   what was measured
tables.py plot.py page.py
             how it is shown
"""
