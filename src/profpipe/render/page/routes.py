"""What each route of a load costs, and the mix beside the sum of its routes."""

from __future__ import annotations

from profpipe.render.content.routes import routes_text
from profpipe.render.page.interface import Section

SECTION = Section(key="routes", title="Routes", template="_routes.html.j2", view=routes_text, shows=("routes",))
