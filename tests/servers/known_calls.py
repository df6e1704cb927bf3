"""Answers each request with work whose calls are known: `known_calls.py PORT`.

Per request: Shop.total 2, price 2 x 20 + 3, factorial 6, key 5 (called by C code), answer and inner 3 x 1 resumed.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Coroutine
from typing import Any


class Shop:
    def total(self, n: int) -> int:
        return sum([price(i) for i in range(n)])


def price(i: int) -> int:
    return i * 3 + len(str(i))


def key(x: int) -> int:
    return -x


def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


async def answer(n: int) -> int:
    return await inner(n)


async def inner(n: int) -> int:
    return price(n)


def drive(coroutine: Coroutine[Any, Any, int]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return


def handle(sock: socket.socket) -> None:
    for _ in range(2):
        Shop().total(20)
    factorial(6)
    sorted(range(5), key=key)
    for n in range(3):
        drive(answer(n))
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    while True:
        sock, _ = listener.accept()
        with sock:
            if sock.recv(65536):
                handle(sock)


if __name__ == "__main__":
    main()
