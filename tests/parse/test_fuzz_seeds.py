"""Inputs that once broke a reader (`make fuzz`), and a short run of it: a sound profile or a clean error."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.parse import PARSERS
from tests.support.fuzz import SEEDS, Fault, examine, fuzz


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*-*")), ids=lambda path: path.name)
def test_what_once_broke_a_reader_is_read_or_refused(path: Path) -> None:
    examine(PARSERS.get(path.name.rpartition("-")[0]), path.read_bytes())


def test_a_run_counts_its_inputs_and_writes_none_without_a_fault(tmp_path: Path) -> None:
    tried, accepted, faults = fuzz("dhat", 0.5, seed=1, folder=tmp_path)
    assert tried >= accepted
    assert (tried > 5, faults) == (True, 0)
    assert not list(tmp_path.iterdir())


def test_a_reader_that_breaks_a_rule_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(_parser: object, _data: bytes) -> bool:
        raise Fault("a rule")

    monkeypatch.setattr("tests.support.fuzz.examine", raises)
    monkeypatch.setattr("tests.support.fuzz._is_read", lambda _parser, _data: True)
    assert fuzz("dhat", 5, seed=1, folder=tmp_path)[2] == 10
    assert list(tmp_path.glob("dhat-*"))
