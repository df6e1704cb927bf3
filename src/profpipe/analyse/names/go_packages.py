"""Names of Go functions: their package, and whether it is the program's own, of the standard library or a module."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from profpipe.model.profile import NATIVE, Profile

Owner = Literal["own", "standard", "module"]

# First elements of the paths of standard packages (`go list std`). Another module's path has a dot there.
STANDARD = frozenset({
    "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
    "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter",
    "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort",
    "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe",
    "vendor", "weak",
})  # fmt: skip
_ARGUMENTS = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\][^\[\]]*)*\]")
_ESCAPE = re.compile(r"%([0-9a-f]{2})")
_AGENT = "/profpipe_agent.go"  # profpipe's own file in package main
_INSTALLED = re.compile(r"@v\d|/pkg/mod/|/vendor/|^vendor/|/go[^/]*/src/")
# A function that each Go program has and no other: the end of a goroutine's stack, or its allocator.
_SIGNS = ("runtime.goexit", "runtime.mallocgc", "runtime.mcall", "runtime.gcBgMarkWorker")


def is_go(profile: Profile) -> bool:
    """Whether the profile is of a Go program."""
    f = profile.functions
    return any(
        runtime == NATIVE and (file.endswith(".go") or name.startswith(_SIGNS))
        for name, file, runtime in zip(f.name, f.file, f.runtime.tolist(), strict=True)
    )


@lru_cache(maxsize=65536)
def go_name(raw: str) -> str:
    """One name for a function in every instrument: `slices.Sort[...]`, as pprof has it, and `gopkg.in/yaml.v3.Parse`.

    Symbol tables hold the type arguments, write a dot in the last element of a path as `%2e`, and mark the assembler's
    calling convention with `.abi0`.
    """
    name = _ARGUMENTS.sub("[...]", raw.removesuffix(".abi0"))
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), name)


def package_of(name: str) -> str:
    """The package path of a function: `encoding/json.(*encodeState).marshal` is of `encoding/json`; "" without one."""
    path = name.partition("[")[0].partition("(")[0]
    slash = path.rfind("/") + 1
    dot = path.find(".", slash)
    if dot > 0 and (version := re.match(r"\.v\d+(?=\.)", path[dot:])):
        dot += version.end()  # gopkg.in/yaml.v3.Parse
    return path[:dot] if dot > 0 and ":" not in path else ""  # `type:.eq.main.key` is the compiler's


def owner(package: str, file: str, own: frozenset[str]) -> Owner:
    """Whose a package is. `own` holds the path of the program's module, and `file` decides where it is not known."""
    if file.endswith(_AGENT):
        return "module"
    first = package.partition("/")[0]
    if package == "main" or any(package == path or package.startswith(f"{path}/") for path in own if "." in path):
        return "own"
    if first in STANDARD:
        return "standard"
    outside = _INSTALLED.search(file) is None
    return "own" if ("." not in first or file.startswith("/")) and outside else "module"
