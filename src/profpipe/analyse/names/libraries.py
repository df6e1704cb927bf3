"""Which library a function belongs to, from the path of its file or of its shared library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from profpipe.analyse.names import go_packages, java_names
from profpipe.analyse.names.source_paths import AGENT, base_name

if TYPE_CHECKING:
    from profpipe.model.report import Origin

# `site-packages/pydantic_core/_pydantic_core.cpython-312-x86_64-linux-gnu.so`, `site-packages/six.py`, `numpy.libs/`.
_PYTHON_PACKAGE = re.compile(r"/(?:site-packages|dist-packages)/([^/]+)")
# The innermost: a package can have a node_modules of its own.
_NODE_PACKAGE = re.compile(r".*/node_modules/((?:@[^/]+/)?[^/]+)")
_OF_STANDARD_LIBRARY = re.compile(r"/lib(?:64)?/python3[^/]*/lib-dynload/")
_VERSION = re.compile(r"\.so(?:\.\d+)*$|-\d[\d.]*\.so$")
UNKNOWN = ""


def library_of(name: str, file: str, object_: str, runtime: str, origin: Origin) -> tuple[Origin, str]:
    """Whose code a function is and, of a library's, the library: its import name, npm package, Go module or object.

    `file` and `object_` are paths as the profiler has them; samplers and yappi cut them short (`starlette/routing.py`,
    `pydantic_core._pydantic_core`), and then their first part is the library.
    """
    if origin == "library" and _OF_STANDARD_LIBRARY.search(object_):
        return "standard library", UNKNOWN
    if origin != "library":
        return origin, UNKNOWN
    if AGENT in file:
        return origin, "profpipe"
    for path in (file, object_):
        if found := _PYTHON_PACKAGE.search(path):
            return origin, _import_name(found[1])
        if found := _NODE_PACKAGE.match(path):
            return origin, found[1]
    if runtime == "go":
        return origin, _module(go_packages.package_of(name))
    if runtime == "java":
        return origin, ".".join(java_names.package_of(name).split(".")[:3])
    if runtime == "python":
        return origin, _import_name(file.lstrip("/").partition("/")[0])
    return origin, _VERSION.sub("", base_name(object_))


def _import_name(part: str) -> str:
    """`six.py` -> `six`, `numpy.libs` -> `numpy`, `_cffi_backend.cpython-312.so` -> `_cffi_backend`."""
    return part.partition(".")[0]


def _module(package: str) -> str:
    """`github.com/goccy/go-json/internal/encoder` -> `github.com/goccy/go-json`: hosts have an owner and a name."""
    parts = package.split("/")
    return "/".join(parts[: 3 if parts[0] in ("github.com", "gitlab.com", "bitbucket.org") else 2])
