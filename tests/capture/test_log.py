"""What a server prints is drained, bounded and searched."""

from __future__ import annotations

import os
import re
import threading

from profpipe.capture.server.log import KEPT, Log, printable
from profpipe.capture.server.process import exit_words


def piped(*parts: bytes, pattern: str | None = None) -> Log:
    read, write = os.pipe()
    log = Log(read)
    if pattern is not None:
        log.watch(pattern)
    for part in parts:
        os.write(write, part)
    os.close(write)
    log.finish(10)
    return log


def test_the_beginning_and_the_end_of_endless_output_are_kept() -> None:
    log = piped(b"first\n", *[b"x" * 4095 + b"\n"] * 200, b"last\n")
    kept = log.bytes()
    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")
    assert len(kept) < 2 * KEPT + 100
    left_out = int(re.search(rb"\[\.\.\. (\d+) bytes left out", kept)[1])  # type: ignore[index]
    assert left_out == log.size - 2 * KEPT
    assert log.tail()[-1] == "last"


def test_short_output_is_kept_as_it_is() -> None:
    assert piped(b"a\n", b"b").bytes() == b"a\nb"


def test_a_line_in_two_pieces_and_one_without_its_end_are_found() -> None:
    pattern = r"ready port=(?P<port>\d+)$"
    for parts in ((b"rea", b"dy port=8", b"0\nmore"), (b"ready port=80",)):
        found = piped(*parts, pattern=pattern).matched(5)
        assert found is not None
        assert found["port"] == "80"


def test_a_line_printed_before_the_watch_began_is_found() -> None:
    log = piped(b"ready\n")
    log.watch("ready")
    assert log.matched(5)


def test_lines_for_people_hold_no_control_characters() -> None:
    assert printable("a\x1b[31mb\x07\tc") == "a\ufffd[31mb\ufffd    c"
    assert len(printable("x" * 10_000)) == 401


def test_how_a_process_ended_in_words() -> None:
    assert [exit_words(s) for s in (0, 3, -11, -99, None)] == [
        "exit status 0",
        "exit status 3",
        "killed by SIGSEGV",
        "killed by signal 99",
        "still running",
    ]


def test_threads_of_the_log_end() -> None:
    piped(b"x")
    assert not [t for t in threading.enumerate() if t.name == "server output"]
