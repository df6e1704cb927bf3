"""Servers by https: the certificate they are given, whom a load trusts, and when they are ready."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from profpipe.capture.server import certificate
from profpipe.capture.server.certificate import make, own_certificate, trust_of
from profpipe.capture.server.command import environment, fill
from profpipe.capture.server.ready import NotTrusted, Waiting
from profpipe.errors import CaptureError
from profpipe.pipeline.execute.interface import Session
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.slices.handshakes import check_handshakes
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from profpipe.tls import Trust
from tests.support.http_server import Answer, Server
from tests.support.study_file import read
from tests.support.tools import require

pytestmark = pytest.mark.programs

PLAIN = Target(command=("srv", "{port}"))
OWN = Target(command=("srv", "{port}", "{tls_cert}"), env={"KEY": "{tls_key}"})


def test_a_target_is_given_a_certificate_that_its_load_trusts() -> None:
    require("openssl")
    made = own_certificate()
    assert fill(OWN.command, 80) == ("srv", "80", str(made.cert))
    assert environment(OWN, 80)["KEY"] == str(made.key)
    assert made.key.stat().st_mode & 0o077 == 0
    assert trust_of(OWN) == Trust(made.ca, "localhost")
    assert sorted(path.name for path in made.cert.parent.iterdir()) == ["cert.pem", "key.pem"]


def test_a_file_of_authorities_is_read_with_the_study_file(tmp_path: Path) -> None:
    require("openssl")
    ca = make(tmp_path).ca
    (tmp_path / "ca.pem").write_text(ca)
    text = '[target.a]\ncommand = ["srv", "{port}"]\nhttps = { ca = "ca.pem", name = "shop" }\n'
    assert trust_of(read(tmp_path, text).file.target["a"]) == Trust(ca, "shop")


def test_without_verification_the_report_says_so() -> None:
    trust = trust_of(Target.model_validate({"command": ("srv", "{port}"), "https": {"verify": False}}))
    assert trust is not None
    assert trust.words == "https, certificate not verified"
    assert trust_of(PLAIN) is None


def test_without_openssl_there_is_a_plain_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate.shutil, "which", lambda _: None)  # type: ignore[attr-defined]
    with pytest.raises(CaptureError, match=r"needs the program openssl: apt install openssl, or set https\.ca"):
        make(tmp_path)


def waiting(port: int, https: dict[str, Any], ready: dict[str, Any]) -> Waiting:
    target = Target.model_validate({"command": ("x", "{port}"), "https": https, "ready": ready})
    silent = SimpleNamespace(log=SimpleNamespace(tail=lambda: (), watch=lambda _: None))
    return Waiting(cast("Any", silent), target, port, Request(), timeout=5)


@pytest.mark.parametrize("ready", [{}, {"tcp": True}], ids=["by its answer", "by a connection"])
def test_a_server_is_ready_when_its_certificate_is_accepted(ready: dict[str, Any], tmp_path: Path) -> None:
    require("openssl")
    made = make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert, made.key)
    with Server(lambda *_: Answer(close=True), context) as server:
        accepted = waiting(server.port, {"ca": made.ca}, ready)
        assert accepted._connects() if ready else accepted._serves()
        refused = waiting(server.port, {"ca": make(tmp_path / "").ca}, ready)
        with pytest.raises(NotTrusted, match="its certificate is not accepted for the name localhost"):
            refused._connects() if ready else refused._serves()


def test_a_study_ends_before_its_first_round_where_a_server_is_not_trusted() -> None:
    asked: list[str] = []

    def carry_out(units: Iterable[Any]) -> list[tuple[Any, str]]:
        units = list(units)
        asked.extend(unit.variant for unit in units)
        return [(unit, "its certificate is not accepted") for unit in units]

    unverified = Target.model_validate({"command": ("srv", "{port}"), "https": {"verify": False}})
    prepared = cast("PreparedStudy", SimpleNamespace(targets={"plain": PLAIN, "b": unverified}))
    session = cast("Session", SimpleNamespace(carry_out=carry_out))
    check_handshakes(prepared, session, {"b"})
    with pytest.raises(CaptureError, match="b cannot be reached by https: its certificate is not accepted"):
        check_handshakes(prepared, session, ())
    assert asked == ["b"]
