"""`profpipe diff --bump` with a real environment, installer, server and git; the package is made here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.support.demo_repository import git
from tests.support.measured_repository import Repository
from tests.support.small_repository import put

pytestmark = [pytest.mark.real, pytest.mark.slow]

SERVER = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
import answers
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = answers.body()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STUDY = """\
[target.page]
command = [".venv/bin/python", "app.py", "{port}"]
language = "python"
environment = { python = "%s" }
[study.cost]
targets = ["page"]
profilers = ["cprofile"]
load = { requests = 40, warmup = 4, connections = 1 }
"""


def wheel(folder: Path, version: str, source: str) -> None:
    """A package `answers` that an installer takes from a folder."""
    info = f"answers-{version}.dist-info"
    files = {
        "answers.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: answers\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"answers-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    import sys

    wheel(tmp_path, "1.0", "def body():\n    return b'x'\n")
    wheel(tmp_path, "2.0", "def part():\n    return b'x'\ndef body():\n    return [part() for _ in range(50)][0]\n")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(tmp_path))
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "app.py").write_text(SERVER)
    (path / "profpipe.toml").write_text(STUDY % sys.executable)
    (path / ".gitignore").write_text("reports/\n")
    put(path, "requirements.txt", "answers==1.0\n", "a page")
    return Repository(path, tmp_path / "cache")


def test_a_package_in_two_versions_is_compared_at_one_commit(repository: Repository) -> None:
    before = repository.state()
    done = repository.do("diff", "--bump", "answers==..2.0", "-r", "1", "--max-rounds", "1", "--json")
    assert done.code == 0, done.err
    assert repository.state() == before
    report = repository.report()
    assert [v["label"] for v in report["variants"][:2]] == ["answers as locked", "answers 2.0"]
    assert {v["commit"]["commit"] for v in report["variants"][:2]} == {
        git(repository.path, "rev-parse", "HEAD").strip()
    }
    assert report["dependencies"] == [
        {
            "contender": "answers-2.0",
            "name": "answers",
            "before": "1.0",
            "after": "2.0",
            "prefixes": ["answers.py"],
            "alone": True,
        }
    ]
    calls = {
        row["function"]["name"]: {variant: cell["calls"] for variant, cell in row["cells"].items()}
        for table in report["hotspots"]
        for category in table["rows"]
        for row in category["functions"]
    }
    assert calls["part"]["answers-2.0"] == pytest.approx(50, abs=1)
    assert not (repository.path / "reports/history").exists()


def test_a_command_in_a_venv_that_a_worktree_lacks_says_what_would_make_it(repository: Repository) -> None:
    text = (repository.path / "profpipe.toml").read_text()
    put(repository.path, "profpipe.toml", text.replace("environment", "# environment"), "without")
    put(repository.path, "app.py", SERVER + "# more\n", "more")
    done = repository.do("diff", "HEAD~1..HEAD", "-r", "1")
    assert done.code == 1
    assert "there is no .venv/bin/python. A worktree holds the files of its commit" in done.err
    assert "requirements.txt is there: with `environment = {}` in the target" in done.err
