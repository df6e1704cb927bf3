"""The lines of `perf script`: what is a header, a frame or a record, and what a frame's object says."""

from __future__ import annotations

import re

from profpipe.model.profile import KERNEL, NATIVE

# comm is at most 15 bytes in the kernel; the bound keeps a 20 MB line from being tried at every position.
_NAME = r"\s{0,64}(?:(?P<comm>\S.{0,62}?)\s+)?"
_OWNER = r"(?P<pid>-1|\d{1,10})(?:/(?P<tid>-1|\d{1,10}))?\s+(?:\[\d{1,5}\]\s+)?"
_EVENT = r"(?:(?P<period>\d{1,20})\s+)?(?P<event>[^\s:]\S{0,200}):(?:\s+(?P<rest>.*))?$"
HEADER = re.compile(rf"{_NAME}{_OWNER}\d{{1,12}}\.\d{{1,9}}:\s+{_EVENT}")
WITHOUT_TIME = re.compile(rf"{_NAME}{_OWNER}{_EVENT}")
FRAME = re.compile(r"\s*([0-9a-f]{1,16}) (.*)$")
SOURCE_LINE = re.compile(r"\s+\S{1,400}:\d{1,10}$")
RECORD_LINE = re.compile(r":\s+PERF_RECORD_(?!LOST)[A-Z_0-9]+")
END_OF_RECORD = re.compile(r":\d{1,10}/\d{1,10}$")
_MODULE = re.compile(r"\[(?!vdso|vvar|heap|stack|vsyscall|uprobes|anon|unknown)[a-z0-9_]+\]")
MAX_COMM = 16
OFFSET = re.compile(r"\+0x[0-9a-f]{1,16}$")
LOST = re.compile(r"PERF_RECORD_(LOST(?:_SAMPLES)?) lost (\d{1,18})")
NAMELESS = "[unknown] ([unknown])"
# `cpu_core/cycles/`: the same event by the name of the unit that counts it on processors with two kinds of cores.
_UNIT = re.compile(r"^[\w.-]{1,64}/([\w.-]{1,64})/:?(\w*)$")


def frame_fields(text: str) -> re.Match[str] | None:
    """An address and what is there. A thread called `7` makes a header that begins alike."""
    found = FRAME.match(text)
    return None if found and not text.endswith(")") and header_fields(text) else found


def header_fields(text: str) -> re.Match[str] | None:
    """The fields of a header. A time tells best where the name ends; without one, a name or a thread must be there."""
    if found := HEADER.match(text):
        return found
    found = WITHOUT_TIME.match(text)
    return found if found and (found["comm"] or found["tid"]) else None


def event_name(text: str) -> str:
    unit = _UNIT.match(text)
    return text if unit is None else f"{unit[1]}:{unit[2]}" if unit[2] else unit[1]


def runtime_of_object(place: str, upper: bool) -> int:
    if upper and place != "[vsyscall]":
        return KERNEL
    name = place.rpartition("/")[2]
    if place.startswith(("[kernel", "[guest.kernel")) or _MODULE.fullmatch(place):
        return KERNEL
    image = name == "vmlinux" or name.startswith("vmlinux-") or name.endswith((".ko", ".ko.xz", ".ko.zst", ".ko.gz"))
    return KERNEL if image else NATIVE


def split_object(text: str) -> tuple[str, str]:
    """`symbol (object)` at the last balanced parenthesis."""
    if not text.endswith(")"):
        return text, ""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            return text[:at].rstrip(), text[at + 1 : -1]
    return text, ""
