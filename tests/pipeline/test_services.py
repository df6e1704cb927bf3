"""A service that ends in a start costs that start alone, until three were lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from profpipe.errors import CaptureError
from profpipe.model.start import Lost
from profpipe.pipeline.events import Note
from profpipe.pipeline.execute.services import Services
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.study import LOST_MOST, _Running
from profpipe.pipeline.slices.units import service_lost
from tests.support.prepared_study import prepared
from tests.support.services_driving import REDIS, asks_redis
from tests.support.study_driving import toml
from tests.support.tools import require


@pytest.mark.real
def test_a_service_that_ended_is_started_again_for_the_next_unit(tmp_path: Path) -> None:
    require("redis-server")
    study = _study(tmp_path)
    said: list[str] = []
    services = Services(study, lambda event: said.append(event.text) if isinstance(event, Note) else None)
    try:
        with services.beside() as first:
            assert service_lost(first) is None
            cache = first.beside.running["cache"]
            assert first.targets["one"].env["CACHE"] == f"127.0.0.1:{cache.port}"
            cache.process.signal(signal.SIGKILL)
            cache.process.wait(5)
            lost = service_lost(first)
        assert lost is not None
        assert (lost.variant, lost.phase, lost.reason) == (
            None,
            "service",
            "the service cache ended: killed by SIGKILL",
        )
        with services.beside() as second:
            assert service_lost(second) is None
            kept = second.beside.running["cache"]
        with services.beside() as third:
            assert third.beside.running["cache"] is kept
    finally:
        services.close()
    assert said == ["the service cache ended: killed by SIGKILL; it is started again"]
    assert not kept.data.exists()
    assert not cache.data.exists()


def _study(folder: Path) -> PreparedStudy:
    target = {**asks_redis(1), "services": ["cache"]}
    service = "\n".join(["[service.cache]", *(f"{key} = {toml(value)}" for key, value in REDIS.items())])
    return prepared(folder, {"one": target}, more=service)


def test_starts_are_lost_to_a_service_until_there_are_too_many() -> None:
    study = _Running([], "old", "old, again")
    lost = Lost(None, "service", "the service db ended: exit status 1")
    for _ in range(LOST_MOST - 1):
        study.lose(lost)
    with pytest.raises(CaptureError, match="the service db ended"):
        study.lose(lost)


def test_a_load_client_that_fails_still_ends_the_starts_at_once() -> None:
    study = _Running([], "old", "old, again")
    study.lose(Lost(None, "service", "the service db ended: exit status 1"))
    with pytest.raises(CaptureError, match="the load client"):
        study.lose(Lost(None, "slices", "the load client failed"))
