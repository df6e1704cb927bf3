"""Registry: built-in parts and those of other packages, which are left out one by one when they cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from profpipe.errors import PartFailed, UsageError
from profpipe.plugins import LeftOut, Registry, protocol_faults
from tests.support import distributions

GROUP = "profpipe.test-greeters"


class Greeter(Protocol):
    """A part with a text, a number and a method."""

    TITLE: str
    rank: int

    def greet(self, name: str, *, loud: bool) -> str:
        """Words for `name`."""


class Plain:
    TITLE = "plain"
    rank = 1

    def greet(self, name: str, *, loud: bool) -> str:
        return name.upper() if loud else name


PLAIN = Plain()
GREETERS = Registry("greeter", Greeter, {"plain": f"{__name__}:PLAIN"}, GROUP)
GOOD = "TITLE = 'good'\nrank = 2\ndef greet(name, *, loud): return f'good {name}'\n"

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution of one module for this test: `install(package, source, name=value)`, "" = the module."""

    def make(package: str, source: str, **names: str) -> None:
        distributions.install(tmp_path, package, source, group=GROUP, names=names)
        monkeypatch.delitem(sys.modules, package.replace("-", "_"), raising=False)

    monkeypatch.syspath_prepend(str(tmp_path))
    return make


def fresh() -> Registry[Greeter]:
    return replace(GREETERS)


def test_a_built_in_part_is_found_by_name() -> None:
    assert fresh().get("plain") is PLAIN
    assert fresh().package("plain") is None


def test_a_part_of_another_package_is_found_after_the_built_in_ones(install: Install) -> None:
    install("other-greeters", GOOD, good="")
    registry = fresh()
    assert registry.names() == ("plain", "good")
    assert registry.get("good").greet("you", loud=False) == "good you"
    assert registry.package("good") == "other-greeters 1.2"
    assert [name for name, _ in registry.parts()] == ["plain", "good"]
    assert registry.left_out() == ()


def test_getting_one_part_imports_no_other(install: Install) -> None:
    install("lazy-greeters", "raise RuntimeError('imported')", lazy="")
    install("other-greeters", GOOD, good="")
    assert fresh().get("good").TITLE == "good"
    assert fresh().known_names() == ("plain", "good", "lazy")
    assert "lazy_greeters" not in sys.modules


def test_an_unknown_name_lists_the_names_and_what_is_left_out(install: Install) -> None:
    install("other-greeters", GOOD, good="")
    install("broken-greeters", "import no_such_module_of_profpipe", broken="")
    with pytest.raises(UsageError) as error:
        fresh().get("nobody")
    assert str(error.value) == (
        "no greeter named 'nobody'; there are: plain, good; greeter 'broken' of broken-greeters 1.2 is left out: "
        "importing broken_greeters raised ModuleNotFoundError: No module named 'no_such_module_of_profpipe'"
    )


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        ("raise ValueError('two\\nlines')", "", "importing broken raised ValueError: two lines"),
        ("raise SystemExit", "", "importing broken raised SystemExit"),
        ("def broken(:", "", "importing broken raised SyntaxError: invalid syntax (broken.py, line 1)"),
        (GOOD, "broken:NOBODY", "raised AttributeError: module 'broken' has no attribute 'NOBODY'"),
        ("rank = 1", "", "broken lacks TITLE, greet"),
        (GOOD + "greet = 'hello'", "", "broken has str for greet, expected a function"),
        (GOOD + "def greet(name): return name", "", "broken has a greet that does not take (name, loud=)"),
        (GOOD + "TITLE = 7", "", "broken has int for TITLE, expected str"),
        (
            GOOD + "TITLE = greet = None",
            "",
            "has NoneType for TITLE, expected str; it has NoneType for greet, expected",
        ),
    ],
)
def test_a_part_that_cannot_be_used_is_left_out_with_its_package(
    install: Install, source: str, value: str, reason: str
) -> None:
    install("broken", source, bad=value)
    install("other-greeters", GOOD, good="")
    registry = fresh()
    assert registry.names() == ("plain", "good")
    (found,) = registry.left_out()
    assert (found.kind, found.name, found.package) == ("greeter", "bad", "broken 1.2")
    assert reason in found.reason
    with pytest.raises(UsageError) as error:
        registry.get("bad")
    assert str(error.value) == str(found)


def test_a_name_of_a_built_in_part_cannot_be_taken(install: Install) -> None:
    install("greedy", GOOD, plain="", good="")
    registry = fresh()
    assert registry.get("plain") is PLAIN
    assert registry.names() == ("plain", "good")
    assert registry.left_out() == (LeftOut("greeter", "plain", "greedy 1.2", "the name is taken by profpipe itself"),)


def test_of_two_packages_with_one_name_the_first_by_name_keeps_it(install: Install) -> None:
    install("b-greeters", GOOD, good="")
    install("a-greeters", GOOD, good="")
    registry = fresh()
    assert registry.package("good") == "a-greeters 1.2"
    assert registry.left_out() == (LeftOut("greeter", "good", "b-greeters 1.2", "the name is taken by a-greeters 1.2"),)


def test_a_part_that_cannot_be_used_does_not_keep_its_name_from_others(install: Install) -> None:
    install("a-greeters", "TITLE = 'half a part'", good="")
    install("b-greeters", GOOD, good="")
    registry = fresh()
    assert registry.get("good").TITLE == "good"
    assert registry.package("good") == "b-greeters 1.2"
    assert registry.left_out() == (LeftOut("greeter", "good", "a-greeters 1.2", "a_greeters lacks rank, greet"),)


def test_a_part_that_follows_the_protocol_has_no_faults() -> None:
    assert protocol_faults(PLAIN, Greeter) == []


class LoudGreeter(Greeter, Protocol):
    """A protocol that extends another one."""

    def shout(self) -> str:
        """Words for everyone."""


def test_members_of_an_extended_protocol_are_wanted_too() -> None:
    assert protocol_faults(object(), LoudGreeter) == ["lacks TITLE, rank, greet, shout"]


def test_a_part_that_raises_in_use_is_blamed_and_left_out_from_then_on(install: Install) -> None:
    install("greets-badly", GOOD, bad="")
    install("greets-well", GOOD, well="")
    registry = fresh()
    with pytest.raises(PartFailed) as raised, registry.blaming("bad"):
        raise KeyError("x")
    assert str(raised.value) == "greeter 'bad' of greets-badly 1.2 is left out: it raised KeyError: 'x'"
    assert registry.names() == ("plain", "well")
    assert [str(part) for part in registry.left_out()] == [str(raised.value)]


def test_errors_on_purpose_and_those_of_built_in_parts_pass(install: Install) -> None:
    install("greets-well", GOOD, well="")
    registry = fresh()
    with pytest.raises(UsageError, match="on purpose"), registry.blaming("well"):
        raise UsageError("on purpose")
    with pytest.raises(KeyError), registry.blaming("plain"):
        raise KeyError("x")
    assert registry.names() == ("plain", "well")
