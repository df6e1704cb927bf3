"""The Java virtual machines of a server, the JDK's tools for each of them, and what these tools complain of."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.server.process import inherited_environment
from profpipe.capture.tools import find_tool
from profpipe.errors import CaptureError

INSTALL = "install a JDK, 17 or newer: apt install openjdk-17-jdk-headless, or https://adoptium.net"
ASK_SECONDS = 30.0
PRINT_SECONDS = 120.0
_NO_ATTACH = (
    "the JVM refuses to be attached to: it was started with -XX:+DisableAttachMechanism, or runs as another user or in "
    "another container than profpipe; start it without that option, as the same user"
)
_NO_RECORDER = "this JVM has no flight recorder: profpipe needs a HotSpot JVM of JDK 17 or newer (OpenJ9 has none)"
# What jcmd prints, and what it means.
COMPLAINTS = (
    (re.compile(r"AttachNotSupported|AttachOperationFailed|Unable to open socket file|well-known file"), _NO_ATTACH),
    (re.compile(r"Unknown diagnostic command"), _NO_RECORDER),
    (
        re.compile(r"[Dd]ynamic agent loading is not enabled|EnableDynamicAgentLoading"),
        "this JVM loads no agents: start it without -XX:-EnableDynamicAgentLoading, or use jvm-cpu, which loads none",
    ),
    (re.compile(r"Unknown argument '?\+jdk"), "this JVM is too old: profpipe needs JDK 17 or newer"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """One JVM process; `tools` = folders in which its JDK's programs are looked for, its own first."""

    pid: int
    tools: tuple[Path, ...]

    def tool(self, name: str) -> str:
        """The path of a program of the JDK. Raises CaptureError where there is none."""
        for folder in self.tools:
            if (folder / name).exists():
                return str(folder / name)
        found = find_tool(name)
        if found is None:
            raise CaptureError(
                "window", f"{name} not found: the server runs on a JRE, and no JDK is installed; {INSTALL}"
            )
        return found

    def ask(self, phase: str, *command: str) -> str:
        """What the JVM answers to a diagnostic command. Raises CaptureError with what its complaint means."""
        done = _run([self.tool("jcmd"), str(self.pid), *command], ASK_SECONDS, phase)
        output = done.stdout + done.stderr
        for pattern, meaning in COMPLAINTS:
            if pattern.search(output):
                raise CaptureError(phase, meaning, log_tail=tuple(output.splitlines()[-5:]))
        if done.returncode:
            words = " ".join(output.split())[-300:]
            raise CaptureError(phase, f"jcmd {command[0]}: {words or f'exit status {done.returncode}'}")
        return done.stdout


def _run(argv: Sequence[str], seconds: float, phase: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, env=inherited_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CaptureError(phase, f"{Path(argv[0]).name} did not answer within {seconds:g} s") from error
    except OSError as error:
        raise CaptureError(phase, f"{argv[0]} cannot be run: {error.strerror or error}") from error


def machines(pids: Sequence[int]) -> list[Machine]:
    """Those of the processes that have a JVM loaded."""
    return [Machine(pid, _folders(pid)) for pid in pids if _has_jvm(pid)]


def _has_jvm(pid: int) -> bool:
    try:
        return "/libjvm.so" in Path(f"/proc/{pid}/maps").read_text(errors="replace")
    except OSError:
        return False


def _folders(pid: int) -> tuple[Path, ...]:
    """Folders of programs beside the java that runs: of its JDK, or of the JDK around its JRE."""
    try:
        program = Path(f"/proc/{pid}/exe").resolve(strict=True)
    except OSError:
        return ()
    return tuple(folder for folder in (program.parent, program.parent.parent.parent / "bin") if folder.is_dir())


def printed(machine: Machine, recording: Path, event: str, out: Path) -> None:
    """Write the events of a recording as text. Raises CaptureError(save) where the JDK's `jfr` fails."""
    argv = [machine.tool("jfr"), "-J-Duser.language=en", "print", "--stack-depth", "256", "--events", event]
    done = _run([*argv, str(recording)], PRINT_SECONDS, "save")
    if done.returncode:
        raise CaptureError(
            "save", f"jfr cannot print the recording: {' '.join((done.stdout + done.stderr).split())[-300:]}"
        )
    out.write_text(done.stdout)
