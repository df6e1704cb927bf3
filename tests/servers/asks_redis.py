"""A keep-alive server that asks Redis so many times a request: run as `python asks_redis.py PORT QUERIES [ENDS AFTER]`.

Redis is at $CACHE (HOST:PORT). `/one` asks once, whatever QUERIES is. With ENDS, the name of a file that does not
exist yet, the request after AFTER others writes it and ends Redis, which then fails this server too.
"""

from __future__ import annotations

import os
import socket
import socketserver
import sys
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FAILED = b"HTTP/1.1 503 No Redis\r\nContent-Length: 0\r\n\r\n"


class Handler(socketserver.StreamRequestHandler):
    served = 0

    def handle(self) -> None:
        host, _, port = os.environ["CACHE"].rpartition(":")
        try:
            with socket.create_connection((host, int(port))) as asked, asked.makefile("rwb") as redis:
                self.serve(redis)
        except OSError:
            self.wfile.write(FAILED)

    def serve(self, redis: object) -> None:
        while (line := self.rfile.readline()) and line != b"\r\n":
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            Handler.served += 1
            if ENDS is not None and Handler.served > AFTER and not ENDS.exists():
                ENDS.write_text("done")
                ask(redis, b"SHUTDOWN NOSAVE")
            for _ in range(1 if b"/one" in line else QUERIES):
                if not ask(redis, b"GET key"):
                    raise ConnectionError
            self.wfile.write(OK)


def ask(redis: object, words: bytes) -> bytes:
    redis.write(words + b"\r\n")  # type: ignore[attr-defined]
    redis.flush()  # type: ignore[attr-defined]
    answer: bytes = redis.readline()  # type: ignore[attr-defined]
    return answer if answer.startswith(b"$-1") else answer and redis.readline()  # type: ignore[attr-defined]


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    QUERIES = int(sys.argv[2])
    ENDS, AFTER = (Path(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 3 else (None, 0)
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
