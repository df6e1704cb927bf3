"""Which machine this is and which versions its tools have: reports that differ here are not comparable.

Nothing here identifies a person or a machine: no host name, no user name, no path of a home directory.
"""

from __future__ import annotations

import os
import platform
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from profpipe.capture.tools import Version

# Programs that build servers; profilers and load generators name their own.
COMPILERS = (
    Version("rustc", ("--version",), r"rustc (\S+)"),
    Version("gcc", ("-dumpfullversion",), r"(\S+)"),
)
LOCK_FILE = "Cargo.lock"


def read(path: str) -> str | None:
    """A small file of /proc or /sys, stripped; None when it does not exist."""
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None


def _cpuinfo(field: str) -> str | None:
    for line in (read("/proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return None


def _virtualised() -> str | None:
    flags = (_cpuinfo("flags") or "").split()
    product = read("/sys/class/dmi/id/sys_vendor")
    if "hypervisor" in flags:
        return f"yes ({product})" if product else "yes"
    return "not visible" if flags else None


def _container() -> str | None:
    """What systemd, Docker and Podman leave in a container; "not visible" does not prove that there is none."""
    if name := read("/run/systemd/container"):
        return name
    for path, name in (("/run/.containerenv", "podman"), ("/.dockerenv", "docker")):
        if os.path.exists(path):  # noqa: PTH110 - Path.exists() raises where the folder may not be read
            return name
    groups = read("/proc/1/cgroup") or ""
    found = re.search(r"kubepods|docker|lxc|containerd", groups)
    return found[0] if found else "not visible"


def _aslr() -> str | None:
    return {"0": "off", "1": "partly", "2": "on"}.get(read("/proc/sys/kernel/randomize_va_space") or "")


def _smt() -> str | None:
    return {"1": "on", "0": "off"}.get(read("/sys/devices/system/cpu/smt/active") or "")


def _memory() -> str | None:
    found = re.search(r"MemTotal:\s+(\d+) kB", read("/proc/meminfo") or "")
    return f"{int(found[1]) / 1024**2:.1f} GiB" if found else None


def _processors() -> str:
    usable, there = len(os.sched_getaffinity(0)), os.cpu_count()
    return str(usable) if usable == there else f"{usable} of {there}"


def _load_average() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _system() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


MACHINE: tuple[tuple[str, Callable[[], str | None]], ...] = (
    ("CPU", lambda: _cpuinfo("model name") or platform.machine()),
    ("processors", _processors),
    ("SMT", _smt),
    ("governor", lambda: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
    ("virtual machine", _virtualised),
    ("container", _container),
    ("memory", _memory),
    ("system", _system),
    ("kernel", lambda: f"{platform.system()} {platform.release()}"),
    ("libc", lambda: " ".join(platform.libc_ver()).strip() or None),
    ("Python", lambda: f"{platform.python_implementation()} {platform.python_version()}"),
    ("ASLR", _aslr),
    ("perf_event_paranoid", lambda: read("/proc/sys/kernel/perf_event_paranoid")),
    ("ptrace_scope", lambda: read("/proc/sys/kernel/yama/ptrace_scope") or "not restricted"),
    ("load average", _load_average),
)


def environment_facts(programs: Iterable[tuple[str, tuple[str, ...], str]] = ()) -> dict[str, str]:
    """Name -> value, in order of printing: the machine, then the versions of these programs and of compilers.

    `programs` have the form of Version. A fact this system does not report is "unknown", a program that does not exist
    "absent".
    """
    facts = {name: find() or "unknown" for name, find in MACHINE}
    return facts | {each[0]: Version(*each).ask() or "absent" for each in (*programs, *COMPILERS)}


def crates(program: str, cwd: Path, root: Path) -> str | None:
    """The direct dependencies of a Rust program with their locked versions; None where no lock file names the program.

    The lock file is looked for in `cwd` and above, up to `root`.
    """
    folder, top = cwd.resolve(), root.resolve()
    lock = next((f / LOCK_FILE for f in (folder, *folder.parents) if (f / LOCK_FILE).is_file()), None)
    if lock is None or not lock.is_relative_to(top):
        return None
    try:
        return _direct(program, tomllib.loads(lock.read_text(encoding="utf-8")).get("package", []))
    except (OSError, ValueError):
        return None


def _direct(name: str, packages: list[dict[str, Any]]) -> str | None:
    """`hyper 0.10.16, may 0.3.51`: what the package of that name depends on, without packages of the workspace."""
    found = next((p for p in packages if p["name"] == name), None)
    if found is None:
        return None
    versions = {p["name"]: p["version"] for p in packages if "source" in p}
    # "name", or "name version" where several versions of it are locked.
    wanted = [entry.split() for entry in found.get("dependencies", [])]
    pairs = [(parts[0], parts[1] if len(parts) > 1 else versions.get(parts[0])) for parts in wanted]
    return ", ".join(f"{crate} {version}" for crate, version in pairs if crate in versions and version)
