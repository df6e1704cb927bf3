"""A server that replaces its processes is not measured by slices: what a new process needs to start is no slice's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from profpipe.capture.side_by_side import Running, StartLost, Variant
from profpipe.model.start import Lost
from profpipe.pipeline.slices.start import REPLACES, refuse_replaced
from profpipe.pipeline.slices.study import NotTogether, measure
from profpipe.study.schema import Request, Target


def seen(*ended: int) -> list[dict[str, int]]:
    return [{"ended": many} for many in ended]


def servers(*names: str) -> list[Running]:
    log = SimpleNamespace(tail=lambda: "[INFO] Autorestarting worker after current request.")
    found = [SimpleNamespace(variant=SimpleNamespace(name=name), server=SimpleNamespace(log=log)) for name in names]
    return cast("list[Running]", found)


def test_the_variant_whose_processes_ended_is_named_with_its_log() -> None:
    with pytest.raises(StartLost) as lost:
        refuse_replaced(servers("keeps", "replaces"), {"before": seen(0, 1), "after": seen(0, 3)})
    assert lost.value.lost.variant == "replaces"
    assert lost.value.lost.reason == f"2 of its processes ended in the slices: {REPLACES}"
    assert lost.value.lost.log_tail.startswith("[INFO] Autorestarting")


def test_processes_that_ended_before_the_slices_are_no_fault() -> None:
    refuse_replaced(servers("a", "b"), {"before": seen(2, 0), "after": seen(2, 0)})


class Replacing:
    """Starts in which one variant replaces a process."""

    def try_lengths(self, *_: object) -> Any:
        raise StartLost(Lost("b", "slices", f"1 of its processes ended in the slices: {REPLACES}"))


def test_a_study_with_such_a_server_is_measured_in_rounds() -> None:
    a, b = (Variant(name, Target(command=("srv", "{port}")), Request()) for name in ("a", "b"))
    with pytest.raises(NotTogether, match="b: 1 of its processes ended in the slices: a server that replaces"):
        measure(a, [b], cast("Any", None), seed=1, budget_s=1.0, starts=cast("Any", Replacing()))
