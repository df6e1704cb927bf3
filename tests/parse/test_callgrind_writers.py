"""Callgrind's format by other writers: what kind of figure a file holds, and when one is called cut."""

from __future__ import annotations

import io

import pytest

from profpipe.analyse import compare_profiles
from profpipe.model.profile import Profile
from profpipe.parse import callgrind, parse_file
from tests.support.paths import DATA

WRITERS = DATA / "callgrind" / "other_writers"


def parse(text: str) -> Profile:
    return callgrind.parse(io.BytesIO(text.encode()), "sample")


@pytest.mark.parametrize(
    ("name", "kind", "key", "total"),
    [
        ("pyprof2calltree", "traced", "ns", None),
        ("go-pprof-cpu", "sampled", "cpu(ms)", 230),
        ("go-pprof-samples", "sampled", "samples(count)", 23),
    ],
)
def test_clock_times_and_samples_are_no_exact_counts(name: str, kind: str, key: str, total: int | None) -> None:
    profile = parse_file(WRITERS / f"{name}.callgrind")
    assert profile.kind == kind
    assert [(m.key, m.exact) for m in profile.metrics] == [(key, False)]
    assert profile.meta.partial is None
    assert total is None or profile.self_sum(key) == total


EVENTS = {
    "Ir Dr Dw I1mr": ("counted", True),
    "Time_(10ns) Memory_(bytes)": ("traced", False),
    "Time Memory": ("traced", False),
    "wall_time": ("traced", False),
    "Hits": ("sampled", False),
    "Whatever": ("traced", False),
}


@pytest.mark.parametrize(("events", "expected"), EVENTS.items(), ids=EVENTS)
def test_the_event_decides_what_kind_of_figure_it_is(events: str, expected: tuple[str, bool]) -> None:
    numbers = " ".join("5" for _ in events.split())
    profile = parse(f"events: {events}\nfl=a.c\nfn=f\n1 {numbers}\ntotals: {numbers}\n")
    assert (profile.kind, profile.metrics[0].exact) == expected


def test_two_runs_of_one_program_get_no_certain_verdict_from_their_times() -> None:
    one = parse_file(WRITERS / "pyprof2calltree.callgrind")
    text = (WRITERS / "pyprof2calltree.callgrind").read_text().replace("summary: 6", "summary: 5")
    other = parse(text.replace("1 59373648", "1 49373648"))
    assert other.meta.partial is None
    report = compare_profiles([("one", one, None), ("other", other, None)])
    verdicts = {c.verdict for v in report.variants for c in v.against_baseline.values()}
    assert not verdicts & {"better", "worse"}


def test_a_summary_may_be_off_by_what_rounding_takes() -> None:
    """550 ns of 0.2 s were seen with pyprof2calltree; a file that lost a function is off by more."""
    text = "events: ns\nsummary: 215218632\nfl=a.py\nfn=f\n1 {}\n"
    assert parse(text.format(215219182)).meta.partial is None
    assert "`summary:` says 215,218,632" in str(parse(text.format(200000000)).meta.partial)


def test_a_writer_without_totals_gets_a_warning_not_a_cut() -> None:
    profile = parse("creator: xdebug 3.3\nevents: Time_(10ns)\nfl=a.php\nfn=main\n1 5\n")
    assert profile.meta.partial is None
    assert profile.meta.warnings[0].startswith("xdebug 3.3 states no totals")


def test_counts_without_totals_are_still_called_cut() -> None:
    assert "the file was cut" in str(parse("events: Ir\nfl=a.c\nfn=f\n1 5\n").meta.partial)


def test_files_and_objects_may_have_no_name() -> None:
    profile = parse("events: Ir\nob=\nfl=\nfn=main\n1 10\ntotals: 10\n")
    assert (profile.functions.name, profile.functions.file, profile.functions.object) == (("main",), ("",), ("",))
