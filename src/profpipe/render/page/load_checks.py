"""The audit of the loads."""

from __future__ import annotations

from profpipe.render.content.load_checks import load_checks
from profpipe.render.page.interface import Section

SECTION = Section(key="load-checks", title="Load", template="_load_checks.html.j2", view=load_checks, shows=("audit",))
