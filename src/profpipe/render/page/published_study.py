"""A published study next to this one, statement by statement."""

from __future__ import annotations

from profpipe.render.content.published_study import published_study
from profpipe.render.page.interface import Section

SECTION = Section(key="seed", title="Published", template="_seed.html.j2", view=published_study, shows=("seed_table",))
