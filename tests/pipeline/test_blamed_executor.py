"""An executor of another package that raises while it is used: whatever it raises names it, what we raise does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from profpipe.errors import StoreError
from profpipe.pipeline.execute.blamed_executor import BlamedExecutor

STEPS = ("missing", "session", "enter", "environment", "build", "carry_out", "next", "pair", "exit")


class Blamed(Exception):
    """What the seam makes of an error of the executor."""


@contextmanager
def blaming() -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise Blamed from error


class Faulty:
    """An executor, its block and its session at once; it raises at one step."""

    def __init__(self, step: str) -> None:
        self.step = step

    def at(self, step: str) -> None:
        if step == self.step:
            raise ValueError(step)

    def missing(self) -> None:
        self.at("missing")

    def session(self, study: Any, address: str, listen: Any) -> Faulty:
        self.at("session")
        return self

    def __enter__(self) -> Faulty:
        self.at("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.at("exit")

    def environment(self) -> dict[str, str]:
        self.at("environment")
        return {"kernel": "a"}

    def build(self) -> dict[str, Any]:
        self.at("build")
        return {}

    def carry_out(self, units: Any) -> Any:
        self.at("carry_out")
        if self.step == "pair":
            return iter([1])
        return self.pairs(units)

    def pairs(self, units: Any) -> Iterator[tuple[Any, str]]:
        for unit in units:
            self.at("next")
            yield unit, "done"


def use(executor: Any) -> list[Any]:
    assert executor.missing() is None
    with executor.session(None, "", None) as session:
        return [session.environment(), session.build(), *session.carry_out(["a", "b"])]


@pytest.mark.parametrize("step", STEPS)
def test_an_error_at_any_step_is_blamed_on_the_executor(step: str) -> None:
    with pytest.raises(Blamed):
        use(BlamedExecutor(Faulty(step), blaming))  # type: ignore[arg-type]


def test_one_that_raises_nothing_gives_what_it_gives() -> None:
    found = use(BlamedExecutor(Faulty("nowhere"), blaming))  # type: ignore[arg-type]
    assert found == [{"kernel": "a"}, {}, ("a", "done"), ("b", "done")]


def abandoned(executor: Any, error: BaseException) -> None:
    with executor.session(None, "", None) as session:
        for _ in session.carry_out(["a", "b"]):
            raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError(), StoreError("the disk is full")], ids=repr)
def test_what_is_raised_around_it_passes_unchanged(error: BaseException) -> None:
    with pytest.raises(type(error)):
        abandoned(BlamedExecutor(Faulty("nowhere"), blaming), error)  # type: ignore[arg-type]


def test_our_own_error_from_the_units_passes_unchanged() -> None:
    def units() -> Iterator[Any]:
        yield "a"
        raise StoreError("the disk is full")

    executor = BlamedExecutor(Faulty("nowhere"), blaming)  # type: ignore[arg-type]
    with pytest.raises(StoreError), executor.session(None, "", None) as session:  # type: ignore[arg-type]
        list(session.carry_out(units()))


def test_the_executor_is_told_of_an_error_in_its_block() -> None:
    told: list[object] = []

    class Told(Faulty):
        def __exit__(self, *words: object) -> None:
            told.extend(words[:2])

    with pytest.raises(ZeroDivisionError) as caught:  # noqa: SIM117
        with BlamedExecutor(Told("nowhere"), nullcontext).session(None, "", None):  # type: ignore[arg-type]
            1 / 0  # noqa: B018
    assert told == [ZeroDivisionError, caught.value]
