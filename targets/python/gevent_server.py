"""A greenlet for every connection: the handler of threads.py on stackful coroutines. Needs gevent."""

from __future__ import annotations

import contextlib
import signal

import gevent
from blocking_handler import handle
from command_line import listen, ready
from gevent.server import StreamServer
from gevent.socket import socket


def serve(sock: socket, _address: object) -> None:
    with contextlib.suppress(ConnectionError):
        handle(sock)


def main() -> None:
    listener = listen()
    server = StreamServer(socket(fileno=listener.detach()), serve)
    gevent.signal_handler(signal.SIGTERM, server.stop, 0)
    server.start()
    ready(server.socket)
    server.serve_forever()


if __name__ == "__main__":
    main()
