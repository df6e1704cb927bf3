"""Studies of tiny servers, run by the real command line in a folder of their own, and a look at what they leave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from tests.support.paths import REPORT_SCHEMA, SERVERS
from tests.support.processes import processes, wait_until

MARK = "PROFPIPE_TEST_FOLDER"
LOAD = {"generator": "builtin", "requests": 100, "connections": 4, "warmup": 10}


def server(kind: str, **more: Any) -> dict[str, Any]:
    """A target of tests/servers/faulty.py."""
    return {"command": ["{python}", "faulty.py", kind, "{port}"], "language": "python", "stop_timeout": 1.0, **more}


def slow(seconds: float, *words: str) -> dict[str, Any]:
    """A target that thinks about every request; `words` are for a test to find its process by."""
    return {"command": ["{python}", "slow.py", "{port}", str(seconds), *words], "language": "python"}


def toml(value: object) -> str:
    """A TOML value; JSON's strings, numbers and arrays are TOML already."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Started:
    """A command under way; its stderr is read by a thread so that a test can wait for a line of it."""

    process: subprocess.Popen[str]
    err: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.err.extend(iter(lines.readline, ""))

    def wait_for(self, what: Callable[[], object], seconds: float = 30.0) -> None:
        """Until `what` is true; fails, with what it said, when the command ends before or time is up."""
        limit = time.monotonic() + seconds
        while not what():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.process.kill()
                done = self.end()
                raise AssertionError(f"not within {seconds} s; it ended with {done.code}: {done.err}")
            time.sleep(0.01)

    def said(self, words: str) -> bool:
        return any(words in line for line in self.err)

    def end(self, seconds: float = 60.0) -> Done:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            out = stdout.read()
        code = self.process.wait(seconds)
        self.reader.join(10)
        return Done(code, out, "".join(self.err))


@dataclass(frozen=True)
class StudyFolder:
    """A folder with profpipe.toml and the servers; every process started from it carries its path."""

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        return self.root / "out"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def write(self, targets: Mapping[str, Any], **study: Any) -> None:
        """profpipe.toml with one study `s` of all the targets: clean, in one round, without control unless given."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("faulty.py", "slow.py"):
            shutil.copy(SERVERS / name, self.root)
        text = ["schema = 1"]
        for name, target in targets.items():
            text += [f"[target.{name}]", *(f"{key} = {toml(value)}" for key, value in target.items())]
        settings = {
            "targets": list(targets), "profilers": ["clean"], "rounds": 1, "control": False, "slices": False,
            "load": LOAD, **study,
        }  # fmt: skip
        text += ["[study.s]", *(f"{key} = {toml(value)}" for key, value in settings.items())]
        (self.root / "profpipe.toml").write_text("\n".join(text) + "\n")

    def start(self, *words: str | Path, limit: int | None = None, **env: str) -> Started:
        """`python -m profpipe WORDS`; `limit` bounds the size of every file it and its children write."""
        words = tuple(map(str, words))
        self.temporary.mkdir(parents=True, exist_ok=True)
        if words[0] in {"run", "report"}:
            words = (words[0], *words[1:], "--reports", str(self.reports))
        argv = [sys.executable, "-m", "profpipe", *words]
        if limit is not None:
            argv = ["prlimit", f"--fsize={limit}", *argv]
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.root,
            env={**os.environ, MARK: str(self.root), "TMPDIR": str(self.temporary), **self.env, **env},
        )  # fmt: skip
        return Started(process)

    def do(self, *words: str | Path, limit: int | None = None, **env: str) -> Done:
        return self.start(*words, limit=limit, **env).end()

    def folders(self) -> list[Path]:
        return sorted(path.parent for path in self.reports.glob("s/*/study.json"))

    def report(self) -> dict[str, Any]:
        """report.json of the only run folder, checked against its schema."""
        (folder,) = self.folders()
        return read_report(folder)

    def records(self, folder: Path | None = None) -> dict[str, dict[str, Any]]:
        """Run folder's name -> run.json."""
        home = folder or self.folders()[0]
        return {path.parent.name: json.loads(path.read_text()) for path in sorted(home.glob("runs/*/run.json"))}

    def check_left_nothing(self) -> None:
        """No process, no temporary file, no file that is half a file."""
        wait_until(lambda: not processes(self.root), 10)
        left = [path.name for path in self.temporary.glob("profpipe-*")]
        assert not left, f"temporary folders were left: {left}"
        for path in self.reports.rglob("*"):
            assert not path.name.startswith("."), f"a temporary file was left: {path}"
            if path.suffix == ".json" and "raw" not in path.parts:
                json.loads(path.read_text())
            if path.name == "report.html":
                assert path.read_text().rstrip().endswith("</html>")


@cache
def _schema() -> Any:
    return json.loads(REPORT_SCHEMA.read_text())


def read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, _schema())
    return report


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
