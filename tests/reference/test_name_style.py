"""Names and lists as cargo-profiler printed them: the ten names of the 2018 lists, from the symbols it was given."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from profpipe.cli import cli
from profpipe.reference.post2018.names import cargo_profiler_list, cargo_profiler_name
from tests.support.paths import DATA

CAPTURES = DATA / "callgrind"
SYMBOLS = DATA / "post2018/symbols.txt"
HASH = "::h0123456789abcdef"
ENTRY = "_$LT$F$u20$as$u20$generator..gen_impl..FnBox$GT$::call_box"
# What the rows and their percentages imply; the post does not print it.
TOTALS = {"may": 787_000_000, "future": 638_500_000}


def post_rows(name: str) -> list[tuple[int, str, str]]:
    """(value, file, symbol) of one list of the post, in its order."""
    lines = [line.split(" ") for line in SYMBOLS.read_text().splitlines() if not line.startswith("#")]
    return [(int(value), file, symbol) for listed, value, file, symbol in lines if listed == name]


def symbol(text: str) -> str:
    return text + HASH if "::" in text else text


def test_the_lists_of_the_post(golden: Callable[[str, str], None]) -> None:
    parts = []
    for name, total in TOTALS.items():
        rows = [(value, f"{file}:{cargo_profiler_name(symbol(text))}") for value, file, text in post_rows(name)]
        assert len(rows) == {"may": 5, "future": 6}[name]
        parts.append(cargo_profiler_list(rows, total))
    parts.append(cargo_profiler_name(ENTRY + HASH) + "\n")
    golden("seed-lists-of-the-post.txt", "\n".join(parts))


@pytest.mark.parametrize(
    ("today", "then"),
    [
        (
            "<std::io::default_write_fmt::Adapter<T> as core::fmt::Write>::write_str",
            "_..std..io..default_write_fmt..Adapter..T....as..core..fmt..Write..::write_str",
        ),
        ("<tokio_core::reactor::Core>::poll", "tokio_core::reactor::Core::poll"),
        ("core::fmt::write", "core::fmt::write"),
        ("__memcpy_avx_unaligned_erms", "__memcpy_avx_unaligned_erms"),
        ("hyper::main::{closure#0}", "hyper::main::_..closure..0.."),
        ("runtime.main.func1", "runtime.main.func1"),
        ("", ""),
    ],
)
def test_a_name_of_today_in_the_old_form(today: str, then: str) -> None:
    assert cargo_profiler_name(today) == then


@given(st.text(max_size=60))
def test_any_text_is_one_word(text: str) -> None:
    assert " " not in cargo_profiler_name(text)


def test_parse_prints_the_list_in_that_form(tmp_path: Path) -> None:
    capture = tmp_path / "callgrind.out.1"
    capture.write_bytes(gzip.decompress((CAPTURES / "hyper010-may-5000.out.gz").read_bytes()))
    done = CliRunner().invoke(cli, ["parse", str(capture), "--name-style", "cargo-profiler", "--limit", "3"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1::2] == ["-" * 71] * 3
    assert lines[0] == (
        "7,360,000 (10.7%) mod.rs:_..hyper..http..h1..HttpWriter....mut..dyn..std..io..Write....as..std..io..Write..::"
        "write_all"
    )
    refused = CliRunner().invoke(cli, ["parse", str(capture), "--name-style", "cargo-profiler", "--json"])
    assert refused.exit_code != 0
