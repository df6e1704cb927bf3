"""Whether callgrind works here: a profile of a program that does nothing, then one that is reached while it runs."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from profpipe.capture.complaints import ALLOW_PTRACE
from profpipe.capture.interface import Trial
from profpipe.capture.profilers.callgrind.vgdb import tell
from profpipe.capture.server.process import Supervised, inherited_environment
from profpipe.capture.tools import Version, failure, find_tool, remedy, run_tool
from profpipe.errors import CaptureError

INSTALL = "apt install valgrind"
VERSION = Version("valgrind", ("--version",), r"valgrind-(\S+)")
CALLGRIND = ("valgrind", "--tool=callgrind", "-q")


def try_it() -> Trial:
    if find_tool("valgrind") is None or find_tool("vgdb") is None:
        return Trial("valgrind is not installed", INSTALL)
    with tempfile.TemporaryDirectory(prefix="profpipe-doctor-") as folder:
        out = Path(folder) / "out"
        done = run_tool([*CALLGRIND, f"--callgrind-out-file={out}", "/bin/true"])
        if (why := failure(done)) is not None:
            return Trial(why, remedy(done))
        if not out.exists() or not re.search(rb"^totals: [1-9]", out.read_bytes(), re.MULTILINE):
            return Trial("valgrind ran /bin/true and wrote no profile")
        return _try_while_running(Path(folder))


def _try_while_running(folder: Path) -> Trial:
    """vgdb reaches a running program by ptrace, which containers often forbid."""
    prefix = folder / "vgdb"
    options = ("--instr-atstart=no", f"--vgdb-prefix={prefix}", f"--callgrind-out-file={folder}/out")
    try:
        with Supervised([*CALLGRIND, *options, "sleep", "60"], env=inherited_environment(), cwd=folder) as child:
            tell(child, prefix, "window", "instrumentation on", wait_s=10)
    except CaptureError as error:
        return Trial(f"callgrind cannot be turned on in a running program: {error.text}", ALLOW_PTRACE)
    return Trial()
