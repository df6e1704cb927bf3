"""Accepted regressions: an entry with a reason lets one regression pass, of that metric and up to that size."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from profpipe.errors import ConfigError, UsageError
from profpipe.model.accepted import Accepted
from profpipe.model.report import Comparison, Report
from profpipe.pipeline.gate.accept import Acceptance, accept
from profpipe.pipeline.gate.accepted_file import FILE_NAME, accepted_here, add_accepted, read_accepted
from profpipe.pipeline.gate.judge import gate
from profpipe.pipeline.gate.rules import gate_rule
from profpipe.render.comment.markdown import render_comment
from tests.support.paths import SAMPLE_REPORT

RULES = [gate_rule("regression")]
ENTRY = Accepted(study="s", metric="cpu_us", at_most=0.06, reason="new checks of signatures", author="Ann")


def report(ratio: float, high: float | None = None) -> Report:
    sample = Report.model_validate_json(SAMPLE_REPORT.read_bytes())
    contender = next(v for v in sample.variants if v.role == "contender")
    against = {"clean:cpu_us": Comparison(verdict="worse", ratio=ratio, high=high)}
    kept = contender.model_copy(update={"against_baseline": against})
    return sample.model_copy(update={"variants": (sample.variants[0], kept), "hotspots": ()})


@pytest.mark.parametrize(
    ("entry", "failed"),
    [
        (ENTRY, False),
        (ENTRY.model_copy(update={"metric": "clean:cpu_us"}), False),
        (ENTRY.model_copy(update={"metric": "rss"}), True),
        (ENTRY.model_copy(update={"at_most": 0.04}), True),
    ],
)
def test_an_entry_covers_its_metric_up_to_its_size(entry: Accepted, failed: bool) -> None:
    found = gate(report(1.05), RULES, [entry])
    assert found.failed is failed
    assert bool(found.accepted) is not failed


def test_the_comment_says_that_it_was_accepted_and_why() -> None:
    judged = report(1.05)
    text = render_comment(judged.model_copy(update={"gate": gate(judged, RULES, [ENTRY])}))
    assert "Accepted regression: " in text
    assert "accepted by Ann (up to 6.0 %): new checks of signatures." in text


def test_accepting_covers_the_far_end_of_the_interval(tmp_path: Path) -> None:
    judged = report(1.05, high=1.0731)
    entries = accept(judged, Acceptance(reason='"fast" \\ enough\x7f\n', author="Ann"))
    assert [(e.metric, e.at_most) for e in entries] == [("clean:cpu_us", 0.074)]
    add_accepted(tmp_path, entries)
    add_accepted(tmp_path, (ENTRY.model_copy(update={"until": date(2030, 1, 31)}),))
    read = read_accepted(tmp_path)
    assert read[0] == entries[0]
    assert read[1].until == date(2030, 1, 31)
    assert not gate(judged, RULES, read).failed
    with pytest.raises(UsageError, match="nothing to accept"):
        accept(judged, Acceptance(reason="again", author="Ann"), read)


def test_what_is_not_worse_cannot_be_accepted() -> None:
    with pytest.raises(UsageError, match="rss is worse in this report beyond what is accepted already"):
        accept(report(1.05), Acceptance(reason="r", author="Ann", metrics=("rss",)))
    with pytest.raises(UsageError, match="--reason is empty"):
        accept(report(1.05), Acceptance(reason=" ", author="Ann"))


def test_an_entry_counts_in_the_change_that_adds_it_or_until_its_day(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    dated = ENTRY.model_copy(update={"until": date(2030, 1, 31), "metric": "rss"})
    add_accepted(after, (ENTRY, dated, ENTRY.model_copy(update={"study": "other"})))
    assert accepted_here(before, after, "s", date(2029, 1, 1)) == (ENTRY, dated)
    add_accepted(before, (ENTRY, dated))
    assert accepted_here(before, after, "s", date(2030, 1, 31)) == (dated,)
    assert accepted_here(before, after, "s", date(2030, 2, 1)) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[accepted]]\nstudy = 's'\n", r"accepted\.0\.metric: Field required"),
        ("accepted = 3", "accepted: "),
        ("[[", "not valid TOML"),
        ("[[accepted]]\nstudy = 's'\nmetric = 'm'\nat_most = -1\nreason = 'r'\nauthor = 'a'", r"accepted\.0\.at_most"),
    ],
)
def test_a_file_with_a_mistake_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_accepted(tmp_path)
