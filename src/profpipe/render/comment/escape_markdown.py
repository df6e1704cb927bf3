"""Escape text so that Markdown shows it literally: no markup, link, mention, reference or image, on any forge."""

from __future__ import annotations

import re


class Md(str):
    """Text that is Markdown already."""

    __slots__ = ()


# With brackets, backticks, angles and pipes escaped, parentheses, dots and signs within a line mean nothing.
_SPECIAL = re.compile(r"([\\`*_{}\[\]|<>~$&^])")
# What makes a heading, a list or a rule of the line it begins; a number followed by a space is a list. A line that
# begins with "/close" is a command to GitLab and to many bots on GitHub.
_OPENING = re.compile(r"^(\s*)(?:(\d+)(?=[.)](?:\s|$))|([#+\-=]+(?=\s|$)|/))")
# Forges read these after Markdown is done, so a backslash does not help; in a code span they leave them. Besides links
# and mentions these are all short forms of a reference: #1, !1, GH-1, owner/repo#1, ABC-1, GitLab's %1 &1 ~x $1 ^x, and
# emoji, which are images: `std::key::Value` holds one.
# Everything up to the next space is included: after a code span a reference would begin a word again.
_LINKED = re.compile(
    r"(?:(?<!\S)[^\s:]*+::"
    r"|[\w+.-]*+://"
    r"|\b(?:mailto|xmpp|ftp|tel|sms|magnet|data|javascript|urn|file|news|geo|cid|mid):"
    r"|\bwww\."
    r"|(?:(?<!\S)[\w./+-]+)?@[\w-]"
    r"|(?:(?<!\S)[\w./-]+)?[#!]\d"
    r"|:[\w+-]+:"
    r"|\[[\w-]+:[^\]\s]*\]"
    r"|[%&~$^][\w\"{]"
    r"|\bGH-\d|\bGHSA-\w|(?-i:\b[A-Z][A-Z0-9]+-\d)"
    r"|\b(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b"
    r")(?:\S*[^\s.,;:!?()])?",
    re.IGNORECASE,
)


def prose(text: object) -> Md:
    """Text that a reader sees as it is: what a forge would act on goes into code spans, all else is escaped."""
    if isinstance(text, Md):
        return text
    flat = re.sub(r"\s+", " ", str(text))
    parts, at = [], 0
    for match in _LINKED.finditer(flat):
        parts += [_SPECIAL.sub(r"\\\1", flat[at : match.start()]), code(match.group())]
        at = match.end()
    parts.append(_SPECIAL.sub(r"\\\1", flat[at:]))
    return Md(_OPENING.sub(_escape_opening, "".join(parts), count=1))


def _escape_opening(match: re.Match[str]) -> str:
    space, number, sign = match.groups()
    return f"{space}{number}\\" if number else f"{space}\\{sign}"


def md(template: str, *values: object) -> Md:
    """`template` is Markdown of ours with a {} per value, as in str.format; values that are not Md are escaped."""
    return Md(template.format(*map(prose, values)))


def code(text: object) -> Md:
    """A code span that holds any one line of text, in a table too.

    Its fence is longer than any run of backticks inside. Renderers differ on whether a backslash before a pipe ends a
    table's cell after another backslash, so text with a pipe is written as HTML, every sign as its number.
    """
    flat = " ".join(str(text).split()) or " "
    if "|" in flat:
        numbered = re.sub(r"[^A-Za-z0-9 \u0080-\U0010ffff]", lambda sign: f"&#{ord(sign.group())};", flat)
        return Md(f"<code>{numbered}</code>")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return Md(f"{fence}{pad}{flat}{pad}{fence}")


def fenced(lines: object) -> Md:
    """Lines of text as they are, in a fence longer than any run of backticks or tildes in them."""
    # Bots read raw lines, also those in a fence, and a runner takes :: for a command to itself.
    text = re.sub(r"(?m)^(?=[ \t]*(?:/|::))", "·", str(lines))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return Md(f"{fence}text\n{text}\n{fence}")
