"""The vectors: segments.py seals and merges them, bulk.py writes many at once; live.py brings an index along."""
