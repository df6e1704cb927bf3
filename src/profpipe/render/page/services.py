"""What the services beside the servers do for each request."""

from __future__ import annotations

from profpipe.render.content.services import services_text
from profpipe.render.page.interface import Section

SECTION = Section(
    key="services", title="Services", template="_services.html.j2", view=services_text, shows=("services",)
)
