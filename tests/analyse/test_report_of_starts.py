"""A report of starts made by hand: a value per start, paired verdicts, and one alpha for starts and rounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from profpipe.analyse import StudyData, build_report
from profpipe.analyse.statistics.alpha import STARTS
from profpipe.model.metric_keys import BESIDE_LOAD, BETWEEN, CPU, WALL
from profpipe.model.report import ALPHA, LeftOut, Report, SlicesRecord
from profpipe.model.start import Lost, Start
from profpipe.model.study import StudyRecord, VariantFacts
from tests.support.slices_cases import REQUESTS, start

BASE, AGAIN = "base", "base, again"
MANY = 16


def record(*contenders: str, left_out: tuple[LeftOut, ...] = ()) -> StudyRecord:
    names = (BASE, *contenders)
    return StudyRecord(
        study="s", question="", baseline=BASE, variants=tuple(VariantFacts(v, v, "c", ("./x",)) for v in names),
        rounds=3, load="", placement="", command="", created="2026-01-01T00:00:00", profpipe="1",
        kinds={"clean": "clean"}, environment={},
        slices=SlicesRecord(
            seed=1, requests=REQUESTS, lead=0, length="", passes=20, connections=1, control=AGAIN, resolution=0.01,
            budget_s=60.0, rule="", planned=(MANY,), alpha=ALPHA * STARTS, contenders=len(contenders),
            left_out=left_out,
        ),
    )  # fmt: skip


def starts(contenders: dict[str, float], *, spread: float = 0.003, again: float = 1.0, seed: int = 1) -> list[Start]:
    """Starts that cost up to a third more by chance, the same for all variants, which differ by a factor."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(1, MANY + 1):
        luck = rng.uniform(20.0, 27.0)
        factors = {BASE: 1.0, AGAIN: again, **contenders}
        costs = {v: luck * f * np.exp(rng.normal(0, spread) + rng.normal(0, 0.01, 20)) for v, f in factors.items()}
        found.append(start(number, {v: c.tolist() for v, c in costs.items()}))
    return found


def report(found: list[Start], *contenders: str, left_out: tuple[LeftOut, ...] = ()) -> Report:
    return build_report(StudyData(record=record(*contenders, left_out=left_out), runs=(), starts=tuple(found)))


def test_a_lottery_that_all_variants_share_hides_no_difference() -> None:
    made = report(starts({"more": 1.03, "less": 0.98, "same": 1.0}), "more", "less", "same")
    against = {v.id: v.against_baseline[CPU] for v in made.variants if v.role == "contender"}
    assert {name: found.verdict for name, found in against.items()} == {
        "more": "worse", "less": "better", "same": "no change",
    }  # fmt: skip
    assert against["more"].ratio == pytest.approx(1.03, abs=0.005)
    assert against["more"].paired
    assert "smaller than 1.00 %" in against["same"].why
    base = made.variants[0]
    assert len(base.figures[CPU].values) == MANY
    assert base.lottery[CPU].high / base.lottery[CPU].low > 1.2
    assert base.lottery[CPU].between > base.lottery[CPU].within
    assert made.control.figures[CPU].verdict == "no change"


def test_a_control_that_differs_decides_nothing() -> None:
    made = report(starts({"more": 1.03}, again=1.02), "more")
    found = made.variants[1].against_baseline[CPU]
    assert found.verdict == "cannot tell"
    assert "second copy differs from it by 2." in found.why


def test_lost_starts_are_listed_and_a_variant_that_is_left_out_has_the_reason() -> None:
    found = starts({"other": 1.0, "dies": 1.0})
    for place in range(4, MANY):
        kept = {name: slices for name, slices in found[place].variants.items() if name != "dies"}
        found[place] = replace(found[place], variants=kept)
    found[3] = start(4, {}, Lost("dies", "slices", "killed by SIGSEGV", ("oops",)))
    made = report(found, "other", "dies", left_out=(LeftOut(target="dies", reason="killed by SIGSEGV"),))
    info = made.study.slices
    assert info is not None
    assert (info.starts, [(lost.start, lost.variant) for lost in info.lost]) == (MANY - 1, [(4, "dies")])
    dies = made.variants[2].figures[CPU]
    assert [v is not None for v in dies.values] == [True] * 3 + [False] * (MANY - 4)
    none = report(starts({"other": 1.0}), "other", "dies", left_out=(LeftOut(target="dies", reason="it is missing"),))
    assert none.variants[2].figures[CPU].why == "it is missing"


def test_figures_over_starts_replace_those_over_rounds() -> None:
    made = report(starts({"other": 1.0}), "other")
    keys = [m.key for m in made.metrics]
    assert BESIDE_LOAD not in keys
    assert {CPU, WALL, BETWEEN} <= set(keys)
    assert BETWEEN not in made.variants[1].against_baseline, "work put off is shown, and not judged by itself"


def test_starts_and_rounds_share_one_alpha() -> None:
    study = StudyData(record=record("other"), runs=())
    assert study.record.slices is not None
    assert study.record.slices.alpha + study.level == pytest.approx(ALPHA)


@pytest.mark.slow
def test_a_report_of_many_equal_studies_is_rarely_wrong() -> None:
    wrong = sum(
        report(starts({"same": 1.0, "too": 1.0}, spread=0.02, seed=seed), "same", "too").variants[place]
        .against_baseline[CPU].verdict in {"better", "worse"}
        for seed in range(30)
        for place in (1, 2)
    )  # fmt: skip
    assert wrong == 0
