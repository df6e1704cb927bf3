"""The command line all targets share: --port N (0 = pick one), loopback only, `ready port=N` when listening."""

from __future__ import annotations

import argparse
import gc
import socket

HOST = "127.0.0.1"
BACKLOG = 1024


def listen() -> socket.socket:
    """A listening socket on the port asked for; listening before `ready`, so that no early client is refused."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, options.parse_args().port))
    sock.listen(BACKLOG)
    return sock


def ready(sock: socket.socket) -> None:
    """Tell whoever started us that requests are answered from now on.

    Garbage of the start is collected first: with the collector's counter at zero its next turn does not fall into one
    measurement of 2,000 requests and not into the next (0.7 % of the threads variant's instructions).
    """
    gc.collect()
    print(f"ready port={sock.getsockname()[1]}", flush=True)
