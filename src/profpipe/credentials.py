"""What looks like a credential, and texts without it: for every report, record and message that leaves a run.

Two rules: values that are known to be secret, by the name of their variable or header, and whatever has the form of a
credential: `user:password@` in a URL, `?token=...`, a header, `--password ...` in one word or two, `API_KEY=...`.
Every pattern takes time in proportion to the text: names are read once, and their words are looked for afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

HIDDEN = "[hidden]"
# Shorter values hide nothing and would blank out words.
SHORTEST = 6
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|COOKIE|SESSION|DSN|_KEY$|_PAT$"
)
# `signal` and `author` are no secrets.
_WORD = re.compile(
    r"(?i)token|secret|passw(?:or)?d|passphrase|pwd(?![a-z])|api[_-]?key|access[_-]?key|credential|auth(?!or(?!i))"
    r"|signature|(?<![a-z])sig(?![a-z])|cookie|private[_-]?key"
)
_QUERY_WORD = re.compile(rf"{_WORD.pattern}|key|code|session")
_HEADER_WORD = re.compile(r"(?i)key|token|auth(?!or(?!i))|secret|password|signature|cookie|credential")
_VALUE = r"(?:'[^'\n]*'?|\"[^\"\n]*\"?|[^\s'\"]+)"
_USER = re.compile(r"(?<=://)[^/\s'\"<>]+(?=@)")
_QUERY = re.compile(r"(?P<name>[?&;][\w.-]++=)[^\s&;'\"#]+")
_OPTION = re.compile(rf"(?P<name>(?<![^\s'\"])--?[\w.-]++(?:=|\s++(?!-)))(?P<value>{_VALUE})")
# shlex.join puts a whole option into quotes when its value needs them.
_QUOTED_OPTION = re.compile(r"(?P<name>(?<!\S)(?P<quote>['\"])--?[\w.-]++=)[^'\"\n]*")
_ASSIGNED = re.compile(rf"(?P<name>(?<![\w.-])[\w.-]++=){_VALUE}")
_JSON = re.compile(r"(?P<name>\"[\w.-]++\"\s*+:\s*+)\"[^\"\n]*\"?")
_HEADER = re.compile(r"(?P<name>(?<![\w-])[\w-]++:(?!:)[ \t]*+)(?P<value>[^\s'\";]+(?:;[ \t]*+[^\s'\";]+)*+)")
_AUTHORIZATION = re.compile(
    r"(?i)(?P<name>\b(?:proxy-)?authorization:\s*+)(?:digest\s[^\r\n]+|(?:(?:basic|bearer|token|negotiate)\s++)?[^\s'\"]+)"
)
_BEARER = re.compile(r"(?i)(?P<name>\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}")
_USER_OPTION = re.compile(r"(?P<name>(?<![^\s'\"])--(?:proxy-)?user(?:=|\s++))['\"]?[^\s:'\"]+:[^\s'\"]+")
# Most texts of a report are names of functions, and none of the patterns fits them.
_ANY = re.compile(rf"{_QUERY_WORD.pattern}|bearer|://|--(?:proxy-)?user")


def is_secret_name(name: str) -> bool:
    """Whether a variable or a header of this name holds a secret."""
    return _SECRET_NAME.search(name.upper().replace("-", "_")) is not None


def secret_values(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values of variables or headers whose name says that they are secret, the longest first.

    Passwords in URLs count whatever the name is. Of `Bearer X` and of cookies the parts count, too.
    """
    found = _with_parts(value.strip() for name, value in environment.items() if is_secret_name(name))
    for value in environment.values():
        found |= {part for match in _USER.finditer(value) for part in match.group().split(":")}
    return _longest_first(found)


def secret_fields(body: str) -> tuple[str, ...]:
    """Values of a request body's fields whose name says that they are secret: of a JSON object, or of a form."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return secret_values(dict(parse_qsl(body)))
    fields = found if isinstance(found, dict) else {}
    return secret_values({name: value for name, value in fields.items() if isinstance(value, str)})


def secret_words(words: Sequence[str]) -> tuple[str, ...]:
    """The values that `hide_words` takes out of a command, the longest first: the program may print them again."""
    found: set[str] = set()
    for word, shown in zip(words, hide_words(words), strict=True):
        if shown != word:
            taken = re.fullmatch("(.*?)".join(map(re.escape, shown.split(HIDDEN))), word, re.DOTALL)
            found |= _with_parts(taken.groups() if taken else ())
    return _longest_first(value.strip("'\"") for value in found)


def _with_parts(values: Iterable[str]) -> set[str]:
    """`Bearer X` and X; `a=X; b=Y`, X and Y."""
    found = set(values)
    found |= {part for value in found for part in re.split(r"[\s;]+", value)}
    return (
        found | {part.partition("=")[2] for part in found} | {p for v in found if "://" not in v for p in v.split(":")}
    )


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({v for v in values if len(v) >= SHORTEST}, key=lambda value: (-len(value), value)))


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these values and without whatever has the form of a credential."""
    for value in secrets:
        text = text.replace(value, HIDDEN)
    if _ANY.search(text) is None:
        return text
    text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", _USER.sub(HIDDEN, text))
    for pattern, word in (
        (_QUERY, _QUERY_WORD),
        (_QUOTED_OPTION, _WORD),
        (_OPTION, _WORD),
        (_ASSIGNED, _WORD),
        (_JSON, _WORD),
        (_HEADER, _HEADER_WORD),
    ):
        text = pattern.sub(lambda match, word=word: _hidden(match, word), text)  # type: ignore[misc]
    return _USER_OPTION.sub(rf"\g<name>{HIDDEN}", _BEARER.sub(rf"\g<name>{HIDDEN}", text))


def hide_words(words: Sequence[str], secrets: Iterable[str] = ()) -> tuple[str, ...]:
    """The arguments of a command without credentials, also where option and value are two words."""
    secrets = tuple(secrets)
    return tuple(
        HIDDEN if _wants_secret(before, word) else hide(word, secrets)
        for before, word in zip(("", *words), words, strict=False)
    )


def _wants_secret(option: str, word: str) -> bool:
    """Whether this word is the value of a secret option; `--user` takes `name:password`."""
    if option in {"--user", "--proxy-user"}:
        return ":" in word
    named = re.fullmatch(r"--?[\w.-]+", option) is not None and _WORD.search(option) is not None
    return named and not word.startswith("-")


def _hidden(match: re.Match[str], word: re.Pattern[str]) -> str:
    name = match["name"]
    if word.search(name) is None or (word is _HEADER_WORD and not _is_header(name)):
        return match.group()
    return name + HIDDEN


def _is_header(name: str) -> bool:
    """`X-Api-Key:` and `Cookie:`, not the `token:` of a sentence."""
    plain = name.rstrip(": \t").lower()
    return "-" in plain or plain in {"cookie", "authorization", "apikey", "password", "secret"}
