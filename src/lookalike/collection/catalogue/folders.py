"""Folders whose names outlive a loss of power."""

from __future__ import annotations

import os
from contextlib import suppress

from lookalike.durable import sync


def make_folders(path: str) -> None:
    """Make a folder and those around it that are missing; OSError where that cannot be."""
    around = os.path.dirname(path)
    if not os.path.isdir(around):
        make_folders(around)
    make_folder(path)


def make_folder(path: str) -> None:
    """Make a folder in one that is there; OSError where that cannot be, as where a disk is no longer mounted."""
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    with suppress(PermissionError):  # what nobody may list nobody can sync, as /home where it is closed
        sync(os.path.dirname(path))  # also where it is there: a killed process may have made it just now
