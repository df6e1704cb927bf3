"""`profpipe diff` measures a commit's own code, or stops before the first round and says what to change."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from profpipe.capture.loaded_files import Loaded
from profpipe.pipeline.commits.own_code import foreign
from tests.support.demo_repository import git
from tests.support.measured_repository import Repository
from tests.support.small_repository import put

CHECKOUT, WORKTREE = Path("/home/me/shop"), Path("/cache/worktrees/1")


def reason(*files: str, program: str = "/usr/bin/python3.12", environment: Path | None = None) -> str | None:
    return foreign(Loaded(frozenset(files), program), WORKTREE, CHECKOUT, environment)


def test_code_of_the_worktree_is_the_commits_own() -> None:
    assert reason("/cache/worktrees/1/shop/app.py", "/usr/lib/python3.12/json/__init__.py") is None
    assert reason(program="/cache/worktrees/1/server") is None


def test_packages_of_an_environment_in_the_checkout_are_no_code_of_it() -> None:
    assert reason("/cache/worktrees/1/app.py", "/home/me/shop/.venv/lib/python3.12/site-packages/flask/app.py") is None


def test_a_module_of_the_checkout_is_named_with_the_path_that_mends_it() -> None:
    found = reason("/cache/worktrees/1/app.py", "/home/me/shop/src/db/rows.py")
    assert found is not None
    assert found.startswith("it loads src/db/rows.py of your checkout, not of its commit. An editable install, or")
    assert 'env = { PYTHONPATH = "{checkout}/src/db" }' in found


def test_a_program_of_the_checkout_is_named() -> None:
    found = reason(program="/home/me/shop/build/server")
    assert found is not None
    assert "it loads build/server of your checkout" in found
    assert "{checkout}/server" in found


def test_a_program_from_elsewhere_without_any_file_of_the_worktree_is_named() -> None:
    found = reason("/usr/lib/libc.so.6", program="/usr/local/bin/shop-server")
    assert found is not None
    assert found.startswith("it runs /usr/local/bin/shop-server, and no file of its worktree")


def test_code_that_is_installed_into_the_commits_own_environment_is_its_own() -> None:
    file = "/cache/environments/a/lib/python3.12/site-packages/shop/app.py"
    assert reason(file, environment=Path("/cache/environments/a")) is None
    assert reason(file) is not None


SHOP = """\
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args): pass
def main(port):
    HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
STUDY = """\
[target.shop]
command = ["{python}", "-c", "import shop; shop.main({port})"]
language = "python"
cwd = "run"
[study.cost]
targets = ["shop"]
profilers = ["cprofile"]
load = { requests = 20, warmup = 2, connections = 1 }
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    path = tmp_path / "repository"
    (path / "run").mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "run/settings.txt").write_text("x\n")
    (path / "profpipe.toml").write_text(STUDY)
    put(path, "shop.py", SHOP, "one")
    put(path, "shop.py", SHOP.replace('"0"', "str(sum(range(3)) - 3)"), "two")
    return Repository(path, tmp_path / "cache")


@pytest.mark.real
def test_a_checkout_on_pythonpath_is_found_before_the_rounds_and_its_mend_works(repository: Repository) -> None:
    options = ("HEAD~1..HEAD", "-r", "1", "--max-rounds", "1")
    done = repository.do("diff", *options, PYTHONPATH=str(repository.path))
    assert done.code == 1
    assert "it loads shop.py of your checkout, not of its commit" in done.err
    assert "round 1" not in done.err
    (line,) = [w for w in done.err.replace("\n", " ").split(": ") if "env = {" in w]
    mend = line[line.index("env = {") :].split(", or")[0]
    (repository.path / "profpipe.toml").write_text(STUDY.replace('cwd = "run"', f'cwd = "run"\n{mend}'))
    done = repository.do("diff", *options, "--config", "profpipe.toml", PYTHONPATH=str(repository.path))
    assert done.code == 0, done.err


@pytest.mark.real
def test_a_program_on_the_path_is_found_before_the_rounds(repository: Repository, tmp_path: Path) -> None:
    program = tmp_path / "bin/shop-server"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{SHOP}\nimport sys\nmain(int(sys.argv[1]))\n")
    program.chmod(0o755)
    study = STUDY.replace('["{python}", "-c", "import shop; shop.main({port})"]', '["shop-server", "{port}"]')
    (repository.path / "profpipe.toml").write_text(study)

    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = repository.do("diff", "HEAD~1..HEAD", "--config", "profpipe.toml", PATH=path)
    assert done.code == 1
    assert "no file of its worktree" in done.err
