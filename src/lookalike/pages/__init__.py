"""Pages for people: what was found, as one HTML file that needs nothing else. The only part that uses jinja2."""

from lookalike.pages.gallery import Row, Tile, gallery
from lookalike.pages.write import write_page

__all__ = ["Row", "Tile", "gallery", "write_page"]
