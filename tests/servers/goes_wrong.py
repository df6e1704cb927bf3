"""A small keep-alive server that goes wrong after so many requests: run as `python goes_wrong.py PORT FAULT AFTER`.

FAULT is none, die, hang, wrong, close (every answer closes its connection), slower (each request costs more than the
one before), poll (it uses CPU while idle), or hungry (it holds AFTER MiB of memory from its start). It counts the
requests of all connections.
"""

from __future__ import annotations

import os
import signal
import socketserver
import sys
import threading
import time

BODY = b"hello"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + BODY
WRONG = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n" + BODY


def burn(seconds: float) -> None:
    limit = time.thread_time() + seconds
    while time.thread_time() < limit:
        pass


class Handler(socketserver.StreamRequestHandler):
    served = 0

    def handle(self) -> None:
        while (line := self.rfile.readline()) and line != b"\r\n":
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            Handler.served += 1
            if not self.answer(Handler.served):
                return

    def answer(self, number: int) -> bool:
        if FAULT == "slower":
            burn(20e-6 + 0.2e-6 * max(number - AFTER, 0))
        elif number > AFTER and FAULT != "hungry":
            if FAULT == "die":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif FAULT == "hang":
                time.sleep(60)
            elif FAULT == "wrong":
                self.wfile.write(WRONG)
                return True
            elif FAULT == "close":
                self.wfile.write(CLOSE)
                return False
        self.wfile.write(OK)
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def poll() -> None:
    while True:
        burn(0.001)
        time.sleep(0.001)


if __name__ == "__main__":
    PORT, FAULT, AFTER = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if FAULT == "poll":
        threading.Thread(target=poll, daemon=True).start()
    held = bytearray(b"x") * (AFTER << 20 if FAULT == "hungry" else 0)
    with Server(("127.0.0.1", PORT), Handler) as server:
        server.serve_forever()
