"""Only files are replaced: another kind of file of that name is written to, or refused with the reason."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from profpipe.errors import StoreError
from profpipe.store import files
from profpipe.store.files import write_output, write_together, write_whole


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write_output(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["link", "real", "there"]


def test_a_link_to_nothing_makes_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "new")
    write_output(tmp_path / "link", "data")
    assert (tmp_path / "new").read_text() == "data"
    assert (tmp_path / "link").is_symlink()


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(StoreError, match="cannot be written"):
        write_output(tmp_path / "a", "data")


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    write_output(Path("/dev/null"), "data")
    (tmp_path / "null").symlink_to("/dev/null")
    write_output(tmp_path / "null", "data")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert (tmp_path / "null").is_symlink()


def test_a_full_device_is_an_error() -> None:
    with pytest.raises(StoreError, match="/dev/full: cannot be written: No space left"):
        write_output(Path("/dev/full"), "data")


def test_a_pipe_gets_the_whole_text_and_stays(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_output(pipe, "data" * 100_000)
    reader.join(10)
    assert got == [b"data" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nothing_reads_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "READER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="nothing reads this pipe"):
        write_output(tmp_path / "pipe", "data")


@pytest.mark.programs
def test_a_socket_is_refused_and_nothing_else_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(StoreError, match="s: is a socket"):
            write_output(Path("s"), "data")
        with pytest.raises(StoreError, match="s: is a socket"):
            write_together({tmp_path / "a": "data", Path("s"): "data"})
    assert not (tmp_path / "a").exists()


def test_a_pipe_in_the_place_of_a_report_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.html")
    with pytest.raises(StoreError, match=r"report.html: is a named pipe, and only files are replaced"):
        write_whole(tmp_path / "report.html", "data")
