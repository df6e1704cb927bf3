"""A connection to a server on this machine: by IPv4, by IPv6, or at a unix socket, whose path stands for the host.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import socket


def at_socket(host: str) -> bool:
    """Whether this is the path of a unix socket."""
    return host.startswith("/")


def connected(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket that sends at once; `port` says nothing at a unix socket. Raises OSError."""
    if not at_socket(host):
        sock = socket.create_connection((host, port), timeout=timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(host)
    except OSError:
        sock.close()
        raise
    return sock
