"""The flight recorder of a real JVM: methods with their class and line, and a JVM that cannot be asked is named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from profpipe.analyse.tables.profile_list import HotspotRow, hotspot_list
from profpipe.capture import profiler
from profpipe.capture.interface import Launch
from profpipe.capture.profilers.jvm.async_profiler import FETCH, LIBRARY, find_library, unpacked
from profpipe.capture.profilers.jvm.machines import COMPLAINTS, Machine
from profpipe.capture.profilers.jvm.session import JvmSession
from profpipe.capture.server.java_program import PACKAGES, java_program
from profpipe.capture.server.process import Stopped
from profpipe.errors import UsageError
from profpipe.model.run import RunRecord
from profpipe.parse import parse_file
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import run
from tests.support.paths import ROOT
from tests.support.tools import require

SERVER = ROOT / "tests" / "servers" / "jvm"


def target(*flags: str) -> Target:
    command = ("java", *flags, "-Dsun.net.httpserver.nodelay=true", "Prices.java", "{port}")
    return Target(command=command, language="jvm", ready=Ready(line="^ready$"))


def rows(record: RunRecord, folder: Path) -> dict[str, HotspotRow]:
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    return {row.function.name: row for row in hotspot_list(parse_file(folder / capture.path))}


@pytest.mark.real
def test_the_method_that_takes_the_time_has_its_class_and_line(tmp_path: Path) -> None:
    require("jcmd")
    found = rows(run(target(), tmp_path, "jvm-cpu", 800, root=SERVER), tmp_path)
    own = [row for row in found.values() if row.category == "application"]
    assert max(own, key=lambda row: row.self["samples"]).function.name == "Prices.total"
    assert found["Prices.total"].function.file == "Prices.java"
    assert (found["Prices.handle"].total["samples"] or 0) >= found["Prices.total"].self["samples"]


@pytest.mark.real
def test_allocated_bytes_are_those_of_the_method_that_allocates(tmp_path: Path) -> None:
    require("jcmd")
    found = rows(run(target(), tmp_path, "jvm-allocs", 3000, root=SERVER), tmp_path)
    own = [row for row in found.values() if row.category == "application"]
    assert max(own, key=lambda row: row.self["allocated_bytes"]).function.name == "Prices.list"


@pytest.mark.real
def test_async_profiler_sees_the_compiler_and_native_code_too(tmp_path: Path) -> None:
    require("jcmd")
    if find_library("") is None:
        pytest.skip(FETCH)
    found = rows(run(target(), tmp_path, "async-profiler", 300, root=SERVER), tmp_path)
    own = [row for row in found.values() if row.category == "application"]
    assert max(own, key=lambda row: row.self["samples"]).function.name == "Prices.total"
    assert {"compiler", "syscalls"} <= {row.category for row in found.values()}


def test_async_profiler_is_found_in_mavens_folder_or_where_the_option_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_library("") is None
    for version in ("4.5", "4.10"):
        folder = tmp_path / ".m2/repository/tools/profiler/async-profiler" / version
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / f"async-profiler-{version}.jar", "w") as jar:
            jar.writestr(f"linux-x64/{LIBRARY}", version)
            jar.writestr(f"linux-arm64/{LIBRARY}", version)
    newest = find_library("")
    assert newest is not None
    assert newest.name == "async-profiler-4.10.jar"
    assert unpacked(newest, tmp_path).read_text() == "4.10"
    assert find_library(str(tmp_path / "missing.so")) is None


@pytest.mark.real
def test_a_jvm_that_refuses_to_be_attached_to_is_named(tmp_path: Path) -> None:
    require("jcmd")
    record = run(target("-XX:+DisableAttachMechanism"), tmp_path, "jvm-cpu", root=SERVER)
    assert record.phase == "window"
    assert "-XX:+DisableAttachMechanism" in (record.reason or "")


@pytest.mark.real
def test_a_server_without_a_jvm_is_refused(tmp_path: Path) -> None:
    python = ("{python}", str(ROOT / "targets" / "python" / "threads.py"), "--port", "{port}")
    other = Target(command=python, language="jvm", ready=Ready(tcp=True))
    record = run(other, tmp_path, "jvm-cpu", root=SERVER)
    assert "no process of the server is a Java virtual machine" in (record.reason or "")


def test_a_window_without_java_code_is_refused(tmp_path: Path) -> None:
    launch = Launch(target=target(), argv=("java",), env={}, cwd=tmp_path, raw=tmp_path, options={})
    session = JvmSession(launch, event="jdk.ExecutionSample", settings=("period=1ms",))
    session.machines = [Machine(1, ())]
    (tmp_path / "jvm.1.jfr.txt").write_text("")
    assert "no Java code ran long enough" in (session.collect(Stopped(0, killed=False, left_behind=0)).refused or "")
    session.abandon()
    assert not session.folder.exists()


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("com.sun.tools.attach.AttachNotSupportedException: Unable to open socket file", "refuses to be attached to"),
        ("java.lang.IllegalArgumentException: Unknown diagnostic command", "no flight recorder"),
        ("java.lang.IllegalArgumentException: Unknown argument '+jdk.ExecutionSample", "JDK 17 or newer"),
    ],
)
def test_what_jcmd_complains_of_is_explained(output: str, meaning: str) -> None:
    assert meaning in next(words for pattern, words in COMPLAINTS if pattern.search(output))


def test_options_and_other_programs_are_refused() -> None:
    with pytest.raises(UsageError, match="jvm-cpu: interval is 0; give a whole number, 1 to 1000"):
        profiler("jvm-cpu").check({"interval": 0})
    assert profiler("jvm-cpu").refuses(Target(command=("./server",), language="go")) is not None
    assert profiler("jvm-allocs").refuses(Target(command=("java", "-jar", "x.jar"))) is None


def test_a_programs_own_packages_are_those_of_its_classes_and_sources(tmp_path: Path) -> None:
    (tmp_path / "src/com/shop/web").mkdir(parents=True)
    (tmp_path / "src/com/shop/web/Page.java").write_text("// a page\npackage com.shop.web;\nclass Page {}\n")
    (tmp_path / "classes/org/acme").mkdir(parents=True)
    (tmp_path / "classes/org/acme/Tool.class").write_bytes(b"")
    command = ("java", "-Xmx1g", "-cp", "classes:lib/other.jar", "com.shop.Main", "8080")
    assert java_program(command, tmp_path) == {PACKAGES: "com.shop, org.acme"}
    assert java_program(("java", "Prices.java", "80"), SERVER) == {}


def test_a_jar_names_its_main_class(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "app.jar", "w") as jar:
        jar.writestr(
            "META-INF/MANIFEST.MF",
            "Main-Class: org.springframework.boot.loader.launch.JarLauncher\r\nStart-Class: com.shop.App\r\n",
        )
        jar.writestr("BOOT-INF/classes/com/shop/model/Cart.class", b"")
    assert java_program(("java", "-jar", "app.jar"), tmp_path) == {PACKAGES: "com.shop"}
    assert java_program(("java", "-jar", "missing.jar"), tmp_path) == {}
