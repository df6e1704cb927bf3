"""Requests to a forge: JSON in and out, bounded in tries, time and size; no text of ours ever holds the token."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from profpipe.credentials import hide
from profpipe.errors import PublishError

if TYPE_CHECKING:
    import ssl

    import httpx2

TRIES = 5
# For all waiting of one command: a build should not be held up by a comment.
WAIT_BUDGET = 120.0
TIMEOUT = 30.0
# For one whole answer, whose every byte may come within TIMEOUT of the one before.
DEADLINE = 60.0
MAX_ANSWER = 16 * 2**20
MAX_PAGES = 200
T = TypeVar("T")
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class ForgeError(PublishError):
    """The forge refused or failed. `status` is the HTTP status, None when there was no answer."""

    def __init__(self, text: str, status: int | None = None, detail: str = "") -> None:
        self.status, self.detail = status, detail
        super().__init__(text)

    @property
    def denied(self) -> bool:
        return self.status in (401, 403)

    @property
    def missing(self) -> bool:
        return self.status in (404, 410)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: parsed JSON, None for an empty body; `following` = the query of the next page."""

    status: int
    body: Any
    following: str | None = None


@dataclass(slots=True)
class Wire:
    """One forge's API. `headers` hold the token and go to this API only: no redirect is followed."""

    base: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    sleep: Callable[[float], None] = time.sleep
    waited: float = 0.0
    client: httpx2.Client | None = field(default=None, repr=False)

    def call(self, method: str, path: str, *, body: Any = None, files: Any = None) -> Answer:
        """One request, tried again on 429, 5xx and lost connections.

        Raises ForgeError with method, path, status and the forge's own reason.
        """
        last: ForgeError | None = None
        for attempt in range(TRIES):
            try:
                return self._once(method, path, body, files)
            except _Again as again:
                last = again.error
                pause = again.after if again.after is not None else 2.0**attempt * (0.75 + random.random() / 2)
                if attempt + 1 == TRIES or self.waited + pause > WAIT_BUDGET:
                    break
                self.waited += pause
                self.sleep(pause)
        assert last is not None
        raise last

    def pages(self, path: str) -> Iterator[Any]:
        """The items of a list over all its pages, followed by Link rel=next.

        Only the link's query is used, on the same path of this API: the token goes nowhere else, and a forge that
        does not know its own outer address still works.
        """
        at: str | None = path
        for _ in range(MAX_PAGES):
            if at is None:
                return
            answer = self.call("GET", at)
            if not isinstance(answer.body, list):
                raise ForgeError(f"GET {_shown(at)}: a list was expected; is {self.base} the address of the API?")
            yield from answer.body
            following = f"{path.partition('?')[0]}?{answer.following}" if answer.following else None
            at = None if following == at else following  # a page that is its own next is the last
        raise ForgeError(f"GET {_shown(path)}: more than {MAX_PAGES} pages")

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    def _once(self, method: str, path: str, body: Any, files: Any) -> Answer:
        import httpx2

        if self.client is None:
            # A proxy reads what is sent over http://, the token too; of https:// it sees the name of the host.
            own_proxies = self.base.startswith("https://")
            timeout = httpx2.Timeout(TIMEOUT, connect=10.0)
            self.client = httpx2.Client(
                timeout=timeout, follow_redirects=False, trust_env=own_proxies, verify=_certificates(own_proxies)
            )
        what = f"{method} {_shown(path)}"
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = dict(self.headers) | ({"Content-Type": "application/json"} if content is not None else {})
        client = self.client

        def ask() -> tuple[httpx2.Response, bytes]:
            with client.stream(method, self.base + path, headers=headers, content=content, files=files) as response:
                return response, b"".join(_bounded(response, what))

        try:
            response, data = _within(DEADLINE, ask)
        except TimeoutError:
            self.client = None  # its thread still reads
            raise ForgeError(f"{what}: {self.base} gave no whole answer within {DEADLINE:g} s") from None
        except httpx2.HTTPError as error:
            # The library's own text holds the whole URL.
            text = f"{what}: no answer from {self.base} ({type(error).__name__}); as far as we know nothing was changed"
            raise _Again(ForgeError(text)) from None
        except httpx2.InvalidURL:
            raise ForgeError(f"{self.base} is not the address of an API") from None
        return self._answer(what, response, data)

    def _answer(self, what: str, response: httpx2.Response, data: bytes) -> Answer:
        status, kind = response.status_code, response.headers.get("content-type", "")
        parsed, is_json = _parse(data)
        if status >= 400:
            detail = self._clean(_reason(parsed)) if is_json else ("an HTML page" if "html" in kind else "")
            error = ForgeError(
                f"{what}: {self.base} answered {status}{f': {detail}' if detail else ''}", status, detail
            )
            if status == 429 or status >= 500 or (status == 403 and _is_limit(response.headers)):
                raise _Again(error, _retry_after(response.headers))
            raise error
        if status >= 300:
            raise ForgeError(
                f"{what}: {self.base} answered {status}, a redirect; give the new address as --api", status
            )
        if data.strip() and not is_json:
            page = "an HTML page" if "html" in kind or data.lstrip()[:1] == b"<" else "something that is not JSON"
            raise ForgeError(f"{what}: {self.base} answered {page}; check that --api is the address of the API")
        return Answer(status, parsed, _following(response.headers.get("link", "")))

    def _clean(self, text: str) -> str:
        shown = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
        return hide(shown, self.secrets)[:200]


@cache
def _certificates(trust_env: bool) -> ssl.SSLContext:
    """The certificates that are trusted. Loading them takes 20 ms, and a report is sent over several connections."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=trust_env)


def _within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` returns or raises. Raises TimeoutError after `seconds`: the client's time-out bounds each read only.

    A thread that is late goes on in the background and ends with the process.
    """
    ended: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((ask(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TimeoutError
    found, error = ended[0]
    if error is not None:
        raise error
    return cast("T", found)


class _Again(Exception):
    """A failure that is worth another try, `after` so many seconds where the forge gives them."""

    def __init__(self, error: ForgeError, after: float | None = None) -> None:
        self.error, self.after = error, after
        super().__init__(str(error))


def _following(link: str) -> str | None:
    found = _NEXT.search(link)
    return urlsplit(found.group(1)).query or None if found else None


def _bounded(response: httpx2.Response, what: str) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise ForgeError(f"{what}: the answer is larger than {MAX_ANSWER // 2**20} MiB")
        yield chunk


def _parse(data: bytes) -> tuple[Any, bool]:
    try:
        return (json.loads(data), True) if data.strip() else (None, True)
    except (ValueError, RecursionError):
        return None, False


def _reason(body: Any) -> str:
    """GitHub and Gitea say `message`, GitLab `message` or `error`, either of them any JSON."""
    if not isinstance(body, dict):
        return ""
    found = body.get("message") or body.get("error") or body.get("error_description") or ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _is_limit(headers: Mapping[str, str]) -> bool:
    """GitHub answers a spent limit with 403 as well: https://docs.github.com/rest, "rate limits"."""
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds: Retry-After as a number or a date, else the time when the limit is reset."""
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
    reset = headers.get("x-ratelimit-reset", "")
    if reset.isdigit() and headers.get("x-ratelimit-remaining") == "0":
        return max(0.0, float(reset) - time.time())
    return None


def _shown(path: str) -> str:
    return path.partition("?")[0]
