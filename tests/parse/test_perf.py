"""`perf script` text. Oracle: `perf report` of the same recording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, RUNTIMES, Profile
from profpipe.parse import perf
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name, total_by_name

GOOD = (
    "perf-c-relative.script.txt.gz",
    "perf-c-flat.script.txt",
    "perf-asyncio-dwarf.script.txt.gz",
    "perfjit-threads313.script.txt.gz",
)

SAMPLE = "a 1 1.0: 5 cycles: \n\t1 f (/x)\n\n"


def load(name: str) -> Profile:
    return read(perf.parse, capture(f"perf/{name}"))


def parse(text: str | bytes) -> Profile:
    return read(perf.parse, text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("name", GOOD)
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/perf-{name}.txt", dump_text(load(name)))


def test_samples_per_symbol_equal_perf_report() -> None:
    """All rows of `perf report --no-children`: samples, object and symbol."""
    profile = load("perf-c-relative.script.txt.gz")
    ours: Counter[tuple[str, str, str]] = Counter()
    assert profile.samples is not None
    assert profile.stacks is not None
    for row, n in zip(profile.samples.stack, profile.samples.values["samples"], strict=True):
        f = profile.frames.function[profile.stacks.frame[row]]
        place = profile.functions.object[f].rsplit("/", 1)[-1]
        kind = "k" if RUNTIMES[profile.functions.runtime[f]] == "kernel" else "."
        ours[place, kind, profile.functions.name[f]] += int(n)
    text = capture("perf/perf-c-relative.report.txt").decode()
    theirs: Counter[tuple[str, str, str]] = Counter()
    for row in re.finditer(r"^ +[\d.]+% +(\d+) +\S+ +(\S+) +\[(.)\] (\S+)", text, re.MULTILINE):
        theirs[row[2], row[3], row[4]] += int(row[1])
    assert sum(theirs.values()) == 467
    assert ours == theirs


def test_periods_of_a_clock_add_up_to_perfs_event_count() -> None:
    said = re.search(r"Event count \(approx.\): (\d+)", capture("perf/perf-c-relative.report.txt").decode())
    assert said is not None
    profile = load("perf-c-relative.script.txt.gz")
    assert [m.key for m in profile.metrics] == ["cpu_ns", "samples"]
    assert profile.self_sum("cpu_ns") == int(said[1])


def test_without_call_chains_every_sample_is_a_leaf() -> None:
    profile = load("perf-c-flat.script.txt")
    assert profile.stacks is not None
    assert set(profile.stacks.parent.tolist()) == {-1}
    assert profile.self_sum("samples") == 408


def test_kernel_frames_are_kept_apart() -> None:
    found = runtimes(load("perf-c-relative.script.txt.gz"))
    assert found["tcp_sendmsg_locked"] == KERNEL
    assert found["__send"] == NATIVE
    found = runtimes(parse("a 1 1.0: 5 cycles: \n\tff nf_hook+0x1 ([nf_tables])\n\t1 x+0x2 ([vdso])\n\n"))
    assert found == {"nf_hook": KERNEL, "x": NATIVE}


def test_inlined_frames_belong_to_the_object_around_them() -> None:
    profile = load("perf-asyncio-dwarf.script.txt.gz")
    at = profile.functions.name.index("_PyEval_EvalFrame")
    assert profile.functions.object[at] == "/opt/python3.11/lib/libpython3.11.so.1.0"
    assert "inlined" not in profile.functions.object


def test_pythons_own_frames_have_name_and_file() -> None:
    profile = load("perfjit-threads313.script.txt.gz")
    at = profile.functions.name.index("handle")
    assert profile.functions.file[at] == "/srv/app/srv_threads.py"
    assert profile.functions.runtime[at] == PYTHON
    assert not any(name.startswith("py::") for name in profile.functions.name)
    assert total_by_name(profile)["handle"] > 0.5 * profile.self_sum("cpu_ns")


def test_comm_with_spaces_and_brackets_and_a_deleted_object() -> None:
    text = "[a] b 12 x 7/8 [003] 1.5: 250 cycles:u: \n\t1f f(int, (anonymous))+0x3 (/memfd:x (deleted))\n\n"
    profile = parse(text)
    assert profile.meta.threads == ("[a] b 12 x 7/8",)
    assert profile.functions.name == ("f(int, (anonymous))",)
    assert profile.functions.object == ("/memfd:x (deleted)",)
    assert [m.key for m in profile.metrics] == ["cycles", "samples"]


HIDDEN = """a 1 1.0: 5 cycles:
\tffffffff8220176b [unknown] ([unknown])
\tffffffff821ed511 [unknown] ([unknown])
\t           f82ec read (/usr/lib/libc.so.6)
\t d4b4f2030303220 [unknown] ([unknown])

"""


def test_a_hidden_kernel_is_recognised_by_its_addresses() -> None:
    """As written by perf without the right to read /proc/kallsyms."""
    profile = parse(HIDDEN)
    place = {o: RUNTIMES[r] for o, r in zip(profile.functions.object, profile.functions.runtime, strict=True)}
    assert place == {"[kernel]": "kernel", "/usr/lib/libc.so.6": "native", "[unknown]": "native"}
    assert self_by_name(profile) == {"[unknown]": 5}
    assert profile.meta.warnings == ("100.0 % of the samples are in code without a symbol",)


def test_the_null_address_where_a_walk_ended_is_no_caller() -> None:
    end = "\t               0 [unknown] ([unknown])\n"
    ended = parse(SAMPLE.replace("(/x)\n", f"(/x)\n{end}"))
    assert ended.functions.name == ("f",)
    jumped_to_null = parse(f"a 1 1.0: 5 cycles: \n{end}\t1 f (/x)\n\n")
    assert self_by_name(jumped_to_null) == {"[unknown]": 5}


@pytest.mark.parametrize(
    ("event", "key"),
    [("cycles", "cycles"), ("cycles:P", "cycles"), ("cpu_core/cycles/", "cycles"), ("cpu_atom/cycles/u", "cycles")],
)
def test_an_event_has_one_name_on_every_processor(event: str, key: str) -> None:
    assert [m.key for m in parse(SAMPLE.replace("cycles", event)).metrics] == [key, "samples"]


def test_clocks_that_ran_side_by_side_saw_the_same_time() -> None:
    """Three clocks over one second of f, 300, 200 and 100 times: one second, 600 samples."""
    text = "".join(
        f"a 1 1.0: {10**9 // frequency} cpu-clock/freq={frequency}/: \n\t1 f (/x)\n\n" * frequency
        for frequency in (300, 200, 100)
    )
    profile = parse(text)
    assert [m.key for m in profile.metrics] == ["cpu_ns", "samples"]
    assert profile.self_sum("samples") == 600
    assert profile.self_sum("cpu_ns") == pytest.approx(1e9, rel=1e-6)
    assert profile.meta.notes["event"] == "cpu-clock"
    with pytest.raises(ParseError, match="events cpu-clock and task-clock"):
        parse(text + SAMPLE.replace("cycles", "task-clock"))


def test_losses_reported_twice_are_counted_once() -> None:
    """What the reader of the buffer noticed, and the kernel's own sum at the end."""
    noticed = "a 1 1.1: PERF_RECORD_LOST lost 12\nb c 1 1.2: PERF_RECORD_LOST lost 5\n"
    summed = "a 1 1.3: PERF_RECORD_LOST_SAMPLES lost 19\n"
    assert parse(SAMPLE + noticed + summed).meta.warnings == ("perf lost 19 samples; 1 were kept",)


def test_a_thread_that_was_ending_has_no_number() -> None:
    """The kernel has taken its id away while it still runs do_exit."""
    assert parse(SAMPLE.replace("a 1", ":-1 7/-1") + SAMPLE).meta.threads == (":-1 7/-1", "a 1")


def test_without_a_period_samples_are_counted() -> None:
    profile = parse("a 1 1.0: cycles: \n\t1 f+0x3 (/x)\n\n")
    assert [m.key for m in profile.metrics] == ["samples"]


def test_unknown_symbols_and_lost_samples_are_reported() -> None:
    lost = "a 1 1.1: PERF_RECORD_LOST lost 12\n"
    text = f"{SAMPLE.replace('f (', '[unknown] (')}{lost}{SAMPLE}"
    warnings = parse(text).meta.warnings
    assert warnings == ("50.0 % of the samples are in code without a symbol", "perf lost 12 samples; 2 were kept")


BAD = {
    "not perf": ("hello\n", 1, "header or frame"),
    "a frame before a header": ("\t1 f+0x3 (/x)\n", 1, "header or frame"),
    "two clocks": (
        SAMPLE.replace("cycles", "cpu-clock") + SAMPLE.replace("cycles", "task-clock"),
        4,
        "one file per event",
    ),
    "a period missing": (SAMPLE + SAMPLE.replace("5 ", ""), 4, "period"),
    "a period of 20 digits": (SAMPLE.replace("5 ", "9" * 20 + " "), 1, "too large"),
    "comments only": ("# a\n", None, "no sample"),
}


@pytest.mark.parametrize(("text", "line", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_line_and_the_reason(text: str, line: int | None, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        parse(text)
    assert caught.value.line == line


def test_what_perf_says_of_a_killed_recording_is_no_profile() -> None:
    with pytest.raises(ParseError):
        parse(capture("perf/perf-c-killed9.script.stderr.txt"))
    with pytest.raises(ParseError, match="empty file"):
        parse(b"")


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD[:3])
def test_a_cut_is_an_error_or_partial(name: str) -> None:
    """perf script says nowhere how many samples follow: a cut after a whole sample reads as exactly these samples."""
    data = capture(f"perf/{name}")
    end = b"\n" if "flat" in name else b"\n\n"
    for size in cuts(data, 120):
        result = outcome(perf.parse, data[:size])
        if not isinstance(result, ProfpipeError) and result.meta.partial is None:
            assert data[:size].endswith(end), size


@pytest.mark.slow
def test_a_stack_of_30_000_frames() -> None:
    frames = "".join(f"\t{i:x} f{i}+0x1 (/x)\n" for i in range(30_000))
    assert self_by_name(parse(f"a 1 1.0: 5 cycles: \n{frames}\n")) == {"f0": 5}


def test_crlf_gives_the_same_numbers() -> None:
    data = capture("perf/perf-c-flat.script.txt")
    assert self_by_name(parse(data.replace(b"\n", b"\r\n"))) == self_by_name(parse(data))


def test_hostile_names_stay_text() -> None:
    name = "</script>;\x1b[0m"
    assert parse(f"a 1 1.0: 5 cycles: \n\t1 {name}+0x1 (/x)\n\n").functions.name == (name,)


def test_damaged_captures_never_crash_the_reader() -> None:
    for data in mutants(capture("perf/perf-c-relative.script.txt.gz")[:4000], 8, 600):
        outcome(perf.parse, data)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_profile_or_a_clean_error(data: bytes) -> None:
    outcome(perf.parse, b"a 1 1.0: 5 cycles: \n\t" + data)


NAMES = {"worker", "", "pool 7", "DB [w]", "7", "12/34", "# io", "a: b", "two lines", "(x)"}


@pytest.mark.parametrize("fields", ["odd", "tasks", "srcline", "notime", "noip"])
def test_thread_names_may_be_empty_or_hold_anything(fields: str) -> None:
    """The same recording by other fields of `perf script`: 39 samples of ten threads."""
    profile = load(f"names-{fields}.script.txt")
    assert profile.meta.partial is None
    assert profile.self_sum("samples") == 39
    assert {label.rpartition(" ")[0] for label in profile.meta.threads} == NAMES
    if fields != "noip":
        assert self_by_name(profile, "samples") == {"burn": 39}
    if "time" not in fields and fields != "noip":
        assert profile.self_sum("cpu_ns") == 39 * 5_025_125


def test_events_are_metrics_of_their_own() -> None:
    text = capture("perf/names-two.script.txt").decode()
    profile = load("names-two.script.txt")
    for event, key in (("page-faults", "page-faults"), ("cpu-clock", "cpu_ns")):
        periods = [int(p) for p in re.findall(rf"(\d+)\s+{event}:", text)]
        assert profile.self_sum(key) == sum(periods), event
        assert event != "page-faults" or profile.self_sum("samples") == len(periods)


def test_one_event_in_kernel_and_user_mode_is_two_metrics() -> None:
    profile = parse(SAMPLE.replace("cycles", "cycles:u") + SAMPLE.replace("cycles", "cycles:k"))
    assert [m.key for m in profile.metrics] == ["cycles", "samples", "cycles:k"]


@pytest.mark.parametrize(
    ("address", "place", "runtime"),
    [
        ("ffffffffc0401000", "bpf_prog_6deef7357e7b4530_sd_fw_egress", KERNEL),
        ("ffffffff81000130", "/usr/lib/debug/boot/vmlinux-6.1.0-18-amd64", KERNEL),
        ("ff", "[nf_tables]", KERNEL),
        ("9c51f034", "[JIT app cache]", NATIVE),
        ("7ffc01", "[uprobes]", NATIVE),
        ("7ffc01", "[vdso]", NATIVE),
        ("ffffffffff600000", "[vsyscall]", NATIVE),
        ("7ffc01", "/srv/vmlinux-viewer/app", NATIVE),
    ],
)
def test_the_kernel_is_recognised_by_address_and_name(address: str, place: str, runtime: int) -> None:
    assert runtimes(parse(f"a 1 1.0: 5 cycles: \n\t{address} f+0x1 ({place})\n\n")) == {"f": runtime}


def test_text_of_simpleperf() -> None:
    text = "web.worker\t4100/4107 [003] 812.1: 1000000 cpu-clock:\n\tffffff9c80001000 tcp_sendmsg ([kernel.kallsyms])\n"
    profile = parse(text + "\t  9c51f034 handler.Json.encode ([JIT app cache])\n\n")
    assert runtimes(profile) == {"tcp_sendmsg": KERNEL, "handler.Json.encode": NATIVE}
    assert profile.meta.threads == ("web.worker 4100/4107",)
