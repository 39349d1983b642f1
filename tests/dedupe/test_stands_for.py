"""Files whose first pictures are the same are no copies where they hold more: only their bytes decide."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lookalike.collection import Collection
from lookalike.dedupe.groups import find_duplicates
from tests.collection.conftest import draw_picture
from tests.images.raw_files import raw


def _animated(kind: str, first: Image.Image, colour: str) -> bytes:
    file = BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    more = [Image.new("RGB", first.size, colour)]
    first.save(file, kind, save_all=True, append_images=more, **options)
    return file.getvalue()


def test_two_videos_of_the_same_beginning_are_no_copies(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="videos are an extra: pip install '.[video]'")
    from tests.images.test_video import video

    folder = tmp_path / "photos"
    folder.mkdir()
    film = video(seconds=4)
    for name, data in (("one", film), ("copy", film), ("other", film + bytes(8))):
        (folder / f"{name}.mp4").write_bytes(data)
    with Collection.open(folder) as collection:
        assert collection.sync().new == 3
        assert len(collection.paths("media = 'video'")) == 3
        (group,) = find_duplicates([collection], include_edited=True).groups
        assert {Path(file.path).stem for file in (group.keeper, *(o.file for o in group.others))} == {"one", "copy"}


@pytest.mark.parametrize("kind", ["tiff", "gif", "webp", "png", "raw"])
def test_the_same_cover_is_not_the_same_file(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "photos"
    cover = Image.open(draw_picture(tmp_path / "cover.png", seed=3, size=(320, 240))).convert("RGB")
    packed = BytesIO()
    cover.save(packed, "JPEG", quality=95)
    folder.mkdir()
    if kind == "raw":  # and the JPEG that the camera wrote beside one of them
        one, other = (raw("cr2", packed.getvalue(), packed.getvalue(), orientation=1) + end for end in (b"1", b"2"))
        (folder / "beside.jpg").write_bytes(packed.getvalue())
        ending = "cr2"
    else:
        one, other = _animated(kind.upper(), cover, "red"), _animated(kind.upper(), cover, "blue")
        ending = kind
    (folder / f"one.{ending}").write_bytes(one)
    (folder / f"other.{ending}").write_bytes(other)
    (folder / f"copy.{ending}").write_bytes(one)
    with Collection.open(folder) as collection:
        collection.sync()
        for edited in (False, True):
            found = find_duplicates([collection], include_edited=edited)
            assert found.comparison.failed == []  # nobody wants to hear of each RAW beside its JPEG
            groups = found.groups
            files = [
                {Path(each.path).stem for each in (group.keeper, *(o.file for o in group.others))} for group in groups
            ]
            assert files == [{"one", "copy"}]
