"""A repository with real commits for the tests that compare them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.demo_repository import make
from tests.support.measured_repository import Repository
from tests.support.processes import processes
from tests.support.tools import require


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    require("valgrind", "gcc")
    folder = tmp_path_factory.mktemp("demo")
    repository = Repository(make(folder / "repository", control=False), folder / "cache")
    yield repository
    assert not processes(repository.path)
