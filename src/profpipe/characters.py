"""Text that any terminal shows as it is and any file can hold."""

from __future__ import annotations

import codecs
import re

# Controls, soft hyphen, zero-width and bidi marks, line separators, interlinear marks, tags, lone surrogates: what
# can hide, reorder or end text. Kept as their code point so that two different names never look the same.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# The longest name that is shown whole.
NAME = 400
# The error handler of a stream whose encoding lacks a character.
ESCAPE = "profpipe.escape"


def visible(text: str, *, limit: int | None = NAME) -> str:
    """Text with nothing in it that a reader cannot see; at most `limit` characters, the cut marked by an ellipsis."""
    if limit is None or len(text) <= limit:
        return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_code_point, text)
    return _INVISIBLE.sub(_code_point, text[: limit + 1])[:limit] + "…"


def visible_lines(text: str) -> str:
    """Text of several lines, each visible; a tab becomes spaces."""
    return "\n".join(visible(line.removesuffix("\r").expandtabs(), limit=None) for line in text.split("\n"))


def visible_json(text: str) -> str:
    """A JSON document with escapes for whatever a reader cannot see: the same document, harmless on a terminal."""
    return text if text.isascii() else _INVISIBLE.sub(lambda m: _json_escape(m.group()), text)


def well_formed(text: str) -> str:
    """Text from the file system, an argument or git, where a byte that is not UTF-8 arrives as a lone surrogate: \\xff.

    A lone surrogate fits in no file and no field of a report.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "backslashreplace").decode(
        "utf-8", "backslashreplace"
    )


def _is_escaped(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)


def _code_point(match: re.Match[str]) -> str:
    number = ord(match.group())
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _json_escape(text: str) -> str:
    if text < "\x7f":
        return text  # the line ends between the values; inside of texts JSON has escaped them already
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _escape(error: UnicodeError) -> tuple[str, int]:
    """The escapes of JSON, so that a document stays one on a terminal that is not UTF-8."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_json_escape, error.object[error.start : error.end])), error.end


codecs.register_error(ESCAPE, _escape)
