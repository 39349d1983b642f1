"""What a picture is to those who pass it on: a file or bytes, or why it is neither."""

from __future__ import annotations

from typing import NamedTuple


class Given(NamedTuple):
    """A picture by its bytes, such as a member of an archive.

    Attributes:
        path: what it is called.
    """

    path: str
    data: bytes


Source = str | Given
"""A picture, by the path of its file or by its bytes."""


class Failed(NamedTuple):
    """A picture that could not be read or decoded, and why."""

    path: str
    reason: str
