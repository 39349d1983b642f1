"""The folder that pictures are moved to."""

from __future__ import annotations

import os

from lookalike.dedupe.plan import Plan
from lookalike.errors import ArgumentError, WriteError


def require_folder(plan: Plan, to: str) -> str:
    """The absolute path of a folder to which files of a plan can be moved; it need not be there yet.

    Raises:
        ArgumentError: `to` is empty, or lies among the pictures, where they would be found again, or on another file
            system than all of them.
    """
    if not to:
        raise ArgumentError("expected a folder to move to, received an empty name; name one")
    target = os.path.abspath(to)
    for source in plan.sources:
        below = os.path.relpath(os.path.realpath(target), os.path.realpath(source)).split("/")
        if below[0] != ".." and not any(name.startswith(".") for name in below if name != "."):
            raise ArgumentError(
                f"expected a folder to move to that is not among the pictures in {source}, received {to}, where they "
                "would be found again; name one outside it, or one that begins with a dot"
            )
    _require_one_file_system(plan, to, target)
    return target


def make_folder(target: str) -> None:
    """Make it, with those around it. WriteError where that cannot be."""
    try:
        os.makedirs(target, exist_ok=True)
    except OSError as error:
        raise WriteError(
            error.errno, f"expected to make the folder {target}, received {error.strerror!r}; name another"
        ) from error


def _require_one_file_system(plan: Plan, to: str, target: str) -> None:
    """ArgumentError where no file could be moved there by a rename; where some can, the others are left alone."""
    while not os.path.isdir(target) and target != os.path.dirname(target):
        target = os.path.dirname(target)
    # folders are asked, for a file's own number is another one on some file systems made of layers
    paths = (plan.where(other.file) for group in plan.groups for other in group.others)
    devices = {os.stat(folder).st_dev for folder in {os.path.dirname(path) for path in paths} if os.path.isdir(folder)}
    if devices and os.stat(target).st_dev not in devices:
        raise ArgumentError(
            f"expected a folder on the file system of the pictures in {plan.folder}, received {to} on another; name "
            "one on theirs, from which they may then be copied"
        )
