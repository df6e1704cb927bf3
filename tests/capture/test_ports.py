"""Which process owns a port."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from profpipe.capture.server import ports


@pytest.mark.programs
def test_our_listener_is_distinguished_from_another_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert ports.is_ours(port, [os.getpid()]) is True
        assert ports.is_ours(port, [1 if os.getpid() != 1 else 2]) is False
        assert port in ports.own_ports([os.getpid()])
    assert ports.is_ours(port, [os.getpid()]) is None


def test_a_port_shared_with_another_process_is_not_ours(tmp_path: Path) -> None:
    """SO_REUSEPORT: the kernel would give a foreign server half of the connections."""
    table = tmp_path / "tcp"
    row = "0: 0100007F:{:04X} 00000000:0000 0A 0 0 0 0 0 {}"
    table.write_text("head\n" + row.format(8080, 11) + "\n" + row.format(8080, 22) + "\n")
    assert ports.listeners([str(table)]) == {8080: {"11", "22"}}


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("0100007F", True),
        ("00000000", True),
        ("0200007F", False),
        ("0" * 32, True),
        ("0000000000000000FFFF00000100007F", True),
        ("00000000000000000000000001000000", False),
    ],
)
def test_which_addresses_loopback_reaches(address: str, reached: bool) -> None:
    assert ports.answers(address, "127.0.0.1") is reached
