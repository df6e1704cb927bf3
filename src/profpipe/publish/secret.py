"""Tokens: read from the environment only, and kept out of every text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "[hidden]"
# Shorter values hide nothing and would blank out words.
SHORTEST = 6
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|COOKIE|SESSION|DSN|_KEY$|_PAT$"
)
# Credentials that are recognised by their form, whatever the environment holds: user:password@ in a URL, ?token=...,
# a header, --password ..., API_KEY=... before a command. Prose about tokens is not changed.
_USER = re.compile(r"(?<=://)[^/\s'\"<>]+(?=@)")
_WORD = (
    r"(?:token|secret|passw(?:or)?d|passphrase|pwd|api[_-]?key|access[_-]?key|credentials?|auth|signature|sig|cookie)"
)
_GIVEN = (
    re.compile(rf"(?i)(?P<name>[?&;][\w.-]*(?:{_WORD}|key|code|session)[\w.-]*=)[^\s&;'\"#]+"),
    re.compile(rf"(?i)(?P<name>(?<!\S)['\"]?--?[\w-]*{_WORD}[\w-]*(?:=|\s+))(?!-)[^\s'\"]+"),
    re.compile(
        r"(?P<name>\b[A-Z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|CREDENTIALS?)[A-Z0-9_]*=)\S+"
    ),
    re.compile(r"(?i)(?P<name>\b(?:proxy-)?authorization:\s*(?:(?:basic|bearer|token|digest)\s+)?)[^\s'\"]+"),
    re.compile(r"(?i)(?P<name>\b(?:cookie|x-[\w-]*(?:key|token|auth)[\w-]*|private-token):\s*)[^\s'\"]+"),
    re.compile(r"(?i)(?P<name>\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}"),
)


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


def secret_values(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values of variables whose name says that they are secret, the longest first."""
    found = {value.strip() for name, value in environment.items() if _SECRET_NAME.search(name.upper())}
    for value in environment.values():
        found |= {part for match in _USER.finditer(value) for part in match.group().split(":")}
    return tuple(sorted((value for value in found if len(value) >= SHORTEST), key=lambda value: (-len(value), value)))


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these values and without whatever has the form of a credential."""
    for value in secrets:
        text = text.replace(value, HIDDEN)
    text = _USER.sub(HIDDEN, text)
    for pattern in _GIVEN:
        text = pattern.sub(lambda match: match.group("name") + HIDDEN, text)
    return text


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
