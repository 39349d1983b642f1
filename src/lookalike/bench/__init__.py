"""Measures lookalike beside its peers: recall against queries/s, build time, memory.

`python -m lookalike.bench data.hdf5`; benchmarks/README.md has the whole command.
"""
