"""What two whole pictures have in common: whether one is a copy of the other, and what was done to it.

verdict.py      the answers that there are
compare.py      the comparison
whole.py        a picture decoded for it: pixels, their hash, how they were packed
align.py        where one picture lies in the other, by thumbnails
refine.py       the same to a hundredth of a pixel
photometry.py   what was done to the colours
resample.py     what the copy should look like
residual.py     how much of what differs recompression explains, block by block
places.py       from there to the answer
"""
