"""Targets that are reached by https: what can be wrong in what they say, and the authorities they name."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from profpipe.study.mistakes import Mistake
from profpipe.study.positions import KeyPath
from profpipe.study.schema import StudyFile, Target

TLS_FILES = ("tls_cert", "tls_key")


def own_certificate(target: Target) -> bool:
    """Whether the target is given a certificate by profpipe."""
    return any(f"{{{TLS_FILES[0]}}}" in text for text in (*target.command, *target.env.values()))


def check_https(path: KeyPath, target: Target, root: Path) -> Iterator[Mistake]:
    """Mistakes in `https` and in the placeholders that go with it."""
    texts = (*target.command, *target.env.values())
    given = [name for name in TLS_FILES if any(f"{{{name}}}" in text for text in texts)]
    if len(given) == 1:
        missing = next(name for name in TLS_FILES if name not in given)
        yield Mistake((*path, "command"), f"it has {{{given[0]}}} without {{{missing}}}: a server needs both")
    https, place = target.https, (*path, "https")
    if https is None:
        return
    if https.ca and given:
        yield Mistake((*place, "ca"), "has no effect next to {tls_cert}, whose authority is made for each run")
    elif https.ca and not https.verify:
        yield Mistake((*place, "ca"), "has no effect with verify = false: keep one")
    elif https.ca:
        if (why := _no_authority(root / https.ca)) is not None:
            yield Mistake((*place, "ca"), why)
    elif https.verify and not given:
        yield Mistake(
            place,
            'it is not said which certificates are accepted: set ca = "FILE" or verify = false, '
            "or put {tls_cert} and {tls_key} into the command",
        )


def _no_authority(path: Path) -> str | None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return f"{path.name} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror} (relative to this file)"
    return None


def with_authorities(file: StudyFile, root: Path) -> StudyFile:
    """The file with the content of every `https.ca` in its place. Only for a file without mistakes."""
    return file.model_copy(update={"target": {name: _target(target, root) for name, target in file.target.items()}})


def _target(target: Target, root: Path) -> Target:
    if target.https is None or not target.https.ca:
        return target
    content = (root / target.https.ca).read_text()
    return target.model_copy(update={"https": target.https.model_copy(update={"ca": content})})
