"""Facts: what is known of a picture besides its looks, and conditions on it.

fact.py        a fact's name and value, and their limits
sidecar.py     a file of facts -> rows: delimited.py (CSV), records.py (JSON, NDJSON), parquet.py (needs pyarrow);
               text.py tells the encoding
tokens.py      a condition's text -> words, numbers, texts and signs
parse.py       these -> a condition.py
"""

from __future__ import annotations

from lookalike.facts.fact import Facts, Kind, Value
from lookalike.facts.parse import parse
from lookalike.facts.sidecar import Row, read_names, read_sidecar

__all__ = ["Facts", "Kind", "Row", "Value", "parse", "read_names", "read_sidecar"]
