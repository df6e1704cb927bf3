"""The gap, in parts that add up to it exactly."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.analyse.tables.waterfall import waterfall
from profpipe.model.report import (
    MOVED,
    UNEXPLAINED,
    CategoryRow,
    Cell,
    Comparison,
    FunctionName,
    FunctionRow,
    HotspotTable,
    Series,
)
from tests.support.examples import examples

CALLED = Comparison(verdict="worse", relevant=True, significant=True)


def table(rows: dict[str, tuple[float, float]], totals: tuple[float, float] | None = None) -> HotspotTable:
    a, b = totals or (sum(v[0] for v in rows.values()), sum(v[1] for v in rows.values()))
    return HotspotTable(
        metric="callgrind:instructions",
        total={"a": Series(values=(a,), median=a), "b": Series(values=(b,), median=b)},
        categorised={"a": 1.0, "b": 1.0},
        rows=tuple(CategoryRow(category=k, cells={"a": Cell(self=x), "b": Cell(self=y)}) for k, (x, y) in rows.items()),
    )


costs = st.floats(0, 1e7, allow_nan=False)


@settings(max_examples=examples(200))
@given(
    st.dictionaries(st.sampled_from([f"c{i}" for i in range(12)]), st.tuples(costs, costs), min_size=1), costs, costs
)
def test_the_bars_add_up_exactly(rows: dict[str, tuple[float, float]], more: float, less: float) -> None:
    """Not nearly: ==, whatever the costs, and whatever the totals hold besides."""
    for totals in (None, (more, less)):
        fall = waterfall(table(rows, totals), "a", "b", CALLED)
        assert fall is not None
        assert sum(b.delta for b in fall.bars) == fall.gap == fall.contender_total - fall.baseline_total
        assert sum(b.baseline for b in fall.bars) == fall.baseline_total
        assert sum(b.contender for b in fall.bars) == fall.contender_total


def test_the_largest_change_comes_first_and_shares_are_of_the_gap() -> None:
    fall = waterfall(table({"small": (10, 11), "down": (50, 20), "up": (100, 171)}), "a", "b", CALLED)
    assert fall is not None
    assert [b.category for b in fall.bars] == ["up", "down", "small"]
    assert fall.gap == 42
    assert [round(b.share_of_gap or 0, 3) for b in fall.bars] == [1.69, -0.714, 0.024]


def test_a_gap_within_noise_has_no_shares() -> None:
    fall = waterfall(table({"x": (10, 12)}), "a", "b", Comparison(verdict="no change"))
    assert fall is not None
    assert [b.share_of_gap for b in fall.bars] == [None]


def test_what_the_categories_do_not_hold_is_a_bar_of_its_own() -> None:
    fall = waterfall(table({"x": (10, 12)}, (11, 20)), "a", "b", CALLED)
    assert fall is not None
    assert [(b.category, b.baseline, b.contender) for b in fall.bars] == [("x", 10, 12), (UNEXPLAINED, 1, 8)]


def test_digits_lost_to_rounding_are_not_called_unexplained() -> None:
    fall = waterfall(table({"x": (10_000, 12_000)}, (10_000.001, 12_000)), "a", "b", CALLED)
    assert fall is not None
    assert [b.category for b in fall.bars] == ["x"]


def test_an_unknown_total_has_no_waterfall() -> None:
    unknown = table({"x": (1, 2)}).model_copy(update={"total": {"a": Series(median=1), "b": Series(why="crashed")}})
    assert waterfall(unknown, "a", "b", CALLED) is None


def place(name: str, file: str, a: float, b: float) -> FunctionRow:
    return FunctionRow(
        id=f"{name}{file}", function=FunctionName(name=name, file=file), cells={"a": Cell(self=a), "b": Cell(self=b)}
    )


def test_a_function_that_changed_category_has_moved() -> None:
    """encode went from the application (30) into a library (35): 30 moved, 5 is what it really cost."""
    rows = (
        CategoryRow(
            category="application",
            cells={"a": Cell(self=100), "b": Cell(self=70)},
            functions=(place("encode", "app.c", 30, 0), place("handle", "app.c", 70, 70)),
        ),
        CategoryRow(
            category="library",
            cells={"a": Cell(self=0), "b": Cell(self=35)},
            functions=(place("encode", "lib.c", 0, 35),),
        ),
    )
    found = table({}).model_copy(update={"rows": rows, "total": {"a": Series(median=100), "b": Series(median=105)}})
    fall = waterfall(found, "a", "b", CALLED)
    assert fall is not None
    assert {b.category: b.delta for b in fall.bars} == {"library": 5, "application": 0, MOVED: 0}
    assert fall.bars[-1] == fall.bars[-1].model_copy(update={"category": MOVED, "baseline": 30, "contender": 30})
    assert sum(b.delta for b in fall.bars) == fall.gap == 5
