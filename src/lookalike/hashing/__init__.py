"""Hash families: what draws hash functions, and knows how likely two vectors are to collide."""

from lookalike.hashing.cross_polytope import CrossPolytope
from lookalike.hashing.hyperplane import Hyperplanes

__all__ = ["CrossPolytope", "Hyperplanes"]
