"""The kinds of pictures whose reader may not be installed: their names, and what to do about it.

HEIC comes with lookalike (pi-heif: wheels of 1 to 2.5 MB for each system and Python; BSD, with libheif and libde265
beside it, LGPL). The others are extras: for JPEG XL the plugin is under the GPL, and what reads videos takes 100 MB.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import NamedTuple


class Extra(NamedTuple):
    """A kind of pictures that needs a package.

    Attributes:
        endings: of its files, in lower case.
        package: as it is imported.
        missing: why such a file is left out where the package is not installed, and what to do.
    """

    endings: frozenset[str]
    package: str
    missing: str

    @property
    def is_read(self) -> bool:
        return _is_installed(self.package)


HEIC = Extra(frozenset(["heic", "heif", "hif"]), "pi_heif", "HEIC needs a package: pip install pi-heif")
JXL = Extra(frozenset(["jxl"]), "pillow_jxl", "JPEG XL needs an extra; in the clone of lookalike: pip install '.[jxl]'")
VIDEO = Extra(
    frozenset(["3g2", "3gp", "avi", "f4v", "flv", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "vob", "webm", "wmv"]),
    "av",
    "a video, of which a frame can be indexed with an extra; in the clone of lookalike: pip install '.[video]'",
)
EXTRAS = (HEIC, JXL, VIDEO)

OF_ENDING = {ending: extra for extra in EXTRAS for ending in extra.endings}
"""Each by the endings of its files."""

MISSING = frozenset(extra.missing for extra in EXTRAS)
"""Why files are left out that are read where the package is installed."""


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
