"""Whether the body of an answer is what a request expects.

The load clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from profpipe.characters import visible
from profpipe.credentials import HIDDEN, hide
from profpipe.load.pointer import at_pointer

SHOWN = 160  # characters of a body in a complaint
# What may be a token, under whatever name.
_LONG = re.compile(r"[\w.+/=~-]{20,}")
# A thousand times that fits in what a set-up reads, and would fill the memory.
MOST_UNPACKED = 64 << 20
_UNZIP = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def shown(body: bytes) -> str:
    """`: ` and the first bytes of a body, without what may be a secret."""
    text = _LONG.sub(HIDDEN, hide(body[: 4 * SHOWN].decode("utf-8", "replace")))
    return f": {visible(text, limit=SHOWN)}" if body else ", with an empty body"


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its Content-Encoding. ValueError for one that the standard library cannot undo."""
    for name in reversed([each.strip().lower() for each in encoding.split(",") if each.strip()]):
        if name == "identity":
            continue
        if name not in _UNZIP:
            raise ValueError(f"its body is encoded as {name}: ask for gzip, or leave Accept-Encoding out")
        body = _decompressed(body, name)
    return body


def _decompressed(body: bytes, name: str) -> bytes:
    undo = zlib.decompressobj(_UNZIP[name])
    try:
        whole = undo.decompress(body, MOST_UNPACKED)
    except zlib.error as error:
        raise ValueError(f"its body is not {name}, as it says ({error})") from error
    if undo.unconsumed_tail:
        raise ValueError(f"its body has more than {MOST_UNPACKED:,} bytes once it is unpacked")
    if not undo.eof:
        raise ValueError(f"its body is not {name}, as it says (it is cut)")
    return whole


class Expected:
    """A rule from study.requests.ExpectedBody: one of contains, pattern and pointer."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self.contains = None if rule["contains"] is None else rule["contains"].encode("utf-8", "surrogateescape")
        self.pattern = None if rule["pattern"] is None else re.compile(rule["pattern"], re.MULTILINE)
        self.pointer, self.equals = rule["pointer"], rule["equals"]
        self.words = _words(rule)

    def fault(self, body: bytes, encoding: str) -> str | None:
        """What is wrong, in the same words each time, since they are counted; None where the body is right."""
        try:
            body = unpacked(body, encoding)
        except ValueError as error:
            return f"unexpected body: {error}"
        if self.contains is not None:
            good = self.contains in body
        elif self.pattern is not None:
            good = self.pattern.search(body.decode("utf-8", "replace")) is not None
        else:
            good = self._at(body)
        return None if good else f"unexpected body: {self.words}"

    def _at(self, body: bytes) -> bool:
        try:
            found = at_pointer(json.loads(body), self.pointer)
        except (LookupError, ValueError, RecursionError):
            return False
        # To Python true is 1, to JSON it is not.
        return self.equals is None or (
            found == self.equals and isinstance(found, bool) == isinstance(self.equals, bool)
        )


def _words(rule: Mapping[str, Any]) -> str:
    if rule["contains"] is not None:
        return f"{visible(json.dumps(rule['contains'], ensure_ascii=False), limit=SHOWN)} is not in it"
    if rule["pattern"] is not None:
        return f"nothing in it matches {visible(repr(rule['pattern']), limit=SHOWN)}"
    if rule["equals"] is None:
        return f"nothing is at {rule['pointer']}"
    return f"{rule['pointer']} is not {visible(json.dumps(rule['equals'], ensure_ascii=False), limit=SHOWN)}"
