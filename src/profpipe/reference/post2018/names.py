"""Names and lists as cargo-profiler printed them in 2018, so that old and new lists can be compared.

Its rule, from its callgrind reader: keep the text before the first space and after the last `/`, replace every `$xx$`
and `$xxx$` of an escaped Rust name by `..`, drop the hash at the end. Rust escaped names in that way until the v0
mangling, so a demangled v0 name is escaped first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

RULE = "-" * 71
_ESCAPE = re.compile(r"\$\w{2}\$|\$\w{3}\$")
_HASH = re.compile(r"::h[0-9a-f]{16}$")
_INHERENT = re.compile(r"^<([\w:]+)>::")  # v0 writes <A::B>::f where the older mangling wrote A::B::f
_SIGNS = {"@": "$SP$", "*": "$BP$", "&": "$RF$", "<": "$LT$", ">": "$GT$", "(": "$LP$", ")": "$RP$", ",": "$C$"}
_OPEN, _CLOSE = "<([{", ">)]}"


class CargoProfiler:
    """The NameStyle of these lists."""

    def name(self, name: str) -> str:
        return cargo_profiler_name(name)

    def listing(self, rows: Iterable[tuple[int, str]], total: int) -> str:
        return cargo_profiler_list(rows, total)


def cargo_profiler_name(name: str) -> str:
    """A function's name, as callgrind or a demangler wrote it, in the style of the 2018 lists."""
    name = _INHERENT.sub(r"\1::", name)
    if "$" not in name and re.search(r"[^\w.:@]", name):
        name = "::".join(_escaped(part) for part in _parts(name))
    return _ESCAPE.sub("..", _HASH.sub("", name.partition(" ")[0].rpartition("/")[2]))


def cargo_profiler_list(rows: Iterable[tuple[int, str]], total: int) -> str:
    """The list: rows such as `70,276,542 (8.9%) file:function`, each followed by a line of dashes."""
    lines = [f"{value:,} ({value / total * 100 if total else 0:.1f}%) {place}\n{RULE}\n" for value, place in rows]
    return "".join(lines)


def _parts(name: str) -> Iterator[str]:
    """The name split at every `::` outside brackets."""
    depth, start = 0, 0
    for place, sign in enumerate(name):
        arrow = sign == ">" and name[place - 1] in "-="
        depth += (sign in _OPEN) - (sign in _CLOSE and not arrow)
        if depth == 0 and name.startswith("::", place):
            yield name[start:place]
            start = place + 2
    yield name[start:]


def _escaped(part: str) -> str:
    """One path element as Rust's first mangling wrote it: `<T as A::B>` is `_$LT$T$u20$as$u20$A..B$GT$`."""
    text = "".join(_SIGNS.get(sign) or _plain(sign) for sign in part)
    return text if not text or text[0].isalpha() or text[0] == "_" else f"_{text}"


def _plain(sign: str) -> str:
    if sign in "-:":
        return "."
    return sign if sign.isalnum() or sign in "_.$" else f"$u{ord(sign):x}$"
