"""The catalogue: which pictures there are, where, with what facts and vectors; the one source of truth.

database.py          a SQLite file that notices damage; schema.py has its tables
database_rescue.py   the rows of a damaged one
row_crc.py           the checksum of a row; intact.py reads those of all rows of a large table
catalogue.py         items, sources, pending vectors
counts.py            how many items there are
keys.py              what an item is called there
containers.py        the archives and files of vectors among the sources; marks.py knows those that are unchanged
looks.py             how whole pictures look: thumbnails and hashes of pixels
metadata.py          facts from EXIF and given; file_facts.py has those of files,
                     name_date.py the dates in their names
matching.py          finds by facts, in SQL
folders.py           folders whose names outlive a loss of power
refused.py           says why a folder cannot be written
"""
