"""Pictures: find them, decode them to RGB, in limited child processes.

Bytes on disk become pixels in this order; each module needs only those before it:

    content.py   a file's bytes and their SHA-256, from regular files only
    find.py      a folder  -> the paths of its pictures
    formats.py   bytes     -> an opened picture of an allowed format and size
    colour.py    any mode  -> upright 8-bit sRGB without alpha
    facts.py     what a picture says beside its pixels; exif.py reads it
    decode.py    bytes     -> a square of RGB pixels, or a thumbnail
    wire.py      the messages between the pool and its children
    worker.py    the child: answers one message at a time
    child.py     the parent's end of one child
    pool.py      all cores: paths -> pictures, in order
    urls/        URLs      -> their bytes, in order, for the pool
"""
