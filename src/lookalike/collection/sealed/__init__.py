"""The vectors: segments.py seals and merges them; live.py brings an index along, generation by generation."""
