"""Shared fixtures: goldens in readable text, rewritten by `pytest --bless` and reviewed in the diff."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.examples import QUICK
from tests.support.forge_server import Forge
from tests.support.paths import GOLDEN

# Started in the background (`make test &`), a shell hands SIGINT down as ignored, and every program under test would
# ignore Ctrl-C too. A handler here is reset to the default in what the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same of nohup, which hands SIGHUP down as ignored.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# Neither a deadline nor a check of speed: a busy machine would fail them.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(QUICK, settings.get_profile("untimed"), max_examples=10)
settings.load_profile("untimed")

# Other tests, and those of other checkouts, measure at the same time; the lock has tests of its own.
os.environ["PROFPIPE_ALONGSIDE"] = "1"

# Workers of pytest-xdist have a processor each, and so have the servers they start: what one measures is not
# disturbed by what the other does. A test that needs two processors is marked `alone`.
if (worker := os.environ.get("PYTEST_XDIST_WORKER", "")).startswith("gw"):
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {usable[int(worker.removeprefix("gw")) % len(usable)]})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write the goldens instead of comparing with them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the tests that start servers come first: begun last, one would keep one worker busy by itself."""
    real = {item.path for item in items if item.get_closest_marker("real")}
    items.sort(key=lambda item: item.path not in real)


def pytest_collection_finish() -> None:
    """The collector no longer visits what importing and collecting leave, which no test frees: a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): text must equal tests/golden/<name>."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"no golden {name}: run pytest --bless and review it"
        assert text == path.read_text()

    return check


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, one a module; each test opens a page of its own.

    Not one for all: the tool keeps an event loop running in this thread, and tests behind it could run none.
    """
    from tests.support.browser import ARGUMENTS
    from tests.support.tools import require

    require("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A forge on loopback that keeps state."""
    with Forge() as made:
        yield made
