"""Collections: durable sets of pictures that are searched by looks, or of vectors from files.

catalogue/     items, sources, facts, pending vectors, in SQLite: the one source of truth
place.py       where a collection lies, and what its paths are relative to
lock.py        one writer at a time
create.py      makes a collection; sources.py sorts what it is made of
rows.py        the rows of files of vectors; no_model.py stands for what would make them
sealed/        the vectors, sealed in segments
sync/          finds what changed in the folders, embeds and commits it
moved_source.py  recognises a source that is elsewhere now
mending/       verifies, repairs, rescues
embedding.py   from pictures to vectors; new_model.py does it for all of them by another model
originals.py   what pictures and vectors were made of
describe.py    gives facts to pictures; keys_of.py what the catalogue calls them
access.py      who reads and who writes; each thread that reads has a session of its own
query.py       what one may search by; examples.py makes vectors of it, combine.py one of several
classes.py     what pictures probably show, classes_file.py keeps it; worded.py searches by words
searching.py   a search; time_left.py ends it, hits.py is what it gives
sure.py        how sure that is; sure_file.py keeps what tells it, as kept_file.py keeps things
info.py        what a collection is; recall.py how well it finds, recall_file.py keeps that
tuning.py      measures that with others' queries
ready.py       brings along what is kept, for those who search
export.py      its vectors, out into a file; backup.py all of it, into another place
collection.py  Collection, which brings it all together
"""

from __future__ import annotations

from lookalike.collection.backup import BackupReport
from lookalike.collection.classes import Kinds
from lookalike.collection.collection import Collection, open
from lookalike.collection.describe import Described
from lookalike.collection.hits import Hit, Hits
from lookalike.collection.info import Info
from lookalike.collection.mending.report import LostFacts, RepairReport
from lookalike.collection.new_model import ModelReport
from lookalike.collection.query import Query
from lookalike.collection.sync.report import Failure, Progress, SyncReport
from lookalike.collection.tuning import Tuned

__all__ = [
    "BackupReport",
    "Collection",
    "Described",
    "Failure",
    "Hit",
    "Hits",
    "Info",
    "Kinds",
    "LostFacts",
    "ModelReport",
    "Progress",
    "Query",
    "RepairReport",
    "SyncReport",
    "Tuned",
    "open",
]
