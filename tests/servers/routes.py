"""Several routes that cost so many microseconds of CPU each. `routes.py PORT NAME=MICROSECONDS ...`.

`GET /cheap` with `cheap=200` spins for 200 us. A cost that begins with `!` is a status: `dear=!500`.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

COSTS = dict(word.split("=") for word in sys.argv[2:] if "=" in word)


def answer(sock: socket.socket) -> None:
    with sock:
        data = b""
        while more := sock.recv(65536):
            data += more
            while b"\r\n\r\n" in data:
                request, _, data = data.partition(b"\r\n\r\n")
                cost = COSTS.get(request.split(b" ")[1].decode().strip("/"), "!404")
                status = int(cost[1:]) if cost.startswith("!") else 200
                end = time.thread_time_ns() + (0 if status != 200 else int(cost) * 1000)
                while time.thread_time_ns() < end:
                    pass
                sock.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
