"""Pages for people: what was found, as one HTML file that needs nothing else. The only part that uses jinja2."""

from lookalike.pages.gallery import Row, Tile, gallery
from lookalike.pages.groups import Alike, Picture, groups_page
from lookalike.pages.write import BEGINNING, write_page

__all__ = ["BEGINNING", "Alike", "Picture", "Row", "Tile", "gallery", "groups_page", "write_page"]
