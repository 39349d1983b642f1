"""A page as hostile files would have it; shared by the tests of the page and of how Chromium shows it."""

from __future__ import annotations

import os
from io import BytesIO

from PIL import Image

from lookalike.pages import Row, Tile, gallery

NAMES = [
    "<script>alert(1)</script>.png",
    '" onerror="alert(1)" x=".png',
    "' onload='alert(1).png",
    "javascript:alert(1).png",
    "http://example.com/x.png",
    "</title></style><img src=x>.png",
    "{{ 7 * 7 }}{% include 'x' %}.png",
    "line\nbreak.png",
    os.fsdecode(b"not utf-8 \xe9\xff.png"),
    "photo\u202egpj.exe",
    "صورة جميلة للقطة.jpg",
    "long " + "x" * 250,
]


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, kind)
    return file.getvalue()


def tile(name: str, distance: float | None = None, thumbnail: bytes | None = None) -> Tile:
    return Tile(name, f"/photos/{name}", thumbnail, distance, "" if thumbnail else f"damaged: {name}")


def evil_page() -> str:
    thumbnails = [picture("PNG"), picture("JPEG", (40, 60)), picture("WEBP"), None]
    rows = [
        Row(
            tile(name, thumbnail=picture()),
            [tile(other, number / 7, thumbnails[number % 4]) for number, other in enumerate(NAMES)],
            f"note {name}",
        )
        for name in NAMES[:3]
    ]
    examples = [Tile(name, "", None, text=name, weight=-1e-9) for name in NAMES]
    rows.append(Row(examples[0], [tile(NAMES[-1], 0.5)._replace(score=0.5)], "", examples[1:]))
    return gallery(rows, f"Look-alikes of {NAMES[0]}", [(name, name) for name in NAMES])
