"""A study of a server that does not speak HTTP, loaded by its own tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import profpipe
from tests.support.tools import require

STUDY = """
[target.plain]
command = ["redis-server", "--port", "{port}", "--save", ""]
[target.aof]
command = ["redis-server", "--port", "{port}", "--save", "", "--appendonly", "yes", "--dir", "{data}"]
[study.aof]
targets = ["plain", "aof"]
profilers = ["clean"]
rounds = 1
control = false
[study.aof.load]
command = ["redis-benchmark", "-h", "{host}", "-p", "{port}", "-t", "set", "-n", "{requests}", "-c", "{connections}"]
count.result = "redis-benchmark"
unit = "SET"
requests = 4000
warmup = 100
"""


@pytest.mark.real
def test_redis_has_a_cost_per_set(tmp_path: Path) -> None:
    require("redis-server", "redis-benchmark")
    (tmp_path / "profpipe.toml").write_text(STUDY)
    done = profpipe("run", "aof", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "per SET" in done.stdout
    report = json.loads(next((tmp_path / "reports").glob("aof/*/report.json")).read_text())
    assert report["study"]["unit"] == "SET"
    assert [run["served"] for run in report["runs"] if run["valid"]] == [4000, 4000]
    assert "4,000 x SET a run by redis-benchmark; a request is one SET here" in report["study"]["load"]
    cpu = next(metric for metric in report["metrics"] if metric["key"] == "clean:cpu_us")
    assert cpu["label"] == "CPU time per SET"
