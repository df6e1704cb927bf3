"""What PHP's serialize() writes of arrays, texts and numbers. Objects and references are refused: nothing is made."""

from __future__ import annotations

import re
from typing import Any

from profpipe.errors import ParseError

DEPTH = 20
_NUMBER = re.compile(rb"[id]:(-?\d{1,19})(?:\.\d{0,40})?;")
_LENGTH = re.compile(rb"s:(\d{1,9}):\"")
_ARRAY = re.compile(rb"a:(\d{1,9}):\{")


def unserialised(data: bytes, source: str) -> Any:
    """The value that the bytes hold: dict, str (bytes that are no UTF-8 become \\xNN), int (decimals are cut).

    Raises ParseError with the byte where something else stands, and where the array does not end with the file.
    """
    value, at = _value(data, 0, source, 0)
    if data[at:].strip():
        raise ParseError(source, "bytes after the end of the array", offset=at)
    return value


def _value(data: bytes, at: int, source: str, depth: int) -> tuple[Any, int]:
    if found := _NUMBER.match(data, at):
        return int(found[1]), found.end()
    if found := _LENGTH.match(data, at):
        end = found.end() + int(found[1])
        if data[end : end + 2] == b'";':
            return data[found.end() : end].decode(errors="backslashreplace"), end + 2
        raise ParseError(source, "a text that is not as long as it says: the file is not whole", offset=at)
    found = _ARRAY.match(data, at)
    if not found or depth > DEPTH:
        raise ParseError(source, f"expected an array, text or number of PHP, found {data[at : at + 20]!r}", offset=at)
    array: dict[Any, Any] = {}
    at = found.end()
    for _ in range(int(found[1])):
        key, at = _value(data, at, source, depth + 1)
        if isinstance(key, dict) or key in array:
            raise ParseError(source, "a key that is an array, or is listed twice", offset=at)
        array[key], at = _value(data, at, source, depth + 1)
    if data[at : at + 1] != b"}":
        raise ParseError(source, "an array without its end: the file is not whole", offset=at)
    return array, at + 1
