"""Makes the demo pictures from Debian's `openclipart-png` and `openclipart-svg`.

    apt-get install openclipart-png openclipart-svg
    python tools/make_demo_pictures.py /usr/share/openclipart src/lookalike/demo

The choice was made by hand, by looking: it is the first two columns of `AUTHORS.tsv` (which picture,
from which file of the package). This script does the rest, the same way each time: it trims, shrinks and
encodes each picture, and fills in title, author and licence from the drawing's SVG metadata.
To choose otherwise, edit those two columns (the others may be empty) and run it again.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from PIL import Image

SIDE = 192  # pixels of the longest side: sharp enough to look at, small enough to ship
BORDER = 8
COLOURS = 128
UNKNOWN = "unknown (openclipart.org)"
NAMELESS = ("", "author", "anonymous")
PUBLIC_DOMAIN = "http://web.resource.org/cc/PublicDomain"
CC = "{http://web.resource.org/cc/}"
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


class Row(NamedTuple):
    """One line of AUTHORS.tsv."""

    picture: str
    origin: str
    title: str
    author: str
    licence: str


def read_choice(table: Path) -> list[tuple[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return [(row["picture"], row["origin"]) for row in csv.DictReader(file, delimiter="\t")]


def write_table(table: Path, rows: list[Row]) -> None:
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(sorted(rows))


def credits(svg: Path) -> tuple[str, str, str]:
    """Title, author and licence from an SVG's metadata; refuses what does not say "public domain"."""
    root = ElementTree.parse(svg).getroot()
    licence = root.find(f".//{CC}Work/{CC}license")
    if licence is None or licence.get(f"{RDF}resource") != PUBLIC_DOMAIN:
        raise SystemExit(f"{svg} does not say that it is in the public domain; choose another picture")

    def text(path: str) -> str:
        return " ".join((root.findtext(f".//{CC}Work/{path}") or "").split())

    author = text(f"{DC}creator/{CC}Agent/{DC}title") or text(f"{DC}publisher/{CC}Agent/{DC}title")
    author = re.sub(r"\s*(\(|- )\S+@\S+", "", author)  # the name, without the mail address
    return text(f"{DC}title"), UNKNOWN if author in NAMELESS else author, "Public Domain"


def framed(image: Image.Image) -> Image.Image:
    """Trimmed of its empty border, transparent or white; in RGBA, at most SIDE a side with a new narrow border."""
    image = image.convert("RGBA")
    box = on_white(image).convert("L").point(lambda value: 255 if value < 250 else 0).getbbox()
    if box is None:
        raise SystemExit("the picture is blank; choose another one")
    image = image.crop(box)
    image.thumbnail((SIDE - 2 * BORDER, SIDE - 2 * BORDER), Image.Resampling.LANCZOS)
    frame = Image.new("RGBA", (image.width + 2 * BORDER, image.height + 2 * BORDER), (255, 255, 255, 0))
    frame.paste(image, (BORDER, BORDER))
    return frame


def on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def encode(image: Image.Image, target: Path) -> None:
    """Writes the format of the target's suffix; PNG and WebP keep the transparency, as clip art has it."""
    match target.suffix:
        case ".png":
            image.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(target, optimize=True)
        case ".gif":
            on_white(image).quantize(COLOURS // 2).save(target, optimize=True)
        case ".jpg":
            on_white(image).save(target, quality=78, optimize=True, progressive=True)
        case ".webp":
            image.save(target, quality=72, method=6)
        case other:
            raise SystemExit(f"{target}: a demo picture is .png, .gif, .jpg or .webp, not {other!r}")


def make(source: Path, dest: Path) -> list[Row]:
    pictures = dest / "pictures"
    rows: list[Row] = []
    choice = read_choice(dest / "AUTHORS.tsv")
    shutil.rmtree(pictures, ignore_errors=True)
    for picture, origin in choice:
        target = pictures / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source / "png" / origin) as image:
            encode(framed(image), target)
        svg = (source / "svg" / origin).with_suffix(".svg")
        rows.append(Row(picture, origin, *credits(svg)))
    write_table(dest / "AUTHORS.tsv", rows)
    return rows


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, dest = map(Path, arguments)
    rows = make(source, dest)
    files = [dest / "pictures" / row.picture for row in rows]
    kinds = {file.parent for file in files}
    known = sum(row.author != UNKNOWN for row in rows)
    size = sum(file.stat().st_size for file in files)
    print(f"{len(rows)} pictures of {len(kinds)} kinds, {size / 1e6:.2f} MB, {known} with their author's name")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
