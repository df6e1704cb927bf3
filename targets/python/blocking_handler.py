"""One connection, served with blocking calls. threads.py and gevent_server.py run this very file."""

from __future__ import annotations

import socket

from request_head import END, MAX_HEAD, RESPONSE, parse


def handle(sock: socket.socket) -> None:
    """Answer requests until the client closes, asks to close, or sends a head that never ends."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while len(data) < MAX_HEAD:
        head, found, rest = data.partition(END)
        if not found:
            more = sock.recv(65536)
            if not more:
                return
            data += more
            continue
        data = rest
        _, _, headers = parse(head)
        sock.sendall(RESPONSE)
        if headers.get("connection") == "close":
            return
