"""A question about one metric is measured by its instruments alone, and advice repeats the options that were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.commits.resolve import Asked, Commit
from profpipe.errors import UsageError
from profpipe.pipeline.commits.diff import DiffOptions
from profpipe.pipeline.commits.one_metric import only_for, only_for_gate
from profpipe.pipeline.prepare.options import RunOptions
from tests.support.prepared_study import TARGET, prepared


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("instructions", ("callgrind", "fine")),
        ("callgrind:instructions", ("callgrind",)),
        ("cpu_us", ("clean",)),
        ("clean:rss", ("clean",)),
        ("calls", ("yappi",)),
    ],
)
@pytest.mark.programs
def test_only_the_instruments_of_the_metric_are_used(tmp_path: Path, metric: str, expected: tuple[str, ...]) -> None:
    study = prepared(
        tmp_path, {"a": TARGET}, profilers=["clean", "callgrind", "fine", "yappi"],
        profiler={"fine": {"tool": "callgrind"}},
    ).study  # fmt: skip
    assert only_for(study, metric).profilers == expected


def test_a_metric_that_nothing_measures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no instrument of this study measures it; it has clean"):
        only_for(prepared(tmp_path, {"a": TARGET}).study, "instructions")


@pytest.mark.parametrize(
    ("fail_on", "own", "expected"),
    [
        (["regression:instructions:1%"], {}, ("callgrind",)),
        (["regression:instructions:1%", "regression:cpu_us:5%"], {}, ("clean", "callgrind")),
        (["regression:instructions:1%"], {"cpu_us": "5%"}, ("clean", "callgrind")),
        (["regression:5%"], {}, ("clean", "callgrind", "yappi")),
        (["regression:instructions:1%", "regression:parsing:2%"], {}, ("clean", "callgrind", "yappi")),
    ],
)
def test_a_gate_that_names_metrics_is_measured_by_their_instruments(
    tmp_path: Path, fail_on: list[str], own: dict[str, str], expected: tuple[str, ...]
) -> None:
    study = prepared(tmp_path, {"a": TARGET}, profilers=["clean", "callgrind", "yappi"], gate=own).study
    assert only_for_gate(study, fail_on).profilers == expected


@pytest.mark.parametrize(("config", "shown"), [(Path("own/p.toml"), "own/p.toml"), (Path("/home/me/p.toml"), "p.toml")])
def test_the_command_that_repeats_a_comparison_has_its_options(config: Path, shown: str) -> None:
    options = DiffOptions(config=config, fail_on=("regression:5%",), max_rounds=9, run=RunOptions(requests=50))
    asked = Asked((Commit("ab" * 20, "main", "s", "t"), Commit("cd" * 20, "HEAD", "s", "t")))
    assert options.command(asked, "page", "server") == (
        "profpipe diff abababababab cdcdcdcdcdcd page -t server --fail-on regression:5% "
        f"--config {shown} --max-rounds 9 -n 50"
    )
