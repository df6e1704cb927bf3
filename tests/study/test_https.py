"""A target that is reached by https, as profpipe.toml says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.study_file import SERVER, mistakes, read

OWN = '[target.a]\ncommand = ["srv", "{port}", "{tls_cert}", "{tls_key}"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SERVER + "https = {}\n", "target.a.https: it is not said which certificates are accepted: set ca ="),
        (SERVER + 'https = { ca = "ca.pem", verify = false }\n', "https.ca: has no effect with verify = false"),
        (SERVER + 'https = { ca = "no.pem" }\n', "https.ca: no.pem cannot be read: No such file"),
        (SERVER + 'https = { ca = "empty.pem" }\n', "https.ca: empty.pem holds no certificate in PEM"),
        (OWN + 'https = { ca = "ca.pem" }\n', "https.ca: has no effect next to {tls_cert}"),
        (OWN.replace(', "{tls_key}"', ""), "target.a.command: it has {tls_cert} without {tls_key}"),
    ],
    ids=["nothing", "both", "no file", "no certificate", "two authorities", "no key"],
)
def test_what_cannot_be_meant_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    (line,) = mistakes(tmp_path, text)
    assert told in line


def test_what_can_is_not(tmp_path: Path) -> None:
    assert mistakes(tmp_path, SERVER + 'https = { verify = false, name = "shop.example" }\n') == []
    assert mistakes(tmp_path, OWN + "https = { verify = false }\n") == []
    target = read(tmp_path, OWN).file.target["a"]
    assert target.https is None
