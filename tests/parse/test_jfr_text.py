"""Text of `jfr print`: each event is one sample with its stack, and what the text does not hold is refused by line."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.profile import Profile
from profpipe.parse import jfr_text
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, self_by_name, total_by_name

REGEXP = capture("jfr-text/regexp.txt.gz")
ONE = b"""jdk.ExecutionSample {
  startTime = 13:51:26.783
  sampledThread = "main" (javaThreadId = 1)
  state = "STATE_RUNNABLE"
  stackTrace = [
    shop.Cart$Line.price(int, List) line: 12
    libnio.so.Java_sun_nio_ch_Net_poll() line: 0
    Main.main(String[]) line: 3
  ]
}

"""


def test_each_event_is_a_sample_at_its_innermost_method() -> None:
    tops: Counter[str] = Counter()
    for event in REGEXP.decode().split("\n\n"):
        frames = re.findall(r"^    (\S+?)\(", event, re.MULTILINE)
        if frames:
            tops[frames[0]] += 1
    profile = read(jfr_text.parse, REGEXP)
    assert self_by_name(profile) == tops
    assert tops.total() == 462
    assert total_by_name(profile)["com.shop.Main.handle"] == REGEXP.count(b"com.shop.Main.handle(")


def test_a_method_has_the_file_of_its_class_and_native_code_its_library() -> None:
    functions = read(jfr_text.parse, ONE).functions
    found = {
        name: (file, object_, line)
        for name, file, object_, line in zip(
            functions.name, functions.file, functions.object, functions.line.tolist(), strict=True
        )
    }
    assert found == {
        "shop.Cart$Line.price": ("shop/Cart.java", "", 12),
        "Java_sun_nio_ch_Net_poll": ("", "libnio.so", 0),
        "Main.main": ("Main.java", "", 3),
    }


def test_allocations_are_bytes_and_cpu_samples_are_time() -> None:
    allocs = read(jfr_text.parse, capture("jfr-text/allocs.txt.gz"))
    assert allocs.metrics[0].key == "allocated_bytes"
    assert allocs.self_sum("allocated_bytes") == pytest.approx(408.8 * 2**20, rel=0.001)
    times = read(jfr_text.parse, capture("jfr-text/cpu-time.txt.gz"))
    assert times.metrics[0].key == "cpu_ns"
    assert times.self_sum("cpu_ns") == pytest.approx(966e6, rel=0.001)


def test_the_jit_and_the_collector_are_seen_in_async_profilers_recording() -> None:
    profile = read(jfr_text.parse, capture("jfr-text/async-profiler.txt.gz"))
    assert total_by_name(profile)["CompileBroker::compiler_thread_loop"] == 416
    assert "C2 CompilerThre" in profile.meta.threads


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ONE[:-3], r"sample:9: the event of line 1 has no end"),
        (ONE.replace(b"jdk.ExecutionSample", b"jdk.CPULoad"), "no sample in it"),
        (b"jdk.ExecutionSample {\n}\nhello\n", r"sample:3: expected an event"),
        (ONE.replace(b"ExecutionSample", b"ObjectAllocationSample"), r"sample:1: weight is ''"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(data: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(jfr_text.parse, data)


def test_a_stack_that_was_cut_and_another_kind_of_event_are_warnings() -> None:
    cut = ONE.replace(b"  ]\n}", b"    ...\n  ]\n}")
    other = ONE.replace(b"ExecutionSample", b"CPUTimeSample")
    assert read(jfr_text.parse, cut + other).meta.warnings == (
        "jdk.CPUTimeSample in the same file: only jdk.ExecutionSample is read",
        "100.0 % of the stacks were cut: print with --stack-depth 256",
    )


def test_every_cut_and_every_damage_is_a_clean_error_or_a_profile() -> None:
    few = b"".join(event + b"\n\n" for event in REGEXP.split(b"\n\n")[:5])
    for at in cuts(few, 20):
        assert isinstance(outcome(jfr_text.parse, few[:at]), Profile | ProfpipeError), at
    for mutant in mutants(few, seed=5, many=40):
        outcome(jfr_text.parse, mutant)
