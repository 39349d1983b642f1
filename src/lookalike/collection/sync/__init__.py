"""In step with the folders.

compare.py   what changed in the sources
moves.py     tells which picture lies where now
intake.py    embeds, counts and commits what is found; archives.py and vector_files.py find it inside files;
             given.py and fetched.py bring pictures that come as bytes, and from URLs
changes.py   what the next transaction holds; settle.py leaves out files that are being written
unread.py    EXIF that an earlier version did not read
sync.py      find, compare, recognise, embed, commit, seal; report.py says what was done
watch.py     a sync whenever something has changed; signs.py waits for what the system tells
"""
