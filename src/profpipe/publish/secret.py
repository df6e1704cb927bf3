"""Tokens, read from the environment only, and addresses without what could be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the name of the variable it came from; its value is in no repr."""

    name: str
    value: str = field(repr=False)

    def __str__(self) -> str:
        return f"the token in {self.name}"


def find_token(environment: Mapping[str, str], names: Iterable[str]) -> Token | None:
    """The first of the variables that is set and not blank."""
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            return Token(name, value)
    return None


def plain_url(url: str) -> str:
    """Scheme, host, port and path: no user, no query, no fragment. Empty when it is no http(s) URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))
