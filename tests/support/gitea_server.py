"""A real Gitea on loopback, where its binary is there: one user, one repository, one pull request.

PROFPIPE_GITEA = the binary; beside it the `templates`, `options` and `public` folders of its source unless they are
built in. docs/ci.md says how it is built from the Go module.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "maker", "loopback-only-1"


@dataclass(frozen=True, slots=True)
class Gitea:
    api: str
    token: str
    pull: int
    sha: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        text = self.text(path, body, method)
        return json.loads(text) if text else None

    def text(self, path: str, body: Any = None, method: str = "POST") -> str:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return str(response.read(), "utf-8")


def binary() -> Path | None:
    path = Path(os.environ.get("PROFPIPE_GITEA", ""))
    return path if path.is_file() else None


def _settings(folder: Path, port: int, static: Path) -> str:
    return f"""
APP_NAME = loopback
RUN_MODE = prod
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[security]
INSTALL_LOCK = true
[log]
MODE = console
LEVEL = warn
[indexer]
ISSUE_INDEXER_TYPE = db
[cron]
ENABLED = false
[service]
DISABLE_REGISTRATION = true
"""


@contextmanager
def running(program: Path, folder: Path) -> Iterator[Gitea]:
    """The server with its pull request; it ends with the block."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    config = folder / "app.ini"
    config.write_text(_settings(folder, port, program.parent))
    # Gitea refuses root; a CI container often is.
    environment = os.environ | {
        "GITEA_WORK_DIR": str(folder),
        "HOME": str(folder),
        "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
    }
    command = [str(program), "--config", str(config)]

    def tell(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    tell("migrate")
    tell(
        "admin",
        "user",
        "create",
        "--admin",
        "--username",
        USER,
        "--password",
        PASSWORD,
        "--email",
        "m@loopback.example",
        "--must-change-password=false",
    )
    words = ("admin", "user", "generate-access-token", "--username", USER, "--scopes", "all", "--raw")
    token = tell(*words).split()[-1]
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([*command, "web"], env=environment, cwd=folder, stdout=out, stderr=out)
    try:
        made = Gitea(f"http://127.0.0.1:{port}/api/v1", token, 0, "")
        _wait(made, server, log)
        yield _with_pull(made)
    finally:
        server.terminate()
        server.wait(30)


def _wait(gitea: Gitea, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        with suppress(OSError):
            gitea.call("GET", "/version")
            return
        time.sleep(0.2)
    raise AssertionError(f"gitea did not answer: {log.read_text()}")


def _with_pull(gitea: Gitea) -> Gitea:
    gitea.call("POST", "/user/repos", {"name": "server", "auto_init": True, "default_branch": "main"})
    repo = f"/repos/{USER}/server"
    change = {"content": "Y29zdA==", "message": "faster", "branch": "main", "new_branch": "faster"}
    gitea.call("POST", f"{repo}/contents/serve.py", change)
    pull = gitea.call("POST", f"{repo}/pulls", {"head": "faster", "base": "main", "title": "faster"})
    return Gitea(gitea.api, gitea.token, pull["number"], pull["head"]["sha"])
