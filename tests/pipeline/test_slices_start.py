"""Starts with real servers: what goes well is whole, what goes wrong is named, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from profpipe.capture.server.memory import Free
from profpipe.capture.side_by_side import Variant, apart, control_of
from profpipe.errors import CaptureError, InvalidProfile
from profpipe.model.start_codec import dump_start, load_start
from profpipe.pipeline.prepare.schedule import orders_of
from profpipe.pipeline.slices.start import launched_in
from profpipe.pipeline.slices.study import NotTogether, measure
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from tests.support.paths import ROOT
from tests.support.slices_driving import PLAN, SERVER, WORKER, our_servers, setting, start, variant

pytestmark = pytest.mark.real


def test_a_start_has_a_value_per_slice_and_its_bytes_bring_it_back(tmp_path: Path) -> None:
    found = start(tmp_path, variant("one"), variant("two"), idle_s=0.1)
    assert found.lost is None
    assert found.warnings == ()
    assert len(found.orders) == 6
    for slices in found.variants.values():
        columns = (slices.cpu_ns, slices.lead_ns, slices.between_ns, slices.wall_ns, slices.client_ns)
        assert {len(column) for column in columns} == {6}
        assert 6 * 24 <= slices.served <= 6 * (24 + 7)
        assert slices.served > 6 * 24, "every slice leaves out some more"
        assert min(slices.cpu_ns) > 0
        assert max(slices.cpu_ns) < sum(slices.wall_ns) * 2
        assert slices.switches is not None
        assert slices.switches[0] > 0
        assert slices.idle_ns is not None
    assert 0 < found.slices_s < found.seconds
    assert load_start(dump_start(found), "here") == found
    assert our_servers() == []


def test_orders_hold_every_variant_once_a_pass_and_follow_the_seed() -> None:
    orders = orders_of(3, 5, 4, 100)
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert orders == orders_of(3, 5, 4, 100)
    assert orders != orders_of(3, 6, 4, 100)
    assert 10 <= sum(order[0] == 2 for order in orders) <= 40


def test_no_variant_is_always_launched_first() -> None:
    variants = [variant("one"), variant("two"), variant("three")]
    launches = [launched_in(variants, 3, number) for number in range(100)]
    assert launches == [launched_in(variants, 3, number) for number in range(100)]
    for each in variants:
        assert 20 <= sum(launched[0] is each for launched in launches) <= 47


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("die", "killed by SIGSEGV"),
        ("hang", "no answer for 1 s"),
        ("wrong", "status 500, 200 was expected"),
    ],
)
def test_a_variant_that_goes_wrong_loses_the_start_for_all_and_is_named(
    tmp_path: Path, fault: str, reason: str
) -> None:
    found = start(tmp_path, variant("good"), variant("bad", fault, 60), variant("good too"))
    assert found.lost is not None
    assert (found.lost.variant, found.lost.phase) == ("bad", "slices")
    assert reason in found.lost.reason
    assert found.variants == {}
    assert load_start(dump_start(found), "here") == found
    assert our_servers() == []


def test_a_variant_that_never_serves_is_named_with_what_it_printed(tmp_path: Path) -> None:
    target = Target.model_validate({"command": ["{python}", "-c", "print('no licence'); raise SystemExit(4)"]})
    found = start(tmp_path, variant("good"), Variant("bad", target, Request()))
    assert found.lost is not None
    assert (found.lost.variant, found.lost.phase) == ("bad", "ready")
    assert "exit status 4" in found.lost.reason
    assert found.lost.log_tail == ("no licence",)


def test_a_variant_that_becomes_slower_loses_the_start(tmp_path: Path) -> None:
    plan = replace(PLAN, passes=75)
    found = start(tmp_path, variant("same", "slower", 10**6), variant("leaks", "slower", 0), plan=plan)
    assert found.lost is not None
    assert found.lost.variant == "leaks"
    assert "became slower" in found.lost.reason


def test_a_server_that_closes_its_connections_is_measured_and_they_are_counted(tmp_path: Path) -> None:
    found = start(tmp_path, variant("keeps"), variant("closes", "close", 16))
    assert found.lost is None
    assert found.variants["closes"].reconnects >= 100
    assert found.variants["keeps"].reconnects == 0


def test_cpu_used_while_idle_is_seen(tmp_path: Path) -> None:
    found = start(tmp_path, variant("rests"), variant("polls", "poll"), idle_s=0.3)
    assert found.lost is None
    rests, polls = found.variants["rests"], found.variants["polls"]
    assert rests.idle_ns is not None
    assert polls.idle_ns is not None
    assert polls.idle_ns > 20e6
    assert rests.idle_ns < 5e6
    assert sum(polls.between_ns) > sum(rests.between_ns)


def test_one_port_for_two_is_refused_beforehand() -> None:
    fixed = Target.model_validate({"command": ["server"], "port": 8080})
    one, two = Variant("one", fixed, Request()), Variant("two", fixed, Request())
    reason = apart([one, two])
    assert reason is not None
    assert "port 8080" in reason
    assert apart([one, variant("other"), variant("another")]) is None
    assert apart([one, control_of(one, "one, again")]) is not None


def test_a_file_that_is_no_start_is_refused() -> None:
    with pytest.raises(InvalidProfile, match=r"bad\.json: schema is"):
        load_start(b'{"schema": "x"}', "bad.json")
    with pytest.raises(InvalidProfile, match="not a start"):
        load_start(b'{"schema": "profpipe.start/1"}', "bad.json")


def test_a_contender_that_loses_three_starts_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    bad = variant("bad", "wrong", 60)
    found = measure(variant("base"), [variant("good"), bad], setting(tmp_path), seed=1, budget_s=3)
    assert list(found.left_out) == ["bad"]
    assert "in 3 starts" in found.left_out["bad"]
    assert found.contenders == ("good",)
    assert found.ratios()[0].logs
    assert our_servers() == []


def test_without_its_baseline_there_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"base.*status 500"):
        measure(variant("base", "wrong", 60), [variant("good")], setting(tmp_path), seed=1, budget_s=2)
    assert our_servers() == []


def test_servers_that_memory_does_not_hold_together_are_not_launched_together(tmp_path: Path) -> None:
    launched: set[int] = set()

    def free() -> Free:
        """A machine of 300 MiB that nothing but the servers uses."""
        launched.update(our_servers())
        used = sum(psutil.Process(pid).memory_info().rss for pid in our_servers())
        return Free(300 * 2**20 - used, "this machine")

    base, other = variant("base", "hungry", 150), variant("other")
    with pytest.raises(NotTogether, match=r"no memory for .* next to the others: base.* needs 1\d\d\.\d MiB"):
        measure(base, [other], replace(setting(tmp_path), free=free), seed=1, budget_s=2)
    assert len(launched) < 3, "all of them ran"
    assert our_servers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "kill", "kill -9"])
def test_nothing_outlives_a_study_that_is_ended(tmp_path: Path, number: int) -> None:
    servers = [f"{name}={{python}} {SERVER} {{port}} none 0 {WORKER}" for name in ("base", "other")]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.slices", *servers, "--no-client", "--precise"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        limit = time.monotonic() + 30
        while len(_children(process.pid)) < 6:
            assert time.monotonic() < limit
            time.sleep(0.05)
        family = _children(process.pid)
        os.kill(process.pid, number)
        process.communicate(timeout=30)
        while [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
            assert time.monotonic() < limit + 10, "a process is left"
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    assert list(tmp_path.iterdir()) == []


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
