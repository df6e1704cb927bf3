"""One name per function: demangled, without the additions of compilers, linkers and processors."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from profpipe.analyse.names.go_packages import go_name, package_of
from profpipe.analyse.names.java_names import java_name
from profpipe.analyse.names.source_paths import base_name

# A mangled name longer than this is hostile or useless: back-references can make it grow without bound.
MAX_MANGLED = 4096
MAX_NAME = 16384
NO_SYMBOL = "(no symbol)"

_VERSION = re.compile(r"@{1,2}(?=[A-Z])[A-Za-z0-9_.]+$")
_CLONE = re.compile(r"(?:\.(?:isra|part|constprop|cold|warm|llvm|lto_priv|localalias|__uniq|__part)(?:\.\d+)?|\.\d+)+$")
_CLONE_NOTE = re.compile(r" \[clone [^\[\]]*\]$")
_HASH = re.compile(r"::h[0-9a-f]{16}$")
_CRATE_HASH = re.compile(r"\[[0-9a-f]{16}\]")
# A bracket, and not the head of an arrow: `fn(u8) -> u32`.
_BRACKET = re.compile(r"<|(?<!-)>")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=[ >])")
# A name without symbol: the address differs per build (and per run when it is not relative to the object).
_BARE_ADDRESS = re.compile(r"^0x[0-9a-fA-F]+$")
# glibc chooses one of these at start-up by processor, and valgrind hides AVX-512: same function, many names.
_LIBC_VARIANT = re.compile(
    r"^__(?P<name>(?:mem|str|wcs|wmem|stp|rawmem)[a-z]+?(?:_chk)?)"
    r"_(?:sse2|sse4_1|sse4_2|sse42|ssse3|avx2?|avx512|evex|evex512|erms|generic|asimd|neon|sve|falkor|thunderx2?)"
    r"(?:_(?:sse2|avx|unaligned|no_vzeroupper|vzeroupper|erms|movbe|rtm|bsf|back|back_v2|asm|mops|v2))*$"
)


class Normal(NamedTuple):
    """A normalised name. `folded` = a processor variant of a libc function; `plt` = the jump to it, not itself."""

    name: str
    folded: bool = False
    plt: bool = False


def normal_name(raw: str, object: str = "", language: str = "") -> str:
    """The one name of a function; a name that cannot be read is kept as it is.

    `language` narrows what is tried: Python's and Go's names are never mangled. Names without symbol, bare addresses,
    become `(no symbol)` with the base name of their object, because the address means nothing in another build.
    """
    if language == "js":
        return raw
    if language == "java":
        return java_name(raw)
    if language == "python":
        return _ADDRESS.sub("", raw)
    if _BARE_ADDRESS.match(raw):
        return f"{NO_SYMBOL} {base_name(object)}".rstrip()
    if language == "go" and package_of(name := go_name(raw)):
        return name
    return normalise(raw).name


@lru_cache(maxsize=65536)
def normalise(raw: str) -> Normal:
    """Normalise a native name. Cached: a profile repeats its names in every round."""
    name, plt = raw, False
    if name.endswith("@plt"):
        name, plt = name[: -len("@plt")], True
    name = _VERSION.sub("", name)
    name = _demangled(name)
    name = _CLONE_NOTE.sub("", name)
    if not name.startswith(("runtime.", "main.")) or ".llvm." in name:
        name = _without_clone(name)
    name = _CRATE_HASH.sub("", _HASH.sub("", name))
    name = name.removeprefix("__GI_")
    folded = _LIBC_VARIANT.match(name)
    return Normal(folded["name"] if folded else name, folded is not None, plt) if name else Normal(raw)


def _without_clone(name: str) -> str:
    """Drop `.isra.0` and the like; Go's closures (`main.run.func1.2`) end in digits of their own."""
    return name if ".func" in name else _CLONE.sub("", name)


def _demangled(name: str) -> str:
    if len(name) > MAX_MANGLED or not (name.startswith(("_Z", "__Z", "_R", "_$LT$")) or "$LT$" in name):
        return name
    from multi_demangle import demangle_symbol

    text = demangle_symbol(_wrapped(name) if name.startswith("_$LT$") else name)
    if not isinstance(text, str) or not text or len(text) > MAX_NAME or "{recursion limit reached}" in text:
        return name
    return name if text.startswith("_ZN") else text


def _wrapped(name: str) -> str:
    """`_$LT$std..io..Write$GT$::x` has lost its `_ZN` frame: give it back, so that the library can read it."""
    parts = [part for part in name.split("::") if part]
    return "_ZN" + "".join(f"{len(part)}{part}" for part in parts) + "17h" + "0" * 16 + "E"


@lru_cache(maxsize=65536)
def path_of(name: str) -> str:
    """A demangled name without generic arguments: `<hash::Map<u64, may::Queue>>::get::<u8>` is `<hash::Map>::get`.

    Arguments would give a function the category of what it works on: a queue of coroutines is no coroutine. Kept are
    `<Type as Trait>` and `<impl Trait for Type>`, which are part of the path. A name with unbalanced brackets stays.
    """
    if "<" not in name or "operator" in name:
        return name
    kept: list[str] = []
    start, depth = 0, 0
    outside: int | None = None  # depth outside the generic arguments that are being skipped
    for found in _BRACKET.finditer(name):
        place = found.start()
        if found[0] == "<":
            if outside is None and _begins_arguments(name, place):
                kept.append(name[start:place].removesuffix("::"))
                outside = depth
            depth += 1
        else:
            depth -= 1
            if depth < 0:
                return name
            if depth == outside:
                outside, start = None, place + 1
    return name if depth else "".join(kept) + name[start:]


def _begins_arguments(name: str, place: int) -> bool:
    """Whether the `<` at this place follows a name, as in `Vec<T>` and `get::<T>`, and so begins generic arguments."""
    if place == 0 or name.startswith("<impl ", place):
        return False
    last = name[max(place - 3, 0) : place].removesuffix("::")[-1:]
    return last.isalnum() or last in "_})]>"


def function_id(*parts: str) -> str:
    """A short stable id: the same parts give the same id in every report."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
