"""Who listens on a port. Another server on our port would be measured as ours, so ownership is always checked.

psutil is not used here: listing every listener with psutil.net_connections takes 10 to 16 ms on a machine of 100 to 500
processes, growing with their number, where this takes 4 ms, and it is done every 2 to 50 ms while a server starts. For
a socket that several processes share, psutil also names only one of them, which may not be ours."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from profpipe.study.schema import Target

LISTEN = "0A"
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LOOPBACK = "127.0.0.1"


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free now. Another process may take it before the server does: check the owner."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


def answers(address: str, host: str) -> bool:
    """Whether a socket bound to this address (hexadecimal, as /proc/net/tcp has it) is reached by `host`."""
    if ":" in host:
        return len(address) == 32 and (set(address) == {"0"} or address == "00000000000000000000000001000000")
    if len(address) == 8:
        return address in {"00000000", "0100007F"}
    return set(address) == {"0"} or address == "0000000000000000FFFF00000100007F"


def listeners(tables: Iterable[str] = TABLES, host: str = LOOPBACK) -> dict[int, set[str]]:
    """Port -> inodes of the sockets that listen there and are reached by `host`."""
    found: dict[int, set[str]] = {}
    for address, port, inode in _listening(tables):
        if answers(address, host):
            found.setdefault(port, set()).add(inode)
    return found


def unreached(pids: Iterable[int], tables: Iterable[str] = TABLES, host: str = LOOPBACK) -> tuple[str, ...]:
    """Addresses, such as `[::1]:8080`, that these processes listen on and `host` does not reach."""
    mine = socket_inodes(pids)
    rows = {(a, p) for a, p, inode in _listening(tables) if inode in mine and not answers(a, host)}
    return tuple(sorted(_shown(address, port) for address, port in rows))


def _shown(address: str, port: int) -> str:
    """The kernel writes an address as words of 32 bits in the order of the machine."""
    words = [bytes.fromhex(address[i : i + 8]) for i in range(0, len(address), 8)]
    found = ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    return f"[{found}]:{port}" if found.version == 6 else f"{found}:{port}"


def _listening(tables: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """(address, port, inode) of every socket that listens."""
    for table in tables:
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            address, _, port = fields[1].rpartition(":")
            if fields[3] == LISTEN:
                yield address, int(port, 16), fields[9]


def socket_inodes(pids: Iterable[int]) -> set[str]:
    """Inodes of the sockets these processes hold open."""
    found = set()
    for pid in pids:
        try:
            entries = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
        for entry in entries:
            try:
                name = str(entry.readlink())
            except OSError:
                continue
            if name.startswith("socket:["):
                found.add(name[8:-1])
    return found


def own_ports(pids: Iterable[int], host: str = LOOPBACK) -> set[int]:
    """Ports these processes listen on."""
    mine = socket_inodes(pids)
    return {port for port, inodes in listeners(host=host).items() if inodes & mine}


def is_ours(port: int, pids: Iterable[int], host: str = LOOPBACK) -> bool | None:
    """True: only these processes listen there. False: another process does (too). None: no process does."""
    inodes = listeners(host=host).get(port)
    return None if not inodes else inodes <= socket_inodes(pids)


def names_port(target: Target) -> bool:
    """Whether the target takes the port we choose."""
    return any("{port}" in part for part in (*target.command, *target.env.values()))


def choose_port(target: Target) -> int:
    """The target's fixed port, or a free one."""
    return target.port if target.port is not None else free_port(target.host)
