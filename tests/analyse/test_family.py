"""One report, one chance of a false verdict: how it is spent over figures, contenders and rows."""

from __future__ import annotations

import itertools

import pytest

from profpipe.analyse.statistics.alpha import WITHIN, RowLevel, levels
from profpipe.analyse.statistics.significance import least_p
from profpipe.model.metric_keys import CPU

TIMED = (CPU, "clean:switches", "clean:rss")


@pytest.mark.parametrize(("contenders", "counted", "tables"), [*itertools.product((1, 4), (0, 2), (0, 1, 3))])
def test_all_levels_of_a_report_add_up_to_alpha_at_most(contenders: int, counted: int, tables: int) -> None:
    spent = levels(0.01, TIMED, contenders, counted=counted, counted_tables=tables, tables=tables)
    figures = contenders * (sum(spent.timed.values()) + counted * spent.counted)
    # Categories and functions are a family each.
    rows = 2 * contenders * tables * (spent.counted_rows + spent.sampled_rows)
    assert figures + rows <= 0.01 * (1 + 1e-12)


def test_cpu_time_has_twice_the_level_of_the_others_and_nothing_is_kept_for_what_is_not_there() -> None:
    spent = levels(0.01, TIMED, 1)
    assert spent.of(CPU) == 2 * spent.of("clean:rss")
    assert levels(0.01, TIMED[:1], 1).of(CPU) == pytest.approx(0.008)


def test_seven_rounds_can_call_cpu_time_by_ranks_at_each_of_four_looks_and_against_four_contenders() -> None:
    assert levels(0.01 / 4, TIMED, 1).of(CPU) > least_p(7, 7)
    assert levels(0.01, TIMED, 4).of(CPU) > least_p(7, 7)


def test_inside_a_total_that_was_called_rows_are_judged_by_their_share_of_false_ones() -> None:
    spent = levels(0.01, TIMED, 1, counted=1, counted_tables=1, tables=1)
    assert spent.rows(counted=True, inside=True) == spent.rows(counted=False, inside=True) == RowLevel(WITHIN, True)
    assert spent.rows(counted=True, inside=False) == RowLevel(spent.counted_rows)
    assert spent.rows(counted=False, inside=False).level == pytest.approx(0.00025)
    assert spent.counted_rows < 0.001
