"""What was measured as one HTML file that needs no other."""

from __future__ import annotations

import os

from markupsafe import Markup

from lookalike.pages.gallery import environment
from scale.figures import Run
from scale.tables import heading, summary, tables

TEMPLATE = os.path.join(os.path.dirname(__file__), "page.html")


def page(run: Run, picture: str) -> str:
    """`picture` is an SVG element."""
    with open(TEMPLATE) as file:
        template = environment().from_string(file.read())
    facts = [("Machine", run.machine), ("Began", run.began), *run.software.items()]
    plain = [table._replace(note=table.note.replace("*", "").replace("`", "")) for table in tables(run)]
    parts = {"heading": heading(run), "summary": summary(run), "tables": plain, "facts": facts}
    return template.render(title=f"As {run.data} grows", picture=Markup(picture), **parts)
