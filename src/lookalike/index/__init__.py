"""The index: vectors in, nearest neighbours out."""

from lookalike.index.filter import Filter
from lookalike.index.index import Index
from lookalike.index.neighbors import Neighbors

__all__ = ["Filter", "Index", "Neighbors"]
