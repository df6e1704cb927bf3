"""callgrind refuses what it would only break, before it starts it."""

from __future__ import annotations

import pytest

from profpipe.capture import profiler
from profpipe.study import Target


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (("uvicorn", "--port", "{port}", "--workers", "2", "a:b"), True),
        (("python", "-m", "uvicorn", "--port", "{port}", "--workers=2", "a:b"), True),
        (("uvicorn", "--port", "{port}", "a:b"), False),
        (("uvicorn", "--port", "{port}", "--workers", "2", "--timeout-worker-healthcheck", "300", "a:b"), False),
        (("gunicorn", "-b", "127.0.0.1:{port}", "--workers", "2", "a:b"), False),
    ],
)
def test_workers_of_uvicorn_need_patience_with_their_health_check(command: tuple[str, ...], refused: bool) -> None:
    reason = profiler("callgrind").refuses(Target(command=command, language="python"))
    assert (reason is not None) == refused
    assert reason is None or "--timeout-worker-healthcheck 300" in reason
