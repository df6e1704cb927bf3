"""A thread for every connection, blocking sockets."""

from __future__ import annotations

import signal
import socket
import sys
import threading

from blocking_handler import handle
from command_line import listen, ready


def serve(sock: socket.socket) -> None:
    try:
        handle(sock)
    except ConnectionError:
        pass
    finally:
        sock.close()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener = listen()
    ready(listener)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
