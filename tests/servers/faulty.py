"""One small HTTP server that goes wrong in the way its first argument says. `faulty.py KIND PORT`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

KIND, PORT = sys.argv[1], int(sys.argv[2])
served = 0


def listen() -> socket.socket:
    if KIND == "listens-on-ipv6-only":
        sock = socket.socket(socket.AF_INET6)
        sock.bind(("::1", PORT))
        sock.listen(64)
        return sock
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", PORT))
    sock.listen(64)
    return sock


def answer(sock: socket.socket) -> None:
    global served
    with sock:
        if KIND == "trickles":
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 600:
                sock.sendall(bytes([byte]))
                time.sleep(0.1)
        data = b""
        while True:
            more = sock.recv(65536)
            if not more:
                return
            data += more
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                served += 1
                if KIND == "dies-at-warm-up" and served > 5:
                    print("warm-up was too much", flush=True)
                    os._exit(7)
                if KIND == "dies-under-load" and served > 60:
                    os.kill(os.getpid(), signal.SIGSEGV)
                if KIND == "burns-in-children":
                    burn_in_a_child()
                bad = KIND == "serves-500" or (KIND == "500-under-load" and served > 60)
                status = b"500 Oh No" if bad else b"200 OK"
                sock.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")


def burn_in_a_child() -> None:
    """50 ms of CPU in a process that has ended before the answer goes out."""
    if (child := os.fork()) == 0:
        while time.process_time() < 0.05:
            pass
        os._exit(0)
    os.waitpid(child, 0)


def serve() -> None:
    listener = listen()
    print("listening", flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


def print_for_ever() -> None:
    while True:
        os.write(1, b"still here, still here, still here, still here, still here\n" * 500)


def main() -> None:
    if KIND == "never-ready":
        print("thinking about it", flush=True)
        time.sleep(600)
    if KIND == "dies-at-start":
        print("no configuration", flush=True)
        sys.exit(3)
    if KIND == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if KIND == "prints-for-ever":
        threading.Thread(target=print_for_ever, daemon=True).start()
    if KIND == "forks":
        for _ in range(2):
            if os.fork() == 0:
                time.sleep(600)
    if KIND == "double-forks" and os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    if KIND == "daemonizes":
        if os.fork():
            time.sleep(600)
        os.setsid()
        if os.fork():
            os._exit(0)
    serve()


main()
