"""The requests of a set-up, one after another, each on a connection of its own."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.cookiejar import CookieJar
from urllib.request import Request as Asking

from profpipe.characters import visible
from profpipe.connecting import connected
from profpipe.credentials import hide, secret_fields, secret_values
from profpipe.errors import LoadError, SetUpFailed
from profpipe.final_answer import FinalAnswer
from profpipe.load.expected import SHOWN, shown, unpacked
from profpipe.load.plan import request_bytes
from profpipe.load.set_up.logged_in import LoggedIn, base_of
from profpipe.load.set_up.taking import Answered, taken
from profpipe.study.setup import SetUpRequest
from profpipe.tls import Trust, client_context, why

MOST_BYTES = 16 << 20
# A server may accept connections before it can answer.
PATIENCE_S, PAUSE_S = 5.0, 0.1
NOT_YET = 503


def carry_out(steps: Sequence[SetUpRequest], host: str, port: int, *, trust: Trust | None, timeout: float) -> LoggedIn:
    """Send every request once, and keep what it gives. `timeout` = seconds in which each must be answered.

    The first is sent again for some seconds where the server refuses the connection or answers with 503. SetUpFailed
    says which request failed, and how it was answered; no value and no cookie is in the text.
    """
    found = LoggedIn(base_of(host, port, secure=trust is not None), {}, ())
    until = time.monotonic() + min(PATIENCE_S, timeout)
    for number, step in enumerate(steps):
        while True:
            try:
                answer = _answer(step, found, host, port, trust=trust, timeout=timeout)
                if answer.status == NOT_YET and NOT_YET not in step.accepted and number == 0 and _wait(until):
                    continue
                found = _kept(step, answer, found)
                break
            except ConnectionRefusedError as error:
                if number or not _wait(until):
                    raise _failed(number, step, found, "it refuses connections") from error
            except (SetUpFailed, LoadError) as error:
                raise _failed(number, step, found, str(error)) from error
    return found


def _wait(until: float) -> bool:
    time.sleep(PAUSE_S)
    return time.monotonic() < until


def _answer(
    step: SetUpRequest, known: LoggedIn, host: str, port: int, *, trust: Trust | None, timeout: float
) -> Answered:
    asked, begun = known.asked(step), time.monotonic()
    try:
        with _connection(host, port, trust, timeout) as sock:
            sock.sendall(request_bytes(asked, host, port))
            with contextlib.closing(FinalAnswer(sock, method=step.method)) as response:
                response.begin()
                body = response.read(MOST_BYTES + 1)
    except ConnectionRefusedError:
        raise
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() - begun >= timeout:
            raise SetUpFailed(f"it gave no whole answer within {timeout:g} s") from error
        raise SetUpFailed(f"it gave no answer: {_words(error)}") from error
    if len(body) > MOST_BYTES:
        raise SetUpFailed(f"its body has more than {MOST_BYTES:,} bytes")
    try:
        body = unpacked(body, response.headers.get("Content-Encoding", ""))
    except ValueError as error:
        raise SetUpFailed(str(error)) from error
    jar = CookieJar()
    for cookie in known.cookies:
        jar.set_cookie(cookie)
    jar.extract_cookies(response, Asking(known.base + asked.path))
    return Answered(response.status, response.headers, body, tuple(jar), trust is not None)


@contextmanager
def _connection(host: str, port: int, trust: Trust | None, timeout: float) -> Iterator[socket.socket]:
    """A connection that ends after `timeout` seconds: the time-out of a socket bounds each read, not all of them."""
    sock = connected(host, port, timeout)
    if trust is not None:
        try:
            sock = client_context(trust).wrap_socket(sock, server_hostname=trust.name)
        except OSError as error:
            sock.close()
            raise SetUpFailed(why(error, trust)) from error

    def end() -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout, end)
    timer.start()
    try:
        yield sock
    finally:
        timer.cancel()
        sock.close()


def _words(error: Exception) -> str:
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "it closed the connection"
    return visible(str(error) or type(error).__name__, limit=SHOWN)


def _kept(step: SetUpRequest, answer: Answered, known: LoggedIn) -> LoggedIn:
    """What is known after the answer. SetUpFailed for one that is not as expected."""
    after = replace(known, cookies=answer.cookies)
    if answer.status not in step.accepted:
        place = answer.headers.get("Location")
        to = f" to {visible(place, limit=SHOWN)}; redirects are not followed" if place else ""
        words = f"it was answered with status {answer.status}{to}, {step.status_words} was expected"
        raise SetUpFailed(_hidden(words + shown(answer.body), step, after))
    values = dict(known.values)
    for name, take in step.take.items():
        try:
            values[name] = taken(take, answer)
        except SetUpFailed as error:
            words = f"there is no {{{name}}}: {error} (status {answer.status})"
            raise SetUpFailed(_hidden(words + shown(answer.body), step, replace(after, values=values))) from error
    return replace(after, values=values)


def _failed(number: int, step: SetUpRequest, known: LoggedIn, text: str) -> SetUpFailed:
    return SetUpFailed(_hidden(f"the set-up failed at request {number + 1}, {step.words}: {text}", step, known))


def _hidden(text: str, step: SetUpRequest, known: LoggedIn) -> str:
    """Without values, cookies, and the passwords that the request itself has, which an answer may repeat."""
    return hide(text, (*known.secrets, *secret_values(step.headers), *secret_fields(step.body)))
