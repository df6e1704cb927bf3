"""Each profiler on real servers: it sees the threads and greenlets that serve, in the window only, or refuses."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from profpipe.capture import PROFILERS, profiler
from profpipe.capture.profilers.callgrind import options, vgdb
from profpipe.capture.profilers.callgrind.dumps import counts_bytes, total_of
from profpipe.capture.profilers.callgrind.options import flags, merged_godebug, merged_tunables, other_libc
from profpipe.capture.profilers.pyspy import samples_in
from profpipe.capture.profilers.python_agent.inprocess import Seen, split_command
from profpipe.errors import CaptureError, UsageError
from profpipe.model.profile import Profile
from profpipe.model.run import RunRecord
from profpipe.parse import parse_files
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import FAULTY, ROOT, Drive, faulty, ours, run
from tests.support.paths import DATA
from tests.support.processes import processes
from tests.support.tools import require

REQUESTS = 200
NEEDS = {"gevent_server": ("gevent",), "uvloop_protocol": ("uvloop",)}


def parsed(captured: RunRecord, folder: Path) -> Profile:
    """The captures of a run, read by the parser their format names."""
    assert captured.reason is None
    assert captured.captures
    formats = {file.format for file in captured.captures}
    assert len(formats) == 1
    return parse_files([folder / file.path for file in captured.captures], formats.pop())


def calls_of(document: Path, name: str, file: str) -> int:
    """How often yappi saw a function called."""
    functions = json.loads(document.read_text())["functions"]
    return sum(f["calls"] for f in functions if f["name"] == name and f["module"].endswith(file))


# ---- what can be said without running anything


def test_every_profiler_keeps_the_contract() -> None:
    for name, instrument in PROFILERS.parts():
        assert instrument.name == name
        assert instrument.kind in {"clean", "counted", "sampled", "traced"}
        assert instrument.limits(ours("threads"))
        assert instrument.refuses(ours("threads")) is None
        assert (instrument.emits is None) == (name == "clean")


def test_an_unknown_profiler_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no profiler named 'gprof'; there are: clean, callgrind"):
        profiler("gprof")


@pytest.mark.parametrize("name", ["py-spy", "pyinstrument", "yappi", "cprofile"])
def test_python_profilers_refuse_other_programs(name: str) -> None:
    reason = profiler(name).refuses(Target(command=("/bin/sleep", "1"), language="native"))
    assert reason is not None
    assert "Python" in reason


@pytest.mark.parametrize(
    ("present", "merged"),
    [
        ("", "glibc.cpu.hwcaps=-ERMS"),
        ("glibc.malloc.check=1", "glibc.malloc.check=1:glibc.cpu.hwcaps=-ERMS"),
        ("glibc.cpu.hwcaps=-AVX2", "glibc.cpu.hwcaps=-AVX2,-ERMS"),
        ("glibc.cpu.hwcaps=-ERMS:a=b", "glibc.cpu.hwcaps=-ERMS:a=b"),
    ],
)
def test_tunables_of_the_user_are_kept(present: str, merged: str) -> None:
    assert merged_tunables(present) == merged


def test_go_loses_its_preemption_signals_and_keeps_the_rest() -> None:
    assert merged_godebug("gctrace=1") == "gctrace=1,asyncpreemptoff=1"
    assert merged_godebug("asyncpreemptoff=0") == "asyncpreemptoff=0"


def test_old_valgrind_has_no_nanoseconds() -> None:
    assert "--collect-systime=nsec" in flags({}, "3.19.0", python=True)
    assert "--collect-systime=yes" in flags({}, "3.15.0", python=True)
    assert not any("systime" in flag for flag in flags({"systime": False}, "3.19.0", python=True))


def test_threads_take_fair_turns_where_no_lock_of_the_language_does_that() -> None:
    assert "--fair-sched=yes" in flags({}, None, python=False)
    assert "--fair-sched=yes" not in flags({}, None, python=True)
    assert "--fair-sched=yes" in flags({"fair_sched": True}, None, python=True)
    assert "--fair-sched=yes" not in flags({"fair_sched": False}, None, python=False)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(UsageError, match="callgrind has no option systim; it has: systime"):
        flags({"systim": True}, None, python=True)


def test_musl_and_static_programs_have_different_warnings(tmp_path: Path) -> None:
    for name, content, word in [("a", b"\x7fELF..ld-musl-x86_64.so.1", "musl"), ("b", b"\x7fELF....", "statically")]:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o755)
        assert word in (other_libc((f"./{name}",), tmp_path) or "")
    assert other_libc(("sleep",), tmp_path) is None


@pytest.mark.parametrize(
    ("capture", "function"),
    [("hyper011-future-erms", "__memset_avx2_unaligned_erms"), ("hyper011-future-no-erms", None)],
)
def test_a_tunable_without_effect_shows_in_the_dump(tmp_path: Path, capture: str, function: str | None) -> None:
    """The same server with ERMS left on, where glibc fills and copies with `rep`, and with it taken off."""
    file = tmp_path / "callgrind.out.1"
    file.write_bytes(gzip.decompress((DATA / "callgrind" / f"{capture}.out.gz").read_bytes()))
    assert counts_bytes(file) == function


def test_a_dump_without_totals_counts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "out"
    for content, total in [
        (b"", 0),
        (b"events: Ir\n1 2\n", 0),
        (b"totals: 12 3\n", 12),
        (b"totals: 1\ntotals: 2\n", 3),
    ]:
        file.write_bytes(content)
        assert total_of(file) == total


PYTHON = sys.executable


@pytest.mark.parametrize(
    ("argv", "flags_", "program"),
    [
        ((PYTHON, "a.py", "-m"), (PYTHON,), ("a.py", "-m")),
        ((PYTHON, "-X", "dev", "-OO", "a.py"), (PYTHON, "-X", "dev", "-OO"), ("a.py",)),
        ((PYTHON, "-Wd", "-m", "mod", "x"), (PYTHON, "-Wd"), ("-m", "mod", "x")),
        ((PYTHON, "-mmod"), (PYTHON,), ("-m", "mod")),
        ((PYTHON, "-c", "pass"), (PYTHON,), ("-c", "pass")),
        (("python3", "a.py"), ("python3",), ("a.py",)),
    ],
)
def test_the_agent_goes_behind_the_interpreters_flags(
    argv: tuple[str, ...], flags_: tuple[str, ...], program: tuple[str, ...]
) -> None:
    assert split_command(argv, ROOT) == (flags_, program)


def test_a_console_script_runs_under_the_interpreter_of_its_first_line(tmp_path: Path) -> None:
    script = tmp_path / "serve"
    script.write_text(f"#!{PYTHON}\nprint()\n")
    script.chmod(0o755)
    assert split_command((str(script), "-x"), tmp_path) == ((PYTHON,), (str(script), "-x"))
    assert split_command(("./serve",), tmp_path) == ((PYTHON,), (str(tmp_path / "serve"),))


@pytest.mark.parametrize("argv", [("/bin/sleep", "1"), (PYTHON,), (PYTHON, "-"), (PYTHON, "-i")])
def test_a_command_without_a_place_for_the_agent_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(CaptureError):
        split_command(argv, ROOT)


def seen(version: str, main_s: float) -> Seen:
    return Seen(1, Path("x"), 10, 1.0, main_s, None, "cProfile", version, None)


def test_cprofile_since_3_12_is_refused_when_other_threads_served() -> None:
    from profpipe.capture.profilers.python_agent.cprofile.profiler import spoilt

    assert spoilt(seen("3.11.7", 0.1)) is None
    assert spoilt(seen("3.13.0", 0.99)) is None
    assert "mixes threads" in (spoilt(seen("3.13.0", 0.9)) or "")


# ---- real servers


@pytest.mark.real
@pytest.mark.parametrize("name", ["threads", "asyncio_protocol", "gevent_server"])
def test_callgrind_counts_the_window_and_nothing_else(tmp_path: Path, name: str) -> None:
    require("valgrind", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    assert profile.declared is not None
    total = int(profile.declared["instructions"])
    # Start and imports are 80 million and more; a request is 15,000 to 60,000.
    assert 10_000 < total / REQUESTS < 120_000
    assert total == total_of(tmp_path / captured.captures[0].path)
    assert processes(tmp_path) == []


@pytest.mark.real
def test_callgrind_of_an_idle_window_is_invalid_in_words_or_next_to_nothing(tmp_path: Path) -> None:
    """What another window control kept from before: 45,364 instructions where nothing was asked."""
    require("valgrind")
    captured = run(ours("asyncio_protocol"), tmp_path, "callgrind", load=Drive(0, 0))
    if captured.reason is None:
        assert total_of(tmp_path / captured.captures[0].path) < 5_000
    else:
        assert captured.reason == "callgrind brought no profile: nothing was counted in the window"


@pytest.mark.real
def test_callgrind_repeats_with_a_fixed_count_and_counts_the_same_without_systime(tmp_path: Path) -> None:
    """One connection at a time, so that neither batching nor the garbage collector's turn differs."""
    require("valgrind")
    totals = []
    for systime in (True, False):
        folder, options = tmp_path / str(systime), {"systime": systime}
        captured = run(ours("asyncio_protocol"), folder, "callgrind", load=Drive(300, 1), options=options)
        totals.append(total_of(folder / captured.captures[0].path))
    assert abs(totals[0] - totals[1]) / totals[0] < 0.003


@pytest.mark.real
def test_callgrind_reaches_a_server_behind_a_shell_and_its_forked_worker(tmp_path: Path) -> None:
    require("valgrind")
    command = ("sh", "-c", f"{PYTHON} {FAULTY} daemonizes {{port}}; true")
    target = Target(command=command, env={"RUN_FOLDER": str(tmp_path)}, stop_timeout=5.0)
    captured = run(target, tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    assert profile.declared is not None
    assert profile.declared["instructions"] / REQUESTS > 10_000
    assert processes(tmp_path) == []


@pytest.mark.parametrize(
    ("user", "host"), [("root", "web-1"), ("???", "???"), ("a-on-b", "c-by-d"), ("", "x"), ("jane doe", "")]
)
def test_vgdb_gets_the_user_and_host_that_valgrind_put_into_the_name_of_its_pipe(user: str, host: str) -> None:
    pipe = f"vgdb-from-vgdb-to-4711-by-{user}-on-{host}"
    env = vgdb.environment(pipe)
    assert f"vgdb-from-vgdb-to-4711-by-{env['LOGNAME']}-on-{env['HOST']}" == pipe
    assert (env["USER"], env["HOSTNAME"]) == (env["LOGNAME"], env["HOST"])


@pytest.mark.real
@pytest.mark.parametrize(
    ("env", "script"),
    [({}, ""), ({"HOSTNAME": "web-2", "LOGNAME": "jane"}, ""), ({}, "HOST=web-3 USER= exec ")],
    ids=["exported by the caller", "set by the target", "changed by the start script"],
)
def test_callgrind_works_whatever_the_host_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], script: str
) -> None:
    """Containers export HOSTNAME; valgrind and vgdb must still agree on the name of their pipe."""
    require("valgrind")
    monkeypatch.setenv("HOSTNAME", "web-1")
    server = f"{script}{PYTHON} {ROOT}/targets/python/asyncio_protocol.py --port {{port}}"
    target = Target(command=("sh", "-c", server), env=env, language="python")
    captured = run(target, tmp_path, "callgrind", 20)
    assert parsed(captured, tmp_path).declared


@pytest.mark.real
def test_callgrind_writes_a_file_for_each_thread_and_they_are_read_as_one_run(tmp_path: Path) -> None:
    require("valgrind")
    captured = run(ours("threads"), tmp_path, "callgrind", REQUESTS, options={"separate_threads": True})
    files = [tmp_path / file.path for file in captured.captures]
    threads = {path.name.rpartition("-")[2] for path in files}
    assert len(threads) == len(files) > 1
    profile = parse_files(files)
    assert profile.declared is not None
    assert profile.declared["instructions"] == sum(map(total_of, files))
    assert profile.declared["instructions"] / REQUESTS > 5_000


@pytest.mark.real
def test_a_tunable_that_did_not_work_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another tunable in its place, as on a C library that does not know ours. Old processors have no ERMS."""
    require("valgrind")
    monkeypatch.setattr(options, "merged_tunables", lambda _: "glibc.malloc.check=0")
    captured = run(ours("asyncio_protocol"), tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    said = [text for text in captured.warnings if "GLIBC_TUNABLES had no effect" in text]
    assert bool(said) == any(name.endswith("_erms") for name in profile.functions.name)


@pytest.mark.real
def test_callgrind_keeps_its_profile_when_the_server_must_be_killed(tmp_path: Path) -> None:
    require("valgrind")
    captured = run(faulty("ignores-sigterm", stop_timeout=0.2), tmp_path, "callgrind", 50)
    assert captured.reason is None
    assert "was killed" in captured.warnings[0]
    assert parsed(captured, tmp_path).declared


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "function", "file", "backend"),
    [
        ("threads", "parse", "request_head.py", "native_thread"),
        ("asyncio_protocol", "Hello.data_received", "protocol.py", "native_thread"),
        ("gevent_server", "parse", "request_head.py", "greenlet"),
        ("uvloop_protocol", "Hello.data_received", "protocol.py", "native_thread"),
    ],
)
def test_yappi_sees_every_request_of_the_window_once(
    tmp_path: Path, name: str, function: str, file: str, backend: str
) -> None:
    require("yappi", *NEEDS.get(name, ()), *(["uvloop"] if name == "uvloop_protocol" else []))
    captured = run(ours(name), tmp_path, "yappi", REQUESTS)
    profile = parsed(captured, tmp_path)
    document = tmp_path / captured.captures[0].path
    assert calls_of(document, function, file) == REQUESTS
    assert profile.meta.notes["backend"] == backend
    assert captured.profiler_facts["contexts"] == backend


@pytest.mark.real
def test_yappi_sees_threads_that_ran_before_it_began(tmp_path: Path) -> None:
    require("yappi")
    target = Target(command=("{python}", str(ROOT / "tests/servers/pool.py"), "{port}"), language="python")
    captured = run(target, tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    assert calls_of(tmp_path / captured.captures[0].path, "answer_one", "pool.py") == REQUESTS


@pytest.mark.real
def test_yappi_follows_a_server_into_its_forked_worker(tmp_path: Path) -> None:
    require("yappi")
    captured = run(faulty("daemonizes", env={"RUN_FOLDER": str(tmp_path)}), tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    documents = [tmp_path / file.path for file in captured.captures]
    assert sum(calls_of(document, "answer", "faulty.py") for document in documents) == Drive(1).connections
    assert processes(tmp_path) == []


@pytest.mark.real
@pytest.mark.parametrize("name", ["pyinstrument", "cprofile"])
def test_one_thread_instruments_refuse_a_thread_per_connection(tmp_path: Path, name: str) -> None:
    if name == "pyinstrument":
        require("pyinstrument")
    captured = run(ours("threads"), tmp_path, name, 2000)
    assert captured.refused
    assert captured.phase == "save"
    assert "the serving threads were not seen" in (captured.reason or "")


@pytest.mark.real
@pytest.mark.parametrize("name", ["asyncio_protocol", "gevent_server"])
def test_pyinstrument_samples_the_loop(tmp_path: Path, name: str) -> None:
    require("pyinstrument", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "pyinstrument", 2000)
    profile = parsed(captured, tmp_path)
    assert {"parse", "data_received", "handle"} & set(profile.functions.name)


@pytest.mark.real
@pytest.mark.parametrize("name", ["asyncio_protocol", "gevent_server"])
def test_cprofile_counts_calls_of_the_loop(tmp_path: Path, name: str) -> None:
    require(*NEEDS.get(name, ()))
    profile = parsed(run(ours(name), tmp_path, "cprofile", REQUESTS), tmp_path)
    assert "parse" in profile.functions.name


@pytest.mark.real
@pytest.mark.parametrize("name", ["threads", "asyncio_protocol", "gevent_server"])
def test_pyspy_samples_a_running_server(tmp_path: Path, name: str) -> None:
    require("py-spy", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "py-spy", 4000)
    profile = parsed(captured, tmp_path)
    assert any("handle" in f or "data_received" in f for f in profile.functions.name)
    assert samples_in(tmp_path / captured.captures[0].path) > 0
    assert processes(tmp_path) == []


@pytest.mark.real
def test_pyspy_that_may_not_trace_fails_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profpipe.capture.profilers import pyspy

    fake = tmp_path / "py-spy"
    fake.write_text("#!/bin/sh\necho 'Error: Permission denied (os error 13)' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(pyspy, "find_tool", lambda _: str(fake))
    captured = run(ours("threads"), tmp_path / "run", "py-spy", 10)
    assert captured.phase == "window"
    assert "Permission denied" in (captured.reason or "")
    assert "allow ptrace" in (captured.reason or "")


@pytest.mark.real
def test_an_agent_that_cannot_import_its_profiler_ends_before_ready(tmp_path: Path) -> None:
    """The package is missing in the target's interpreter and nobody asked before."""
    target = ours("threads").model_copy(update={"command": (PYTHON, "-S", "-I", "threads.py", "--port", "{port}")})
    captured = run(target, tmp_path, "yappi", 10)
    assert captured.phase == "ready"
    assert any("No module named 'yappi'" in line for line in captured.log_tail)


@pytest.mark.real
def test_a_package_missing_in_the_targets_interpreter_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nexec {PYTHON} -S -I "$@"\n')
    bare.chmod(0o755)
    target = Target(command=(str(bare), "serve.py"), language="python")
    expected = f"yappi is not installed for {bare}: {bare} -m pip install yappi"
    assert profiler("yappi").missing(target, tmp_path) == expected
    assert profiler("cprofile").missing(target, tmp_path) is None


@pytest.mark.real
def test_the_targets_own_ways_are_kept_under_the_agent(tmp_path: Path) -> None:
    """argv, __main__, the path, SIGUSR1 and a clean SIGTERM are as without it."""
    script = tmp_path / "look.py"
    script.write_text(
        "import json, os, pickle, signal, sys\n"
        "sys.path.insert(0, os.environ['TARGETS'])\n"
        "class Here: pass\n"
        "pickle.dumps(Here())\n"
        "told = {'argv': sys.argv[1:], 'main': __name__, 'file': __file__, 'usr1': signal.getsignal(10) == 0,\n"
        "        'capture': any(p.endswith('profpipe/capture') for p in sys.path)}\n"
        "open(os.environ['TOLD'], 'w').write(json.dumps(told))\n"
        "sys.argv = ['threads.py', *sys.argv[2:]]\n"
        "import threads; threads.main()\n"
    )
    told = tmp_path / "told.json"
    target = Target(
        command=("{python}", str(script), "first", "--port", "{port}"),
        env={"TOLD": str(told), "TARGETS": str(ROOT / "targets/python")},
        ready=Ready(line=r"ready port=(?P<port>\d+)"),
    )
    captured = run(target, tmp_path / "run", "yappi", 20)
    assert captured.reason is None
    assert captured.warnings == ()
    looked = json.loads(told.read_text())
    assert looked["argv"][:2] == ["first", "--port"]
    assert looked["main"] == "__main__"
    assert looked["file"] == str(script)
    assert looked["usr1"]
    assert not looked["capture"]


@pytest.mark.real
def test_a_module_is_profiled_as_a_module(tmp_path: Path) -> None:
    command = ("{python}", "-m", "threads", "--port", "{port}")
    captured = run(ours("threads").model_copy(update={"command": command}), tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    assert calls_of(tmp_path / captured.captures[0].path, "parse", "request_head.py") == REQUESTS


@pytest.mark.real
def test_captures_of_two_runs_never_mix(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "callgrind.out.1.1").write_text("totals: 5\n")
    captured = run(ours("threads"), tmp_path, "clean", 10)
    assert captured.phase == "start"
    assert "holds captures of another run" in (captured.reason or "")


@pytest.mark.real
def test_no_temporary_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("valgrind", "yappi")
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for name in ("callgrind", "yappi"):
        run(ours("threads"), tmp_path / name, name, 20)
    assert os.listdir(tmp_path / "tmp") == []  # noqa: PTH208
    shutil.rmtree(tmp_path / "tmp")
