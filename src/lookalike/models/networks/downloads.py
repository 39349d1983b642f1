"""Weights that are fetched: said before, kept in the cache that their own packages use, and fetched once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from lookalike.errors import ModelError
from lookalike.models.notify import Notify, in_short


def from_url(url: str, size: int | None, model: str, notify: Notify) -> str:
    """The path of what is at `url`, of `size` bytes; the first digits of a SHA-256 in its name are a promise.

    Raises:
        ModelError: it is not in the cache, and cannot be fetched, or is another file.
    """
    from torch import hub

    name = os.path.basename(urlsplit(url).path)
    path = os.path.join(hub.get_dir(), "checkpoints", name)
    if not os.path.exists(path):
        _announce(model, size, url, notify)
        digits = hub.HASH_REGEX.search(name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            hub.download_url_to_file(url, path, digits and digits[1], progress=sys.stderr.isatty())
        except (OSError, RuntimeError) as error:
            raise _not_fetched(model, url, error) from error
    return path


def from_hub(repository: str, files: Sequence[str], model: str, notify: Notify) -> str:
    """The path of the first of some files that a repository of the Hugging Face hub has.

    Raises:
        ModelError: none is in the cache, and none can be fetched.
    """
    import huggingface_hub as hub
    from huggingface_hub.errors import EntryNotFoundError

    for file in files:
        if cached := in_cache(repository, file):
            return cached
    try:
        for file in files:
            try:
                size = hub.get_hf_file_metadata(hub.hf_hub_url(repository, file)).size
            except EntryNotFoundError:
                if file == files[-1]:
                    raise
                continue
            _announce(model, size, f"{repository}/{file}", notify)
            break
        path: str = hub.hf_hub_download(repository, file)
        return path
    except Exception as error:  # whatever the client raises where there is no network
        raise _not_fetched(model, f"the repository {repository}", error) from error


def in_cache(repository: str, file: str) -> str | None:
    """The path of a file of a repository of the Hugging Face hub, where it was fetched before."""
    import huggingface_hub as hub

    found = hub.try_to_load_from_cache(repository, file)
    return found if isinstance(found, str) else None


def _announce(model: str, size: int | None, source: str, notify: Notify) -> None:
    much = "" if size is None else f" ({size / 1e6:,.0f} MB)"
    notify(f"downloading the weights of {model}{much} from {source}")


def _not_fetched(model: str, source: str, error: Exception) -> ModelError:
    return ModelError(
        f"expected the weights of {model} from {source}, received {in_short(error)!r}; connect, or name a file of "
        "them: --weights FILE (weights=FILE in the name of the model)"
    )
