"""Generated and mutated files: the fast reader and the plain one never disagree on a file that passes for whole."""

from __future__ import annotations

import gzip
import io
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.errors import ParseError
from profpipe.model.profile import Profile
from profpipe.parse import callgrind
from profpipe.parse.callgrind import lines as cut
from tests.support import callgrind_spec as spec
from tests.support.examples import examples
from tests.support.paths import DATA

CAPTURES = DATA / "callgrind"
SMALL = [
    gzip.decompress((CAPTURES / name).read_bytes())
    for name in ("c-static.out.gz", "c-cachesim.out.gz", "c-dumpinstr.out.gz", "recursion-zero.out.gz")
]
NAMES = [
    "main",
    "walk",
    "walk'2",
    "walk'3",
    "(below main)",
    "a::b<c, d>::e(int) const",
    "'2",
    "x=1",
    "calls=3",
    "é",
    "?",
]
PLACES = ["a.c", "b.h", "???", "./dir with blank/c.c", "<string>"]


def parse(data: bytes) -> Profile:
    return callgrind.parse(io.BytesIO(data), "generated")


class Writer:
    """Writes names in full or compressed as the draw says, and counts what it wrote as cost."""

    def __init__(self, draw: st.DrawFn, positions: list[str], events: int) -> None:
        self.draw, self.positions, self.events = draw, positions, events
        self.out: list[str] = []
        self.ids: dict[tuple[str, str], int] = {}
        self.self_sum = [0] * events

    def name(self, spec_: str, pool: list[str]) -> None:
        text = self.draw(st.sampled_from(pool))
        blank = self.draw(st.sampled_from(["", "", "", " "]))
        space = {"fn": "fn", "cfn": "fn", "ob": "ob", "cob": "ob"}.get(spec_, "fl")
        if not self.draw(st.booleans()):
            self.out.append(f"{spec_}={blank}{text}")
        elif (space, text) in self.ids:
            self.out.append(f"{spec_}={blank}({self.ids[space, text]})")
        else:
            number = self.ids[space, text] = len(self.ids) * 7 % 1999
            self.out.append(f"{spec_}={blank}({number}) {text}")

    def position(self) -> str:
        number = self.draw(st.integers(0, 2**40))
        return self.draw(st.sampled_from(["*", f"+{number}", f"-{number}", str(number), f"0x{number:x}"]))

    def cost(self, own: bool) -> None:
        counts = self.draw(st.lists(st.integers(0, 10**12) | st.integers(0, 9), max_size=self.events))
        words = [self.position() for _ in self.positions]
        words += [f"0x{c:X}" if self.draw(st.integers(0, 19)) == 0 else str(c) for c in counts]
        blank = self.draw(st.sampled_from([" ", " ", " ", "  ", "\t"]))
        self.out.append(blank.join(words) + self.draw(st.sampled_from(["", "", " ", "  "])))
        if own:
            for i, value in enumerate(counts):
                self.self_sum[i] += value

    def filler(self) -> None:
        if self.draw(st.integers(0, 5)) == 0:
            self.out.append(self.draw(st.sampled_from(["", "# 1 2", "  ", "#fn=nobody"])))

    def call(self) -> None:
        if self.draw(st.booleans()):
            self.name("cob", PLACES)
        if self.draw(st.booleans()):
            self.name(self.draw(st.sampled_from(["cfi", "cfl"])), PLACES)
        self.name("cfn", NAMES)
        self.filler()
        self.out.append(
            f"calls={self.draw(st.integers(0, 10**9))} {' '.join(self.position() for _ in self.positions)} "
        )
        if self.draw(st.integers(0, 5)) == 0:
            self.out += ["", "# between"]
        self.cost(own=False)

    def function(self) -> None:
        for kind in ("ob", "fl"):
            if self.draw(st.booleans()):
                self.name(kind, PLACES)
        self.name("fn", NAMES)
        steps = st.sampled_from(["cost", "cost", "cost", "call", "inline", "jump", "filler"])
        for step in self.draw(st.lists(steps, max_size=8)):
            if step == "cost":
                self.cost(own=True)
            elif step == "call":
                self.call()
            elif step == "inline":
                self.name(self.draw(st.sampled_from(["fi", "fe", "fl"])), PLACES)
            elif step == "jump":
                self.name("jfn", NAMES)
                self.out += [f"jcnd=3/4 {self.position()} *", f"jump=5 {self.position()}"]
                self.out.append(" ".join("*" for _ in self.positions))
            else:
                self.filler()


@st.composite
def files(draw: st.DrawFn) -> str:
    events = draw(st.integers(1, 3))
    parts = []
    ids: dict[tuple[str, str], int] = {}
    for part in range(draw(st.integers(1, 3))):
        positions = draw(st.sampled_from([["line"], ["instr", "line"], ["instr"], ["instr", "bb", "line"]]))
        writer = Writer(draw, positions, events)
        writer.ids = ids
        for _ in range(draw(st.integers(0, 5))):
            writer.function()
        head = f"part: {part + 1}\npositions: {' '.join(positions)}\nevents: {' '.join(['Ir', 'Dr', 'Dw'][:events])}\n"
        parts.append(head + "\n".join([*writer.out, f"totals: {' '.join(map(str, writer.self_sum))}"]) + "\n")
    return "creator: callgrind-generated\n" + "\n".join(parts)


@pytest.mark.slow
@settings(max_examples=examples(150))
@given(text=files(), size=st.integers(400, 3000))
def test_generated_files_are_read_alike_and_add_up(text: str, size: int) -> None:
    expected = spec.read(text)
    windows = cut.windows
    with mock.patch("profpipe.parse.callgrind.run.windows", lambda raw: windows(raw, size)):
        profile = parse(text.encode())
    found = spec.flat(profile)
    assert found.self_costs == expected.self_costs
    assert found.calls == expected.calls
    assert found.totals == expected.totals == found.sums()
    assert profile.meta.partial is None


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(texts=st.lists(files().filter(lambda t: "Dr" in t and "Dw" not in t), min_size=2, max_size=3))
def test_files_of_one_run_add_up(texts: list[str]) -> None:
    found = spec.flat(callgrind.parse_parts([(io.BytesIO(t.encode()), f"f.{i}") for i, t in enumerate(texts)]))
    for table in ("self_costs", "calls"):
        summed: dict[object, list[int]] = {}
        for text in texts:
            for key, values in getattr(spec.read(text), table).items():
                summed[key] = [a + b for a, b in zip(summed.get(key, [0] * len(values)), values, strict=True)]
        assert getattr(found, table) == summed


EDIT = st.tuples(
    st.floats(0, 1),
    st.integers(0, 3),
    st.binary(max_size=3)
    | st.sampled_from([b"\n", b" ", b"(1)", b"-", b"0", b"\r", b"\0", b"calls=", b"fn=", b"\xe9"]),
)


@pytest.mark.parametrize("which", range(len(SMALL)))
@settings(max_examples=examples(100))
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_mutated_files_are_refused_marked_or_read_right(which: int, edits: list[tuple[float, int, bytes]]) -> None:
    data = bytearray(SMALL[which])
    for where, drop, put in edits:
        at = int(where * len(data))
        data[at : at + drop] = put
    try:
        profile = parse(bytes(data))
    except ParseError:
        return
    if profile.meta.partial is None:
        expected = spec.read(bytes(data).decode(errors="backslashreplace").replace("\r\n", "\n"), any_position=True)
        found = spec.flat(profile)
        assert found.self_costs == expected.self_costs
        assert found.calls == expected.calls


@settings(max_examples=examples(200))
@given(st.binary(max_size=400) | st.text(alphabet="fncalobi=():()0123456789+-* \n#x", max_size=400).map(str.encode))
def test_noise_is_refused_or_partial(data: bytes) -> None:
    for noise in (data, b"events: Ir\n" + data):
        try:
            profile = parse(noise)
        except ParseError:
            continue
        assert profile.meta.partial is not None or b"totals:" in data or b"summary:" in data
        assert callgrind.sniff(noise, "x") in (True, False, None)
