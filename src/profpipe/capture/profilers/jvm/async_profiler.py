"""async-profiler, loaded into a running JVM by jcmd: samples of CPU time in Java, native and the JVM's own code.

Its library comes from a jar of Maven Central, or from the option `library`. A thread is sampled each time it has used a
millisecond of CPU time (its `ctimer`), so waiting for a processor is not in the samples.
"""

from __future__ import annotations

import dataclasses
import platform
import re
import zipfile
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial, picked
from profpipe.capture.profilers.jvm.machines import INSTALL, Machine
from profpipe.capture.profilers.jvm.session import FORMAT, JvmSession
from profpipe.capture.tools import Version, find_tool
from profpipe.errors import CaptureError, UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

EVENT = "jdk.ExecutionSample"
JARS = "repository/tools/profiler/async-profiler/*/async-profiler-*.jar"
FETCH = "mvn dependency:get -Dartifact=tools.profiler:async-profiler:4.5 -Dtransitive=false"
LIBRARY = "libasyncProfiler.so"
FOLDERS = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}
NAME = "async-profiler"


def find_library(given: str) -> Path | None:
    """The library or the jar that holds it: the one that was given, else the newest in Maven's folder in the home."""
    if given:
        return Path(given) if Path(given).is_file() else None
    jars = sorted(
        (Path.home() / ".m2").glob(JARS), key=lambda jar: [int(n) for n in re.findall(r"\d+", jar.parent.name)]
    )
    return jars[-1] if jars else None


def unpacked(found: Path, folder: Path) -> Path:
    """The library itself, taken out of its jar. Raises CaptureError where the jar has none for this processor."""
    if found.suffix != ".jar":
        return found
    inside = f"{FOLDERS.get(platform.machine(), platform.machine())}/{LIBRARY}"
    try:
        with zipfile.ZipFile(found) as jar:
            (folder / LIBRARY).write_bytes(jar.read(inside))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CaptureError("start", f"{found.name} holds no {inside}: {FETCH}") from error
    return folder / LIBRARY


class AsyncSession(JvmSession):
    """`interval` = milliseconds of CPU time between two samples of a thread."""

    def __init__(self, launch: Launch, *, library: Path, interval: int) -> None:
        super().__init__(launch, event=EVENT, settings=(f"interval={interval}ms",))
        # Once, before it is loaded: a library that is written again while it is mapped ends the JVM.
        self.library, self.interval = unpacked(library, self.folder), interval
        self.facts = {"library": library.name, "event": f"ctimer, {interval} ms of CPU time"}

    def begin(self, machine: Machine) -> None:
        start = f"start,event=ctimer,interval={self.interval}ms,jfr,file={self.recording(machine)}"
        self._load(machine, "window", start)

    def end(self, machine: Machine) -> None:
        self._load(machine, "save", f"stop,file={self.recording(machine)}")

    def _load(self, machine: Machine, phase: str, command: str) -> None:
        said = machine.ask(phase, "JVMTI.agent_load", str(self.library), f'"{command}"')
        if "return code: 0" not in said:
            words = " ".join(said.split())[-200:]
            raise CaptureError(phase, f"the JVM did not load async-profiler: {words}")


@dataclasses.dataclass(frozen=True, slots=True)
class AsyncProfiler:
    """The extra instrument: not proposed by `profpipe init`, since its library has to be fetched."""

    name: str = NAME
    kind: Instrument = "sampled"
    emits: str | None = FORMAT
    patience: float = 1.0
    stop_patience: float = 1.0
    options: Options = dataclasses.field(default_factory=lambda: {"interval": 1, "library": ""})
    version: Version | None = None
    default_for: frozenset[Language] = frozenset()
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        interval = picked(self.name, self.options, options)["interval"]
        if isinstance(interval, bool) or not isinstance(interval, int) or not 1 <= interval <= 1000:
            raise UsageError(f"{self.name}: interval is {interval!r}; give milliseconds between samples, 1 to 1000")

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        lost = [name for name in ("jcmd", "jfr") if find_tool(name) is None]
        if lost:
            return f"{' and '.join(lost)} not found: {INSTALL}"
        # A study's option is not known here: a library that was given is looked for when the run begins.
        return None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        return Trial() if find_library("") else Trial("its jar is not in Maven's folder", FETCH)

    def refuses(self, target: Target) -> str | None:
        if target.language == "jvm" or (target.language == "other" and Path(target.command[0]).name == "java"):
            return None
        return f'{self.name} sees Java virtual machines only: set `language = "jvm"` where the command starts one'

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return (
            "async-profiler's ctimer sees the kernel as the system call that entered it; perf sees inside",
            "code that was compiled before async-profiler was loaded has no debugging data between safepoints: a "
            "sample in it may be taken for a neighbour's line",
        )

    def session(self, launch: Launch) -> Session:
        asked = picked(self.name, self.options, launch.options)
        library = find_library(str(asked["library"]))
        if library is None:
            raise CaptureError("start", f"async-profiler's library not found: {FETCH}, or set the option `library`")
        return AsyncSession(launch, library=library, interval=int(asked["interval"]))


PROFILER = AsyncProfiler()
