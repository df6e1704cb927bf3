"""Two profpipe on one machine measure each other: the second is refused, and told how to go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from profpipe.errors import MachineBusy
from profpipe.pipeline.execute.machine_lock import ALONGSIDE, NAME, machine_lock
from tests.support.study_driving import StudyFolder, server, slow

pytestmark = pytest.mark.programs

OWN = f"\0profpipe-test-{os.getpid()}"


def test_a_second_measurement_is_refused_until_the_first_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALONGSIDE)
    with machine_lock(OWN):
        with pytest.raises(MachineBusy, match=f"wait until it has ended, or set {ALONGSIDE}=1"), machine_lock(OWN):
            pass
        monkeypatch.setenv(ALONGSIDE, "1")
        with machine_lock(OWN):
            pass
        monkeypatch.delenv(ALONGSIDE)
    with machine_lock(OWN):
        pass


def test_the_lock_ends_with_its_process_however_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALONGSIDE)
    code = (
        "import sys, time\nfrom profpipe.pipeline.execute.machine_lock import machine_lock\n"
        "with machine_lock('\\0' + sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, OWN[1:]], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(MachineBusy), machine_lock(OWN):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with machine_lock(OWN):
        pass


@pytest.mark.alone
@pytest.mark.real
def test_two_runs_at_once_are_not_measured_unsaid(tmp_path: Path) -> None:
    first, second = StudyFolder(tmp_path / "first"), StudyFolder(tmp_path / "second")
    first.write({"slow": slow(0.02)}, rounds=100)
    second.write({"good": server("good")})
    begun = first.start("run", "s", **{ALONGSIDE: ""})
    try:
        begun.wait_for(lambda: first.folders())
        refused = second.do("run", "s", **{ALONGSIDE: ""})
        assert refused.code == 1
        assert "another profpipe is measuring on this machine" in refused.err
        assert not second.folders()
        assert second.do("run", "s").code == 0  # the tests' own environment lifts the lock
    finally:
        begun.process.send_signal(signal.SIGINT)
        begun.end()


def test_the_name_is_abstract_and_leaves_no_file() -> None:
    assert NAME.startswith("\0")
