"""Pictures: find them, decode them to RGB, in limited child processes.

Bytes on disk become pixels in this order; each module needs only those before it:

    content.py   a file's bytes and their SHA-256, from regular files only
    find.py      a folder  -> the paths of its pictures
    extras.py    the kinds of pictures whose reader may not be installed
    formats.py   bytes     -> an opened picture of an allowed format and size; jpeg.py, jxl.py, raw.py and video.py
                 know more of these
    colour.py    any mode  -> upright 8-bit sRGB without alpha
    facts.py     what a picture says beside its pixels; exif.py reads it, pages.py counts its pictures
    jpeg_damage.py         -> whether all of a JPEG is there
    thumb.py     how a whole picture looks, in a kilobyte; same_pixels.py has a hash that only the same pixels share
    decode.py    bytes     -> a square of RGB pixels, or a thumbnail
    compare/     two whole pictures -> whether one is a copy of the other
    serving.py   the inside of any child process: its pipes and limits
    process.py   the parent's end of one
    wire.py      the messages between the pool and its children
    worker.py    a child that decodes: answers one message at a time
    child.py     the parent's end of that
    given.py     a picture by its bytes, or why there is none
    pool.py      all cores: paths -> pictures, in order
    urls/        URLs      -> their bytes, in order, for the pool
    archives/    tar, zip and Parquet -> pictures by their bytes; never extracted
"""
