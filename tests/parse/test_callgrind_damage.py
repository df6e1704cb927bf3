"""Damaged and odd files: a clear error with its line, a profile marked partial, or read right; never silently wrong."""

from __future__ import annotations

import gzip
import io
import random
import re
from collections.abc import Iterator

import pytest

from profpipe.errors import ParseError
from profpipe.model.profile import Profile
from profpipe.parse import callgrind
from profpipe.parse.callgrind import lines as cut
from tests.support import callgrind_spec as spec
from tests.support.paths import DATA

CAPTURES = DATA / "callgrind"
HEAD = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\nevents: Ir\n"
BODY = "fl=(1) a.c\nfn=(1) main\n10 5\n"
TAIL = "totals: 5\n"


def sample(name: str) -> bytes:
    return gzip.decompress((CAPTURES / name).read_bytes())


def parse(data: bytes | str) -> Profile:
    return callgrind.parse(io.BytesIO(data.encode() if isinstance(data, str) else data), "f.out")


def selfs(profile: Profile) -> dict[str, int]:
    return {who[0]: values[0] for (who, _), values in spec.flat(profile).self_costs.items()}


def silent(data: bytes) -> bool:
    """Whether this damaged file passes for a whole one."""
    try:
        return parse(data).meta.partial is None
    except ParseError:
        return False


def test_cut_at_every_byte_is_never_silent() -> None:
    data = sample("c-dumped.out.gz").rstrip(b"\n")
    assert not silent(b"")
    assert [n for n in range(len(data)) if silent(data[:n])] == []
    assert silent(data), "the whole file, only its last newline missing, is whole"


def first_of_their_kind(data: bytes) -> Iterator[int]:
    """Every place in a line whose form has not yet come after a line of the form of the one before it."""
    at, before, seen = 0, b"", set()
    for line in data.splitlines(keepends=True):
        form = re.sub(rb"\d+", b"0", re.sub(rb"(=\(\d+\)).*", rb"\1 name", line))
        if (before, form) not in seen:
            yield from range(at, at + len(line))
        seen.add((before, form))
        at, before = at + len(line), form


@pytest.mark.slow
def test_cut_anywhere_in_each_kind_of_line_is_never_silent() -> None:
    data = sample("c.out.gz").rstrip(b"\n")
    places = {*first_of_their_kind(data), *random.Random(2).sample(range(len(data)), 400)}
    assert len(places) > 1_400
    assert [n for n in sorted(places) if silent(data[:n])] == []
    assert silent(data), "the whole file, only its last newline missing, is whole"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asyncio.out.gz", "c-cachesim.out.gz", "recursion-zero.out.gz", "c-static.out.gz"])
def test_cut_at_400_places_is_never_silent(name: str) -> None:
    data = sample(name)
    end = data.rindex(b"totals:") + len("totals: ")
    places = random.Random(1).sample(range(end), 400)
    assert [n for n in places if silent(data[:n])] == []


def test_a_cut_file_keeps_what_was_read() -> None:
    data = sample("c.out.gz")
    profile = parse(data[: data.index(b"calls=4000 +2 \n* 238000") + 19])
    assert profile.meta.partial is not None
    assert "add up to 38,000 Ir" in profile.meta.partial


def test_a_changed_digit_is_seen() -> None:
    data = sample("c.out.gz").replace(b"\n19 20000\n", b"\n19 20001\n", 1)
    partial = parse(data).meta.partial
    assert partial is not None
    assert "add up to 4,860,500 Ir, `totals:` says 4,860,499" in partial


REFUSED = {
    "empty": ("", None, r"killed before it saved .*`F\.1` after a dump"),
    "other text": ("hello world\n", 1, "no line of the callgrind format"),
    "no events": ("# callgrind format\nversion: 1\n", 2, "no `events:` line"),
    "costs before events": ("version: 1\nfn=main\n1 2\n", 2, "before `events:`"),
    "events twice": (HEAD + "events: Ir\n", 5, "second `events:`"),
    "one event twice": ("events: Ir Ir\n", 1, "names one event twice"),
    "events without names": ("events:\n", 1, "names no event"),
    "version 2": ("version: 2\nevents: Ir\n", 1, "only version 1"),
    "positions": ("positions: line instr\nevents: Ir\n", 1, "expected instr, bb, line"),
    "unknown line": (HEAD + BODY + "walrus\n", 8, "'walrus' is no line"),
    "unknown key in body": (HEAD + BODY + "walrus: 3\n", 8, "unknown line `walrus:`"),
    "unknown spec": (HEAD + BODY + "xfn=(1)\n", 8, "is no line"),
    "cost without function": (HEAD + "fl=a.c\n10 5\n", 6, "before any `fn=`"),
    "call without function": (HEAD + "cfn=f\ncalls=1 2\n10 5\n", 6, "before any `fn=`"),
    "call of nothing": (HEAD + BODY + "calls=1 2\n10 5\n", 8, "before any `cfn=`"),
    "call without its cost": (HEAD + BODY + "cfn=f\ncalls=1 2\nfn=(1)\n10 5\n", 9, "not followed by its cost"),
    "call at the end": (HEAD + BODY + "cfn=f\ncalls=1 2\n" + TAIL, 9, "not followed by its cost"),
    "function without name": (HEAD + "fn=\n10 5\n", 5, "without a name"),
    "undefined id": (HEAD + "fn=(7)\n10 5\n", 5, r"function \(7\) is used before"),
    "undefined file": (HEAD + "fl=(7)\nfn=(1) f\n10 5\n", 5, r"file \(7\) is used before"),
    "undefined object": (HEAD + "ob=(7)\nfn=(1) f\n10 5\n", 5, r"object \(7\) is used before"),
    "id used before it is defined": (HEAD + "fn=(2)\n1 1\nfn=(2) late\n", 5, "is used before"),
    "ids of files are none of functions": (HEAD + "fl=(1) a.c\nfn=(1)\n1 1\n", 6, "is used before"),
    "huge id": (HEAD + "fn=(99999999) f\n", 5, "with an id under 16,777,216"),
    "endless id": (HEAD + f"fn=({'9' * 5000}) f\n", 5, "with an id under"),
    "open id": (HEAD + "fn=(1 f\n", 5, r"expected `\(id\)`"),
    "negative count": (HEAD + BODY + "10 -5\n", 8, "expected a count from 0"),
    "nan": (HEAD + BODY + "10 nan\n", 8, "expected a count from 0"),
    "float": (HEAD + BODY + "10 1.5\n", 8, "expected a count from 0"),
    "exponent": (HEAD + BODY + "10 1e9\n", 8, "expected a count from 0"),
    "count over 64 bits": (HEAD + BODY + f"10 {2**63}\n", 8, "to 9,223,372,036,854,775,807"),
    "5,000 digits": (HEAD + BODY + "10 " + "9" * 5000 + "\n", 8, "expected a count from 0"),
    "other digits": (HEAD + BODY + "10 ٣\n", 8, "expected a count from 0"),
    "sum over 64 bits": (HEAD + BODY + f"10 {2**62}\n11 {2**62}\n", None, "more than 64 bits"),
    "sum over 64 bits, two blocks": (
        HEAD + BODY + f"10 {2**62}\nfn=(2) g\n11 {2**62}\n",
        None,
        "more than 64 bits",
    ),
    "calls over 64 bits": (
        HEAD + BODY + f"cfn=(1)\ncalls={2**62} 1\n1 1\ncalls={2**62} 1\n1 1\n" + TAIL,
        None,
        "more than 64 bits",
    ),
    "count of calls": (HEAD + BODY + "cfn=f\ncalls=many 2\n10 5\n", 9, "expected a count from 0"),
    "no count of calls": (HEAD + BODY + "cfn=f\ncalls=\n10 5\n", 9, "expected a count from 0"),
    "target of call": (HEAD + BODY + "cfn=f\ncalls=1 x!\n10 5\n", 9, "calls=count target"),
    "jump": (HEAD + BODY + "jump=4 nowhere\n", 8, "is no line"),
    "position": (HEAD + BODY + "1a:2 5\n", 8, "positions are numbers"),
    "too many counts": (HEAD + BODY + "10 5 6\n", 8, "at most 1 counts"),
    "too few positions": ("positions: instr line\nevents: Ir\nfn=f\n0x10\n", 4, "2 positions"),
    "totals no number": (HEAD + BODY + "totals: lots\n", 8, "'lots' is no count"),
    "totals negative": (HEAD + BODY + "totals: -5\n", 8, "is no count"),
    "too many totals": (HEAD + BODY + "totals: 5 6\n", 8, "2 numbers for 1 event"),
    "endless formulas": ("".join(f"event: E{i} = 2 E{i + 1}\n" for i in range(200)), 101, "over 100 `event:` formulas"),
    "utf-16": ((HEAD + BODY + TAIL).encode("utf-16"), 1, "UTF-16"),
    "binary": (b"\x7fELF\x02\x01\x01\0\0\0", 1, "binary"),
    "carriage returns only": ((HEAD + BODY + TAIL).replace("\n", "\r"), 1, "no `events:` line|no line"),
    "line of 20 MB": (HEAD + BODY + "1" * 20_000_000 + "\n", 8, "no whole line or call in 1,048,576 bytes"),
    "name of 20 MB": (HEAD + BODY + "fn=(2) " + "x" * 20_000_000 + "\n", 8, "no whole line or call in 1,048,576 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_line(case: str) -> None:
    data, line, message = REFUSED[case]
    with pytest.raises(ParseError, match=message) as caught:
        parse(data)
    assert caught.value.line == line
    assert caught.value.source == "f.out"
    assert len(str(caught.value)) < 600


def test_costs_and_header_lines_in_turn_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stretch of costs takes some 0.1 ms however short it is: 1 MB of these lines would take minutes."""
    monkeypatch.setattr("profpipe.parse.callgrind.run.MAX_STRETCHES", 100)
    with pytest.raises(ParseError, match="over 100 times costs and header lines in turn") as caught:
        parse(HEAD + BODY + "totals: 5\n1 0\n" * 200)
    assert caught.value.line == 7 + 2 * 100


def test_what_is_odd_but_allowed_is_read_right() -> None:
    odd = (
        HEAD + "# a comment\n  \n\t\nfl=(1)   a.c  \nfn=(1)\tmain\n0x1F\t0x10\n+3  1 \n-2 1\n* 1\n 10\n10\n"
    ).replace(" 10\n10\n", "10\n")
    profile = parse(odd + "calls=0x2 +3\n".replace("calls", "cfn=(2) f\ncalls") + "\n# between\n* 0X20\ntotals: 19\n")
    assert selfs(profile) == {"main": 19}
    assert spec.flat(profile).calls == {(("main", "a.c", "", 1), ("f", "a.c", "", 1)): [2, 32]}
    assert profile.meta.partial is None


def test_carriage_return_line_feed() -> None:
    data = sample("c-dumpinstr.out.gz")
    assert spec.flat(parse(data.replace(b"\n", b"\r\n"))) == spec.flat(parse(data))


def test_byte_order_mark() -> None:
    assert selfs(parse(b"\xef\xbb\xbf" + (HEAD + BODY + TAIL).encode())) == {"main": 5}


def test_names_that_are_not_utf8_are_kept_apart_and_reported() -> None:
    data = HEAD.encode() + b"fn=(1) caf\xe9\n1 2\nfn=(2) caf\xe8\n1 3\ntotals: 5\n"
    profile = parse(data)
    assert selfs(profile) == {"caf\\xe9": 2, "caf\\xe8": 3}
    assert any("2 names hold bytes" in w for w in profile.meta.warnings)


def test_largest_count() -> None:
    profile = parse(HEAD + f"fn=f\n1 {2**63 - 1}\ntotals: {2**63 - 1}\n")
    assert profile.self_sum("instructions") == 2**63 - 1


@pytest.mark.parametrize("digits", range(1, 20))
def test_numbers_of_every_length(digits: int) -> None:
    values = [int("123456789012345678"[:digits]) if digits < 19 else 10**18, 10 ** (digits - 1), 0, 7]
    body = "".join(f"1 {v}\n" for v in values)
    assert selfs(parse(HEAD + "fn=f\n" + body + f"totals: {sum(values)}\n")) == {"f": sum(values)}


def test_an_id_can_be_given_a_new_name() -> None:
    """The manual: a definition holds from its line on."""
    body = "fn=(1) old\n1 1\nfn=(1)\n1 2\nfn=(1) new\n1 4\nfn=(1)\n1 8\nfn=(1) old\n1 16\n"
    assert selfs(parse(HEAD + body + "totals: 31\n")) == {"old": 19, "new": 12}


def test_names_with_odd_characters() -> None:
    names = [
        "(below main)",
        "operator()(int) const",
        "a'b",
        "a'1",
        "a'02",
        "f(x) = 3",
        "</script>",
        "  x  y",
        "'2",
        "(a",
    ]
    body = "".join(f"fn=({i}) {name}\n1 1\n" for i, name in enumerate(names))
    body += "".join(f"fn={name.strip()}\n1 1\n" for name in names)
    profile = parse(HEAD + body + f"totals: {2 * len(names)}\n")
    assert selfs(profile) == {name.strip(): 2 for name in names}


def test_recursion_levels() -> None:
    body = "fn=(1) walk\n1 1\nfn=(2) walk'2\n1 2\nfn=(3) walk'12\n1 4\nfn=(4) walk'2'main\n1 8\n"
    rows = spec.flat(parse(HEAD + body + "totals: 15\n")).self_costs
    assert {(k[0][0], k[0][3]): v[0] for k, v in rows.items()} == {
        ("walk", 1): 1,
        ("walk", 2): 2,
        ("walk", 12): 4,
        ("walk'2'main", 1): 8,
    }


def test_call_to_another_file_and_object_holds_for_one_call() -> None:
    body = (
        "ob=(1) prog\nfl=(1) a.c\nfn=(1) main\ncob=(2) lib\ncfi=(2) b.c\ncfn=(2) f\ncalls=1 1\n1 10\n"
        "cfn=(2)\ncalls=1 1\n1 20\nfi=(3) inl.h\ncfl=(2)\ncfn=(2)\ncalls=3 1\n1 40\ncfn=(2)\ncalls=4 1\n1 80\n"
    )
    main = ("main", "a.c", "prog", 1)
    assert spec.flat(parse(HEAD + body + "totals: 0\n")).calls == {
        (main, ("f", "b.c", "lib", 1)): [1, 10],
        (main, ("f", "a.c", "prog", 1)): [1, 20],
        (main, ("f", "b.c", "prog", 1)): [3, 40],
        (main, ("f", "inl.h", "prog", 1)): [4, 80],
    }


def test_a_function_after_inlined_code_lives_in_the_current_file() -> None:
    """callgrind leaves `fl=` out when the next function is in the file that the last `fi=` named."""
    body = "fl=(1) a.c\nfn=(1) f\n1 1\nfi=(2) b.h\n1 2\nfn=(2) g\n1 4\n"
    assert spec.flat(parse(HEAD + body + "totals: 7\n")).self_costs == {
        (("f", "a.c", "", 1), "a.c"): [1],
        (("f", "a.c", "", 1), "b.h"): [2],
        (("g", "b.h", "", 1), "b.h"): [4],
    }


def test_missing_counts_are_0_and_events_have_labels_and_formulas() -> None:
    head = "event: Dr : data reads\nevent: Sum = Ir + 2 Dr : both\nevent: Bad = Ir + Nope\nevent: All = Sum + Ir\n"
    profile = parse(head + "events: Ir Dr Dw\nfn=f\n1 5\n2 1 2\n3 1 2 3\n4\ntotals: 7 4 3\n")
    keys = {m.key: (m.label, profile.self_sum(m.key)) for m in profile.metrics}
    assert keys == {
        "instructions": ("instructions", 7),
        "dr": ("data reads", 4),
        "dw": ("Dw", 3),
        "sum": ("both", 15),
        "all": ("All", 22),
    }
    assert profile.declared == {"instructions": 7, "dr": 4, "dw": 3, "sum": 15, "all": 22}
    assert profile.meta.warnings == ("event Bad is left out: its formula names an event that is not counted here",)


def test_totals_are_checked_for_every_event() -> None:
    profile = parse("events: Ir Dr\nfn=f\n1 5 7\ntotals: 5 8\n")
    assert profile.meta.partial is not None
    assert "7 Dr, `totals:` says 8" in profile.meta.partial


def test_summary_0_with_totals_is_whole_and_summary_below_totals_is_reported() -> None:
    assert parse(HEAD + "summary: 0\n" + BODY + TAIL).meta.partial is None
    profile = parse(HEAD + "summary: 3\n" + BODY + TAIL)
    assert profile.meta.partial is None
    assert any("`summary:` says 3" in w for w in profile.meta.warnings)


def test_two_totals_that_differ_are_partial() -> None:
    assert parse(HEAD + BODY + TAIL + TAIL).meta.partial is None
    for tail in (TAIL + "totals: 9\n", "totals: 9\n" + TAIL):
        partial = parse(HEAD + BODY + tail).meta.partial
        assert partial is not None
        assert "two `totals:` lines differ" in partial


def test_every_part_is_checked() -> None:
    part = "part: {}\nevents: Ir\nfn=(1) f\n1 5\ntotals: {}\n\n"
    profile = parse("creator: callgrind-3\n" + part.format(1, 5) + part.format(2, 6))
    assert profile.meta.partial is not None
    assert profile.meta.partial.startswith("part 2: the self costs add up to 5 Ir, `totals:` says 6")
    assert parse("creator: callgrind-3\n" + part.format(1, 5) + part.format(2, 5)).meta.partial is None


def test_an_empty_file_among_parts_is_left_out_and_reported() -> None:
    whole = io.BytesIO((HEAD + BODY + TAIL).encode())
    profile = callgrind.parse_parts([(io.BytesIO(b""), "f.out"), (whole, "f.out-01")])
    assert selfs(profile) == {"main": 5}
    assert profile.meta.warnings == ("f.out: empty file, left out",)


def test_a_damaged_part_is_named() -> None:
    good, bad = (io.BytesIO((HEAD + BODY + tail).encode()) for tail in (TAIL, "walrus\n"))
    with pytest.raises(ParseError, match=r"^b\.out:8: "):
        callgrind.parse_parts([(good, "a.out"), (bad, "b.out")])


@pytest.mark.parametrize("size", [*range(40, 140), 500, 4096])
def test_where_windows_are_cut_does_not_matter(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (
        HEAD + "ob=(1) p\nfl=(1) a.c\nfn=(1) main\n1 5\ncob=(2) lib\ncfi=(2) b.c\n\n# x\ncfn=(2) f\n\n"
        "calls=2 7\n# y\n\n3 70\n+1 1\nfi=(3) c.h\n+1 1\ncfn=(2)\ncalls=1 1\n2 9\nfe=(1)\n\n* 2\nfn=(2)\n9 9\n\n"
        "totals: 18\n"
    )
    windows = cut.windows
    whole = spec.flat(parse(data))
    monkeypatch.setattr("profpipe.parse.callgrind.run.windows", lambda raw: windows(raw, size))
    assert spec.flat(parse(data)) == whole
    assert whole.self_costs[(("main", "a.c", "p", 1), "c.h")] == [1]
    with pytest.raises(ParseError) as caught:
        parse(data.replace("* 2\n", "* x\n"))
    assert caught.value.line == data[: data.index("* 2\n")].count("\n") + 1


def test_short_reads_are_no_end_of_file() -> None:
    class Trickle(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            return super().readinto(memoryview(buffer)[:7])  # type: ignore[call-overload, no-any-return]

    data = sample("c.out.gz")
    assert spec.flat(callgrind.parse(Trickle(data), "f")) == spec.flat(parse(data))


SNIFFED = [
    (b"# callgrind format\nversion: 1\n", "x", True),
    (b"version: 1\ncreator: yappi\npid: 1\ncmd: x\npart: 1\n\nevents: Ticks\n", "x", True),
    (b"version: 1\ncreator: yappi\npid: 1\n", "x", None),
    (b"# callg", "x", None),
    (b"desc: I1 cache: 32768 B\ncmd: ./x\nevents: Ir\n", "cachegrind.out.12", True),
    (b"creator: xdebug 3\r\nevents: Time\r\n", "x", True),
    (b"vers", "x", None),
    (b"\n\n", "x", None),
    (b"", "callgrind.out.123", True),
    (b"", "c.prof", None),
    (b"main;f;g 3\n", "callgrind.out", False),
    (b'{"version": 1}', "x", False),
    (b"\x80\x04\x95", "x", False),
    (b"versions of the thing\nfoo", "x", False),
]


@pytest.mark.parametrize(("head", "name", "answer"), SNIFFED)
def test_sniff(head: bytes, name: str, answer: bool | None) -> None:
    assert callgrind.sniff(head, name) is answer


@pytest.mark.parametrize("path", sorted(p.name for p in CAPTURES.glob("*.gz") if "annotate" not in p.name))
def test_sniff_of_samples_never_says_no_and_soon_says_yes(path: str) -> None:
    data = sample(path)
    answers = [callgrind.sniff(data[:n], "unknown") for n in range(1, 700)]
    assert False not in answers
    assert answers[-1] is True


def test_sniff_of_annotate_text_says_no() -> None:
    assert callgrind.sniff(sample("c.annotate.txt.gz"), "callgrind.out") is False
