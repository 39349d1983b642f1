"""Hash families: what draws hash functions, and knows how likely two vectors are to collide."""

from lookalike.hashing.hyperplane import Hyperplanes

__all__ = ["Hyperplanes"]
