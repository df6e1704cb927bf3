"""Serves with threads that run since before anybody looked: four workers, each accepting for itself. `pool.py PORT`."""

from __future__ import annotations

import socket
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer_one(sock: socket.socket, data: bytes) -> bytes:
    head, _, rest = data.partition(b"\r\n\r\n")
    sum(len(line) for line in head.split(b"\r\n"))
    sock.sendall(ANSWER)
    return rest


def work(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        with sock:
            data = b""
            while more := sock.recv(65536):
                data += more
                while b"\r\n\r\n" in data:
                    data = answer_one(sock, data)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    workers = [threading.Thread(target=work, args=(listener,), daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
