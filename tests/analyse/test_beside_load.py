"""CPU time beside the load generator's: what it is, where it is shown, what it finds where CPU time alone cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.gen_aa import changed
from bench.gen_aa import study as rounds_of
from bench.gen_dealt import AGAIN, dealt
from profpipe.analyse import RunData, build_report
from profpipe.analyse.conclusions.undecided import undecided_metrics
from profpipe.analyse.statistics.calibration import false_verdicts
from profpipe.analyse.statistics.looks import plan_looks
from profpipe.model.report import Report, Variant
from profpipe.render.text import detectable_words
from tests.support.analyse_cases import clean_run, study

KEY = "clean:cpu_beside_load"
CPU = "clean:cpu_us"
SLOW = (1.0, 1.6, 1.1, 1.9, 1.0, 1.3, 1.7, 1.2)  # spells of the machine, round by round
JITTER = (0.0, 0.004, -0.003, 0.002, -0.004, 0.003, -0.002, 0.001)
SERVERS = ("epoll-prebuilt-at-second", "threads-at-second", "asyncio-protocol-at-second")


def run(variant: str, number: int, cpu_us: float, client_us: float | None) -> RunData:
    """A round on a machine that is slow by turns; `cpu_us` and `client_us` are what a request costs when it is not."""
    at = number - 1 if variant == "a" else -number
    made = clean_run(variant, number, cpu_us * SLOW[at] * (1 + JITTER[number - 1]), 0.25, 1.0)
    assert made.record.load is not None
    client = None if client_us is None else client_us * SLOW[at] * made.record.load.served / 1e6
    load = replace(made.record.load, client_cpu_s=client)
    return RunData(replace(made.record, load=load))


def sides(cost: float, client: float | None = 8.0, **more: bool) -> Report:
    runs = [run(v, n, c, client) for v, c in (("a", 10.0), ("b", cost)) for n in range(1, 9)]
    return build_report(study(runs, **more))


def contender(report: Report) -> Variant:
    return next(v for v in report.variants if v.role == "contender")


def texts(report: Report) -> Sequence[str]:
    return [c.text for c in report.conclusions if c.rule == "beside-load"]


def test_it_is_the_servers_time_over_the_load_generators() -> None:
    report = sides(10.5, same_program=True)
    values = report.variants[0].figures[KEY].values
    assert [round(v or 0, 3) for v in values] == [round(10 / 8 * (1 + j), 3) for j in JITTER]


def test_it_decides_what_slow_spells_hide() -> None:
    report = sides(10.5, same_program=True)
    against = contender(report).against_baseline
    assert against[CPU].verdict == "cannot tell"
    assert against[KEY].verdict == "worse"
    assert against[KEY].ratio == pytest.approx(1.05, abs=0.003)
    (text,) = texts(report)
    assert text.startswith("b takes 5.")
    assert "more CPU time per request than a" in text
    assert "relative to the load generator's (95 % interval 1.04" in text
    assert report.conclusions[0].text == text, "what is certain comes first"
    assert not undecided_metrics(report), "more rounds are not needed for what is decided"


def test_a_change_that_was_found_is_not_called_too_small_to_detect() -> None:
    called = contender(sides(10.5, same_program=True)).against_baseline[KEY]
    assert (
        detectable_words(called.model_copy(update={"detectable": 0.02}))
        == "a change under 2.0 % would not have been seen"
    )
    assert detectable_words(called.model_copy(update={"detectable": 0.06})) == "a change under 6.0 % is not always seen"
    unsure = called.model_copy(update={"detectable": 0.06, "verdict": "cannot tell", "relevant": False})
    assert detectable_words(unsure) == "a change under 6.0 % would not have been seen"


def test_no_change_is_reported_too() -> None:
    report = sides(10.0, same_program=True)
    assert contender(report).against_baseline[KEY].verdict == "no change"
    assert "take the same CPU time per request within 2.3 %" in texts(report)[0]


def test_another_server_may_give_the_generator_other_work() -> None:
    report = sides(10.5)
    assert KEY not in contender(report).figures
    assert KEY not in [m.key for m in report.metrics]
    assert undecided_metrics(report)


def test_a_generator_that_does_not_tell_its_time() -> None:
    report = sides(10.5, client=None, same_program=True)
    assert KEY not in contender(report).figures
    assert not texts(report)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_five_percent_of_cpu_time_are_found_in_ten_real_rounds_of_a_noisy_machine(server: str) -> None:
    """CPU time of these rounds varies by 12.6 to 16.6 %: alone it can tell nothing of the kind."""
    beside = alone = 0
    for seed in range(12):
        data = changed(dealt(rounds_of(server), server, {"clean": 10}, seed), AGAIN, cpu=1.05)
        data = replace(data, record=replace(data.record, sequential=plan_looks(7, 20)))
        against = contender(build_report(data)).against_baseline
        beside += against[KEY].verdict == "worse"
        alone += against[CPU].verdict == "worse"
    assert beside >= 11
    assert alone <= 1


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_it_says_nothing_where_nothing_changed(server: str) -> None:
    for seed in range(30):
        report = build_report(dealt(rounds_of(server), server, {"clean": 7}, seed))
        assert not [path for path in false_verdicts(report) if path.endswith(KEY)]
