"""Every built-in part is there under its name and follows the protocol of its kind."""

from __future__ import annotations

from typing import Any

import pytest

from profpipe.pipeline.doctor import registries
from profpipe.plugins import Registry, protocol_faults

REGISTRIES = registries()
PARTS = [(registry, name) for registry in REGISTRIES for name in registry.builtin]


@pytest.mark.parametrize(("registry", "name"), PARTS, ids=lambda v: v if isinstance(v, str) else v.kind)
def test_a_built_in_part_follows_the_protocol(registry: Registry[Any], name: str) -> None:
    assert protocol_faults(registry.get(name), registry.protocol) == []


def test_every_kind_has_a_word_and_a_group_of_its_own() -> None:
    assert len({registry.kind for registry in REGISTRIES}) == len(REGISTRIES)
    assert len({registry.group for registry in REGISTRIES}) == len(REGISTRIES)
