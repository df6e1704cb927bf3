"""What a study may ask of perf, and what perf can do on this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.capture import profiler
from profpipe.capture.profilers.perf import trial
from profpipe.capture.profilers.perf.options import OPTIONS, Asked, chosen_event, clocks, event_flags
from profpipe.errors import CaptureError, UsageError
from tests.support.capture_driving import ours
from tests.support.perf_cases import fake_perf

pytestmark = pytest.mark.programs


def test_an_option_or_a_value_that_does_not_exist_is_named() -> None:
    assert Asked.of({}) == Asked(**OPTIONS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="perf has no option freq; it has: frequency, call_graph"):
        Asked.of({"freq": 99})
    for given_, words in [
        ({"frequency": 0}, "frequency is 0"),
        ({"frequency": True}, "frequency is True"),
        ({"frequency": 99.5}, r"frequency is 99\.5"),
        ({"call_graph": "lbr"}, "call_graph is 'lbr'; it is one of auto, fp, dwarf, none"),
        ({"event": "-o /etc/passwd"}, "event is"),
        ({"event": "a,b"}, "give one event"),
        ({"keep": "yes"}, "keep is 'yes'; give true or false"),
    ]:
        with pytest.raises(UsageError, match=words):
            Asked.of(given_)


@given(st.integers(1, 50_000))
def test_the_clocks_add_up_to_the_requested_frequency_and_differ(frequency: int) -> None:
    many = clocks(frequency)
    assert sum(many) == frequency
    assert len(set(many)) == len(many)
    assert min(many) > 0
    assert len(many) == (3 if frequency >= 30 else 1)


def test_the_default_frequency_and_its_clocks() -> None:
    assert clocks(Asked.of({}).frequency) == (293, 331, 375)


COUNTED = "echo 1234,,cycles,100,100.00,, >&2"
NOT_COUNTED = "echo '<not supported>,,cycles,0,100.00,,' >&2"


def test_cycles_only_where_the_processor_counts_them(tmp_path: Path) -> None:
    """`perf record -e cycles` works anywhere: without counters it samples a clock, and says nothing."""
    (tmp_path / "yes").mkdir()
    counting, other = fake_perf(tmp_path / "yes", COUNTED), fake_perf(tmp_path, NOT_COUNTED)
    assert chosen_event(counting, "auto") == ("cycles", "cycles, counted by the processor")
    assert event_flags(counting, "cycles", 999) == ("-e", "cycles", "-F", "999")
    event, why = chosen_event(other, "auto")
    assert event == "cpu-clock"
    assert "no hardware counter for cycles" in why
    with pytest.raises(CaptureError, match="event 'cycles' is not counted on this machine"):
        chosen_event(other, "cycles")


def test_a_perf_without_clocks_side_by_side_gets_one(tmp_path: Path) -> None:
    assert event_flags(fake_perf(tmp_path, "exit 129"), "cpu-clock", 999) == ("-e", "cpu-clock", "-F", "999")


LIMITED = "Access to performance monitoring and observability operations is limited."


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "case $1 in --version) echo perf version 4.19.1;; esac",
            r"4\.19\.1 is too old, 5\.10 .* needed: apt",
        ),
        (f"echo Error: >&2; echo '{LIMITED}' >&2; exit 255", r"perf_event_paranoid is .*CAP_PERFMON"),
        (
            "echo 'WARNING: perf not found for kernel 6.8.0-31' >&2; exit 2",
            r"for kernel 6\.8\.0-31: apt install linux-",
        ),
        ("echo 'The sys_perf_event_open() syscall is odd' >&2; exit 1", "perf record does not work here: The sys_perf"),
        ("exit 3", "exit status 3"),
    ],
)
def test_a_perf_that_cannot_record_gives_the_reason_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program = fake_perf(tmp_path, script)
    monkeypatch.setattr(trial, "find_tool", lambda _: program)
    monkeypatch.setattr("profpipe.capture.tools.find_tool", lambda _: program)
    assert re.search(words, profiler("perf").missing(ours("threads")) or "")


def test_a_perf_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_perf(tmp_path, "[ $1 = --version ] || exec sleep 60")
    monkeypatch.setattr(trial, "find_tool", lambda _: program)
    monkeypatch.setattr("profpipe.capture.tools.TRY_SECONDS", 0.2)
    assert "did not exit within 0.2 s" in (trial.missing() or "")


def test_no_perf_comes_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "find_tool", lambda _: None)
    assert profiler("perf").missing(ours("threads")) == "perf not found: apt install linux-perf"


def test_no_perfconfig_of_the_user_changes_a_recording() -> None:
    assert trial.environment()["PERF_CONFIG"] == os.devnull
