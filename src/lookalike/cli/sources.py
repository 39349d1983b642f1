"""What the words SRC... of a command mean: folders and pictures, patterns of them, a list on stdin, URLs."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from typing import Annotated, BinaryIO

import typer

from lookalike.cli.braces import expand
from lookalike.cli.globs import is_pattern, matches
from lookalike.cli.lists import AS_IN, names
from lookalike.errors import ArgumentError, NoPicturesError, PictureError
from lookalike.images.urls.address import is_url, normal, without_secrets

Null = Annotated[bool, typer.Option("--null", "-0", help=f"The names on stdin end in NUL: {AS_IN}")]
AllowUrls = Annotated[bool, typer.Option("--allow-urls", help="Fetch sources that are http:// or https:// URLs.")]

LIST = "-"
"""The word for a list on stdin."""

_NAMED = 3  # of those where nothing is
_SCHEME = re.compile("[a-z][a-z0-9+.-]*://|file:|data:", re.IGNORECASE)


def resolve(words: Sequence[str], stdin: BinaryIO | None, *, null: bool = False, allow_urls: bool = False) -> list[str]:
    """The paths and URLs that the words mean, each once, in their order.

    A word is a path where something is, whatever characters it has. Else its braces are expanded as in Bash, and what
    is no path then may be a URL, or a pattern (`globs.matches`). `-` stands for the list on stdin (`lists.names`),
    whose names are paths or URLs as they are.

    Args:
        stdin: None where it is closed.
        null: the names of the list end in NUL.
        allow_urls: URLs are taken; they come in the form of `address.normal`, and no path looks like one.

    Raises:
        NoPicturesError: nothing is at some of the paths, a pattern matches nothing, or the list is empty.
        ArgumentError: a URL without `allow_urls`; a name that no file can have; a terminal as stdin; `null` without a
            list.
        ReadError: stdin cannot be read.
    """
    if null and LIST not in words:
        raise ArgumentError(f"expected `{LIST}` among the sources with --null, received none; as in: {AS_IN}")
    sources = _Sources(allow_urls)
    for word in dict.fromkeys(words):
        if word == LIST:
            for number, name in names(stdin, null):
                sources.take(name, f"number {number:,} of the list")
        else:
            sources.take_word(word)
    return sources.all()


class _Sources:
    def __init__(self, allow_urls: bool) -> None:
        self._allow_urls = allow_urls
        self._taken: dict[str, None] = {}
        self._refused: list[str] = []  # the first few
        self._more = 0

    def all(self) -> list[str]:
        if self._refused:
            more = f", and {self._more:,} more" if self._more else ""
            raise NoPicturesError(
                f"expected folders and pictures that are there, received {', '.join(self._refused)}{more}; check them"
            )
        return list(self._taken)

    def take_word(self, word: str) -> None:
        for each in [word] if os.path.lexists(word) else expand(word):
            if not is_pattern(each) or _SCHEME.match(each) or os.path.lexists(each):
                self.take(each, "one")
            elif found := matches(each):
                self._taken |= dict.fromkeys(found)
            else:
                self._refuse(each, "nothing matches it")

    def take(self, name: str, which: str) -> None:
        """A path or a URL, as it is."""
        try:
            os.stat(name)
        except (OSError, ValueError) as error:  # ValueError: a NUL, or what no bytes stand for
            if is_url(name):
                self._take_url(name)
            elif _SCHEME.match(name):
                self._refuse(without_secrets(name), "neither a path nor a URL of http or https")
            elif isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
                self._refuse(name, os.strerror(error.errno or 0))
            else:
                why = error.strerror if isinstance(error, OSError) else error
                raise ArgumentError(
                    f"expected names of files, received {which} that can be none ({why}); correct it"
                ) from error
        else:
            self._taken[f"./{name}" if is_url(name) else name] = None

    def _take_url(self, text: str) -> None:
        try:
            url = normal(text)
        except PictureError as error:
            self._refuse(error.path, error.reason)
            return
        if not self._allow_urls:
            raise ArgumentError(
                f"expected paths, received {url}; give --allow-urls to have it fetched: without that nothing is"
            )
        self._taken[url] = None

    def _refuse(self, name: str, why: str) -> None:
        if len(self._refused) < _NAMED:
            self._refused.append(f"{name} ({why})")
        else:
            self._more += 1
