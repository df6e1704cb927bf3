"""Tickets: one ticket puts the memory of every process in the same place, another one elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from profpipe.capture.server import layout
from profpipe.capture.server.keeper import place_memory
from profpipe.capture.server.process import KEEPER, Supervised
from profpipe.model.start import Ticket

SHOW = "import os, time; print(hash('x'), len(os.environ), flush=True); time.sleep(60)"


def personality_is_allowed() -> bool:
    return shutil.which("setarch") is not None and not subprocess.run(["setarch", "-R", "true"]).returncode


needs_personality = pytest.mark.skipif(not personality_is_allowed(), reason="personality(2) is refused here")


def place(ticket: Ticket | None, env: Mapping[str, str] = os.environ) -> tuple[str, str, str, bool]:
    """Where libc and the stack of a Python started with this ticket lie, what it printed, whether that is fixed."""
    if ticket is not None:
        env = layout.environment(ticket, {**env, "PYTHONHASHSEED": "0"}, {})
    stack = layout.stack_bytes(ticket) if ticket else None
    with Supervised([sys.executable, "-c", SHOW], env=env, cwd=Path(), stack_bytes=stack) as server:
        limit = time.monotonic() + 20
        while not server.log.bytes().endswith(b"\n"):
            assert time.monotonic() < limit
            time.sleep(0.01)
        lines = Path(f"/proc/{server.pid}/maps").read_text().splitlines()
        libc = next(line for line in lines if "libc" in line).split("-")[0]
        stack_at = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[25]
        return libc, stack_at, server.log.bytes().decode(), layout.is_fixed(server.pid)


def test_tickets_repeat_by_seed_and_differ_by_number() -> None:
    assert layout.draw(7, 3) == layout.draw(7, 3)
    drawn = {(t.pages, t.padding, t.hash_seed) for t in (layout.draw(7, n) for n in range(50))}
    assert len(drawn) == 50
    assert layout.draw(8, 3) != layout.draw(7, 3)
    assert all(0 < layout.draw(1, n).hash_seed < 2**32 for n in range(50))


def test_a_hash_seed_of_the_target_stays_and_no_other_program_gets_one() -> None:
    ticket = layout.draw(1, 1)
    assert layout.environment(ticket, {"PYTHONHASHSEED": "5"}, {"PYTHONHASHSEED": "5"})["PYTHONHASHSEED"] == "5"
    assert layout.environment(ticket, {"PYTHONHASHSEED": "0"}, {})["PYTHONHASHSEED"] == str(ticket.hash_seed)
    assert "PYTHONHASHSEED" not in layout.environment(ticket, {"A": "b"}, {})


@pytest.mark.real
@needs_personality
def test_one_ticket_is_one_place_and_another_is_another() -> None:
    first, again, other = place(layout.draw(1, 1)), place(layout.draw(1, 1)), place(layout.draw(1, 2))
    assert first == again
    assert first[3]
    assert first[0] != other[0]
    assert first[1] != other[1]
    assert first[2] != other[2], "hash('x') follows the ticket"


@pytest.mark.real
def test_without_a_ticket_addresses_stay_as_the_system_gives_them() -> None:
    assert not place(None)[3]


def test_a_process_that_is_gone_is_not_fixed() -> None:
    assert not layout.is_fixed(2**22 + 1)


LIMITED = f"""
import json, resource, sys
sys.path.insert(0, {str(KEEPER.parent)!r})
import keeper
resource.setrlimit(resource.RLIMIT_STACK, (2**20 * 8, 2**20 * 8))
keeper.place_memory(2**20 * 129)
print(json.dumps([keeper.LIBC.personality(keeper.PERSONALITY_NOW), resource.getrlimit(resource.RLIMIT_STACK)[0]]))
"""
REFUSED = f"""
import json, resource, sys
sys.path.insert(0, {str(KEEPER.parent)!r})
import keeper
class Refusing:
    def personality(self, value): return -1
before = resource.getrlimit(resource.RLIMIT_STACK)[0]
keeper.LIBC = Refusing()
keeper.place_memory(2**20 * 129)
print(json.dumps([0, resource.getrlimit(resource.RLIMIT_STACK)[0] - before]))
"""


@pytest.mark.programs
@pytest.mark.parametrize(("program", "stack"), [(LIMITED, 8 * 2**20), (REFUSED, 0)], ids=["hard limit", "seccomp"])
def test_where_a_part_is_refused_nothing_is_changed(program: str, stack: int) -> None:
    assert callable(place_memory)
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == [0, stack]
