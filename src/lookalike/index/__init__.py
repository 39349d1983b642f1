"""The index: vectors in, nearest neighbours out."""

from lookalike.index.index import Index
from lookalike.index.neighbors import Neighbors

__all__ = ["Index", "Neighbors"]
