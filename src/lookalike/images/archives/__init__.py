"""Archives of pictures: tar, zip and Parquet, read in a limited child process and never extracted.

A file becomes pictures by their bytes in this order; each module needs only those before it:

    limits.py    what is held at once, and what no sane archive holds
    file.py      the file, read in small steps
    kind.py      its first bytes  -> tar, zip or Parquet
    names.py     a member's name  -> whether it is a picture
    contents.py  members          -> which of them count
    tar.py, zip.py, parquet.py    an archive -> its members; these and `worker.py` run in the child only
    messages.py  the messages between the child and its parent
    worker.py    the child: looks, and hands over what is wanted
    reader.py    the parent: a path -> contents, and pictures
"""

from lookalike.images.archives.contents import Contents, Passed
from lookalike.images.archives.kind import Kind, archive_kind
from lookalike.images.archives.reader import look, read

__all__ = ["Contents", "Kind", "Passed", "archive_kind", "look", "read"]
