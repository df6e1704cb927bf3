"""A LoadPlan in the words of HTTP: the address, the header lines and the bytes that every generator must send alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from profpipe.connecting import at_socket
from profpipe.errors import LoadError
from profpipe.load.exchange import LENGTH
from profpipe.study.bodies import body_bytes
from profpipe.study.load_checks import HEADER_NAME
from profpipe.study.setup import texts_of
from profpipe.study.templates import differs

if TYPE_CHECKING:
    from profpipe.study.feeder import Feeder
    from profpipe.study.requests import Asked, Request, Route, Sent
    from profpipe.study.schema import LoadPlan
    from profpipe.study.setup import SetUpRequest

NO_NAME = "localhost"  # the name of a server that was given none: its address is as good
WITH_BODY = ("POST", "PUT", "PATCH")


def address(host: str, port: int) -> str:
    """`host:port` as written in a URL and in the Host header; IPv6 in brackets, `localhost` for a unix socket."""
    if at_socket(host):
        return NO_NAME
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url(plan: LoadPlan, host: str, port: int) -> str:
    """The URL external generators are given."""
    scheme = "http" if plan.trust is None else "https"
    return f"{scheme}://{address(host, port)}{plan.request.path}"


def headers(request: Sent) -> tuple[tuple[str, str], ...]:
    """The extra headers, checked. LoadError for a name or value that would become another header or request."""
    for name, value in request.headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise LoadError(f"request header {name!r}: not a header name; use letters, digits and dashes")
        if any(c in value for c in "\r\n\0"):
            raise LoadError(f"request header {name}: the value holds a line break; remove it")
    return tuple(request.headers.items())


def has_header(request: Sent, *names: str) -> str | None:
    """The first of these headers that the request sets itself, with its spelling; None when it sets none."""
    wanted = {name.lower() for name in names}
    return next((name for name in request.headers if name.lower() in wanted), None)


def limit_of_programs(name: str, plan: LoadPlan) -> str | None:
    """What neither wrk nor h2load can do; None when the plan asks for nothing of it."""
    if plan.routes:
        return f"{name} sends one request, and this load has {len(plan.routes)}"
    if plan.setup:
        return f"{name} is told headers in its command, where everybody sees what the set-up took: tokens and cookies"
    if plan.connections < plan.threads:
        return f"{name} needs at least one connection per thread ({plan.connections} for {plan.threads})"
    if not plan.request.keep_alive:
        return f"{name} opens a connection for each request without counting it"
    if differs(*texts_of(plan.request)):
        return f"{name} sends one constant request, and this one has values that differ"
    if plan.request.expect_body is not None:
        return f"{name} does not look at bodies, and this request has expect_body"
    if plan.at_socket:
        return f"{name} loads no server at a unix socket"
    if plan.trust is not None and plan.trust.name != NO_NAME:
        return f"{name} cannot tell the server the name {plan.trust.name} (https.name): it takes that of the address"
    if plan.request.method == "HEAD":
        return f"{name} waits for the body that a response to HEAD does not have"
    return None


def asked_of(request: Request, routes: Sequence[Route], host: str, port: int) -> list[dict[str, object]]:
    """What a built-in client is told of its requests (exchange.of_spec), each with its weight: `routes` where given."""
    each: list[tuple[Asked, tuple[int, ...], str, float]]
    each = [(route, route.accepted, route.name, route.weight) for route in routes]
    return [
        {
            "request": request_bytes(asked, host, port).decode("latin-1"),
            "accepted": list(accepted),
            "head": asked.method == "HEAD",
            "name": name,
            "weight": weight,
            "expects": None if asked.expect_body is None else asked.expect_body.model_dump(),
            "varying": differs(*texts_of(asked)),
        }
        for asked, accepted, name, weight in each or [(request, (request.status,), "", 1.0)]
    ]


def fed_by(feeder: Feeder | None, *, stops: bool = True) -> dict[str, object] | None:
    """What a built-in client is told of its rows (feed.Feed). `stops` = it may end with the last of them."""
    if feeder is None:
        return None
    return {
        "name": feeder.file,
        "columns": feeder.columns,
        "rows": feeder.rows,
        "order": feeder.order,
        "stop": stops and feeder.at_end == "stop",
    }


def request_bytes(request: Asked | SetUpRequest, host: str, port: int) -> bytes:
    """The whole request as the built-in generator sends it: like wrk it adds nothing but Host.

    Every further header costs the server instructions, so none is added that the plan does not name.
    """
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    if not has_header(request, "host"):
        lines.append(f"Host: {address(host, port)}")
    lines += [f"{name}: {value}" for name, value in headers(request)]
    if not request.keep_alive:
        lines.append("Connection: close")
    body = body_bytes(request.body)
    if (body or request.method in WITH_BODY) and not has_header(request, "content-length", "transfer-encoding"):
        lines.append(LENGTH.decode() if differs(request.body) else f"Content-Length: {len(body)}")
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    except UnicodeEncodeError as error:
        raise LoadError(f"request line or header is not latin-1 ({error}): percent-encode it") from error
