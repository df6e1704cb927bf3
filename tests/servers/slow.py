"""Serves every request after a pause, so that a test has time to do something under load. `slow.py PORT SECONDS`.

With the word `busy` it spends some 1 ms of CPU on a request as well: a sampler always finds it at work.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(sock: socket.socket, pause: float, work: int) -> None:
    with sock:
        data = b""
        while more := sock.recv(65536):
            data += more
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                time.sleep(pause)
                sum(range(work))
                sock.sendall(ANSWER)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    pause = float(sys.argv[2])
    work = 40_000 if "busy" in sys.argv else 0
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock, pause, work), daemon=True).start()


if __name__ == "__main__":
    main()
