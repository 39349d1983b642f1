"""What remains between a picture and what it should look like, and how much of it recompression explains.

Everything is asked of blocks of 8 x 8 pixels, in the cosine transform that JPEG uses: there the loss has a bound.
A quantiser with step q moves a coefficient by q/2 at most, and never by more than the coefficient itself: what was not
there does not appear. So with the copy's own tables

    |copy - original| <= min(|original|, q/2)        for each coefficient of each block.

An edit, another exposure and another scan break this where they differ, however small their share of the picture:
the worst block decides, no mean. Two things bend the bound: decoded levels are clipped to 0 … 255, and colours are
stored at half the resolution. Both are met by packing what is expected with the copy's tables, and comparing with that
as well.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.images.compare.whole import Encoding

    Floats = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

BLOCK = 8
_BAND = 64  # rows of blocks that are transformed at a time

_K = np.arange(BLOCK)
_COSINES = (np.sqrt(2 / BLOCK) * np.cos((2 * _K[None, :] + 1) * _K[:, None] * np.pi / (2 * BLOCK))).astype(np.float32)
_COSINES[0] /= np.sqrt(2)

# To brightness and colour as JPEG has them (ITU-T T.871, section 7).
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]],
    dtype=np.float32,
)


def coefficients(plane: Floats) -> Floats:
    """The cosine transform of whole blocks: (rows, columns, 8, 8)."""
    rows, columns = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    blocks = plane[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return np.asarray(_COSINES @ blocks @ _COSINES.T, dtype=np.float32)


def padded(pixels: Pixels, corner: tuple[int, int], block: int = BLOCK) -> Pixels:
    """With its edges repeated, so that the grid begins at 0, 0 and ends with whole blocks."""
    height, width = pixels.shape[:2]
    before = (-corner[1]) % BLOCK, (-corner[0]) % BLOCK
    after = (-(height + before[0])) % block, (-(width + before[1])) % block
    if not any(before) and not any(after):
        return pixels
    return np.pad(pixels, ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="edge")


class Excess(NamedTuple):
    """Of each block of 8 x 8 pixels of the copy.

    Attributes:
        beyond: float32, (rows, columns): the largest difference among its coefficients as a share of what
            recompression explains; above 1 it is not explained.
        detail: float32, (rows, columns): the energy of what the copy shows there beside the block's mean.
        corner: the place of block 0, 0 in the copy, in pixels: 0 or less.
        shared: how much of the faint detail in quiet blocks the original has as well: near 1 in a copy, near 0 where it
            is the noise of another exposure; 1 where nothing tells.
        least: how far beyond a block of a copy may be whose other blocks are all explained.
    """

    beyond: Floats
    detail: Floats
    corner: tuple[int, int]
    shared: float = 1.0
    least: float = 1.5


_NO_LOSS = np.zeros((BLOCK, BLOCK), dtype=np.float32)
_LOST = 0.6  # of a step: half of it, a little more where the two grids lie otherwise
_USUAL_STEP = 10.0  # of formats without tables
_LEVEL = 12.0  # coefficients: a curve of colours is off by one level and a half
_ONE_LEVEL = 3.0  # coefficients: of half a block that is a level brighter


class Slack(NamedTuple):
    """What is allowed beside recompression, in coefficients.

    Attributes:
        level: for the mean, because a curve of colours is known to a level or so.
        step: for the others, because levels are rounded elsewhere if it is a little off.
        detail: as a share of a block's detail, because the filter that resized is not known exactly.
        luma, chroma: for each coefficient, what the original itself had lost.
    """

    level: float = 0.0
    step: float = 0.0
    detail: float = 0.0
    luma: Floats = _NO_LOSS
    chroma: Floats = _NO_LOSS


def recoloured_slack(slack: Slack, gain: float) -> Slack:
    """What is allowed once colours were changed, by which what the original had lost became more."""
    return slack._replace(
        level=_LEVEL, step=_ONE_LEVEL, detail=slack.detail + 0.03, luma=slack.luma * gain, chroma=slack.chroma * gain
    )


def loss_of(encoding: Encoding, scale: float) -> tuple[Floats, Floats]:
    """What packing had taken from the original's brightness and colour before the copy was made, or beside it: (8, 8).

    Of `scale` pixels of the original along each side of one of the copy's the errors average, and a frequency of the
    copy is a lower one of the original.
    """
    if not encoding.lossy:
        return _NO_LOSS, _NO_LOSS
    pick = (_K / max(scale, 1)).astype(int)
    tables = [np.full((BLOCK, BLOCK), _USUAL_STEP, dtype=np.float32)] * 2
    if encoding.luma is not None and encoding.chroma is not None:
        tables = [np.array(table, dtype=np.float32).reshape(BLOCK, BLOCK) for table in (encoding.luma, encoding.chroma)]
    luma, chroma = (np.asarray(_LOST * table[np.ix_(pick, pick)] / max(scale, 1), dtype=np.float32) for table in tables)
    return luma, chroma


_ROUNDING = 2.5  # coefficients: decoded levels are rounded to whole ones, and decoders differ by one
_STEP = 0.55  # of a quantiser's step: half of it, and a tenth for decoders that differ
_SAME_STEP = 0.05  # of a step by which the picture encoded here may differ from the copy
_CUT = 0.5  # of what is found in blocks that the edge cuts: what the encoder saw beyond it is not known
_EVEN = 8.0  # coefficients: of an even place all levels are rounded alike, so colours of two packings are a level apart
_LEAK = 0.12  # of colour's detail: that stored at half the resolution is spread over neighbours when shown


def jpeg_excess(expected: Pixels, copy: Pixels, encoding: Encoding, slack: Slack) -> Excess:
    """By the tables of the copy, a JPEG."""
    corner, (height, width) = encoding.corner, copy.shape[:2]
    encoded = padded(_encoded(expected, encoding), corner, 2 * BLOCK)
    expected, copy = padded(expected, corner, 2 * BLOCK), padded(copy, corner, 2 * BLOCK)
    luma = np.array(encoding.luma, dtype=np.float32).reshape(BLOCK, BLOCK)
    chroma = np.array(encoding.chroma, dtype=np.float32).reshape(BLOCK, BLOCK)
    beyond, detail, old, both = [], [], [], []
    lost = slack.chroma.copy()
    lost[0, 0] += _EVEN if lost.any() else 0.0
    for rows in _bands(copy.shape[0]):
        planes = [_planes(pixels[rows]) for pixels in (expected, copy, encoded)]
        bright = _Compared(*(coefficients(plane[..., 0]) for plane in planes))
        worst = bright.beyond(luma, slack.luma, slack, leak=None)
        for channel in (1, 2):
            colour = _Compared(*(coefficients(_halved(plane[..., channel])) for plane in planes))
            worst = np.maximum(
                worst, colour.beyond(chroma, lost, slack, leak=_LEAK).repeat(2, axis=0).repeat(2, axis=1)
            )
        beyond.append(worst)
        detail.append(_detail(bright.copy))
        old.append(_detail(bright.expected))
        both.append(np.stack([_common(shown, bright.copy) for shown in (bright.expected, bright.encoded)]))
    down, across = _blocks(height - _outer(corner)[1]), _blocks(width - _outer(corner)[0])
    worst, energy, before = (np.concatenate(bands)[:down, :across] for bands in (beyond, detail, old))
    worst[(height - corner[1]) // BLOCK + (corner[1] > 0) :] *= _CUT
    worst[:, (width - corner[0]) // BLOCK + (corner[0] > 0) :] *= _CUT
    common = np.concatenate(both, axis=1)[:, :down, :across]
    return Excess(worst, energy, _outer(corner), _shared(before, energy, common))


def _blocks(length: int) -> int:
    """How many hold a pixel of so many; what was padded beyond them tells nothing."""
    return -(-length // BLOCK)


def _outer(corner: tuple[int, int]) -> tuple[int, int]:
    return -((-corner[0]) % BLOCK), -((-corner[1]) % BLOCK)


def _bands(height: int) -> list[slice]:
    step = _BAND * BLOCK
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def _planes(pixels: Pixels) -> Floats:
    """Brightness around 0, as JPEG transforms it, and the two planes of colour."""
    planes = np.asarray(pixels.astype(np.float32) @ _TO_YCC.T, dtype=np.float32)
    planes[..., 0] -= 128
    return planes


def _halved(plane: Floats) -> Floats:
    quarters = plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]
    return np.asarray(quarters / 4, dtype=np.float32)


def _detail(blocks: Floats) -> Floats:
    energy = np.square(blocks).sum(axis=(2, 3)) - np.square(blocks[..., 0, 0])
    return np.asarray(np.maximum(energy, 0), dtype=np.float32)


def _common(one: Floats, other: Floats) -> Floats:
    """The product of what two pictures show in each block beside its mean."""
    product = (one * other).sum(axis=(2, 3)) - one[..., 0, 0] * other[..., 0, 0]
    return np.asarray(product, dtype=np.float32)


_FAINT, _QUIET = 63 * 0.8**2, 63 * 8.0**2  # energy of a block with noise, above that of rounding, and with little else
_TELLING = 16  # blocks


def _shared(old: Floats, new: Floats, both: Floats) -> float:
    """Asked of the quietest quarter of the blocks where both pictures show something faint.

    What a quantiser leaves is a part of what was there, so its product with the original is its own energy, or more;
    and ringing that it adds is there as well once the original is packed alike, which `both` may hold beside the other.
    """
    chosen = (np.minimum(old, new) > _FAINT) & (np.maximum(old, new) < _QUIET)
    if chosen.sum() < _TELLING:
        return 1.0
    energy, product = new[chosen], both[..., chosen]
    quietest = energy <= np.quantile(energy, max(0.25, _TELLING / energy.size))
    return float(product[..., quietest].sum(axis=-1).max() / energy[quietest].sum())


class _Compared(NamedTuple):
    """The coefficients of one plane: as expected, of the copy, and as expected after encoding."""

    expected: Floats
    copy: Floats
    encoded: Floats

    def beyond(self, steps: Floats, lost: Floats, slack: Slack, leak: float | None) -> Floats:
        """The smaller of two shares: of the bound on what encoding may change, and of that on how encoders differ.

        Where what is expected breaks the bound when it is encoded, for levels were clipped, the copy may as well.
        """
        detail = np.sqrt(_detail(self.expected))[..., None, None]
        more = _ROUNDING + slack.step + slack.detail * detail
        if leak is None:
            bound = np.minimum(1.1 * np.abs(self.expected) + lost, _STEP * steps) + lost + more
        else:
            bound = _STEP * steps + leak * detail + lost + more
        same = _SAME_STEP * steps + more
        if slack.level:
            bound[..., 0, 0] += slack.level
            same[..., 0, 0] += slack.level
        broken = (np.abs(self.encoded - self.expected) - bound).max(axis=(2, 3), keepdims=True)
        bound += np.maximum(broken, 0)
        loss = (np.abs(self.copy - self.expected) / bound).max(axis=(2, 3))
        other = (np.abs(self.copy - self.encoded) / same).max(axis=(2, 3))
        return np.asarray(np.minimum(loss, other), dtype=np.float32)


def _encoded(pixels: Pixels, encoding: Encoding) -> Pixels:
    """As it would look had it been packed like the copy."""
    file = BytesIO()
    tables = [list(encoding.luma or ()), list(encoding.chroma or ())]
    down, across = (-encoding.corner[1]) % BLOCK, (-encoding.corner[0]) % BLOCK
    whole = np.pad(pixels, ((down, 0), (across, 0), (0, 0)), mode="edge") if down or across else pixels
    Image.fromarray(whole).save(file, "JPEG", qtables=tables, subsampling=encoding.sampling)
    return np.asarray(Image.open(file, formats=("JPEG",)).convert("RGB"))[down:, across:]


_TYPICAL = 0.9  # of the blocks that show something have no larger difference: the loss of an encoding without tables
_WORST = 2.3  # times it: the worst block of a WebP or AVIF; measured on photos and drawings, quality 40 to 90
_LEAST = 2.4  # of what is explained: single blocks of a WebP or AVIF are further off than of a JPEG
_MOST_LOSS = 32.0  # coefficients: copies have up to 28, frames of a video after each other 40
_RESAMPLED = 8.0  # coefficients: the same where only the resizing can have lost anything
_FLAT = (8.0, 14.0)  # of the mean: brightness and colour of an even place may be a level or two off
_INVENTED = 0.7  # of the detail near a block: an encoder loses it or lets it ring, and invents no other


def other_excess(expected: Pixels, copy: Pixels, *, lossy: bool, slack: Slack) -> Excess:
    """For encodings whose tables are not known: the loss is estimated from the picture itself.

    Its worst block may differ by so much more than the typical one, and no block by more than what it shows.
    """
    corner, (height, width) = (0, 0), copy.shape[:2]
    expected, copy = padded(expected, corner, 2 * BLOCK), padded(copy, corner, 2 * BLOCK)
    known = slack.luma.copy(), slack.chroma.copy()
    for table, level in zip(known, _FLAT if lossy else (0.0, 0.0), strict=True):
        table[0, 0] += level
    worst, colour, shown, inside, both = [], [], [], [], []
    for rows in _bands(copy.shape[0]):
        before, after = _planes(expected[rows]), _planes(copy[rows])
        old, new = coefficients(before[..., 0]), coefficients(after[..., 0])
        worst.append(np.maximum(np.abs(new - old) - known[0], 0).max(axis=(2, 3)))
        shown.append(_detail(old))
        inside.append(_detail(new))
        both.append(_common(old, new))
        tints = [coefficients(_halved(after[..., c] - before[..., c])) for c in (1, 2)]
        most = np.maximum(*(np.maximum(np.abs(tint) - known[1], 0).max(axis=(2, 3)) for tint in tints))
        colour.append(most.repeat(2, axis=0).repeat(2, axis=1))
    down, across = _blocks(height), _blocks(width)
    bright, tint, before, after = (np.concatenate(bands)[:down, :across] for bands in (worst, colour, shown, inside))
    detail, near = np.sqrt(np.maximum(before, after)), _largest_near(np.sqrt(before))
    allowed = _RESAMPLED if not lossy else _MOST_LOSS
    beyond = np.zeros_like(bright)
    for difference in (bright, tint):
        showing = difference[detail > 4 * _ROUNDING]
        typical = float(np.quantile(showing, _TYPICAL)) if showing.size else 0.0
        bound = np.minimum(_WORST * min(typical, allowed), _INVENTED * near) + slack.detail * near
        if typical > _MOST_LOSS:
            bound[:] = 0
        beyond = np.maximum(beyond, difference / (bound + 1.6 * _ROUNDING + slack.step + slack.level))
    shared = _shared(before, after, np.concatenate(both)[:down, :across])
    return Excess(np.asarray(beyond, dtype=np.float32), after, corner, shared, _LEAST if lossy else 1.5)


_ANY = 4.0  # a share far beyond what is explained


def exact_excess(expected: Pixels, copy: Pixels) -> Excess:
    """For pictures of the same pixels, kept without loss: what differs at all is beyond."""
    expected, copy = padded(expected, (0, 0)), padded(copy, (0, 0))
    beyond, detail = [], []
    for rows in _bands(copy.shape[0]):
        difference = np.abs(expected[rows].astype(np.int16) - copy[rows]).max(axis=2).astype(np.float32)
        shape = difference.shape[0] // BLOCK, BLOCK, difference.shape[1] // BLOCK, BLOCK
        beyond.append(difference.reshape(shape).max(axis=(1, 3)) * _ANY)
        detail.append(_detail(coefficients(_planes(copy[rows])[..., 0])))
    return Excess(np.concatenate(beyond), np.concatenate(detail), (0, 0))


def _largest_near(values: Floats) -> Floats:
    """The largest of each block and its neighbours, two far."""
    spread = values
    for axis in (0, 1):
        padding = [(2, 2) if axis == other else (0, 0) for other in (0, 1)]
        wide = np.pad(spread, padding, mode="edge")
        length = spread.shape[axis]
        spread = np.maximum.reduce([wide.take(range(i, i + length), axis=axis) for i in range(5)])
    return spread
