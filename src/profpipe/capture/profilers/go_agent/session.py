"""One run of a Go server with the agent in it: two signals bound the window, files say what happened."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.profilers.go_agent.building import NO_BUILD, built, recipe
from profpipe.capture.server.agent_files import Asked, ask, pids_of
from profpipe.capture.server.command import fill
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.server.seen_share import seen_share
from profpipe.errors import CaptureError

START, STOP = 41, 42  # SIGRTMIN+7 and SIGRTMIN+8 of glibc, which agent.go expects
BEGIN = Asked(sign=START, answer="started", phase="window", timeout=10.0)
END = Asked(sign=STOP, answer="saved", phase="save", timeout=60.0)
FORMAT = "pprof"
# A process under this share of the server's CPU time, and under five samples of it, is left out.
IDLE_SHARE, IDLE_US = 0.01, 50_000
NOTHING_WAITED = {
    "contention": "no goroutine waited for a mutex while the window was open",
    "block": "no goroutine was blocked while the window was open",
}


class GoAgentSession(Bare):
    """`profiles` are the names of agent.go's profiles in this mode, the first one the report's first table."""

    def __init__(self, launch: Launch, *, mode: str, profiles: tuple[str, ...], rate: int, package: str) -> None:
        super().__init__(launch)
        self.launch, self.mode, self.profiles = launch, mode, profiles
        found = recipe(launch.target, launch.argv, package)
        if found is None:
            raise CaptureError("build", NO_BUILD)
        name = Path(launch.argv[0]).name
        own = {key: fill((value,), 0)[0] for key, value in launch.target.env.items()}
        program = built(found, "server" if name == "go" else name, launch.cwd, own)
        self.folder = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-agent-"))
        self.argv = (str(program), *found.arguments)
        self.env = {**launch.env, "PROFPIPE_GO_AGENT": f"{self.folder}\n{mode}\n{rate}"}
        self.window: Window | None = None
        self.saved: dict[int, Mapping[str, int]] = {}

    def open(self, server: Supervised) -> None:
        agents = pids_of(self.folder, "ready") & set(server.tree())
        if not agents:
            words = "the agent is in no process of the server: does the command start the program that go build makes?"
            raise CaptureError("window", words, log_tail=server.log.tail())
        self._ask(server, agents, BEGIN)

    def close(self, server: Supervised, window: Window) -> None:
        self.window = window
        started = pids_of(self.folder, "started")
        self._ask(server, started & set(server.tree()), END)
        self.saved = {pid: figures(self.folder / f"saved.{pid}") for pid in sorted(pids_of(self.folder, "saved"))}
        for profile in self.profiles:
            for pid in self.saved:
                # The session's folder goes with the server; captures belong to the run.
                shutil.copyfile(self.folder / f"{profile}.{pid}", self.launch.raw / f"{profile}.{pid}.pb.gz")

    def _ask(self, server: Supervised, pids: set[int], asked: Asked) -> None:
        def failed(path: Path) -> str:
            return f"runtime/pprof could not {path.read_text()}"

        ask(server, self.folder, pids, asked, failed=failed, silent="does the server ignore or reset all signals?")

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        if not self.saved:
            raise CaptureError("save", "the server ended before the agent saved a profile")
        if self.mode in NOTHING_WAITED and not any(saved["contended"] for saved in self.saved.values()):
            return Collected((), self._facts(), (), NOTHING_WAITED[self.mode])
        files = [self.launch.raw / f"{profile}.{pid}.pb.gz" for profile in self.profiles for pid in self._busy()]
        seen = sum(saved["cpu_us"] for saved in self.saved.values()) / 1e6
        share = seen_share(seen, self.window.cpu_s if self.window is not None else None)
        captures = tuple(Written(file, FORMAT) for file in files)
        return Collected(captures, self._facts() | share.facts, share.warnings, share.refused)

    def _busy(self) -> list[int]:
        """The processes worth reading: the parent of a server that forks may only wait, and have not one sample."""
        whole = sum(saved["cpu_us"] for saved in self.saved.values())
        least = min(IDLE_SHARE * whole, IDLE_US) if self.mode == "cpu" else 0
        return [pid for pid, saved in self.saved.items() if saved["cpu_us"] >= least]

    def _facts(self) -> dict[str, str]:
        """What the runtime itself counted in the window, exact whatever the profile's rate."""
        served = self.window.served if self.window is not None else 0

        def total(name: str) -> int:
            return sum(saved[name] for saved in self.saved.values())

        facts = {"garbage collections": f"{total('collections'):,}", "pauses": f"{total('pause_ns') / 1e6:.2f} ms"}
        if served:
            facts["allocations per request"] = f"{total('mallocs') / served:,.2f}"
            facts["bytes allocated per request"] = f"{total('bytes') / served:,.0f}"
        return facts

    def abandon(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def figures(saved: Path) -> dict[str, int]:
    """Lines of `name value`, as the agent writes them."""
    rows = (line.split() for line in saved.read_text().splitlines())
    return {name: int(value) for name, value in rows}
