"""Pages for people: what was found, as one HTML file that needs nothing else. The only part that uses jinja2."""

from lookalike.pages.benchmark import Found, Lookalikes, benchmark_page
from lookalike.pages.gallery import Row, Tile, gallery
from lookalike.pages.groups import Alike, Count, Picture, Section, Shape, State, groups_page
from lookalike.pages.plot import charts, plot
from lookalike.pages.write import BEGINNING, write_page

__all__ = [
    "BEGINNING",
    "Alike",
    "Count",
    "Found",
    "Lookalikes",
    "Picture",
    "Row",
    "Section",
    "Shape",
    "State",
    "Tile",
    "benchmark_page",
    "charts",
    "gallery",
    "groups_page",
    "plot",
    "write_page",
]
