"""A value taken from an answer, or why there is none that can be sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import Cookie
from typing import Any

from profpipe.errors import SetUpFailed
from profpipe.load.pointer import at_pointer
from profpipe.study.setup import Take
from profpipe.study.templates import differs

LONGEST = 1 << 20  # characters of a value; servers refuse headers of a hundredth of that


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer. `cookies` = those kept after it; `secure` = it came by https."""

    status: int
    headers: Message
    body: bytes
    cookies: tuple[Cookie, ...]
    secure: bool


def taken(take: Take, answer: Answered) -> str:
    """The value. SetUpFailed says why there is none that can be sent."""
    if take.cookie is not None:
        value = _cookie(take.cookie, answer)
    elif take.header is not None:
        value = _header(take.header, answer)
    elif take.pattern is not None:
        value = _matched(take.pattern, answer)
    else:
        value = _at(take.pointer or "", answer)
    if not value:
        raise SetUpFailed(f"{take.words} is empty")
    if len(value) > LONGEST:
        raise SetUpFailed(f"{take.words} has {len(value):,} characters; {LONGEST:,} at most are sent")
    if any(sign in value for sign in "\r\n\0"):
        raise SetUpFailed(f"{take.words} has a line break or a NUL in it, which no request can have in a header")
    if differs(value):
        raise SetUpFailed(
            f"{take.words} has {{seq}}, {{random:...}} or {{csv:...}} in it, which the load would fill in"
        )
    return value


def _header(name: str, answer: Answered) -> str:
    value = answer.headers.get(name)
    if value is None:
        raise SetUpFailed(f"it has no header {name}")
    return str(value).strip()


def _matched(pattern: str, answer: Answered) -> str:
    found = re.search(pattern, _text(answer), re.MULTILINE)
    if found is None or found[1] is None:
        raise SetUpFailed(f"nothing in its body matches {pattern!r}")
    return str(found[1])


def _at(pointer: str, answer: Answered) -> str:
    try:
        value: Any = at_pointer(json.loads(answer.body), pointer)
    except LookupError as error:
        raise SetUpFailed(f"nothing is at {pointer} of its body: {error}") from None
    except (ValueError, RecursionError) as error:
        raise SetUpFailed(f"its body is not JSON: {error}") from None
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        what = "null" if value is None else "an object" if isinstance(value, dict) else "an array"
        raise SetUpFailed(f"{pointer or 'the whole body'} is {what}, which cannot be sent as a value")
    return json.dumps(value)


def _cookie(name: str, answer: Answered) -> str:
    kept = [cookie for cookie in answer.cookies if cookie.name == name]
    if kept and kept[-1].secure and not answer.secure:
        raise SetUpFailed(f"the cookie {name} is for https only (Secure), and the server is reached by http")
    if kept:
        return kept[-1].value or ""
    lines = [line for line in answer.headers.get_all("Set-Cookie", []) if line.partition("=")[0].strip() == name]
    if lines:
        # All but the value, which is secret.
        limits = "; ".join(part.strip() for part in lines[-1].split(";")[1:])
        raise SetUpFailed(f"the cookie {name} is not kept, since it is for another host or has expired ({limits})")
    raise SetUpFailed(f"it has set no cookie {name}")


def _text(answer: Answered) -> str:
    charset = answer.headers.get_content_charset("utf-8")
    try:
        return answer.body.decode(charset, "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")
