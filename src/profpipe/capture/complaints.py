"""What a tool's complaint means: the whole output is read, since the reason is often not in its last line."""

from __future__ import annotations

import re
from typing import NamedTuple

# What profilers that attach to a running process need.
ALLOW_PTRACE = "allow ptrace: run as root, or `sysctl kernel.yama.ptrace_scope=0`, or in a container add SYS_PTRACE"
ALLOW_PERF = "allow perf_event_open in the container: --cap-add PERFMON, or --security-opt seccomp=unconfined"
LONGEST = 400
# Valgrind's and perf's own marks in front of a line.
_PREFIX = re.compile(r"^(?:[=-]{2}\d+[=-]{2}|valgrind:|vgdb:|perf:|WARNING:|error:|Error:|fatal:)\s*", re.IGNORECASE)


class Cause(NamedTuple):
    """A pattern of a whole output, what it means and the remedy; `{0}` in both is the pattern's first group."""

    pattern: str
    meaning: str
    remedy: str

    def found_in(self, output: str) -> re.Match[str] | None:
        # Compiled when a tool complains, not by every command that imports this file.
        return re.search(self.pattern, output, re.IGNORECASE | re.DOTALL)


# The first that matches counts. A test has an output for each.
CAUSES = (
    Cause(
        r"must-be-redirected function.*?in an object with soname matching:\s+(\S+)",
        "valgrind needs the debugging symbols of {0}, which are not installed",
        "apt install libc6-dbg (Fedora: debuginfo-install glibc; Arch: debuginfod; Alpine: apk add musl-dbg)",
    ),
    Cause(
        r"perf not found for kernel (\S*microsoft\S*)",
        "this perf is only a wrapper, and none is packaged for the WSL kernel {0}",
        "build tools/perf of github.com/microsoft/WSL2-Linux-Kernel, or measure with callgrind or py-spy",
    ),
    Cause(r"(perf not found for kernel \S+)", "{0}", "apt install linux-tools-$(uname -r)"),
    Cause(
        r"(?:can't|cannot) execute setuid/setgid/setcap executable:?\s*(\S*)",
        "valgrind cannot run a program with setuid, setgid or capabilities: {0}",
        "run as the user it needs, or measure a copy of the program without these bits",
    ),
    Cause(
        r"perf_event_open.*?(?:ENOSYS|function not implemented)|(?:ENOSYS|function not implemented).*?perf_event_open",
        "the kernel or a filter (seccomp) forbids perf_event_open",
        ALLOW_PERF,
    ),
    Cause(
        r"(?:the )?(\S+) event is not supported|PMU hardware doesn't support|No hardware sampling interrupt available",
        "this machine has no such hardware counter (PMU), as most virtual machines",
        "sample cpu-clock instead, or turn on the virtual PMU",
    ),
    Cause(
        r"ptrace[^\n]*(?:not permitted|denied|EPERM)|(?:not permitted|denied|EPERM)[^\n]*ptrace",
        "ptrace is not permitted here",
        ALLOW_PTRACE,
    ),
    Cause(
        r"bad CPU type|exec format error|wrong ELF class",
        "the program is built for another kind of processor",
        "install the one for this machine: uname -m",
    ),
    Cause(
        r"(error while loading shared libraries: [^\n:]+)",
        "{0} is missing",
        "install the package that has this library, or reinstall the tool",
    ),
    Cause(
        r"cannot allocate memory|ENOMEM|(?:mmap|out of memory)[^\n]*fail",
        "there is too little memory",
        "raise the memory limit (ulimit -v, the container's limit)",
    ),
)


def explained(output: str) -> tuple[str, str] | None:
    """(what it means, the remedy) of a complaint that is known; None for any other."""
    for cause in CAUSES:
        if (found := cause.found_in(output)) is not None:
            group = (found[1] or "") if found.re.groups else ""
            return cause.meaning.format(group).removesuffix(": "), cause.remedy
    return None


def in_one_line(output: str) -> str:
    """A complaint without the tool's marks and blank lines, in one line of at most LONGEST characters."""
    lines = [_PREFIX.sub("", line.strip()).strip() for line in output.splitlines()]
    text = "; ".join(dict.fromkeys(line.rstrip(".;:,") for line in lines if line and not line.startswith("hint:")))
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
