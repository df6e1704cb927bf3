"""Call graphs to start from: a small server, and programs at random."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.support.call_graphs import Function, Program

SERVER: dict[str, Function] = {
    "main": Function(100, {"serve": 1}),
    "serve": Function(900, {"parse": 1, "write_head": 1, "write_body": 2}),
    "parse": Function(1500, {"find": 4}),
    "find": Function(400),
    "write_head": Function(2000, {"put": 6}),
    "write_body": Function(700, {"put": 3}),
    "put": Function(350),
}


def without(program: Program, name: str, caller: str) -> dict[str, Function]:
    calls = {callee: n for callee, n in program[caller].calls.items() if callee != name}
    return {n: replace(f, calls=calls) if n == caller else f for n, f in program.items() if n != name}


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Function]:
    """A tree of calls with some edges across, every function reached from main, sizes and call counts at random."""
    size = draw(st.integers(4, 14))
    rows: dict[str, Function] = {}
    for i in range(size - 1, -1, -1):
        name = "main" if i == 0 else f"{draw(st.sampled_from(WORDS))}{'xyz'[i % 3]}_{chr(97 + i)}{chr(97 + i)}q"
        rows[name] = Function(draw(st.integers(1, 5000)))
    names = list(reversed(rows))
    calls: dict[str, dict[str, int]] = {name: {} for name in names}
    for i, name in enumerate(names[1:], 1):
        calls[names[draw(st.integers(0, i - 1))]][name] = draw(st.integers(1, 9))
    for _ in range(draw(st.integers(0, size))):
        i = draw(st.integers(0, size - 2))
        calls[names[i]].setdefault(names[draw(st.integers(i + 1, size - 1))], draw(st.integers(1, 9)))
    return {name: replace(rows[name], calls=calls[name]) for name in names}


WORDS = ("parse", "write", "fold", "seek", "hash", "poll", "join", "drain")
