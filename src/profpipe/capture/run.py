"""The life of one run: start, ready, warm-up, window, load, save, stop. A failure has a reason; no process is left."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from profpipe.capture.interface import Collected, Launch, Options, Profiler, Session, Window
from profpipe.capture.launch import prepare
from profpipe.capture.profilers.registry import PROFILERS
from profpipe.capture.run_files import capture_file, empty_folder, keep_log
from profpipe.capture.server import compiling, ports, usage
from profpipe.capture.server.command import data_folder
from profpipe.capture.server.go_program import go_program
from profpipe.capture.server.java_program import java_program
from profpipe.capture.server.placement import Placement
from profpipe.capture.server.ports import choose_port, names_port
from profpipe.capture.server.process import Stopped, Supervised, died, exit_words
from profpipe.capture.server.ready import PortTaken, Waiting
from profpipe.credentials import hide
from profpipe.errors import CaptureError, LoadError, PartFailed, SetUpFailed
from profpipe.model.run import LoadResult, Phase, RunRecord, Usage
from profpipe.study import Request, Target

# Before the window opens and before it closes, connections close and timers fire. A counted server is some fifty times
# slower, so it gets longer. In the demo these sleeps were a fifth of all time at 0.2 s; CPU time, calls and samples of
# its servers are the same with 0.05 s.
QUIESCE_S, QUIESCE_COUNTED_S = 0.05, 0.2
PORT_TRIES = 3
WINDOW_MOMENTS: Mapping[Phase, str] = {"window": "when the window opened", "save": "while the profile was saved"}
Drive = Callable[[str, int], LoadResult]


@dataclass(slots=True)
class _Run:
    """What is known so far about a run in progress; becomes a RunRecord whatever happens."""

    begun: RunRecord
    target: Target
    tool: str  # the profiler's name in the registry
    profiler: Profiler
    folder: Path
    placement: Placement
    on_phase: Callable[[Phase], None]
    secrets: Callable[[], Sequence[str]]
    phase: Phase = "start"
    command: tuple[str, ...] = ()
    load: LoadResult | None = None
    usage: Usage | None = None
    collected: Collected = field(default_factory=Collected)
    facts: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def enter(self, phase: Phase) -> None:
        self.phase = phase
        self.on_phase(phase)

    def blaming(self) -> AbstractContextManager[None]:
        """Around calls of the profiler and its session: when a plug-in raises there, its run fails and names it."""
        return PROFILERS.blaming(self.tool)

    def record(self, reason: str | None, phase: Phase | None, log_tail: tuple[str, ...], refused: bool) -> RunRecord:
        return replace(
            self.begun,
            command=self.command,
            placement=self.placement.text,
            reason=reason if reason is None else self.hidden(reason),
            phase=phase,
            refused=refused,
            log_tail=tuple(map(self.hidden, log_tail)),
            load=self.load,
            usage=self.usage,
            captures=tuple(capture_file(w.path, w.format, self.folder) for w in self.collected.files),
            profiler_facts={**self.facts, **self.collected.facts},
            warnings=tuple(map(self.hidden, (*self.warnings, *self.collected.warnings))),
        )

    def hidden(self, text: str) -> str:
        """The text without what the server gave to its loads."""
        secrets = self.secrets()
        return hide(text, secrets) if secrets else text


def capture_run(
    target: Target,
    profiler: str,
    *,
    begun: RunRecord,
    root: Path,
    folder: Path,
    options: Options,
    placement: Placement,
    warm_up: Drive | None,
    load: Drive,
    on_phase: Callable[[Phase], None] = lambda _: None,
    after: Callable[[str, int], None] | None = None,
    request: Request | None = None,
    instance: Profiler | None = None,
    secrets: Callable[[], Sequence[str]] = tuple,
) -> RunRecord:
    """Run `target` once under `profiler`; its files go to folder/raw, the server's output to folder/server.log.

    `load` is called once inside the window with host and port, `warm_up` before it, `after` after it. `request` checks
    that the server is ready (default: the target's). `instance` = the profiler, where it looks at several servers at
    once. `secrets` = what the server gave to its loads: nothing that is kept holds it. A run that fails is returned
    with its reason and phase, never raised; KeyboardInterrupt and bugs reach the caller, with the server ended.
    """
    run = _Run(begun, target, profiler, instance or PROFILERS.get(profiler), folder, placement, on_phase, secrets)
    try:
        with run.blaming():
            if (why := run.profiler.refuses(target)) is not None:
                return run.record(why, "start", (), refused=True)
        _run_on_some_port(run, root, options, request or target.request or Request(), warm_up, load, after)
    except CaptureError as error:
        return run.record(error.text, cast("Phase", error.phase), error.log_tail, refused=False)
    except LoadError as error:
        return run.record(f"the load failed: {error}", run.phase, (), refused=False)
    except PartFailed as error:
        return run.record(str(error), run.phase, (), refused=False)
    except OSError as error:  # a full disk or a removed folder fails this run, not the study
        return run.record(f"{error.strerror or error}: {error.filename}", run.phase, (), refused=False)
    refused = run.collected.refused
    return run.record(refused, "save" if refused else None, (), refused=refused is not None)


def _run_on_some_port(
    run: _Run,
    root: Path,
    options: Options,
    request: Request,
    warm_up: Drive | None,
    load: Drive,
    after: Callable[[str, int], None] | None,
) -> None:
    """Try another port when another process took ours, three ports at most."""
    for left in reversed(range(PORT_TRIES)):
        raw = empty_folder(run.folder / "raw", again=left < PORT_TRIES - 1)
        port = choose_port(run.target)
        cpus = None if run.placement.server_cpu is None else frozenset({run.placement.server_cpu})
        run.enter("start")
        try:
            with data_folder(run.target) as data:
                launch = prepare(run.target, port, root=root, raw=raw, data=data, options=options, cpus=cpus)
                _run_on(run, launch, port, request, warm_up, load, after)
        except PortTaken as error:
            if not left or not names_port(run.target):
                raise
            run.warnings.append(f"{error.text}: restarted on another port")
        else:
            return


def _run_on(
    run: _Run,
    launch: Launch,
    port: int,
    request: Request,
    warm_up: Drive | None,
    load: Drive,
    after: Callable[[str, int], None] | None,
) -> None:
    if run.target.port is not None and ports.listeners(host=run.target.host).get(port):
        raise PortTaken("start", f"port {port} is taken by another process: stop it, or set another `port`")
    with _session(run, launch) as session, _server(run, session, launch) as server:
        timeout = run.target.ready.timeout * run.profiler.patience
        known = port if names_port(run.target) or run.target.port is not None else None
        run.enter("ready")
        ready = Waiting(server, run.target, known, request, timeout, launch.data).wait()
        run.facts["ready after"] = f"{ready.seconds:.2f} s"
        if warm_up is not None:
            run.enter("warm-up")
            run.facts |= compiling.warm_until_steady(lambda: warm_up(ready.host, ready.port), server.tree)
            _alive(server, "warm-up", "during warm-up")
        _window(run, session, server, lambda: load(ready.host, ready.port))
        if after is not None:
            after(ready.host, ready.port)
            _alive(server, "load", "under the load after the window")
        run.enter("stop")
        stopped = _stop(run, server)
        with run.blaming():
            run.collected = session.collect(stopped)


@contextmanager
def _session(run: _Run, launch: Launch) -> Iterator[Session]:
    with run.blaming():
        session = run.profiler.session(launch)
    run.command = session.argv
    run.facts |= session.facts
    if launch.target.language == "go":
        run.facts |= go_program(session.argv[0], launch.cwd)
    if launch.target.language == "jvm":
        run.facts |= java_program(launch.argv, launch.cwd)
    try:
        yield session
    finally:
        with run.blaming():
            session.abandon()


@contextmanager
def _server(run: _Run, session: Session, launch: Launch) -> Iterator[Supervised]:
    """The running server; its output is kept as server.log whatever happens."""
    with Supervised(
        session.argv, env=session.env, cwd=launch.cwd, cpus=launch.cpus, scratch=session.scratch, data=launch.data
    ) as server:
        run.facts["environment"] = " ".join(sorted(session.env))
        try:
            yield server
        except CaptureError:
            # When the server has ended, the profiler's error is only a symptom.
            if run.phase in WINDOW_MOMENTS:
                server.wait(0.2)
                _alive(server, run.phase, WINDOW_MOMENTS[run.phase])
            raise
        except LoadError as error:
            # The same holds for the load's error.
            server.wait(0.2)
            _alive(server, run.phase, f"during {run.phase}" if run.phase == "warm-up" else "under load")
            words = str(error) if isinstance(error, SetUpFailed) else f"the load failed: {error}"
            raise CaptureError(run.phase, words, log_tail=server.log.tail()) from error
        finally:
            server.kill()
            if (fault := keep_log(run.folder, server.log.bytes(), run.secrets())) is not None:
                run.warnings.append(fault)


def _window(run: _Run, session: Session, server: Supervised, load: Callable[[], LoadResult]) -> None:
    """Quiesce, profiler on, load, quiesce, profiler off. Usage covers the load only."""
    run.enter("window")
    quiesce_s = QUIESCE_COUNTED_S if run.profiler.kind == "counted" else QUIESCE_S
    time.sleep(quiesce_s)
    with run.blaming():
        session.open(server)
    if not usage.reset_peaks(server.tree()):
        run.warnings.append("peak memory covers the whole run: this system cannot reset it when the window opens")
    before = usage.moment(server.tree, server.keeper, _helpers(run, session))
    compiled = compiling.compiler_ns(list(before.tree))
    watch = usage.ThreadWatch(list(before.tree))
    run.enter("load")
    try:
        run.load = load()
    finally:
        switches = watch.end()
    after = usage.moment(server.tree, server.keeper, _helpers(run, session))
    _alive(server, "load", "under load")
    used = usage.usage(before, after, run.load, switches)
    part = compiling.share(compiled, compiling.compiler_ns(list(after.tree)), used.cpu_ns)
    run.usage = replace(used, compiler_share=part)
    if lost := usage.lost(before, after):
        run.warnings.append(lost)
    time.sleep(quiesce_s)
    run.enter("save")
    cpu_s = None if run.usage.cpu_ns is None else run.usage.cpu_ns / 1e9
    with run.blaming():
        session.close(server, Window(cpu_s, run.load.served))
    _alive(server, "save", WINDOW_MOMENTS["save"])


def _helpers(run: _Run, session: Session) -> tuple[int, ...]:
    with run.blaming():
        return session.helpers()


def _alive(server: Supervised, phase: Phase, moment: str) -> None:
    if (error := died(server, phase, moment)) is not None:
        raise error


def _stop(run: _Run, server: Supervised) -> Stopped:
    """Graceful stop. What had to be forced is a warning: it does not invalidate a window that was measured before."""
    timeout = run.target.stop_timeout * run.profiler.stop_patience
    stopped = server.stop(getattr(signal, run.target.stop), timeout)
    if stopped.status is None or stopped.killed:
        run.warnings.append(f"the server did not exit within {timeout:g} s of {run.target.stop} and was killed")
    elif stopped.status not in {0, -getattr(signal, run.target.stop), 128 + getattr(signal, run.target.stop)}:
        run.warnings.append(f"the server ended with {exit_words(stopped.status)} after {run.target.stop}")
    if stopped.left_behind:
        run.warnings.append(f"the server left {stopped.left_behind} processes running when it exited; they were killed")
    return stopped
