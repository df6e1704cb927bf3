"""Which forges exist. A new one is its file and its line here."""

from __future__ import annotations

from profpipe.plugins import Registry
from profpipe.publish.interface import Forge

FORGES: Registry[Forge] = Registry(
    kind="forge",
    protocol=Forge,
    builtin={
        "github": "profpipe.publish.github",
        "gitlab": "profpipe.publish.gitlab",
        "gitea": "profpipe.publish.gitea",
        "forgejo": "profpipe.publish.gitea",
    },
    group="profpipe.forges",
)
