"""Folded stacks: py-spy raw, FlameGraph. Oracles: the counts in the file, what the tool printed, its twin."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import KERNEL, NATIVE, RUNTIMES, SYNTHETIC, Profile
from profpipe.parse import folded, parse_file
from profpipe.parse.stack_rows import EMPTY_FRAME, NO_STACK
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name, total_by_name

PYSPY = (
    "pyspy-asyncio.raw.txt",
    "pyspy-asyncio-gil.raw.txt",
    "pyspy-threads-threads.raw.txt",
    "pyspy-gevent-native.raw.txt",
    "pyspy-prefork-subprocesses.raw.txt",
)


def parse(text: str | bytes) -> Profile:
    return read(folded.parse, text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("name", PYSPY)
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/folded-{name}.txt", dump_text(read(folded.parse, capture(f"folded/{name}"))))


@pytest.mark.parametrize("name", PYSPY)
def test_every_sample_is_kept(name: str) -> None:
    text = capture(f"folded/{name}").decode()
    profile = parse(text)
    assert profile.self_sum("samples") == sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines())


def test_the_sum_is_what_pyspy_reported() -> None:
    said = re.search(r"Samples: (\d+)", capture("folded/pyspy-asyncio.stdout.txt").decode())
    assert said is not None
    assert read(folded.parse, capture("folded/pyspy-asyncio.raw.txt")).self_sum("samples") == int(said[1])


def test_self_and_total_of_pyspy_counted_by_hand() -> None:
    """The same file read by six lines of plain text splitting."""
    text = capture("folded/pyspy-asyncio.raw.txt").decode()
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        names = [frame.rsplit(" (", 1)[0] for frame in stack.split(";")]
        own[names[-1] or NO_STACK] += int(count)
        for name in set(names):
            total[name or NO_STACK] += int(count)
    profile = parse(text)
    assert self_by_name(profile) == own
    assert total_by_name(profile) == total


def test_pyspy_frames_carry_file_line_and_runtime() -> None:
    profile = parse("run (asyncio/runners.py:190);sock_recv (socketmodule.c:3567);send (libc.so.6);0x1 (?) 3\n")
    assert profile.functions.name == ("run", "sock_recv", "send", "0x1")
    assert profile.functions.file == ("asyncio/runners.py", "socketmodule.c", "", "")
    assert profile.functions.object == ("", "", "libc.so.6", "?")
    assert profile.frames.line is not None
    assert profile.frames.line.tolist() == [190, 3567, 0, 0]
    assert [RUNTIMES[r] for r in profile.functions.runtime] == ["python", "native", "native", "native"]


def test_lines_of_one_function_are_one_function() -> None:
    profile = parse("handle (a.py:10) 1\nhandle (a.py:12) 2\n")
    assert profile.functions.name == ("handle",)
    assert len(profile.frames.function) == 2


def test_paths_with_parentheses_and_colons() -> None:
    profile = parse("f (C:/My App (x86)/a.py:3) 1\n")
    assert (profile.functions.name, profile.functions.file) == (("f",), ("C:/My App (x86)/a.py",))


def test_threads_and_processes_are_not_functions() -> None:
    profile = read(folded.parse, capture("folded/pyspy-threads-threads.raw.txt"))
    assert len(profile.meta.threads) == 21
    assert not any(name.startswith("thread") for name in profile.functions.name)
    forked = read(folded.parse, capture("folded/pyspy-prefork-subprocesses.raw.txt"))
    assert forked.meta.threads == ("process 32602", "process 32601")
    assert forked.meta.command == "/opt/venv311/bin/python /srv/app/srv_prefork.py 0 2"
    assert "threads" in forked.says


def test_a_command_with_a_semicolon_stays_whole() -> None:
    profile = parse('process 7:"python -c import a;b";f (a.py:1) 2\n')
    assert profile.functions.name == ("f",)
    assert profile.meta.command == "python -c import a;b"


def test_empty_and_torn_stacks_are_kept_and_their_share_is_reported() -> None:
    profile = read(folded.parse, capture("folded/pyspy-asyncio-gil.raw.txt"))
    assert runtimes(profile)[NO_STACK] == SYNTHETIC
    assert any("3.3 % of the samples have no stack" in w for w in profile.meta.warnings)
    assert any("3.3 % of the samples hold frames with impossible lines" in w for w in profile.meta.warnings)


def test_an_empty_file_says_what_it_may_mean() -> None:
    with pytest.raises(ParseError, match="--subprocesses"):
        parse(capture("folded/pyspy-prefork.raw.txt"))


def test_a_last_line_without_a_line_end_is_read_and_doubted() -> None:
    profile = parse("a;b 3\na;c 4")
    assert self_by_name(profile) == {"b": 3, "c": 4}
    assert profile.meta.partial is None
    assert profile.meta.warnings == ("the last line, 2, has no line end: if the file was cut, its count is short",)


def test_pyspy_without_line_numbers_keeps_its_python_functions() -> None:
    """`py-spy record --nolineno` and names like `<string>`: the place is a file without a line, not an object."""
    profile = parse("<module> (app.py);View.render (lib/view.py);f (<string>);send (libc.so.6) 3\n")
    assert profile.functions.file == ("app.py", "lib/view.py", "<string>", "")
    assert profile.functions.object == ("", "", "", "libc.so.6")
    assert [RUNTIMES[r] for r in profile.functions.runtime] == ["python", "python", "python", "native"]


def test_functions_without_a_symbol_belong_to_their_object() -> None:
    profile = parse("main;[libc.so.6] 1\nmain;[[kernel.kallsyms]] 2\nmain;[unknown] 3\n")
    assert runtimes(profile) == {
        "main": NATIVE,
        "[libc.so.6]": NATIVE,
        "[[kernel.kallsyms]]": KERNEL,
        "[unknown]": NATIVE,
    }
    assert profile.functions.object == ("", "libc.so.6", "[kernel.kallsyms]", "")


def test_comments_are_no_stacks() -> None:
    assert self_by_name(parse("# generated by x\na;b 1\n# 5 more 7\na;c 2\n")) == {"b": 1, "c": 2}


def test_counts_with_decimals_are_kept_to_a_thousandth() -> None:
    """Thousandths from the first such line on, the lines before it included."""
    profile = parse("a;b 2\na;c 0.25\na;c 1.\na;d 0.0004\n")
    assert self_by_name(profile) == {"b": 2000, "c": 1250, "d": 0}
    assert profile.metrics[0].label == "samples x 1,000"


def test_a_first_stack_longer_than_the_head_is_still_folded(tmp_path: Path) -> None:
    long = tmp_path / "long.folded"
    long.write_text(";".join(f"function_{i}" for i in range(9000)) + " 3\na;b 1\n")
    assert long.stat().st_size > 100_000
    assert parse_file(long).self_sum("samples") == 4


def test_flamegraph_annotations_become_runtimes() -> None:
    profile = parse("java;tcp_sendmsg_[k] 2\njava;Lfoo::bar;_[j] 1\njava;std::vector<int>::push_back_[i] 4\n")
    assert runtimes(profile) == {
        "java": NATIVE,
        "tcp_sendmsg": KERNEL,
        "Lfoo::bar": NATIVE,
        EMPTY_FRAME: SYNTHETIC,
        "std::vector<int>::push_back": NATIVE,
    }


def test_demangled_names_are_not_taken_for_places() -> None:
    names = ("std::function<void (int)>::operator()(int) const", "foo(int) (.cold)", "(anonymous namespace)::f()")
    profile = parse("".join(f"main;{name} 1\n" for name in names))
    assert profile.functions.name == ("main", *names)
    assert set(profile.functions.object) == {""}


BAD = {
    "no count": (b"a;b 3\na;c\n", 2, "expected `frame;frame count`"),
    "two points": (b"a;b 3.5.1\n", 1, "expected `frame;frame count`"),
    "a negative count": (b"a;b -3\n", 1, "expected `frame;frame count`"),
    "other digits": ("a;b ٣\n".encode(), 1, "expected `frame;frame count`"),
    "a count of 5,000 digits": (b"a;b " + b"9" * 5000 + b"\n", 1, "does not fit 64 bits"),
    "a sum over 64 bits": (b"a;b 9223372036854775807\na;c 9223372036854775807\n", None, "sum of samples"),
    "a difference": (b"a;b 3 4\na;c 1 2\n", None, "difference of two profiles"),
    "austin without its beginning": (
        b"py:main:3 2006\nP41;T0:41;/a.py:f:3 1003\n# duration: 4013\n",
        2,
        "beginning is missing",
    ),
    "blank lines only": (b"\n\n", None, "no stack"),
    "comments only": (b"# made by a script\n", None, "no stack"),
}


@pytest.mark.parametrize(("data", "line", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_line_and_the_reason(data: bytes, line: int | None, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)) as caught:
        parse(data)
    assert caught.value.line == line


ENCODINGS = {
    "CRLF": b"a;b 3\r\na;c 4\r\n",
    "CR alone": b"a;b 3\ra;c 4\r",
    "UTF-8 mark": b"\xef\xbb\xbfa;b 3\na;c 4\n",
    "UTF-16 LE": "a;b 3\na;c 4\n".encode("utf-16"),
    "UTF-16 BE": b"\xfe\xff" + "a;b 3\na;c 4\n".encode("utf-16-be"),
}


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
def test_encodings_give_the_same_numbers(data: bytes) -> None:
    profile = parse(data)
    assert self_by_name(profile) == {"b": 3, "c": 4}
    assert profile.meta.partial is None


def test_bytes_that_are_no_text_are_shown_and_warned_of() -> None:
    profile = parse(b"a;caf\xe9\x00 3\n")
    assert profile.functions.name == ("a", "caf\\xe9\x00")
    assert profile.meta.warnings == ("1 lines hold bytes that are not UTF-8; shown as \\xNN",)


def test_hostile_names_stay_text() -> None:
    names = ("</script><script>alert(1)</script>", "=cmd|'/c calc'!A1", "\x1b[31mred", "‮evil", "$(touch x)", "a`b|c")
    assert parse("main;" + ";".join(names) + " 1\n").functions.name == ("main", *names)


@pytest.mark.slow
def test_a_stack_of_30_000_frames() -> None:
    profile = parse(";".join(f"f{i}" for i in range(30_000)) + " 1\n")
    assert profile.stacks is not None
    assert len(profile.stacks.parent) == 30_000
    assert self_by_name(profile) == {"f29999": 1}


@pytest.mark.parametrize("name", [PYSPY[-1], "pyspy-asyncio.raw.txt"])
def test_a_cut_is_an_error_or_a_warning_or_at_the_end_of_a_line(name: str) -> None:
    """The format says nowhere how much a file holds: a cut between two lines cannot be seen, any other is doubted."""
    data = capture(f"folded/{name}")
    for size in cuts(data, 150):
        result = outcome(folded.parse, data[:size])
        if isinstance(result, ProfpipeError) or data[:size].endswith(b"\n"):
            continue
        assert any("has no line end" in text for text in result.meta.warnings), size


def test_damaged_captures_never_crash_the_reader() -> None:
    for name, seed in (("pyspy-prefork-subprocesses.raw.txt", 1), ("pyspy-asyncio.raw.txt", 2)):
        for data in mutants(capture(f"folded/{name}"), seed, 150):
            outcome(folded.parse, data)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_profile_or_a_clean_error(data: bytes) -> None:
    outcome(folded.parse, data)


FRAME = st.text("abc;:()_[]kji. 19-#", min_size=1, max_size=12)


@given(st.lists(st.tuples(st.lists(FRAME, min_size=1, max_size=4), st.integers(0, 2**40)), min_size=1, max_size=8))
def test_samples_are_conserved_whatever_the_names(rows: list[tuple[list[str], int]]) -> None:
    text = "".join(f"x;{';'.join(frames)} {count}\n" for frames, count in rows)
    result = outcome(folded.parse, text.encode())
    if isinstance(result, Profile):
        assert result.self_sum("samples") == sum(count for _, count in rows)


def test_the_order_of_lines_does_not_matter() -> None:
    lines = capture("folded/pyspy-asyncio.raw.txt").splitlines(keepends=True)
    forward, backward = parse(b"".join(lines)), parse(b"".join(reversed(lines)))
    assert self_by_name(forward) == self_by_name(backward)
    assert total_by_name(forward) == total_by_name(backward)


def test_the_reader_does_not_need_to_seek() -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    assert folded.parse(Pipe(b"a;b 1\n"), "pipe").self_sum("samples") == 1
