"""Memory per function: what valgrind, heaptrack and memray print is what is read, and no cut passes for whole."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from profpipe.errors import ParseError, ProfpipeError
from profpipe.parse import callgrind, dhat, folded, massif, speedscope
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, self_by_name, total_by_name

MASSIF = capture("massif/alloc.massif.gz")
DHAT = capture("dhat/alloc.dhat.json")


def test_dhat_has_the_bytes_and_blocks_that_valgrind_printed() -> None:
    profile = read(dhat.parse, DHAT)
    sums = {metric.key: profile.self_sum(metric.key) for metric in profile.metrics}
    printed = {"allocated_bytes": 1_292_803, "allocations": 4_327, "peak_bytes": 256_554, "end_bytes": 100_000}
    assert sums == printed
    assert profile.meta.command == "./alloc"


def test_the_allocator_is_the_leaf_and_main_is_above_it() -> None:
    profile = read(dhat.parse, DHAT)
    assert self_by_name(profile) == {"malloc": 862_704, "operator new(unsigned long)": 430_099}
    document = json.loads(DHAT)
    main = {at for at, text in enumerate(document["ftbl"]) if ": main (" in text}
    below_main = sum(point["tb"] for point in document["pps"] if main & set(point["fs"]))
    assert total_by_name(profile)["main"] == below_main


def test_bytes_that_were_copied_have_no_peak() -> None:
    profile = read(dhat.parse, capture("dhat/copy.dhat.json"))
    assert [metric.key for metric in profile.metrics] == ["units", "events"]
    assert (profile.self_sum("units"), profile.self_sum("events")) == (767, 41)


def test_massif_has_the_tree_of_the_peak() -> None:
    profile = read(massif.parse, MASSIF)
    snapshots = MASSIF.decode().split("#-----------\nsnapshot=")
    peak = next(snapshot for snapshot in snapshots if "heap_tree=peak" in snapshot)
    assert f"mem_heap_B={profile.self_sum('peak_bytes')}\n" in peak
    assert not profile.meta.warnings
    assert total_by_name(profile)["leak(int)"] == 100_000


def test_massif_without_a_peak_says_which_snapshot_is_shown() -> None:
    profile = read(massif.parse, MASSIF.replace(b"heap_tree=peak", b"heap_tree=detailed"))
    assert "no snapshot is marked as the peak" in profile.meta.warnings[0]


@pytest.mark.slow
def test_no_cut_of_a_massif_file_changes_the_peak_in_silence() -> None:
    whole = self_by_name(read(massif.parse, MASSIF))
    for at in cuts(MASSIF.rstrip(), 200):
        found = outcome(massif.parse, MASSIF[:at])
        if not isinstance(found, ProfpipeError):
            assert found.meta.partial or found.meta.warnings or self_by_name(found) == whole, at


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b" n1: 72704 0x", b" n2: 72704 0x", "expected a row of the tree"),
        (b"mem_heap_B=86948", b"mem_heap_B=86949", "the tree has 86948 bytes, its snapshot 86949"),
        (b" n1: 72704 0x", b" n1: 99999 0x", "add up to more"),
        (b"heap_tree=detailed", b"heap_tree=det", "not whole"),
    ],
)
def test_a_damaged_tree_is_refused_with_its_line(old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(massif.parse, MASSIF.replace(old, new, 1))


def test_every_cut_of_dhat_is_an_error_and_damage_is_never_a_traceback() -> None:
    for at in cuts(DHAT.rstrip(), 100):
        assert isinstance(outcome(dhat.parse, DHAT[:at]), ProfpipeError), at
    for mutant in mutants(DHAT, seed=1, many=50):
        outcome(dhat.parse, mutant)
    for mutant in mutants(MASSIF, seed=2, many=50):
        outcome(massif.parse, mutant)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"dhatFileVersion":2', b'"dhatFileVersion":3', "expected 2"),
        (b'"fs":[1,2', b'"fs":[999,2', "frame 999 is not among"),
        (b'"tb":72704', b'"tb":-1', "expected a whole number"),
    ],
)
def test_a_damaged_dhat_file_is_refused(old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(dhat.parse, DHAT.replace(old, new, 1))


def test_heaptrack_s_stacks_end_in_the_function_that_allocates() -> None:
    profile = read(folded.parse, capture("folded/heaptrack-peak.folded.txt"))
    found = self_by_name(profile)
    assert profile.self_sum("samples") == 256_554
    assert "[empty frame]" not in found
    assert found["buffer(unsigned long)"] == 100_590


def test_memray_s_two_values_are_two_metrics_of_one_recording() -> None:
    data = capture("speedscope/memray.speedscope.json")
    profile = read(speedscope.parse, data)
    theirs = Counter({p["name"].lower(): sum(p["weights"]) for p in json.loads(data)["profiles"]})
    assert {metric.key: profile.self_sum(metric.key) for metric in profile.metrics} == theirs
    assert profile.meta.threads == ()


@pytest.mark.slow
def test_cachegrind_has_the_sums_that_cg_annotate_printed_and_a_cut_shows() -> None:
    data = capture("callgrind/alloc.cachegrind.gz")
    profile = read(callgrind.parse, data)
    sums = [profile.self_sum(metric.key) for metric in profile.metrics]
    assert sums == [3_166_264, 566_046, 21_073, 27_928, 9_032]
    for at in cuts(data.rstrip(), 60):
        found = outcome(callgrind.parse, data[:at])
        assert isinstance(found, ProfpipeError) or found.meta.partial, at
