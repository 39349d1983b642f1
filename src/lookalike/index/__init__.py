"""The index: vectors in, nearest neighbours out."""

from lookalike.index.filter import Filter
from lookalike.index.index import Index
from lookalike.index.neighbors import Neighbors
from lookalike.index.reader import Reader
from lookalike.index.snapshot import Snapshot

__all__ = ["Filter", "Index", "Neighbors", "Reader", "Snapshot"]
