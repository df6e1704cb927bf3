"""Functions of JavaScript programs: which they are, and whose their script is."""

from __future__ import annotations

from typing import Literal

from profpipe.model.profile import NATIVE, SYNTHETIC, Profile

Owner = Literal["own", "standard", "module"]
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx")
_NODE = "node:"
_AGENT = "/node_agent/agent.js"  # what profpipe loads to profile a server is no part of it


def is_js(profile: Profile) -> bool:
    """Whether the profile holds JavaScript functions by their scripts, as V8's own profiles do."""
    return any(file.startswith(_NODE) or file.endswith(_SCRIPTS) for file in profile.functions.file)


def is_script_level(object_: str, runtime: int) -> bool:
    """Whether a function of such a profile is of V8: a function of a script, a state, or one of Node's own in C++."""
    return not object_ and runtime in (NATIVE, SYNTHETIC)


def owner(url: str) -> Owner | None:
    """Whose a script is: Node's, a package's below node_modules, or the server's own; None without a script."""
    if not url:
        return None
    if url.startswith(_NODE):
        return "standard"
    return "module" if "/node_modules/" in url or url.endswith(_AGENT) else "own"
