"""Files of vectors, read in chunks and written again; what a hostile one does is refused in a sentence.

open.py          paths -> VectorFile: one file, or several that make one set; kind.py tells the format, layout.py
                 rows from columns; one.py: a file of one vector
vector_file.py   VectorFile: what is known of the vectors, and the vectors in chunks, checked
npy.py npz.py hdf5.py arrow.py lines.py (word2vec's text, GloVe) word2vec.py (binary) vecs.py bins.py
                 a format a file: what its header says, and how its numbers are walked through; arrow_messages.py: how
                 much Arrow's unpack to
write.py         names, vectors and facts.py -> a file: hdf5_write.py npy_write.py arrow_write.py word2vec_write.py;
                 accepted.py: what may be written; draft.py: it is there whole or not at all; apart.py: Ctrl-C meanwhile
hdf5_arrays.py   HDF5 as a table of matrices, for benchmarks
source.py blocks.py numbers.py names.py limits.py
                 the file, the steps, what a number and a name may be, how much at once
"""

from __future__ import annotations

from lookalike.vectors.layout import Layout
from lookalike.vectors.one import read_vector
from lookalike.vectors.open import open_vectors, read_vectors
from lookalike.vectors.vector_file import Chunk, Format, VectorFile
from lookalike.vectors.write import Written, write_vectors

__all__ = [
    "Chunk",
    "Format",
    "Layout",
    "VectorFile",
    "Written",
    "open_vectors",
    "read_vector",
    "read_vectors",
    "write_vectors",
]
