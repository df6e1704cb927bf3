"""What the answers of the set-up gave, and a load with it: values in place of `{name}`, and a Cookie header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import Cookie, CookieJar
from typing import TypeVar
from urllib.parse import quote
from urllib.request import Request as Asking

from profpipe.credentials import SHORTEST
from profpipe.errors import SetUpFailed
from profpipe.load.plan import address
from profpipe.study.requests import Sent
from profpipe.study.schema import LoadPlan
from profpipe.study.setup import fill

Any_ = TypeVar("Any_", bound=Sent)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Values by name, and cookies, as after the last answer. All of them are secret. `base` = `http://host:port`."""

    base: str
    values: Mapping[str, str]
    cookies: tuple[Cookie, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values and cookies, the longest first; what is short or a plain word reveals nothing, and stays."""
        found = {*self.values.values(), *(cookie.value or "" for cookie in self.cookies)}
        found |= {quote(value, safe="") for value in found}  # as they are in a path, and in the log of a server
        return tuple(sorted((each for each in found if len(each) >= SHORTEST), key=lambda value: (-len(value), value)))

    def asked(self, asked: Any_) -> Any_:
        """The request with values and cookies. SetUpFailed for a cookie that would end its header."""
        path = fill(asked.path, self.values, in_path=True)
        headers = {name: fill(value, self.values) for name, value in asked.headers.items()}
        body = fill(asked.body, self.values)
        if cookies := self._cookies(path):
            own = next((name for name in headers if name.lower() == "cookie"), "Cookie")
            headers[own] = "; ".join(each for each in (headers.get(own, ""), cookies) if each)
        return asked.model_copy(update={"path": path, "headers": headers, "body": body})

    def load(self, plan: LoadPlan) -> LoadPlan:
        """The plan as it is sent after the set-up."""
        if plan.routes:
            return plan.asking(tuple(self.asked(route) for route in plan.routes))
        return plan.asking(self.asked(plan.request))

    def _cookies(self, path: str) -> str:
        """Those that belong to this path (RFC 6265), as the standard library's policy sends them."""
        if not self.cookies:
            return ""
        jar, asking = CookieJar(), Asking(self.base + path)
        for cookie in self.cookies:
            jar.set_cookie(cookie)
        jar.add_cookie_header(asking)
        found = asking.get_header("Cookie") or ""
        if any(sign in found for sign in "\r\n\0"):
            raise SetUpFailed("a cookie has a line break or a NUL in it, which no header can have")
        return found


def base_of(host: str, port: int, *, secure: bool) -> str:
    """`https://127.0.0.1:8000`, what cookies are kept for."""
    return f"{'https' if secure else 'http'}://{address(host, port)}"
