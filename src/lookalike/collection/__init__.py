"""Collections: durable sets of pictures that are searched by looks, kept beside the pictures or elsewhere.

database.py    a SQLite file that notices damage; schema.py has its tables
catalogue.py   items, sources, pending vectors: the one source of truth
metadata.py    facts from EXIF and given; matching.py finds by them in SQL; file_facts.py has those of files
place.py       where a collection lies, and what its paths are relative to
lock.py        one writer at a time; refused.py says why a folder cannot be written
folders.py     folders whose names outlive a loss of power
create.py      makes a collection
segments.py    the sealed vectors; live.py brings them and the pending ones along, generation by generation
verify.py      every byte and reference; repair.py mends what remains.py looks at
rescue.py      a new catalogue of a damaged one, by database_rescue.py
compare.py     what changed in the sources; moves.py tells which picture lies where now
changes.py     what the next transaction holds; settle.py leaves out files that are being written
unread.py      EXIF that an earlier version did not read
sync.py        find, compare, recognise, embed, commit, seal; report.py says what was done
watch.py       a sync whenever something has changed; signs.py waits for what the system tells
describe.py    gives facts to pictures
query.py       what one may search by; hits.py what a search gives
info.py        what a collection is; recall.py how well it finds
collection.py  Collection, which brings it all together
"""

from __future__ import annotations

from lookalike.collection.collection import Collection, open
from lookalike.collection.describe import Described
from lookalike.collection.hits import Hit, Hits
from lookalike.collection.info import Info
from lookalike.collection.repair import RepairReport
from lookalike.collection.report import Failure, Progress, SyncReport
from lookalike.collection.rescue import LostFacts

__all__ = [
    "Collection",
    "Described",
    "Failure",
    "Hit",
    "Hits",
    "Info",
    "LostFacts",
    "Progress",
    "RepairReport",
    "SyncReport",
    "open",
]
